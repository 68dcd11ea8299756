"""From a slider's change to the new picture's bytes: how long a widget's reader waits.

Each row moves one slider of one widget to and fro, or draws stroke after stroke, and gives the
median and the 95th percentile. The learners are untrained: an adaptation costs the same.
"""

import time
from collections.abc import Callable
from itertools import cycle

import torch

from metalearn_lite.learners.classifier import FineTunedClassifier
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.least_squares import StraightLine
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess, EncodeDecode
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.recurrent import GRU, RecurrentLearner
from metalearn_lite.learners.transformer import Transformer, TransformerLearner
from metalearn_lite.networks import MLP, ConvClassifier, ConvNet
from metalearn_lite.rl import choosing
from metalearn_lite.rl.bandit_players import UCB1, Thompson
from metalearn_lite.rl.maml_policy_gradient import MAMLPolicyGradient
from metalearn_lite.rl.policies import GaussianPolicy
from metalearn_lite.rl.rl2 import RL2, RecurrentActorCritic
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.teaching.console import printable
from metalearn_lite.widgets.adaptation import AdaptationExplorer, AdaptationModel
from metalearn_lite.widgets.bandit_duel import BanditDuel
from metalearn_lite.widgets.chooser import Chooser, ChooserModel
from metalearn_lite.widgets.draw import QUERY, DrawYourOwn
from metalearn_lite.widgets.embedding import EmbeddingExplorer
from metalearn_lite.widgets.episode_builder import EpisodeBuilder
from metalearn_lite.widgets.episode_game import EpisodeGame
from metalearn_lite.widgets.episode_viewer import EpisodeViewer
from metalearn_lite.widgets.in_context import InContextExplorer, InContextModel
from metalearn_lite.widgets.landscape import LandscapeExplorer, LandscapeModel
from metalearn_lite.widgets.picture import Picture
from metalearn_lite.widgets.race import Race, RaceModel
from metalearn_lite.widgets.training_explorer import TrainingExplorer, TrainingModel
from metalearn_lite.widgets.trajectories import TrajectoryExplorer, TrajectoryModel

TARGET_MS = 50
SLOWER_MS = {
    # Two learners adapt and answer: a pen takes longer than that from one stroke to the next.
    "stroke": 150,
    # Two policies act for 400 steps each, and learn three times.
    "goal": 150,
}
CHANGES = 200

Case = tuple[Callable[[], None], Picture]


def adaptation(slider: str, values: list[float]) -> Case:
    """Three learners, five points and ten steps: all of the picture changes."""
    generator = torch.Generator().manual_seed(0)
    network = MLP(1, 40, 40, 1)
    learners = {
        name: kind(network, network.init(generator))
        for name, kind in (
            ("MAML", MAML),
            ("joint training", JointTraining),
            ("random start", MAML),
        )
    }
    widget = AdaptationExplorer(AdaptationModel(learners, generator))
    widget.step.value = 10
    return mover(getattr(widget, slider), values), widget.errors


def embedding(slider: str) -> Case:
    """Five classes, two support and four query images of each, seen through four snapshots."""
    generator = torch.Generator().manual_seed(0)
    network = ConvNet((32, 32, 32, 32))
    snapshots = {number: network.init(generator) for number in (0, 10, 100, 200)}
    learner = PrototypicalNetwork(network, snapshots[0])
    episodes = Glyphs(1, 8, 8).sample(2, 5, 2, 4, generator)
    widget = EmbeddingExplorer(learner, snapshots, episodes)
    return mover(getattr(widget, slider), [0, 1, 2, 3], "index"), widget.charts


def landscape(control: str, values: list) -> Case:
    """Three methods, ten inner steps on the surface that is no quadratic."""
    widget = LandscapeExplorer(LandscapeModel("not quadratic", inner_lr=0.1, inner_steps=10))
    if control == "theta":
        places = cycle(values)
        return lambda: widget.move(*next(places)), widget.plane
    return mover(getattr(widget, control), values), widget.plane


def episodes(control: str, values: list) -> Case:
    """Two queries of each class, answered by a head that takes a hundred steps on the support."""
    network = ConvNet()
    learner = FineTunedClassifier(network, network.init(torch.Generator().manual_seed(0)))
    widget = EpisodeViewer(Glyphs(1, 24, 8), {"new head": learner})
    if control == "next":
        return widget.next.click, widget.picture
    return mover(getattr(widget, control), values), widget.picture


def builder(slider: str, values: list[int]) -> Case:
    """30 ways, 2 shots and 10 queries: 360 drawings."""
    splits = {"meta-training": Glyphs(2, 24, 20)}
    widget = EpisodeBuilder(splits, torch.Generator().manual_seed(0))
    widget.num_ways.value, widget.num_shots.value, widget.num_queries.value = 30, 2, 10
    return mover(getattr(widget, slider), values), widget.picture


def training(slider: str, values: list[float]) -> Case:
    """Ten points; all sliders but the step train the network anew."""
    model = TrainingModel(MLP(1, 40, 40, 1), torch.Generator().manual_seed(0))
    widget = TrainingExplorer(model)
    widget.step.value = 40
    return mover(getattr(widget, slider), values), widget.losses


def in_context(what: str) -> Case:
    """Four learners. A click adds a sixth point; another order has all five read anew."""
    generator = torch.Generator().manual_seed(0)
    learners = {
        kind.__name__: kind(network, network.init(generator))
        for kind, network in (
            (MAML, MLP(1, 40, 40, 1)),
            (ConditionalNeuralProcess, EncodeDecode()),
            (RecurrentLearner, GRU()),
            (TransformerLearner, Transformer()),
        )
    }
    widget = InContextExplorer(InContextModel(learners, generator))
    places = cycle(torch.linspace(-5, 5, CHANGES + 1).tolist())

    def click() -> None:
        while len(widget.model.points) > 5:
            widget.model.undo_point()
        widget.model.add_point(next(places), 0.0)
        widget.show()

    def shuffle() -> None:
        widget.model.shuffle()
        widget.show()

    return {"click": click, "shuffle": shuffle}[what], widget.curves


def race(control: str, values: list) -> Case:
    """Eight methods near the end of forty stops. Another x-axis draws the ticks anew, too."""
    stops = range(41)
    numbers = {"seconds": stops, "iterations": stops, "error": [4 - 0.09 * s for s in stops]}
    record = {f"method {number}": numbers | {"interval": [0.1] * 41} for number in range(8)}
    widget = Race(RaceModel(record))
    widget.time.index = 38
    trait = "index" if control == "time" else "value"
    return mover(getattr(widget, control), values, trait), widget.picture


def draw(sheet: int) -> Case:
    """Five classes and a query; the answers of networks as large as those that ship.

    A stroke on a class has both learners adapt anew, one on the query only has them answer.
    """
    generator = torch.Generator().manual_seed(0)
    conv, classifier = ConvNet(norm="frozen"), ConvClassifier(5)
    learners = {
        "ProtoNet": PrototypicalNetwork(
            conv, conv.init(generator), "cosine", framed=True, all_symmetries=True
        ),
        "MAML": MAML(classifier, classifier.init(generator), 0.4, 5),
    }
    widget = DrawYourOwn(learners, {"characters": Glyphs(1, 8, 4)})
    widget.ways.value = 5
    widget.all_examples.click()
    ends = cycle(torch.linspace(0.1, 0.9, 7).tolist())

    def stroke() -> None:
        if len(widget.model.sheets[sheet].strokes) > 4:
            widget.model.clear(sheet)
        message = {"what": "stroke", "points": [(0.5, 0.1), (next(ends), 0.9)], "id": 1.0}
        widget.pads[sheet]._handle_custom_msg(message, [])

    return stroke, widget.answers


def chooser(control: str, values: list) -> Case:
    """Five learners and six features, at the end of the stream: an agent walks all of it anew."""
    names = [f"learner {number}" for number in range(5)]
    probes = {name: StraightLine() for name in names[:3]}
    learners = dict.fromkeys(names, StraightLine())
    stream = choosing.record(learners, probes, 1, 150, torch.Generator().manual_seed(0))
    stream = stream._replace(rewards=torch.rand(stream.rewards.shape))
    widget = Chooser(ChooserModel(stream, names, choosing.feature_names(probes)))
    widget.task.value = 150
    return mover(getattr(widget, control), values), widget.beliefs


def bandit_duel(num_pulls: int, what: str) -> Case:
    """Pulls one arm after the other; or has a bandit finished, then another one begun, in turn."""
    network = RecurrentActorCritic(6, 5, 5, 128)
    rl2 = RL2(network, network.init(torch.Generator().manual_seed(0)))
    widget = BanditDuel({num_pulls: {"RL²": rl2, "Thompson": Thompson(), "UCB1": UCB1()}})
    arms = cycle(range(5))

    def pull() -> None:
        if widget.model.is_over:
            widget.model.new_bandit()
        widget.pulls[next(arms)].click()

    def finish() -> None:
        (widget.new if widget.model.is_over else widget.finish).click()

    return {"pull": pull, "finish": finish}[what], widget.arms


def episode_game() -> Case:
    """Answers, then goes on to the next task, in turn. It has more rounds than are played."""
    drawn = Glyphs(2, 10, 4).sample(CHANGES, 5, 1, 1, torch.Generator().manual_seed(0))
    widget = EpisodeGame(drawn, {"pixels": PixelNearestNeighbour()}, num_rounds=CHANGES)
    buttons = cycle((widget.answers[0], widget.next))
    return lambda: next(buttons).click(), widget.board


def trajectories(what: str) -> Case:
    """Two policies, 20 trajectories of 100 steps before and after each of three updates."""
    policy = GaussianPolicy(2, 100, 100, 2)
    generator = torch.Generator().manual_seed(0)
    learners = {
        name: MAMLPolicyGradient(policy, policy.init(generator, std=0.05))
        for name in ("MAML", "joint training")
    }
    widget = TrajectoryExplorer(TrajectoryModel(learners, Navigation()))
    if what == "update":
        return mover(widget.update, [0, 1, 2, 3]), widget.squares
    keys = cycle(("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"))
    return lambda: widget.squares._handle(
        {}, {"kind": "key", "key": next(keys)}, []
    ), widget.squares


def mover(slider, values: list[float], trait: str = "value") -> Callable[[], None]:
    """Each call moves ``slider`` on to the next of ``values``, and round again."""
    values = cycle(values)
    return lambda: setattr(slider, trait, next(values))


CASES: dict[str, Callable[[], Case]] = {
    "adaptation explorer, step": lambda: adaptation("step", [0, 3, 5, 10]),
    "adaptation explorer, amplitude": lambda: adaptation("amplitude", [1.0, 2.0, 3.0]),
    "adaptation explorer, inner rate": lambda: adaptation("inner_lr", [0.01, 0.02, 0.05]),
    "training explorer, step": lambda: training("step", [0, 20, 40, 60]),
    "training explorer, points": lambda: training("num_points", [5, 10, 20, 50]),
    "training explorer, learning rate": lambda: training("learning_rate", [0.01, 0.02, 0.05]),
    "embedding explorer, training": lambda: embedding("training"),
    "embedding explorer, query": lambda: embedding("query"),
    "episode builder, ways": lambda: builder("num_ways", [30, 29, 28]),
    "episode builder, queries": lambda: builder("num_queries", [10, 9, 8]),
    "episode viewer, next episode": lambda: episodes("next", []),
    "episode viewer, ways": lambda: episodes("ways", [3, 5, 10]),
    "episode viewer, most ways": lambda: episodes("ways", [18, 19, 20]),
    "episode game, answer and go on": episode_game,
    "landscape, drag θ": lambda: landscape("theta", [(2.0, 1.0), (2.2, 1.1), (0.0, 3.0)]),
    "landscape, inner rate": lambda: landscape("inner_lr", [0.1, 0.2, 0.3]),
    "landscape, inner steps": lambda: landscape("inner_steps", [8, 9, 10]),
    "race, time": lambda: race("time", [37, 38, 39, 40]),
    "race, x-axis": lambda: race("across", ["iterations", "seconds"]),
    "draw your own, stroke of a class": lambda: draw(0),
    "draw your own, stroke of the query": lambda: draw(QUERY),
    "chooser, task": lambda: chooser("task", [149, 150, 100]),
    "chooser, exploration": lambda: chooser("exploration", [0.1, 0.5, 1.0]),
    "bandit duel, pull": lambda: bandit_duel(100, "pull"),
    "bandit duel, finish and new": lambda: bandit_duel(100, "finish"),
    "trajectory explorer, updates": lambda: trajectories("update"),
    "trajectory explorer, goal": lambda: trajectories("goal"),
    "in-context explorer, click": lambda: in_context("click"),
    "in-context explorer, shuffle": lambda: in_context("shuffle"),
}


def milliseconds(change: Callable[[], None], picture: Picture) -> list[float]:
    """How long each change took until the picture had new bytes, shortest first."""
    times = []
    for _ in range(CHANGES):
        before = picture.png
        started = time.perf_counter()
        change()
        times.append(1000 * (time.perf_counter() - started))
        assert picture.png != before, "the picture did not change"
    return sorted(times)


def main() -> None:
    print(f"\nfrom a slider's change to the picture's bytes, {CHANGES} changes each")
    print(f"{'':36}median ms    p95 ms    target")
    for name, make in CASES.items():
        change, picture = make()
        change()
        times = milliseconds(change, picture)
        median, p95 = times[CHANGES // 2], times[int(0.95 * CHANGES)]
        target = next((ms for word, ms in SLOWER_MS.items() if word in name), TARGET_MS)
        verdict = "✔" if p95 <= target else "✘"
        print(printable(f"{name:36}{median:9.1f}{p95:10.1f}    ≤ {target} {verdict}"))


if __name__ == "__main__":
    main()
