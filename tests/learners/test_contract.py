"""What every learner promises, once, over the registry.

A new learner is tested as soon as it is registered. If it does not learn values from a network of
the kind ``MLP``, ``NETWORKS`` or ``SETTINGS`` says what it is made of. If it cannot keep a promise,
``CANNOT`` says why, and the test that it breaks it is strict.
"""

import inspect
from functools import partial
from typing import get_type_hints

import pytest
import torch
from torch.nn import functional as F
from truths import generator

from metalearn_lite.devices import lent, moved_to
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners import LEARNERS
from metalearn_lite.learners.base import Learner, task_losses
from metalearn_lite.learners.neural_process import EncodeDecode
from metalearn_lite.learners.prior_fitted import TableTransformer
from metalearn_lite.learners.recurrent import GRU
from metalearn_lite.learners.simpleshot import SimpleShot
from metalearn_lite.learners.transformer import Transformer
from metalearn_lite.networks import MLP, ConvClassifier, ConvNet
from metalearn_lite.tasks.sinusoids import Sinusoids

UNTRAINED = (
    "BestGuess",
    "LeastSquares",
    "StraightLine",
    "NearestValue",
    "Ridge",
    "PixelNearestNeighbour",
    "ModifiedHausdorff",
)

NUM_TASKS, NUM_WAYS, NUM_SHOTS = 3, 3, 2
CURVES = MLP(1, 6, 6, 1)
IMAGES = ConvNet((8, 8, 8, 8))
CLASSIFIER = ConvClassifier(NUM_WAYS, 4)
NETWORKS = {
    "ConditionalNeuralProcess": EncodeDecode(1, 6),
    "ElasticPrototypes": ConvNet((8, 8, 8, 8), num_unpooled=2),
    "FineTunedClassifier": IMAGES,
    "LearnedOptimiser": GRU(1, 4),
    "MatchingNetwork": IMAGES,
    "ModifiedHausdorff": IMAGES,
    "NoNorm": CLASSIFIER,
    "PerStepNorm": CLASSIFIER,
    "PixelNearestNeighbour": IMAGES,
    "PriorFittedNetwork": TableTransformer(28 * 28, 4, 6, num_layers=2, num_heads=2),  # by pixel
    "PrototypicalNetwork": IMAGES,
    "RecurrentLearner": GRU(1, 6),
    "RelationNetwork": IMAGES,
    "RidgeHead": ConvClassifier(6, 4),
    "RobustPrototypes": IMAGES,
    "SiameseNetwork": IMAGES,
    "SimpleShot": IMAGES,
    "SupportNorm": CLASSIFIER,
    "TransformerLearner": Transformer(1, 6, num_layers=2, num_heads=2),
}
SETTINGS = {"LearnedOptimiser": {"optimisee": (1, 4, 1), "inner_steps": 3}}
STACKED = (
    "FollowTheLeader",
    "FollowTheMetaLeader",
    "MeanOfNetworks",
    "Transfer",
)  # hold several networks: here it is one

TRAINED_OTHERWISE = {
    "FineTunedClassifier": "on one big task, with a head over all training classes",
    "LearnedOptimiser": "on tasks together with the networks to be trained on them",
    "MeanOfNetworks": "each of its networks on a task of its own, always the same one",
    "Transfer": "each of its networks on a task of its own, always the same one",
    **dict.fromkeys(UNTRAINED, "it has nothing to train"),
}
CANNOT = {
    ("alone", "LearnedOptimiser"): "each place in a batch starts from another random network",
    ("shuffled", "RecurrentLearner"): "it reads one example after another",
}
NAMES = list(LEARNERS)


def promise(word: str):
    """Runs a test with every learner; for one that cannot keep the promise, it has to fail."""
    cases = []
    for name in NAMES:
        reason = CANNOT.get((word, name))
        fails = pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True)
        cases.append(pytest.param(name, marks=fails if reason else ()))
    return pytest.mark.parametrize("name", cases)


def make(name: str, dtype: torch.dtype = torch.float64) -> Learner:
    """A small learner with random parameters, none of them at an even start."""
    kind = LEARNERS[name]
    if "network" not in inspect.signature(kind).parameters:
        return kind()
    network = NETWORKS.get(name, CURVES)
    init = getattr(kind, "init", type(network).init)
    noise = partial(torch.randn, generator=generator(1))
    params = {
        key: value + 0.05 * noise(value.shape) for key, value in init(network, generator()).items()
    }
    if name in STACKED:
        params = {key: value.unsqueeze(0) for key, value in params.items()}
    params = {key: value.to(dtype) for key, value in params.items()}
    if kind is SimpleShot:
        return kind(network, params, torch.linspace(-0.2, 0.5, 9 * 8, dtype=dtype))
    return kind(network, params, **SETTINGS.get(name, {}))


def is_visual(name: str) -> bool:
    return isinstance(NETWORKS.get(name), ConvNet | ConvClassifier | TableTransformer)


def tasks(name: str, num_shots: int = NUM_SHOTS, num_ways: int = NUM_WAYS, dtype=torch.float64):
    """Waves, or images of three classes in any order, each a random image with noise."""
    if not is_visual(name):
        halves = Sinusoids().sample(NUM_TASKS, num_shots * num_ways, 4, generator(2))
        return Episodes(*(Examples(half.x.to(dtype), half.y.to(dtype)) for half in halves))
    g, halves = generator(2), []
    signs = torch.rand(NUM_TASKS, num_ways, 1, 28, 28, generator=g).to(dtype)
    for count in (num_shots, 2):
        y = torch.arange(num_ways).repeat(NUM_TASKS, count)
        y = y.gather(1, torch.rand(y.shape, generator=g).argsort(1))
        x = signs[torch.arange(NUM_TASKS).unsqueeze(1), y]
        halves.append(Examples(0.6 * x + 0.4 * torch.rand(x.shape, generator=g).to(dtype), y))
    return Episodes(*halves)


def answers(learner: Learner, support: Examples, x: torch.Tensor) -> torch.Tensor:
    return learner.predict(learner.adapt(support), x)


@promise("unchanged")
def test_adapting_changes_neither_parameters_nor_support(name):
    learner, (support, query) = make(name), tasks(name)
    before = {key: value.clone() for key, value in learner.params.items()}
    given = [part.clone() for part in support]
    answers(learner, support, query.x)
    learner.trace(support)
    assert list(learner.params) == list(before)
    assert all(torch.equal(learner.params[key], before[key]) for key in before)
    assert all(value.grad is None for value in learner.params.values())
    assert all(map(torch.equal, support, given))


@promise("alone")
def test_each_task_is_as_if_it_were_alone(name):
    learner, episodes = make(name), tasks(name)
    together = answers(learner, episodes.support, episodes.query.x)
    for task in range(NUM_TASKS):
        support, query = episodes.tasks(task)
        torch.testing.assert_close(answers(learner, support, query.x)[0], together[task])


@promise("trace")
def test_a_trace_ends_where_adapt_does_and_tells_the_losses_on_the_way(name):
    learner, (support, query) = make(name), tasks(name)
    adapted, losses = learner.trace(support)
    assert losses.shape == (len(adapted), NUM_TASKS)
    assert len(adapted) > 1
    assert not losses.requires_grad
    with torch.no_grad():
        for state, loss in zip(adapted, losses, strict=True):
            at_state = task_losses(learner.predict(state, support.x), support.y)
            torch.testing.assert_close(at_state, loss)
        expected = answers(learner, support, query.x)
        torch.testing.assert_close(learner.predict(adapted[-1], query.x), expected)
        assert not torch.allclose(learner.predict(adapted[0], query.x), expected)


@promise("generator")
def test_the_generator_is_the_only_source_of_chance(name):
    seen = []
    for seed in (3, 4):
        torch.manual_seed(seed)
        state = torch.random.get_rng_state()
        learner, episodes = make(name), tasks(name)
        seen.append(
            [*learner.params.values(), answers(learner, episodes.support, episodes.query.x)]
        )
        if name not in TRAINED_OTHERWISE:
            seen[-1] += learner.meta_gradient(episodes)[1].values()
        assert torch.equal(torch.random.get_rng_state(), state)
    assert all(map(torch.equal, *seen))


@promise("float64")
def test_float64_is_kept_and_agrees_with_float32(name):
    both = []
    for dtype in (torch.float32, torch.float64):
        learner, episodes = make(name, dtype), tasks(name, dtype=dtype)
        found = [answers(learner, episodes.support, episodes.query.x)]
        if name not in TRAINED_OTHERWISE:
            loss, gradient = learner.meta_gradient(episodes)
            assert gradient.keys() <= learner.params.keys()
            found += [loss, *gradient.values()]
        assert {value.dtype for value in found} == {dtype}
        both.append(torch.cat([value.double().flatten() for value in found]))
    single, double = both
    assert ((single - double).norm() / double.norm()).item() < 1e-3


@promise("one")
def test_one_support_example_is_enough(name):
    """One in all, or where there are classes one of each."""
    learner = make(name)
    for num_ways in (1, NUM_WAYS):
        support, query = tasks(name, num_shots=1, num_ways=num_ways)
        if num_ways == 1 or not is_visual(name):
            support = Examples(support.x[:, :1], support.y[:, :1])
        found = answers(learner, support, query.x)
        assert found.shape[:2] == query.y.shape
        assert found.isfinite().all()
        assert learner.trace(support).support_loss.isfinite().all()
    if name not in TRAINED_OTHERWISE:
        loss, gradient = learner.meta_gradient(Episodes(support, query))
        assert loss.isfinite()
        assert all(value.isfinite().all() for value in gradient.values())


@promise("shuffled")
def test_the_order_of_the_support_does_not_count(name):
    learner, (support, query) = make(name), tasks(name)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    shuffled = Examples(support.x[:, order], support.y[:, order])
    expected = answers(learner, support, query.x)
    torch.testing.assert_close(answers(learner, shuffled, query.x), expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_card_can_hold_every_setting(name):
    """``checkpoints`` and a resumed run read each by its name, and its type off the constructor."""
    learner = make(name)
    asked = inspect.signature(LEARNERS[name]).parameters.keys() - {"params"}
    assert asked <= vars(learner).keys() | learner.params.keys()
    assert asked <= get_type_hints(LEARNERS[name].__init__).keys()


SHARED = [n for n in NAMES if LEARNERS[n].shares_tasks and n not in TRAINED_OTHERWISE]


def numbered(name: str) -> Learner:
    """``make(name)``; where one big head tells all classes apart, with such a head."""
    learner = make(name)
    if name == "FineTunedClassifier":
        width = learner.embed(tasks(name).query.x).shape[-1]
        head = torch.randn(width, NUM_WAYS, generator=generator(4), dtype=torch.float64)
        params = learner.params | {"head": head.requires_grad_()}
        learner = LEARNERS[name](learner.network, params)
    return learner


@pytest.mark.parametrize("name", [*SHARED, "FineTunedClassifier"])
def test_what_several_processes_share_out_is_a_mean_over_tasks(name):
    """In shares of one and two tasks, as `distributed.meta_gradient` adds them up."""
    episodes = tasks(name)
    loss, gradient = numbered(name).meta_gradient(episodes)
    one = numbered(name).meta_gradient(episodes.tasks(0))
    two = numbered(name).meta_gradient(episodes.tasks(1, 3))
    torch.testing.assert_close((one[0] + 2 * two[0]) / 3, loss)
    for key, value in gradient.items():
        torch.testing.assert_close((one[1][key] + 2 * two[1][key]) / 3, value)


def test_those_that_are_not_shared_out_are_known():
    assert {name for name in NAMES if not LEARNERS[name].shares_tasks} == {
        "FollowTheLeader",
        "FollowTheMetaLeader",
        "MeanOfNetworks",
        "PrivateReptile",
        "Transfer",
        "WorstCaseMAML",
    }


NOT_BY_SHAPE = ("SiameseNetwork",)  # which pairs it compares depends on the labels


@pytest.mark.parametrize("name", sorted({*NAMES} - {*TRAINED_OTHERWISE, *NOT_BY_SHAPE}))
def test_all_of_it_happens_on_the_device_of_its_parameters(name, monkeypatch):
    """On "meta", which computes shapes only, and refuses what is mixed as a GPU would."""
    one_hot = F.one_hot  # there it cannot count the classes
    monkeypatch.setattr(F, "one_hot", lambda y, _=-1: one_hot(y, NUM_WAYS))
    learner, episodes = make(name), tasks(name)
    known, expected = learner.meta_gradient(episodes)
    with lent(learner, torch.device("meta")):
        loss, gradient = learner.meta_gradient(moved_to(torch.device("meta"), episodes))
        assert loss.device.type == "meta"
        assert loss.shape == known.shape
        assert {key: (v.device.type, v.shape) for key, v in gradient.items()} == {
            key: ("meta", value.shape) for key, value in expected.items()
        }


def test_the_tables_name_only_what_is_registered():
    tables = (NETWORKS, SETTINGS, STACKED, TRAINED_OTHERWISE, [name for _, name in CANNOT])
    assert {name for table in tables for name in table} <= set(LEARNERS)
