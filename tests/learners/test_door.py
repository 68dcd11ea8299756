"""What no learner takes: settings that cannot be, and examples that are no task."""

import pytest
import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.fast.compiling import compiled_meta_gradient
from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.classifier import FineTunedClassifier
from metalearn_lite.learners.elastic import ElasticPrototypes
from metalearn_lite.learners.hausdorff import ModifiedHausdorff
from metalearn_lite.learners.implicit_maml import ImplicitMAML
from metalearn_lite.learners.learned_optimiser import LearnedOptimiser
from metalearn_lite.learners.least_squares import LeastSquares, StraightLine
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.maml_plus_plus import MAMLPlusPlus
from metalearn_lite.learners.matching import MatchingNetwork
from metalearn_lite.learners.mean_of_networks import MeanOfNetworks
from metalearn_lite.learners.meta_sgd import MetaSGD
from metalearn_lite.learners.nearest_value import NearestValue
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess, EncodeDecode
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.recurrent import GRU, RecurrentLearner
from metalearn_lite.learners.regularised import RegularisedMAML
from metalearn_lite.learners.relation import RelationNetwork
from metalearn_lite.learners.reptile import Reptile
from metalearn_lite.learners.siamese import SiameseNetwork
from metalearn_lite.learners.transfer import Transfer, draw_networks
from metalearn_lite.learners.transformer import Transformer, TransformerLearner
from metalearn_lite.networks import MLP, ConvClassifier, ConvNet
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.sinusoids import Sinusoids

NAN, INF = float("nan"), float("inf")
WAVES = MLP(1, 4, 1)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def images() -> Episodes:
    return Glyphs(1, 4, 3, seed=1).sample(2, 3, 2, 1, seeded())


@pytest.fixture(scope="module")
def waves() -> Episodes:
    return Sinusoids().sample(2, 5, 5, seeded())


def embedding(kind, channels=(8, 8, 8, 8), num_unpooled=1):
    network = ConvNet(channels, num_unpooled=num_unpooled)
    return lambda: kind(network, kind.init(network, seeded()))


def classifier(kind):
    network = ConvClassifier(3, 8)
    return lambda: kind(network, network.init(seeded()))


CLASSIFIERS = {
    "prototypes": embedding(PrototypicalNetwork),
    "elastic": embedding(ElasticPrototypes, (8, 8, 8), 1),
    "matching": embedding(MatchingNetwork),
    "siamese": embedding(SiameseNetwork),
    "relation": embedding(RelationNetwork),
    "fine-tuned": lambda: FineTunedClassifier(ConvNet((8, 8)), ConvNet((8, 8)).init(seeded())),
    "pixels": PixelNearestNeighbour,
    "hausdorff": ModifiedHausdorff,
    "MAML": classifier(MAML),
    "ANIL": classifier(ANIL),
    "Reptile": classifier(Reptile),
}
classifiers = pytest.mark.parametrize("make", CLASSIFIERS.values(), ids=CLASSIFIERS)


# Labels


@classifiers
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda y: y + 1, r"the labels 1, 2, 3.*classes"),
        (lambda y: torch.where(y == 0, -100, y), r"the labels -100, 1, 2: number the"),
        (lambda y: torch.where(y == 2, 50, y), r"the labels 0, 1, 50.*classes"),
        (lambda y: torch.where(y == 1, 2, y), r"the labels 0, 2.*each needs an example"),
        (lambda y: y.float(), r"classes as integers"),
    ],
)
def test_labels_that_are_no_classes_are_refused(make, images, spoil, message):
    learner, support = make(), images.support._replace(y=spoil(images.support.y))
    with pytest.raises(ValueError, match=message):
        learner.adapt(support)
    with pytest.raises(ValueError, match=message):
        learner.trace(support)


@classifiers
def test_one_task_without_a_class_does_not_spoil_the_others_in_silence(make, images):
    y = images.support.y.clone()
    y[1, y[1] == 2] = 0
    with pytest.raises(ValueError, match="of task 1 holds the labels 0, 1, but there are 3"):
        make().adapt(images.support._replace(y=y))


@classifiers
@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8])
def test_any_integers_are_labels(make, images, dtype):
    other = Episodes(*(half._replace(y=half.y.to(dtype)) for half in images))
    learner = make()
    assert torch.equal(evaluate(learner, other).scores, evaluate(learner, images).scores)
    if learner.params and "head" not in learner.params and make is not CLASSIFIERS["fine-tuned"]:
        torch.testing.assert_close(learner.meta_gradient(other), learner.meta_gradient(images))


@classifiers
@pytest.mark.parametrize("wrong", [1, -100])
def test_a_query_of_no_class_is_refused(make, images, wrong):
    """Cross-entropy would leave out -100 without a word."""
    learner = make()
    bad = Episodes(images.support, images.query._replace(y=images.query.y + wrong))
    with pytest.raises(ValueError, match=r"holds the labels .*number the 3 classes 0 to 2"):
        evaluate(learner, bad)
    if learner.params and make is not CLASSIFIERS["fine-tuned"]:
        with pytest.raises(ValueError, match="classes"):
            learner.meta_gradient(bad)


@classifiers
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: 255 * x, "support.x holds 0 to 255: give images of 0"),
        (lambda x: x.numpy(), "support.x is a ndarray: give a tensor, not a numpy array"),
        (lambda x: x[:, :0], r"support.x has shape \(2, 0, 1, 28, 28\) and support.y \(2, 6\)"),
    ],
)
def test_images_that_are_none_are_refused(make, images, spoil, message):
    with pytest.raises(ValueError, match=message):
        make().adapt(images.support._replace(x=spoil(images.support.x)))


@classifiers
def test_white_paper_is_told(make, images):
    with pytest.warns(UserWarning, match="is their paper white"):
        make().adapt(images.support._replace(x=1 - images.support.x))


def test_a_network_of_other_ways_is_refused(images):
    network = ConvClassifier(2, 8)
    with pytest.raises(ValueError, match="number the 2 classes 0 to 1"):
        MAML(network, network.init(seeded())).adapt(images.support)


def test_a_network_of_more_ways_takes_a_task_of_fewer_classes(images):
    """But no query of a class that the support does not show, and no gap among the classes."""
    network = ConvClassifier(5, 8)
    maml = MAML(network, network.init(seeded()))
    assert maml.meta_loss(images).isfinite()
    support, query = images
    asked = Episodes(support, query._replace(y=query.y + 2))
    for refused in (maml.meta_loss, lambda bad: evaluate(maml, bad)):
        with pytest.raises(ValueError, match="number the 3 classes 0 to 2"):
            refused(asked)
    gap = torch.where(support.y == 2, 3, support.y)
    with pytest.raises(ValueError, match="holds the labels 0, 1, 3, but there are 4 classes"):
        maml.adapt(support._replace(y=gap))


# Values


def values(kind):
    return lambda: kind(WAVES, WAVES.init(seeded()))


def in_context(kind, network):
    return lambda: kind(network, network.init(seeded()))


REGRESSIONS = {
    **{
        kind.__name__: values(kind)
        for kind in (MAML, ANIL, Reptile, MetaSGD, MAMLPlusPlus, ImplicitMAML, RegularisedMAML)
    },
    "Transfer": lambda: Transfer(WAVES, draw_networks(WAVES, 2, seeded())),
    "MeanOfNetworks": lambda: MeanOfNetworks(WAVES, draw_networks(WAVES, 2, seeded())),
    "LearnedOptimiser": lambda: LearnedOptimiser(
        GRU(1, 4), GRU(1, 4).init(seeded()), (1, 4, 1), inner_steps=2
    ),
    "RecurrentLearner": in_context(RecurrentLearner, GRU(1, 4)),
    "neural process": in_context(ConditionalNeuralProcess, EncodeDecode(1, 4)),
    "transformer": in_context(TransformerLearner, Transformer(1, 8, 1, 2)),
    "least squares": LeastSquares,
    "straight line": StraightLine,
    "nearest value": NearestValue,
}
regressions = pytest.mark.parametrize("make", REGRESSIONS.values(), ids=REGRESSIONS)


@regressions
def test_classes_are_no_values(make, waves):
    support = waves.support._replace(y=torch.ones(2, 5, dtype=torch.long))
    for verb in ("adapt", "trace"):
        with pytest.raises(ValueError, match=r"support.y (is )?torch.int64.*support.y.float\(\)"):
            getattr(make(), verb)(support)


@regressions
def test_shapes_are_told(make, waves):
    with pytest.raises(ValueError, match=r"support.x has shape \(2, 5\) .*x.unsqueeze\(-1\)"):
        make().adapt(waves.support._replace(x=waves.support.x.squeeze(-1)))


@regressions
def test_both_dtypes_are_told(make, waves):
    double = Episodes(*(Examples(half.x.double(), half.y.double()) for half in waves))
    learner = make()
    if not learner.params:  # they take any
        learner.adapt(double.support)
        return
    message = r"support.x is torch.float64 but the parameters are torch.float32: .*\.float\(\)"
    with pytest.raises(ValueError, match=message):
        learner.adapt(double.support)


BY_STEPS = [*list(REGRESSIONS)[:10]]
by_steps = pytest.mark.parametrize("make", [REGRESSIONS[n] for n in BY_STEPS], ids=BY_STEPS)


@by_steps
def test_steps_need_an_example(make, waves):
    empty = Examples(waves.support.x[:, :0], waves.support.y[:, :0])
    with pytest.raises(ValueError, match="support has 0 examples: give each task 1 or more"):
        make().adapt(empty)
    make().adapt(empty, inner_steps=0)


@by_steps
@pytest.mark.parametrize("steps", [-1, 2.5, True, "3"])
def test_steps_are_counted(make, waves, steps):
    for verb in ("adapt", "trace"):
        with pytest.raises(ValueError, match=r"inner_steps=.*: choose"):
            getattr(make(), verb)(waves.support, inner_steps=steps)


@by_steps
def test_inference_mode_is_named(make, waves):
    learner = make()
    with torch.inference_mode(), pytest.raises(ValueError, match=r"use torch.no_grad\(\)"):
        learner.adapt(waves.support)


def test_a_parameter_that_is_never_used_is_named(waves):
    params = WAVES.init(seeded()) | {"spare": torch.zeros(2)}
    learner = MAML(WAVES, params)
    for call in (learner.adapt, learner.trace):
        with pytest.raises(ValueError, match="never uses the parameter spare: leave it out"):
            call(waves.support)
    with pytest.raises(ValueError, match="never uses the parameter spare"):
        learner.meta_gradient(waves)
    network = ConvNet((8,))
    params = network.init(seeded()) | {"spare": torch.zeros(2)}
    images = Glyphs(1, 3, 2).sample(1, 3, 1, 1, seeded())
    with pytest.raises(ValueError, match="never uses the parameter spare"):
        PrototypicalNetwork(network, params).meta_gradient(images)


# Settings


def settings(kind, **given):
    return lambda: kind(WAVES, WAVES.init(seeded()), **given)


@pytest.mark.parametrize("kind", [MAML, ANIL, MetaSGD, MAMLPlusPlus, RegularisedMAML, Reptile])
@pytest.mark.parametrize("rate", [-0.1, NAN, INF, "0.01", None, True])
def test_a_rate_is_a_number(kind, rate):
    with pytest.raises(ValueError, match=r"inner_lr=.*choose a finite number"):
        settings(kind, inner_lr=rate)()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (settings(Reptile, inner_lr=0), "inner_lr=0: choose a finite number above 0"),
        (settings(Reptile, batch_size=2.5), r"batch_size=2\.5: choose a whole number"),
        (settings(MAML, inner_steps=-1), "inner_steps=-1: choose 0 to 10,000"),
        (settings(MAML, inner_steps=1.5), r"inner_steps=1\.5: choose a whole number"),
        (settings(MAMLPlusPlus, inner_steps=0), "inner_steps=0: choose 1 to 10,000"),
        (settings(MAMLPlusPlus, last_step_share=-1), "last_step_share=-1: choose a number from 0"),
        (settings(MAMLPlusPlus, first_order_until=2), "first_order_until=2: choose a number from"),
        (settings(RegularisedMAML, strength=NAN), "strength=nan: choose a finite number, 0 or"),
        (settings(ImplicitMAML, solver_steps=-1), "solver_steps=-1: choose 0 to 10,000"),
        (settings(MeanOfNetworks, pull=NAN), "pull=nan: choose a finite number"),
        (
            lambda: PrototypicalNetwork(ConvNet((8,)), {}, sharpness=NAN),
            "sharpness=nan: choose a finite number, 0 or more",
        ),
        (lambda: MatchingNetwork(ConvNet((8,)), {}, sharpness=-1), "sharpness=-1"),
        (lambda: FineTunedClassifier(ConvNet((8,)), {}, inner_lr=-1), "inner_lr=-1"),
        (lambda: FineTunedClassifier(ConvNet((8,)), {}, inner_steps=-1), "inner_steps=-1"),
        (lambda: LearnedOptimiser(GRU(), {}, output_scale=NAN), "output_scale=nan"),
        (lambda: draw_networks(WAVES, 0), "num_networks=0"),
        (lambda: MLP(-1, 2), r"sizes\[0\]=-1: choose 1 or more"),
        (lambda: MLP(1, 2.5), r"sizes\[1\]=2\.5: choose a whole number"),
        (lambda: ConvNet((7,)), r"channels=\(7,\): choose multiples of 8"),
        (lambda: ConvNet((8, 0)), r"channels\[1\]=0"),
        (lambda: ConvNet((8,), num_unpooled=2), "num_unpooled=2: choose 0 to 1"),
        (lambda: ConvNet((8,), norm="layer"), "norm='layer': choose 'group' or 'batch'"),
        (lambda: ConvClassifier(0), "num_ways=0: choose 1 or more"),
        (lambda: ConvClassifier(5, 2.5), r"width=2\.5"),
        (lambda: GRU(0), "inputs=0"),
        (lambda: Transformer(width=10, num_heads=4), "width=10: choose a multiple of num_heads=4"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Compiled


def test_what_is_compiled_checks_its_labels_too(images, monkeypatch):
    """Recording does not look at numbers; each call does, before what was recorded runs."""
    learner = CLASSIFIERS["prototypes"]()
    monkeypatch.setattr("torch.compile", lambda graph: graph)
    gradient = compiled_meta_gradient(learner)
    loss, _ = gradient(images)
    torch.testing.assert_close(loss, learner.meta_gradient(images)[0])
    for half in (0, 1):
        bad = list(images)
        bad[half] = bad[half]._replace(y=bad[half].y + 1)
        with pytest.raises(ValueError, match="holds the labels 1, 2, 3"):
            gradient(Episodes(*bad))


# Queries


@classifiers
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda q: q._replace(x=255 * q.x), "query.x holds 0 to 255: give images of 0"),
        (lambda q: q._replace(x=q.x.double()), "support.x is torch.float32 and query.x torch.fl"),
        (lambda q: q._replace(x=q.x[..., ::2, ::2]), r"query.x \(2, 3, 1, 14, 14\): give both"),
        (lambda q: Examples(q.x[:1], q.y[:1]), r"query.x \(1, 3, 1, 28, 28\): give both the same"),
        (lambda q: q._replace(y=q.y > 0), "query.y is torch.bool: give classes as integers"),
        (lambda q: q._replace(y=q.y + 0j), "query.y is torch.complex64: give classes"),
        (lambda q: q._replace(y=q.y.float()), "support.y is torch.int64 and query.y torch.float"),
        (lambda q: Examples(q.x[:, :0], q.y[:, :0]), "query has 0 examples"),
        (lambda q: None, r"query is a NoneType: give Examples\(x, y\)"),
    ],
)
def test_a_query_belongs_to_its_support(make, images, spoil, message):
    learner, bad = make(), Episodes(images.support, spoil(images.query))
    with pytest.raises(ValueError, match=message):
        evaluate(learner, bad)
    if learner.params and make is not CLASSIFIERS["fine-tuned"]:
        with pytest.raises(ValueError, match=message):
            learner.meta_gradient(bad)


@regressions
def test_a_nan_is_not_taken_for_an_adaptation_that_diverged(make, waves):
    spoilt = torch.where(waves.query.y == waves.query.y[0, 0], NAN, waves.query.y)
    for half, part in ((0, "support"), (1, "query")):
        bad = list(waves)
        bad[half] = bad[half]._replace(y=spoilt)
        with pytest.raises(ValueError, match=f"{part}.y holds NaN or infinity: leave such"):
            evaluate(make(), Episodes(*bad))
    with pytest.raises(ValueError, match=r"support.y holds NaN"):
        make().trace(waves.support._replace(y=spoilt))


def test_networks_tell_which_x_they_take(waves):
    network, images = ConvNet((8, 8)), torch.zeros(2, 3, 1, 28, 28)
    for call, message in (
        (lambda: WAVES(WAVES.init(), torch.zeros(2, 3, 2)), r"\(2, 3, 2\): give \(T, N, …\), 1 n"),
        (lambda: network(network.init(), images.squeeze(2)), "give images"),
        (lambda: network(network.init(), images.expand(-1, -1, 3, -1, -1)), "give images"),
        (lambda: network(network.init(), images[..., :1, :1]), "H and W at least 2"),
        (lambda: ConvClassifier(3, 8)(ConvClassifier(3, 8).init(), images[0]), "give images"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (settings(MAML, inner_lr=10**400), "inner_lr=1000.*: choose a finite number"),
        (settings(MAML, inner_lr=10**9000), "inner_lr=a int too long to write: choose"),
        (settings(MAML, order=torch.ones(2)), r"order=tensor.*: choose a whole number, 1 to 2"),
        (settings(ImplicitMAML, strength=torch.ones(2)), "strength=tensor"),
        (settings(MAMLPlusPlus, multi_step="no"), "multi_step='no': choose True or False"),
        (settings(MAMLPlusPlus, per_parameter=NAN), "per_parameter=nan: choose True or False"),
        (lambda: PrototypicalNetwork(ConvNet((8,)), {}, framed="no"), "framed='no'"),
        (lambda: ConvNet(8), r"channels=8: give several sizes, such as \(64, 64\)"),
        (lambda: LearnedOptimiser(GRU(), {}, optimisee=3), "optimisee=3: give several sizes"),
        (lambda: MAML(WAVES, {"weight1": torch.ones(1, 4).long()}), "weight1 is torch.int64"),
        (lambda: MAML(WAVES, {"weight1": [1.0]}), "weight1 is a list: give a tensor"),
    ],
)
def test_settings_of_other_kinds_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
