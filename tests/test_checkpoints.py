import json

import pytest
import torch

from metalearn_lite import checkpoints
from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.implicit_maml import ImplicitMAML
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.maml_plus_plus import MAMLPlusPlus
from metalearn_lite.learners.matching import MatchingNetwork
from metalearn_lite.learners.meta_sgd import MetaSGD
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.regularised import RegularisedMAML
from metalearn_lite.learners.relation import RelationNetwork
from metalearn_lite.learners.reptile import Reptile
from metalearn_lite.learners.siamese import SiameseNetwork
from metalearn_lite.networks import MLP, ConvNet
from metalearn_lite.tasks.sinusoids import Sinusoids

SHIPPED = sorted(path.stem for path in checkpoints.folder().glob("*.json"))


def learners():
    mlp, conv, deep = MLP(1, 4, 1), ConvNet((8, 8)), ConvNet((8, 8, 8, 8))
    return [
        MAML(mlp, mlp.init(), inner_lr=0.3, inner_steps=2, order=1),
        JointTraining(mlp, mlp.init()),
        PrototypicalNetwork(conv, conv.init(), distance="cosine"),
        MatchingNetwork(conv, conv.init(), sharpness=3.0),
        SiameseNetwork(conv, SiameseNetwork.init(conv)),
        RelationNetwork(deep, RelationNetwork.init(deep)),
        ANIL(mlp, mlp.init(), inner_lr=0.3),
        Reptile(mlp, mlp.init(), batch_size=3),
        MetaSGD(mlp, mlp.init(), inner_lr=0.3, inner_steps=2),
        MAMLPlusPlus(mlp, mlp.init(), inner_steps=3, last_step_share=0.5, first_order_until=0.2),
        MAMLPlusPlus(mlp, mlp.init(), multi_step=False, learned_rates=False),
        MAMLPlusPlus(mlp, mlp.init(), per_parameter=True),
        RegularisedMAML(mlp, mlp.init(), strength=0.5),
        ImplicitMAML(mlp, mlp.init(), solver_steps=3),
    ]


@pytest.mark.parametrize("learner", learners(), ids=lambda learner: type(learner).__name__)
def test_what_is_saved_comes_back(tmp_path, learner):
    checkpoints.save(learner, "mine", {"seed": 0}, tmp_path)
    back = checkpoints.load("mine", tmp_path)
    assert type(back) is type(learner)
    assert list(back.params) == list(learner.params)
    for name, value in learner.params.items():
        assert torch.equal(back.params[name], value)
    for name, value in vars(learner).items():
        if isinstance(value, int | float | str):
            assert getattr(back, name) == value
    assert checkpoints.read_card("mine", tmp_path)["seed"] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"mine.json", "mine.safetensors"}


def test_a_missing_checkpoint_lists_those_there(tmp_path):
    checkpoints.save(learners()[0], "mine", {}, tmp_path)
    with pytest.raises(FileNotFoundError, match=r"'yours'.*There are: mine"):
        checkpoints.load("yours", tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("mine.json", b"{", "damaged"),
        ("mine.json", b"{}", "no entry"),
        ("mine.safetensors", b"\x80\x04pickle", "damaged"),
        ("mine.safetensors", b"", "damaged"),
    ],
)
def test_damage_is_named(tmp_path, file, content, message):
    checkpoints.save(learners()[0], "mine", {}, tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        checkpoints.load("mine", tmp_path)


def test_parameters_of_another_network_are_refused(tmp_path):
    checkpoints.save(learners()[0], "mine", {}, tmp_path)
    card = json.loads((tmp_path / "mine.json").read_text())
    card["network_settings"] = [1, 5, 1]
    (tmp_path / "mine.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="do not fit"):
        checkpoints.load("mine", tmp_path)


@pytest.mark.parametrize(
    ("entry", "value"), [("learner_settings", {"gone": 1}), ("network_settings", ["a"] * 9)]
)
def test_settings_that_do_not_fit_are_told(tmp_path, entry, value):
    checkpoints.save(MAML(MLP(1, 4, 1), MLP(1, 4, 1).init()), "mine", {}, tmp_path)
    card = json.loads((tmp_path / "mine.json").read_text())
    (tmp_path / "mine.json").write_text(json.dumps(card | {entry: value}))
    with pytest.raises(ValueError, match="the card of 'mine' has settings that do not fit"):
        checkpoints.load("mine", tmp_path)


def test_a_card_that_cannot_be_written_changes_nothing(tmp_path):
    checkpoints.save(MAML(MLP(1, 4, 1), MLP(1, 4, 1).init(), inner_lr=0.1), "mine", {}, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TypeError, match="JSON"):
        checkpoints.save(
            MAML(MLP(1, 4, 1), MLP(1, 4, 1).init()), "mine", {"date": object()}, tmp_path
        )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match="no space"):
        checkpoints.save(learners()[0], "mine", {}, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_checkpoints_load_and_say_how_they_were_made(name):
    card = checkpoints.read_card(name)
    assert {"command", "data", "seed", "result", "date"} <= card.keys()
    assert checkpoints.load(name).params
    assert (checkpoints.folder() / f"{name}.safetensors").stat().st_size <= 2_000_000


def test_learned_rates_come_back_and_are_used(tmp_path):
    mlp = MLP(1, 4, 1)
    learner = MetaSGD(mlp, mlp.init(), inner_lr=0.3)
    learner.params["rate.weight1"] = torch.full((1, 4), 1.7).requires_grad_()
    checkpoints.save(learner, "mine", {}, tmp_path)
    support = Sinusoids().sample(2, 5, 5).support
    ours, back = (
        one.adapt(support)["weight1"] for one in (learner, checkpoints.load("mine", tmp_path))
    )
    assert torch.equal(ours, back)
