import pytest

from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.recipes import mean_of_networks
from metalearn_lite.tasks.sinusoids import Sinusoids


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(mean_of_networks, "NUM_NETWORKS", 3)
    monkeypatch.setattr(mean_of_networks, "MAX_ERROR", 1000)
    monkeypatch.setattr(mean_of_networks, "meta_train", uncompiled(mean_of_networks.meta_train))


def uncompiled(train):
    return lambda *args, compile, **options: train(*args, **options)


def test_the_recipe_runs_and_keeps_only_the_mean(generator, small, capsys):
    learner = mean_of_networks.train(0.1, "mean", False, generator(), iterations=3)
    assert type(learner) is MAML
    assert learner.params["weight1"].shape == (1, 40)
    assert learner.inner_lr in mean_of_networks.INNER_RATES
    assert "mean error of the 3 networks on their own waves" in capsys.readouterr().out


@pytest.mark.slow
def test_networks_that_share_their_start_stay_closer(generator, small):
    spread = []
    for one_start in (False, True):
        seen = {}

        def spy(networks, *_, seen=seen, **__):
            seen["distance"] = networks.distances().mean().item()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mean_of_networks, "meta_train", spy)
            mean_of_networks.train(0.0, "mean", one_start, generator())
        spread.append(seen["distance"])
    assert spread[0] > 1
    assert spread[1] < 1e-9


def test_networks_that_have_not_learned_their_waves_are_not_averaged(generator, small, monkeypatch):
    monkeypatch.setattr(mean_of_networks, "MAX_ERROR", 1e-6)
    with pytest.raises(RuntimeError, match="mean error on their own waves is"):
        mean_of_networks.train(0.0, "mean", False, generator(), iterations=1)


def test_the_best_inner_rate_is_the_one_with_the_lowest_validation_error(generator):
    network = MLP(1, 8, 1)
    learner = MAML(network, network.init(generator()), inner_lr=0.5)
    validation = Sinusoids().sample(50, 5, 20, generator(1))
    rates = (0.001, 0.01, 0.1)
    best = mean_of_networks.with_best_inner_lr(learner, validation, rates, steps=(3,))

    def error(rate):
        return evaluate(MAML(network, learner.params, rate), validation, inner_steps=3).mean

    assert best.inner_lr == min(rates, key=error)
    assert learner.inner_lr == 0.5
