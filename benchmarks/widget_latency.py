"""The kernel's share of a live figure's answer: from a gesture's message to all that it sends.

Each row repeats one gesture on one widget, and gives the median and the 95th percentile. While a
handle is held only the frame of now is made; once it settles, all stops of the widget's own slider
as well. The page's share is measured in the browser. The learners are untrained: an adaptation
costs the same.
"""

import json
import time
from collections.abc import Callable, Iterable
from itertools import count, cycle

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
from metalearn_lite.widgets.kit import Live
from metalearn_lite.widgets.landscape import LandscapeExplorer, LandscapeModel
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
CHANGES = 100

Case = tuple[Live, Iterable[dict]]
"""a widget, and messages as its page sends them"""


def sets(name: str, values: list) -> Iterable[dict]:
    """A control moves on to the next of ``values``, and round again."""
    return ({"kind": "set", "name": name, "value": value} for value in cycle(values))


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
    widget = AdaptationExplorer(AdaptationModel(learners, generator, step=10))
    if slider == "point":
        drags = ({"kind": "drag", "key": "points", "index": 0, "x": x, "y": 0.0} for x in values)
        return widget, cycle(drags)
    return widget, sets(slider, values)


def embedding(slider: str) -> Case:
    """Five classes, two support and four query images of each, seen through four snapshots."""
    generator = torch.Generator().manual_seed(0)
    network = ConvNet((32, 32, 32, 32))
    snapshots = {number: network.init(generator) for number in (0, 10, 100, 200)}
    learner = PrototypicalNetwork(network, snapshots[0])
    episodes = Glyphs(1, 8, 8).sample(2, 5, 2, 4, generator)
    widget = EmbeddingExplorer(learner, snapshots, episodes)
    return widget, sets(slider, [0, 1, 2, 3])


def landscape(control: str, values: list) -> Case:
    """Three methods, ten inner steps on the surface that is no quadratic."""
    widget = LandscapeExplorer(LandscapeModel("not quadratic", inner_lr=0.1, inner_steps=10))
    if control == "theta":
        drag = {"kind": "drag", "key": "theta", "index": 0}
        return widget, (drag | {"x": x, "y": y} for x, y in cycle(values))
    return widget, sets(control, values)


def episodes(control: str, values: list) -> Case:
    """Two queries of each class, answered by a head that takes a hundred steps on the support."""
    network = ConvNet()
    learner = FineTunedClassifier(network, network.init(torch.Generator().manual_seed(0)))
    widget = EpisodeViewer(Glyphs(1, 24, 8), {"new head": learner})
    if control == "next":
        return widget, cycle([{"kind": "press", "name": "next"}])
    return widget, sets(control, values)


def builder(slider: str, values: list[int]) -> Case:
    """30 ways, 2 shots and 10 queries: 360 drawings."""
    splits = {"meta-training": Glyphs(2, 24, 20)}
    sizes = {"num_ways": 30, "num_shots": 2, "num_queries": 10}
    widget = EpisodeBuilder(splits, torch.Generator().manual_seed(0), **sizes)
    return widget, sets(slider, values)


def training(slider: str, values: list[float]) -> Case:
    """Ten points; all sliders but the step train the network anew."""
    model = TrainingModel(MLP(1, 40, 40, 1), torch.Generator().manual_seed(0), step=40)
    return TrainingExplorer(model), sets(slider, values)


def in_context(what: str) -> Case:
    """Four learners. A point is dragged; another order has all five read anew."""
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
    drag = {"kind": "drag", "key": "points", "index": 0, "y": 0.0}
    places = cycle(torch.linspace(-5, 5, 29).tolist())
    return widget, {
        "drag": (drag | {"x": x} for x in places),
        "shuffle": cycle([{"kind": "press", "name": "shuffle"}]),
    }[what]


def race(control: str, values: list) -> Case:
    """Eight methods near the end of forty stops. Another x-axis draws the ticks anew, too."""
    stops = range(41)
    numbers = {"seconds": stops, "iterations": stops, "error": [4 - 0.09 * s for s in stops]}
    record = {f"method {number}": numbers | {"interval": [0.1] * 41} for number in range(8)}
    return Race(RaceModel(record, stop=38)), sets(control, values)


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
    widget.model.set_num_ways(5)
    widget.model.draw_all_examples()

    def strokes() -> Iterable[dict]:
        for number, end in enumerate(cycle(torch.linspace(0.1, 0.9, 7).tolist())):
            what = "clear" if number % 5 == 4 else "stroke"
            points = [(0.5, 0.1), (end, 0.9)]
            yield {"kind": "draw", "pad": f"pad {sheet}", "what": what, "points": points}

    return widget, strokes()


def chooser(control: str, values: list) -> Case:
    """Five learners and six features, at the end of the stream: an agent walks all of it anew."""
    names = [f"learner {number}" for number in range(5)]
    probes = {name: StraightLine() for name in names[:3]}
    learners = dict.fromkeys(names, StraightLine())
    stream = choosing.record(learners, probes, 1, 150, torch.Generator().manual_seed(0))
    stream = stream._replace(rewards=torch.rand(stream.rewards.shape))
    widget = Chooser(ChooserModel(stream, names, choosing.feature_names(probes), task=150))
    return widget, sets(control, values)


def bandit_duel(num_pulls: int, what: str) -> Case:
    """Pulls one arm after the other; or has a bandit finished, then another one begun, in turn."""
    network = RecurrentActorCritic(6, 5, 5, 128)
    rl2 = RL2(network, network.init(torch.Generator().manual_seed(0)))
    widget = BanditDuel({num_pulls: {"RL²": rl2, "Thompson": Thompson(), "UCB1": UCB1()}})
    pulls = [{"kind": "pick", "key": "levers", "index": arm % 5} for arm in range(num_pulls)]
    again = {"kind": "press", "name": "new"}
    return widget, cycle(
        {"pull": [*pulls, again], "finish": [{"kind": "press", "name": "finish"}, again]}[what]
    )


def episode_game() -> Case:
    """Answers, then goes on to the next task, in turn. It has more rounds than are played."""
    drawn = Glyphs(2, 10, 4).sample(CHANGES, 5, 1, 1, torch.Generator().manual_seed(0))
    widget = EpisodeGame(drawn, {"pixels": PixelNearestNeighbour()}, num_rounds=CHANGES)
    answer = {"kind": "pick", "key": "cards", "index": 0}
    return widget, cycle([answer, {"kind": "press", "name": "go_on"}])


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
        return widget, sets("update", [0, 1, 2, 3])
    drag = {"kind": "drag", "key": "MAML goal", "index": 0, "y": 0.2}
    return widget, (drag | {"x": x} for x in cycle([-0.4, -0.2, 0.0, 0.2, 0.4]))


CASES: dict[str, Callable[[], Case]] = {
    "adaptation explorer, step": lambda: adaptation("step", [0, 3, 5, 10]),
    "adaptation explorer, drag a point": lambda: adaptation("point", [-4.0, -1.0, 2.0, 4.5]),
    "adaptation explorer, amplitude": lambda: adaptation("amplitude", [1.0, 2.0, 3.0]),
    "adaptation explorer, inner rate": lambda: adaptation("inner_lr", [0.01, 0.02, 0.05]),
    "training explorer, step": lambda: training("step", [0, 20, 40, 60]),
    "training explorer, points": lambda: training("num_points", [5, 10, 20, 50]),
    "training explorer, learning rate": lambda: training("learning_rate", [0.01, 0.02, 0.05]),
    "embedding explorer, training": lambda: embedding("snapshot"),
    "embedding explorer, query": lambda: embedding("query"),
    "episode builder, ways": lambda: builder("num_ways", [30, 29, 28]),
    "episode builder, queries": lambda: builder("num_queries", [10, 9, 8]),
    "episode viewer, next episode": lambda: episodes("next", []),
    "episode viewer, ways": lambda: episodes("num_ways", [3, 5, 10]),
    "episode viewer, most ways": lambda: episodes("num_ways", [18, 19, 20]),
    "episode game, answer and go on": episode_game,
    "landscape, drag θ": lambda: landscape("theta", [(2.0, 1.0), (2.2, 1.1), (0.0, 3.0)]),
    "landscape, inner rate": lambda: landscape("inner_lr", [0.1, 0.2, 0.3]),
    "landscape, inner steps": lambda: landscape("inner_steps", [8, 9, 10]),
    "race, time": lambda: race("stop", [37, 38, 39, 40]),
    "race, x-axis": lambda: race("across", ["iterations", "seconds"]),
    "draw your own, stroke of a class": lambda: draw(0),
    "draw your own, stroke of the query": lambda: draw(QUERY),
    "chooser, task": lambda: chooser("task", [149, 150, 100]),
    "chooser, exploration": lambda: chooser("exploration", [0.1, 0.5, 1.0]),
    "bandit duel, pull": lambda: bandit_duel(100, "pull"),
    "bandit duel, finish and new": lambda: bandit_duel(100, "finish"),
    "trajectory explorer, updates": lambda: trajectories("update"),
    "trajectory explorer, goal": lambda: trajectories("goal"),
    "in-context explorer, drag a point": lambda: in_context("drag"),
    "in-context explorer, shuffle": lambda: in_context("shuffle"),
}


def milliseconds(widget: Live, messages: Iterable[dict], settled: bool) -> list[float]:
    """How long the kernel took for each message, shortest first."""
    times, ids = [], count(widget.ack + 1)
    for message in (next(messages) for _ in range(CHANGES)):
        started = time.perf_counter()
        widget._handle_custom_msg(message | {"id": next(ids), "settled": settled}, [])
        times.append(1000 * (time.perf_counter() - started))
    return sorted(times)


def main() -> None:
    print(f"\nthe kernel's share of an answer, {CHANGES} gestures each")
    print(f"{'':36}held: median ms   p95   target    settled: median ms   p95    kB a frame")
    for name, make in CASES.items():
        widget, messages = make()
        messages = iter(messages)
        cells = []
        for settled in (False, True):
            times = milliseconds(widget, messages, settled)
            cells.append((times[CHANGES // 2], times[int(0.95 * CHANGES)]))
        target = next((ms for word, ms in SLOWER_MS.items() if word in name), TARGET_MS)
        verdict = "✔" if cells[0][1] <= target else "✘"
        size = len(json.dumps([widget.moving, widget.state], default=lambda it: it.hex()[::2]))
        (held, held95), (rest, rest95) = cells
        line = f"{name:36}{held:15.1f}{held95:6.1f}   ≤ {target} {verdict}"
        print(printable(f"{line}{rest:22.1f}{rest95:6.1f}{size / 1000:13.1f}"))


if __name__ == "__main__":
    main()
