import builtins
import math
import os
import signal
import subprocess
import sys
from functools import partial, wraps

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from truths import curves

from metalearn_lite.devices import moved_to
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import (
    TrainingDiverged,
    TrainingStopped,
    adam,
    cosine,
    meta_train,
    muon,
    told,
)

SAMPLE = partial(Sinusoids().sample, 4, 5)


def sample(generator: torch.Generator) -> Episodes:
    return SAMPLE(generator=generator)


def new_run(seed: int = 0) -> tuple[MAML, torch.Generator]:
    generator = torch.Generator().manual_seed(seed)
    network = MLP(1, 8, 6, 1)
    return MAML(network, network.init(generator)), generator


def same(a: MAML, b: MAML) -> bool:
    return all(torch.equal(a.params[name], b.params[name]) for name in a.params)


def test_training_lowers_the_error_on_new_tasks():
    learner, generator = new_run()
    new_tasks = Sinusoids().sample(500, 5, 20, torch.Generator().manual_seed(1))
    before = evaluate(learner, new_tasks)
    meta_train(learner, SAMPLE, 400, generator, outer_lr=1e-2)
    after = evaluate(learner, new_tasks)
    assert after.mean + after.interval < before.mean - before.interval


def test_one_seed_one_result():
    (one, g1), (two, g2) = new_run(), new_run()
    assert meta_train(one, SAMPLE, 20, g1).losses == meta_train(two, SAMPLE, 20, g2).losses
    assert same(one, two)


@pytest.mark.parametrize("optimize", [adam, muon])
@pytest.mark.parametrize("stop_after", [1, 7, 19])
def test_resuming_equals_an_unbroken_run(tmp_path, stop_after, optimize):
    """Stopped by a real SIGINT in the middle of sampling, and continued by a new learner."""
    unbroken, generator = new_run()
    meta_train(unbroken, SAMPLE, 20, generator, schedule=cosine, optimize=optimize)

    calls = 0

    @wraps(sample)  # the same sampler by name, as it would be after a stop by hand
    def interrupted(generator):
        nonlocal calls
        calls += 1
        if calls == stop_after:
            os.kill(os.getpid(), signal.SIGINT)
        return sample(generator)

    first, generator = new_run()
    file = tmp_path / "run.safetensors"
    with pytest.raises(TrainingStopped, match=f"after iteration {stop_after} of 20"):
        meta_train(
            first, interrupted, 20, generator, schedule=cosine, optimize=optimize, save_to=file
        )
    assert not same(first, unbroken)

    second, _ = new_run(seed=99)  # another start and another generator state: both are restored
    other = torch.Generator().manual_seed(99)
    history = meta_train(
        second, sample, 20, other, schedule=cosine, optimize=optimize, save_to=file
    )
    assert len(history.losses) == 20
    assert same(second, unbroken)
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]


def test_a_gradient_in_another_memory_layout_is_the_same_gradient():
    """Convolutions in channels-last order give such gradients; fused Adam would mix them up."""

    class Layout(MAML):
        def meta_gradient(self, episodes):
            loss, gradient = super().meta_gradient(episodes)
            if self.transposed:
                gradient = {n: g.T.contiguous().T for n, g in gradient.items()}
            return loss, gradient

    learners = []
    for transposed in (False, True):
        generator = torch.Generator().manual_seed(0)
        network = MLP(1, 8, 6, 1)
        learners.append(Layout(network, network.init(generator)))
        learners[-1].transposed = transposed
        meta_train(learners[-1], SAMPLE, 5, generator)
    assert same(*learners)


def test_a_parameter_in_another_memory_layout_is_the_same_parameter():
    """PyTorch's own layers give transposed weights; fused Adam would mix up their numbers."""
    (plain, generator), (turned, same_generator) = new_run(), new_run()
    params = {name: value.mT.contiguous().mT for name, value in plain.params.items()}
    assert not all(value.is_contiguous() for value in params.values())
    turned = MAML(turned.network, params)
    meta_train(plain, SAMPLE, 5, generator)
    meta_train(turned, SAMPLE, 5, same_generator)
    assert all(torch.allclose(turned.params[name], plain.params[name]) for name in params)


def test_ctrl_c_works_as_before_afterwards():
    learner, generator = new_run()
    before = signal.getsignal(signal.SIGINT)
    meta_train(learner, SAMPLE, 2, generator)
    assert signal.getsignal(signal.SIGINT) is before


def kept_run(tmp_path, iterations=4, **settings):
    """The file of a run that was ended, not stopped."""
    learner, generator = new_run()
    file = tmp_path / "run.safetensors"
    meta_train(learner, SAMPLE, iterations, generator, save_to=file, **settings)
    return file


def refused(file, message, learner=None, sample=SAMPLE, iterations=6, **settings):
    """Going on with ``file`` is refused in these words, and neither learner nor file changes."""
    learner = new_run(seed=1)[0] if learner is None else learner
    before = {name: value.detach().clone() for name, value in learner.params.items()}
    content, generator = file.read_bytes(), torch.Generator().manual_seed(5)
    with pytest.raises(ValueError, match=message):
        meta_train(learner, sample, iterations, generator, save_to=file, **settings)
    assert all(torch.equal(value, before[name]) for name, value in learner.params.items())
    assert torch.equal(generator.get_state(), torch.Generator().manual_seed(5).get_state())
    assert file.read_bytes() == content


def maml(*sizes, **settings):
    network = MLP(*sizes or (1, 8, 6, 1))
    return MAML(network, network.init(), **settings)


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        ({"learner": maml(inner_lr=0.3)}, "inner_lr was 0.01 and is now 0.3"),
        ({"learner": maml(inner_steps=3)}, "inner_steps was 1 and is now 3"),
        ({"learner": maml(order=1)}, "order was 2 and is now 1"),
        ({"learner": maml(1, 9, 1)}, r"network was MLP\(1, 8, 6, 1\) and is now MLP\(1, 9, 1\)"),
        (
            {"learner": JointTraining(MLP(1, 8, 6, 1), MLP(1, 8, 6, 1).init())},
            "learner was MAML and is now JointTraining",
        ),
        ({"outer_lr": 0.5}, "outer_lr was 0.001 and is now 0.5"),
        ({"schedule": cosine}, "schedule was constant and is now cosine"),
        ({"optimize": muon}, "optimize was adam and is now muon"),
        (
            {"optimize": partial(muon, but=("bias",))},
            r"optimize was adam and is now muon\(but=\('bias'\)\)",
        ),
        ({"max_norm": 3.0}, "max_norm was inf and is now 3.0"),
        (
            {"sample": partial(Sinusoids().sample, 4, 6)},
            r"sample was Sinusoids\(\).sample\(4, 5\) and is now Sinusoids\(\).sample\(4, 6\)",
        ),
        ({"sample": sample}, r"sample was Sinusoids\(\).sample\(4, 5\) and is now sample"),
        ({"iterations": 3}, "a run of 4 iterations, more than iterations=3"),
    ],
)
def test_another_run_is_refused_by_name_and_both_values(tmp_path, settings, difference):
    refused(kept_run(tmp_path), rf"{difference}; delete it or choose another save_to", **settings)


def test_another_number_of_iterations_is_another_run_where_it_changes_what_is_done(tmp_path):
    file = kept_run(tmp_path, schedule=cosine)
    refused(file, "iterations was 4 and is now 6", iterations=6, schedule=cosine)


def test_where_it_changes_nothing_a_run_may_be_made_longer(tmp_path):
    longer, generator = new_run(seed=9)
    meta_train(longer, SAMPLE, 6, generator, save_to=kept_run(tmp_path))
    at_once, generator = new_run()
    meta_train(at_once, SAMPLE, 6, generator)
    assert same(longer, at_once)


def test_a_complete_run_is_said_to_be(tmp_path, capsys):
    file = kept_run(tmp_path)
    learner, generator = new_run(seed=9)
    assert len(meta_train(learner, SAMPLE, 4, generator, save_to=file).losses) == 4
    assert capsys.readouterr().out == f"{file} is already complete: 4 of 4 iterations.\n"


def infinite(tensors, about):
    tensors["params.bias1"][0, 0] = math.inf


def sooner(tensors, about):
    tensors["losses"] = tensors["losses"][:2].clone()


def sooner_by_its_own_count(tensors, about):
    sooner(tensors, about)
    about["done"] = "2"


DAMAGES = {
    "a moment of another shape": (
        lambda tensors, about: tensors.update({"Adam.bias1.exp_avg": torch.zeros(3)}),
        r"holds torch.float32 \(3,\) as Adam.bias1.exp_avg, not torch.float32 \(1, 8\)",
    ),
    "a moment too few": (lambda tensors, about: tensors.pop("Adam.bias1.exp_avg"), "holds nothing"),
    "a parameter too few": (lambda tensors, about: tensors.pop("params.bias1"), "holds nothing"),
    "doubles": (
        lambda tensors, about: tensors.update({"params.bias1": torch.zeros(1, 8).double()}),
        r"torch.float64 \(1, 8\) as params.bias1",
    ),
    "complex numbers": (
        lambda tensors, about: tensors.update({"params.bias1": torch.zeros(1, 8) * 1j}),
        "torch.complex64",
    ),
    "another generator": (
        lambda tensors, about: tensors.update(generator=torch.zeros(16, dtype=torch.uint8)),
        "as generator",
    ),
    "no number": (infinite, "damaged"),
    "a truncated history": (sooner, "damaged"),
    "a truncated history, counted": (sooner_by_its_own_count, "damaged"),
    "no record": (lambda tensors, about: about.clear(), "an older version"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_all_of_a_file_is_checked_before_anything_is_touched(tmp_path, damage):
    file = kept_run(tmp_path)
    change, message = DAMAGES[damage]
    tensors = load_file(file)
    with safe_open(file, framework="pt") as opened:
        about = opened.metadata()
    change(tensors, about)
    save_file(tensors, file, metadata=about)
    refused(file, message)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    file = kept_run(tmp_path_factory.mktemp("run"))
    return file, file.read_bytes()


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(whole_run, place, bit):
    file, content = whole_run
    content = bytearray(content)
    content[int(place * len(content))] ^= 1 << bit
    file.write_bytes(content)
    refused(file, str(file))


def test_what_is_no_file_is_named(tmp_path):
    os.mkfifo(tmp_path / "run.safetensors")
    learner, generator = new_run()
    with pytest.raises(ValueError, match="is not a file"):
        meta_train(learner, SAMPLE, 4, generator, save_to=tmp_path / "run.safetensors")


def test_a_full_disk_names_the_file_and_keeps_what_it_held(tmp_path, monkeypatch):
    file = kept_run(tmp_path)
    before = file.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    learner, generator = new_run()
    with pytest.raises(OSError, match=rf"No space left on device: '{file}'"):
        meta_train(learner, SAMPLE, 6, generator, save_to=file)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {file.name: before}


def test_a_frozen_parameter_is_refused():
    learner, generator = new_run()
    learner.params["bias1"].requires_grad_(False)
    with pytest.raises(ValueError, match="bias1 does not require a gradient"):
        meta_train(learner, SAMPLE, 4, generator)


def test_without_a_file_a_stopped_run_returns_what_it_has(capsys):
    learner, generator = new_run()

    def stop(generator):
        signal.raise_signal(signal.SIGINT)
        return SAMPLE(generator=generator)

    assert len(meta_train(learner, stop, 9, generator).losses) == 1
    assert capsys.readouterr().out == "Stopped after iteration 1 of 9.\n"


def test_a_second_interrupt_ends_a_sampler_that_hangs():
    learner, generator = new_run()
    lines = []

    def hanging(generator):
        signal.raise_signal(signal.SIGINT)
        lines.append("noted")
        signal.raise_signal(signal.SIGINT)
        lines.append("still sampling")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        meta_train(learner, hanging, 9, generator)
    assert lines == ["noted"]
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


FIRST_RUN = """
import os, signal, sys
from functools import partial
import torch
from metalearn_lite.learners import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import meta_train

class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == "torch._dynamo.utils":
            print("importing", flush=True)
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupter())
signal.signal(signal.SIGINT, signal.default_int_handler)
network, generator = MLP(1, 4, 1), torch.Generator().manual_seed(0)
for _ in range(2):
    learner = MAML(network, network.init(generator))
    try:
        print(len(meta_train(learner, partial(Sinusoids().sample, 2, 3), 3, generator).losses))
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.slow
def test_interrupts_while_pytorch_is_imported_leave_it_usable():
    """The first optimizer of a process imports half of PyTorch: see `meta_train`."""
    done = subprocess.run([sys.executable, "-c", FIRST_RUN], capture_output=True, text=True)
    assert done.stdout.split("\n") == [
        "importing",
        "Stopped after iteration 0 of 3.",
        "0",
        "3",
        "",
    ], done.stderr


def test_a_run_stopped_before_it_began_keeps_no_file(tmp_path):
    learner, generator = new_run()

    def interrupted(params, outer_lr):
        signal.raise_signal(signal.SIGINT)
        return adam(params, outer_lr)

    with pytest.raises(TrainingStopped, match=r"Stopped after iteration 0 of 9\.$"):
        meta_train(
            learner,
            SAMPLE,
            9,
            generator,
            optimize=interrupted,
            save_to=tmp_path / "run.safetensors",
        )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_told_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    learner, generator = new_run()
    with pytest.raises(OSError, match=r"cannot write into .*; choose another"):
        meta_train(learner, None, 9, generator, save_to=tmp_path / "file" / "run.safetensors")


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "run.safetensors"
    file.write_bytes(b"not tensors")
    learner, generator = new_run()
    with pytest.raises(ValueError, match="damaged"):
        meta_train(learner, SAMPLE, 4, generator, save_to=file)


def test_divergence_stops_with_the_last_good_parameters():
    learner, generator = new_run()
    calls = 0

    def poisoned(generator):
        nonlocal calls
        calls += 1
        episodes = SAMPLE(generator=generator)
        if calls < 3:
            return episodes
        return Episodes(episodes.support, Examples(episodes.query.x, episodes.query.y * torch.inf))

    with pytest.raises(TrainingDiverged, match="iteration 3: the meta-loss is inf"):
        meta_train(learner, poisoned, 10, generator)
    two, generator = new_run()
    meta_train(two, SAMPLE, 2, generator)
    assert same(learner, two)


def test_one_runaway_task_spoils_one_iteration_only():
    """Adam remembers a gradient's square: without max_norm a huge one stops it for a long time."""

    def run(max_norm: float) -> float:
        learner, generator = new_run()
        calls = 0

        def sample(generator):
            nonlocal calls
            calls += 1
            support, query = SAMPLE(generator=generator)
            return Episodes(support, Examples(query.x, query.y * (1e6 if calls == 20 else 1)))

        meta_train(learner, sample, 150, generator, outer_lr=1e-2, max_norm=max_norm)
        tasks = Sinusoids().sample(200, 5, 20, torch.Generator().manual_seed(1))
        return evaluate(learner, tasks).mean

    assert run(10.0) < 0.9 * run(float("inf"))


def test_a_long_gradient_is_shortened_and_a_short_one_left_alone():
    class Known(MAML):
        def meta_gradient(self, episodes):
            gradient = {name: torch.zeros_like(value) for name, value in self.params.items()}
            gradient["bias1"] += self.length / math.sqrt(8)
            return torch.tensor(1.0), gradient

    for length, expected in ((2.0, 2.0), (50.0, 3.0)):
        generator = torch.Generator().manual_seed(0)
        network = MLP(1, 8, 6, 1)
        learner = Known(network, network.init(generator))
        learner.length = length
        before = learner.params["bias1"].detach().clone()
        meta_train(learner, SAMPLE, 1, generator, outer_lr=1.0, optimize=descent, max_norm=3.0)
        moved = (before - learner.params["bias1"]).norm().item()
        assert moved == pytest.approx(expected, rel=1e-5)


def descent(params, outer_lr):
    return [torch.optim.SGD(params.values(), lr=outer_lr)]


@pytest.mark.slow
def test_compiling_changes_no_direction():
    """Also where no compiler is found: then the same run is made without."""
    compiled, generator = new_run()
    compiled_losses = meta_train(compiled, SAMPLE, 30, generator, compile=True).losses
    plain, generator = new_run()
    losses = meta_train(plain, SAMPLE, 30, generator).losses
    assert compiled_losses == pytest.approx(losses, rel=1e-4)


def test_without_a_compiler_training_goes_on(monkeypatch, capsys):
    def no_compiler(function):
        raise RuntimeError("no working C++ compiler")

    monkeypatch.setattr(torch, "compile", no_compiler)
    (one, g1), (two, g2) = new_run(), new_run()
    meta_train(one, SAMPLE, 5, g1, compile=True)
    assert "no working C++ compiler" in capsys.readouterr().out
    meta_train(two, SAMPLE, 5, g2)
    assert same(one, two)


def test_history_plots_itself():
    learner, generator = new_run()
    axes = meta_train(learner, SAMPLE, 60, generator).plot(label="MAML")
    (line,) = axes.get_lines()
    assert len(line.get_ydata()) == 60
    assert line.get_label() == "MAML"


def test_numbers_of_numpy_are_the_same_numbers(tmp_path):
    """As of a range of numpy: they train, and a run goes on with the plain ones."""
    network = MLP(1, 4, 1)
    params = network.init(torch.Generator().manual_seed(0))
    path = tmp_path / "run.safetensors"
    for iterations, kind, whole in ((2, np.float64, np.int64), (3, float, int)):
        learner = MAML(network, params, kind(0.01), whole(1))
        generator = torch.Generator().manual_seed(0)
        meta_train(learner, SAMPLE, iterations, generator, outer_lr=kind(0.001), save_to=path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"schedule": lambda progress: math.nan}, "schedule=nan: choose a finite number, 0 or"),
        ({"schedule": lambda progress: -1.0}, "schedule=-1.0: choose a finite number, 0 or more"),
        ({"schedule": "cosine"}, "schedule is a str: give a function"),
        (
            {"optimize": lambda params, outer_lr: []},
            "optimize makes no optimizer of weight1, bias1",
        ),
        ({"max_norm": "1"}, "max_norm='1': choose a finite number above 0"),
        ({"generator": None}, "generator is a NoneType: give a torch.Generator"),
    ],
)
def test_what_could_not_train_is_refused(given, message):
    learner, generator = new_run()
    before = {name: value.clone() for name, value in learner.params.items()}
    with pytest.raises(ValueError, match=message):
        meta_train(learner, SAMPLE, 1, **{"generator": generator} | given)
    assert all(torch.equal(before[name], value) for name, value in learner.params.items())


def test_muon_trains_a_network_without_matrices():
    network = MLP(1, 4, 1)
    learner = MAML(network, network.init(torch.Generator().manual_seed(0)))
    assert len(meta_train(learner, SAMPLE, 2, torch.Generator(), optimize=muon).losses) == 2


@pytest.mark.slow
def test_tensorboard_reads_every_iteration_and_a_run_that_goes_on_continues(tmp_path):
    norms = []

    class Watched(MAML):
        def meta_gradient(self, episodes):
            loss, gradient = super().meta_gradient(episodes)
            norms.append(math.sqrt(sum(part.square().sum().item() for part in gradient.values())))
            return loss, gradient

    def train(iterations):
        learner, generator = new_run()
        learner = Watched(learner.network, learner.params)
        where = {"save_to": tmp_path / "run.safetensors", "log_to": tmp_path / "curves"}
        return meta_train(
            learner, SAMPLE, iterations, generator, outer_lr=0.01, max_norm=0.5, **where
        )

    train(4)
    (tmp_path / "run.safetensors").rename(tmp_path / "kept")
    train(6)  # as one that was killed after six iterations, and its file is of four
    (tmp_path / "kept").rename(tmp_path / "run.safetensors")
    norms = norms[:4]
    losses = train(8).losses

    found = curves(tmp_path / "curves")
    assert found.keys() == {"loss", "rate", "seconds", "gradient norm"}
    assert all([step for step, _ in values] == list(range(1, 9)) for values in found.values())
    assert [value for _, value in found["loss"]] == pytest.approx(losses, rel=1e-6)
    assert [value for _, value in found["gradient norm"]] == pytest.approx(norms, rel=1e-5)
    assert [value for _, value in found["rate"]] == pytest.approx([0.01] * 8)
    assert all(value > 0 for _, value in found["seconds"])


def test_the_rate_follows_its_schedule(tmp_path):
    learner, generator = new_run()
    with told(log_to=tmp_path):
        meta_train(learner, SAMPLE, 3, generator, schedule=cosine)
    rates = [value for _, value in curves(tmp_path)["rate"]]
    assert rates == pytest.approx([1e-3 * cosine(step / 3) for step in range(3)])


def test_without_tensorboard_a_sentence_says_what_to_do(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **options):
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError(name)
        return real(name, *args, **options)

    learner, generator = new_run()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match="log_to needs the package tensorboard, which is not inst"):
        meta_train(learner, SAMPLE, 3, generator, log_to=tmp_path)
    assert len(meta_train(learner, SAMPLE, 3, generator).losses) == 3
    assert list(tmp_path.iterdir()) == []


DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    ),
]


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_is_lent_the_learner_and_gives_it_back(device, tmp_path):
    (plain, generator), (lent, _) = new_run(), new_run()
    unbroken = meta_train(plain, SAMPLE, 8, generator)
    own, seen = dict(lent.params), set()

    class Watched(MAML):
        def meta_gradient(self, episodes):
            seen.update(part.device.type for half in episodes for part in half)
            seen.update(value.device.type for value in self.params.values())
            return super().meta_gradient(episodes)

    lent.__class__ = Watched
    for iterations in (3, 8):  # ended, and gone on with
        generator = torch.Generator().manual_seed(0)
        lent.network.init(generator)
        file = tmp_path / "run.safetensors"
        with told(device=device):
            history = meta_train(lent, SAMPLE, iterations, generator, save_to=file)
    assert seen == {device}
    assert all(lent.params[name] is value for name, value in own.items())
    assert history.losses == pytest.approx(unbroken.losses, rel=1e-4)
    for name, value in plain.params.items():
        torch.testing.assert_close(lent.params[name], value, rtol=1e-3, atol=1e-4)


def test_all_that_a_batch_holds_is_moved():
    episodes = SAMPLE(generator=torch.Generator())
    batch = ({"start": torch.zeros(3)}, episodes, [3], "word")
    start, moved, *rest = moved_to(torch.device("meta"), batch)
    assert start["start"].is_meta
    assert isinstance(moved, Episodes)
    assert all(part.is_meta for half in moved for part in half)
    assert rest == [[3], "word"]
    assert moved_to(None, batch) is batch


class Player:
    """Something that learns from games."""

    def __init__(self):
        self.params = new_run()[0].params


@pytest.mark.parametrize(
    ("device", "learner", "message"),
    [
        ("graphics", None, "device='graphics': choose cpu, or cuda on a machine with a GPU"),
        ("meta", Player(), "device='meta': Player learns from games, which are played on the CPU"),
        pytest.param(
            "cuda",
            None,
            "device='cuda': this PyTorch finds no GPU that it can use; leave it out",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
        ),
    ],
)
def test_a_device_that_cannot_be_is_told(device, learner, message):
    learner = new_run()[0] if learner is None else learner
    with pytest.raises(ValueError, match=message):
        meta_train(learner, SAMPLE, 3, torch.Generator(), device=device)
