import json
import math
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metalearn_lite import checkpoints
from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.hausdorff import ModifiedHausdorff
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
from metalearn_lite.learners.simpleshot import SimpleShot
from metalearn_lite.learners.transfer import Transfer, draw_networks
from metalearn_lite.learners.transformer import Transformer, TransformerLearner
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
    with pytest.raises(ValueError, match=r"JSON cannot hold .*object"):
        checkpoints.save(
            MAML(MLP(1, 4, 1), MLP(1, 4, 1).init()), "mine", {"date": object()}, tmp_path
        )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def small(**settings) -> MAML:
    network = MLP(1, 4, 1)
    return MAML(network, network.init(torch.Generator().manual_seed(0)), **settings)


def rewrite(folder, signed: bool = True, **changes) -> None:
    """Changes entries of the card "mine"; ``signed`` with the digest that then belongs to it."""
    path = folder / "mine.json"
    card = json.loads(path.read_text()) | changes
    if signed:
        card["digest"] = checkpoints.digest(card, (folder / "mine.safetensors").read_bytes())
    path.write_text(json.dumps(card))


@pytest.mark.parametrize(
    "change",
    [
        {"learner": "ANIL"},
        {"learner_settings": {"inner_lr": 0.02, "inner_steps": 1, "order": 2}},
        {"digest": None},
    ],
)
def test_a_card_that_was_changed_is_noticed(tmp_path, change):
    checkpoints.save(small(), "mine", {}, tmp_path)
    rewrite(tmp_path, signed=False, **change)
    with pytest.raises(ValueError, match="the card of 'mine' has parameters that do not fit it"):
        checkpoints.load("mine", tmp_path)


def test_what_the_card_tells_people_may_be_changed(tmp_path):
    checkpoints.save(small(), "mine", {}, tmp_path)
    rewrite(tmp_path, signed=False, data="waves")
    assert checkpoints.load("mine", tmp_path).params


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learner_settings": {"inner_lr": "0.01"}}, "inner_lr is '0.01'"),
        ({"learner_settings": {"inner_lr": None}}, "inner_lr is None"),
        ({"learner_settings": {"inner_lr": True}}, "inner_lr is True"),
        ({"learner_settings": {"inner_steps": 1.5}}, "inner_steps is 1.5"),
        ({"learner_settings": {"network": 1}}, "multiple values"),
        ({"learner_settings": []}, "settings that do not fit"),
        ({"learner": "Muon"}, "the learner 'Muon', not one of ANIL,"),
        ({"learner": ["MAML"]}, r"the learner \['MAML'\]"),
        ({"learner": "RelationNetwork", "learner_settings": {}}, "settings that do not fit"),
        ({"learner": "SimpleShot", "learner_settings": {}}, "settings that do not fit"),
        ({"network": "Network"}, "the network 'Network', not one of"),
        ({"network": "ConvNet"}, "channels is 1"),
        ({"network_settings": [1, 10**9, 1]}, r"sizes is \(1, 1000000000, 1\)"),
        ({"network_settings": [1, -4, 1]}, r"sizes is \(1, -4, 1\)"),
        ({"network_settings": [1, 4.0, 1]}, r"sizes is \(1, 4.0, 1\)"),
        ({"network_settings": [1, 5, 1]}, "parameters that do not fit the network"),
        ({"network_settings": {"sizes": 1}}, "a list for the network"),
    ],
)
def test_impossible_settings_are_refused_also_where_the_digest_is_right(tmp_path, change, message):
    checkpoints.save(small(), "mine", {}, tmp_path)
    rewrite(tmp_path, **change)
    with pytest.raises(ValueError, match=f"the card of 'mine' has .*{message}"):
        checkpoints.load("mine", tmp_path)


@pytest.mark.parametrize("rate", ["NaN", "Infinity", "1e999"])
def test_a_card_with_what_is_no_number_is_refused(tmp_path, rate):
    checkpoints.save(small(inner_lr=0.25), "mine", {}, tmp_path)
    card = tmp_path / "mine.json"
    card.write_text(card.read_text().replace("0.25", rate))
    with pytest.raises(ValueError, match=f"{rate} is no number|inner_lr is inf"):
        checkpoints.load("mine", tmp_path)
    with pytest.raises(ValueError, match="JSON"):
        checkpoints.save(small(), "mine", {"minutes": math.nan}, tmp_path)


@pytest.mark.parametrize(
    "content", [b"[" * 50_000, b"1" * 5_000, b" " * 200_000, b'{"a": "\xff"}', b'{"a": 1} 2']
)
def test_a_card_that_is_none_is_refused(tmp_path, content):
    checkpoints.save(small(), "mine", {}, tmp_path)
    (tmp_path / "mine.json").write_bytes(content)
    with pytest.raises(ValueError, match="is damaged"):
        checkpoints.load("mine", tmp_path)


@pytest.mark.parametrize("file", ["mine.json", "mine.safetensors"])
def test_a_pipe_in_place_of_a_file_is_not_waited_on(tmp_path, file):
    checkpoints.save(small(), "mine", {}, tmp_path)
    (tmp_path / file).unlink()
    os.mkfifo(tmp_path / file)
    with pytest.raises(FileNotFoundError, match="mine"):
        checkpoints.load("mine", tmp_path)


@pytest.mark.parametrize(
    "name", ["../x", "", None, "/tmp/x", "a/b", "a\\b", ".", "..", ".x", "x\n", "x" * 200, 3, "a:b"]
)
def test_names_stay_in_the_folder(tmp_path, name):
    for use in (
        lambda: checkpoints.save(small(), name, {}, tmp_path / "inside"),
        lambda: checkpoints.load(name, tmp_path / "inside"),
        lambda: checkpoints.read_card(name, tmp_path / "inside"),
    ):
        with pytest.raises(ValueError, match="choose one of letters"):
            use()
    assert list(tmp_path.iterdir()) == []


class Unregistered(MAML):
    """A learner that no registry names."""


class Impostor(MAML):
    """A learner that only has the name of one."""


Impostor.__name__ = "MAML"


def unloadable():
    conv, mlp = ConvNet((8, 8)), MLP(1, 4, 1)
    broken = small()
    with torch.no_grad():
        broken.params["bias1"][0, 1] = math.nan
    sliced = small()
    sliced.params["weight1"] = sliced.params["weight1"][:, :2]
    text = small()
    text.inner_lr = "0.1"
    return {
        "Transfer": (Transfer(mlp, draw_networks(mlp, 3)), "parameters that do not fit"),
        "SimpleShot": (SimpleShot(conv, conv.init(), torch.zeros(392)), "settings that do not fit"),
        "pixels": (ModifiedHausdorff(), "NoneType, which is not one of"),
        "unregistered": (Unregistered(mlp, mlp.init()), "Unregistered, which is not one of"),
        "impostor": (Impostor(mlp, mlp.init()), "MAML, which is not one of"),
        "no number": (broken, "no finite real numbers: bias1"),
        "complex": (MAML(mlp, {n: v + 0j for n, v in mlp.init().items()}), "torch.complex64"),
        "another shape": (sliced, "parameters that do not fit"),
        "a rate of text": (text, "inner_lr is '0.1'"),
    }


@pytest.mark.parametrize("kind", unloadable())
def test_what_could_not_be_loaded_is_not_saved(tmp_path, kind):
    learner, message = unloadable()[kind]
    with pytest.raises(
        ValueError, match=f"could not be loaded again: its card would have .*{message}"
    ):
        checkpoints.save(learner, "mine", {}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_double_precision_comes_back(tmp_path):
    network = MLP(1, 4, 1)
    learner = MAML(network, {name: value.double() for name, value in network.init().items()})
    checkpoints.save(learner, "mine", {}, tmp_path)
    back = checkpoints.load("mine", tmp_path).params
    assert all(torch.equal(back[name], value) for name, value in learner.params.items())


def test_loading_draws_no_random_number(tmp_path):
    checkpoints.save(small(), "mine", {}, tmp_path)
    before = torch.get_rng_state()
    checkpoints.load("mine", tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_save_cut_short_between_its_files_is_noticed(tmp_path, monkeypatch):
    checkpoints.save(small(inner_lr=0.1), "mine", {}, tmp_path)
    replace = os.replace

    def once(source, target):
        replace(source, target)
        monkeypatch.setattr("os.replace", dies)

    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", once)
    learner = small(inner_lr=0.2)
    with torch.no_grad():
        learner.params["bias1"] += 1
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(learner, "mine", {}, tmp_path)
    monkeypatch.undo()
    assert json.loads((tmp_path / "mine.json").read_text())["learner_settings"]["inner_lr"] == 0.1
    with pytest.raises(ValueError, match="is left from an earlier save"):
        checkpoints.load("mine", tmp_path)
    checkpoints.save(learner, "mine", {}, tmp_path)
    assert checkpoints.load("mine", tmp_path).inner_lr == 0.2


def test_a_full_disk_keeps_the_earlier_checkpoint(tmp_path, monkeypatch):
    checkpoints.save(small(inner_lr=0.1), "mine", {}, tmp_path)
    write_bytes = type(tmp_path).write_bytes

    def fills_up(path, content):
        if ".json." in path.name:
            raise OSError(28, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr("pathlib.Path.write_bytes", fills_up)
    with pytest.raises(OSError, match=r"No space left on device: '.*mine.json'"):
        checkpoints.save(small(inner_lr=0.2), "mine", {}, tmp_path)
    assert checkpoints.load("mine", tmp_path).inner_lr == 0.1


def fuzzed_learners():
    conv = ConvNet((8, 16), num_unpooled=1)
    network = Transformer(1, 8, 2, 2)
    return [
        small(),
        MAMLPlusPlus(MLP(1, 4, 1), MLP(1, 4, 1).init(), inner_steps=3),
        PrototypicalNetwork(conv, conv.init(), distance="cosine"),
        TransformerLearner(network, network.init()),
    ]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """By number a folder with one checkpoint "mine", its learner, and both files' contents."""
    result = []
    for learner in fuzzed_learners():
        folder = tmp_path_factory.mktemp("saved")
        checkpoints.save(learner, "mine", {"data": "waves"}, folder)
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        result.append((folder, learner, files))
    return result.__getitem__


def loaded(folder):
    """The learner, or None where it was refused in words."""
    try:
        return checkpoints.load("mine", folder)
    except (ValueError, OSError) as error:
        told = str(error)
    assert "mine" in told
    assert len(told.split()) > 3
    return None


def equal_or_refused(folder, learner) -> None:
    if (back := loaded(folder)) is None:
        return
    assert type(back) is type(learner)
    assert all(torch.equal(back.params[name], value) for name, value in learner.params.items())
    for name in json.loads((folder / "mine.json").read_text())["learner_settings"]:
        assert getattr(back, name) == getattr(learner, name)


POSSIBLE = st.sampled_from([0.5, 1, 2, True, False, "squared", "batch", "frozen", "ANIL"])
NUMBERS = st.one_of(st.integers(), st.integers(10**8, 10**20), st.floats(), st.booleans())
VALUES = POSSIBLE | st.recursive(
    st.one_of(st.none(), NUMBERS, st.text(), st.sampled_from([*checkpoints.LEARNERS])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ENTRIES = st.sampled_from([*checkpoints.MADE_OF, "digest", "name", "num_parameters", "data"])


@settings(max_examples=500)
@given(
    which=st.integers(0, 3),
    entry=ENTRIES,
    value=VALUES,
    inside=st.integers(0, 5),
    gone=st.booleans(),
)
def test_whatever_a_card_says_it_loads_equal_or_is_refused(
    saved, which, entry, value, inside, gone
):
    """An entry, or one setting within it, is replaced or missing; and once more with its digest."""
    folder, learner, files = saved(which)
    (folder / "mine.safetensors").write_bytes(files["mine.safetensors"])
    card = json.loads(files["mine.json"])
    within, keys = card[entry], []
    if isinstance(within, dict | list):
        keys = list(within) if isinstance(within, dict) else range(len(within))
    if inside < len(keys):
        within[keys[inside]] = value
    elif gone:
        del card[entry]
    else:
        card[entry] = value
    (folder / "mine.json").write_text(json.dumps(card))
    equal_or_refused(folder, learner)
    try:
        card["digest"] = checkpoints.digest(card, files["mine.safetensors"])
    except ValueError:  # NaN has no digest
        return
    (folder / "mine.json").write_text(json.dumps(card))
    loaded(folder)


@settings(max_examples=500)
@given(
    which=st.integers(0, 3),
    file=st.sampled_from(["mine.json", "mine.safetensors"]),
    start=st.floats(0, 1),
    length=st.integers(0, 40),
    put=st.binary(max_size=40),
)
def test_whatever_happens_to_a_file_it_loads_equal_or_is_refused(
    saved, which, file, start, length, put
):
    """Some bytes are replaced by others, fewer or more; with length 0 they are put in between."""
    folder, learner, files = saved(which)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    content = files[file]
    at = int(start * len(content))
    (folder / file).write_bytes(content[:at] + put + content[at + length :])
    equal_or_refused(folder, learner)


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


def test_more_parameters_than_any_learner_here_has_are_not_read(tmp_path):
    """The file is a sparse one: a header, and 0.8 GB of nothing."""
    checkpoints.save(small(), "mine", {}, tmp_path)
    count = 200_000_000
    tensor = {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}
    header = json.dumps({"bias1": tensor}).encode()
    with open(tmp_path / "mine.safetensors", "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 4 * count)
    with pytest.raises(ValueError, match="200,000,000 parameters, more than 100,000,000"):
        checkpoints.load("mine", tmp_path)
