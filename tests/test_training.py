import math
import os
import signal
from functools import partial

import pytest
import torch

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
)

SAMPLE = partial(Sinusoids().sample, 4, 5)


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

    def interrupted(generator):
        nonlocal calls
        calls += 1
        if calls == stop_after:
            os.kill(os.getpid(), signal.SIGINT)
        return SAMPLE(generator=generator)

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
        second, SAMPLE, 20, other, schedule=cosine, optimize=optimize, save_to=file
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


def test_a_run_of_another_network_is_refused(tmp_path):
    learner, generator = new_run()
    file = tmp_path / "run.safetensors"
    meta_train(learner, SAMPLE, 2, generator, save_to=file)
    network = MLP(1, 9, 1)
    other = MAML(network, network.init(generator))
    with pytest.raises(ValueError, match="another learner or network"):
        meta_train(other, SAMPLE, 4, generator, save_to=file)


def test_a_run_with_another_optimizer_or_learner_is_refused(tmp_path):
    learner, generator = new_run()
    file = tmp_path / "run.safetensors"
    meta_train(learner, SAMPLE, 2, generator, save_to=file)
    fresh, _ = new_run(seed=1)
    with pytest.raises(ValueError, match="another optimizer; delete it"):
        meta_train(fresh, SAMPLE, 4, generator, optimize=muon, save_to=file)
    assert same(fresh, new_run(seed=1)[0])
    del fresh.params["bias3"]
    with pytest.raises(ValueError, match="another learner or network"):
        meta_train(fresh, SAMPLE, 4, generator, save_to=file)
    other = JointTraining(learner.network, learner.params)
    with pytest.raises(ValueError, match="another learner or network"):
        meta_train(other, SAMPLE, 4, generator, save_to=file)


def test_without_a_file_a_stopped_run_returns_what_it_has(capsys):
    learner, generator = new_run()

    def stop(generator):
        signal.raise_signal(signal.SIGINT)
        return SAMPLE(generator=generator)

    assert len(meta_train(learner, stop, 9, generator).losses) == 1
    assert capsys.readouterr().out == "Stopped after iteration 1 of 9.\n"


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
