"""The widgets that the site records, made as the notebooks make them, of the learners that ship.

What a notebook trains for its widget is trained here as well: seconds. Where its generator served
much else before, the widget here has luck of its own.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from metalearn_lite import checkpoints
from metalearn_lite.learners import (
    MAML,
    FollowTheLeader,
    FollowTheMetaLeader,
    ModifiedHausdorff,
    NearestValue,
    PixelNearestNeighbour,
    PrototypicalNetwork,
    RobustPrototypes,
    SimpleShot,
    StraightLine,
)
from metalearn_lite.learners.drift import PageHinkley
from metalearn_lite.learners.online import OnlineLearner, Recorder, play
from metalearn_lite.learners.transfer import draw_networks
from metalearn_lite.networks import MLP, ConvNet
from metalearn_lite.recipes import diversity
from metalearn_lite.recipes.race import load as load_race
from metalearn_lite.rl import choosing
from metalearn_lite.rl.bandit_players import UCB1, Thompson
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters import Characters
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.tasks.streams import WaveStreams
from metalearn_lite.training import cosine, meta_train
from metalearn_lite.widgets.adaptation import AdaptationExplorer, AdaptationModel
from metalearn_lite.widgets.bandit_duel import BanditDuel
from metalearn_lite.widgets.bug_lab import BugLab
from metalearn_lite.widgets.chooser import Chooser, ChooserModel
from metalearn_lite.widgets.diversity_dial import DiversityDial, DiversityDialModel
from metalearn_lite.widgets.embedding import EmbeddingExplorer
from metalearn_lite.widgets.episode_builder import EpisodeBuilder
from metalearn_lite.widgets.episode_viewer import EpisodeViewer
from metalearn_lite.widgets.in_context import InContextExplorer, InContextModel
from metalearn_lite.widgets.landscape import LandscapeExplorer, LandscapeModel
from metalearn_lite.widgets.live_check import LiveCheck
from metalearn_lite.widgets.poison import PoisonModel, PoisonSlider
from metalearn_lite.widgets.race import Race, RaceModel
from metalearn_lite.widgets.stream_player import StreamModel, StreamPlayer
from metalearn_lite.widgets.training_explorer import TrainingExplorer, TrainingModel
from metalearn_lite.widgets.trajectories import TrajectoryExplorer, TrajectoryModel

NUM_STREAMS = 20


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@cache
def split() -> tuple[Characters, Characters, Characters]:
    """Characters to train on, to choose by and to test on."""
    return characters.load_split("small1")


def live_check() -> LiveCheck:
    return LiveCheck()


def training_explorer() -> TrainingExplorer:
    return TrainingExplorer(TrainingModel(MLP(1, 40, 40, 1), seeded(23)))


def episode_builder() -> EpisodeBuilder:
    generator, sinusoids = seeded(2), Sinusoids()
    waves = sinusoids.draw_tasks(3, generator)  # what the notebook draws before
    for count in (5, 8):
        waves.draw(count, generator)
    sinusoids.draw_tasks(300, generator)
    for size in ((100, 5, 8), (200, 5, 50), (2000, 5, 50)):
        sinusoids.sample(*size, generator=generator)
    characters.load("small1").sample(1, 5, 2, 3, generator=generator)
    names = ("meta-training", "meta-validation", "meta-test")
    return EpisodeBuilder(dict(zip(names, split(), strict=True)), generator)


def landscape() -> LandscapeExplorer:
    return LandscapeExplorer(LandscapeModel())


def adaptation() -> AdaptationExplorer:
    generator = seeded(4)
    Sinusoids().draw_tasks(4, generator).draw(5, generator)
    Sinusoids().sample(2000, num_shots=5, num_queries=50, generator=generator)
    maml, joint = (checkpoints.load(f"sinusoid-{name}") for name in ("maml", "joint"))
    random = MAML(maml.network, maml.network.init(generator), inner_lr=0.01)
    learners = {"MAML": maml, "joint training": joint, "random start": random}
    # Those that the notebook draws after it has trained.
    points = (3.6587767601, 3.6975550652, 4.1836500168, -1.4372944832, -0.3505814075)
    return AdaptationExplorer(AdaptationModel(learners, generator, points=points))


def race() -> Race:
    return Race(RaceModel(load_race("race")))


def episode_viewer() -> EpisodeViewer:
    tuned = checkpoints.load("omniglot-classifier")
    images = characters.load("small1").images.flatten(0, 1)[None, :, None] / 255
    with torch.no_grad():
        centre = tuned.embed(images).mean((0, 1))
    learners = {
        "pixels": PixelNearestNeighbour(),
        "modified Hausdorff": ModifiedHausdorff(),
        "new head": tuned,
        "SimpleShot": SimpleShot(tuned.network, tuned.params, centre),
    }
    return EpisodeViewer(split()[2], learners, seed=6)


def embedding() -> EmbeddingExplorer:
    generator = seeded(7)
    train, _, test = split()
    for size in ((150, 5, 1, 3), (60, 20, 1, 2)):  # what the notebook asks of it first
        test.sample(*size, generator=generator)
    network = ConvNet((16, 32, 32, 32))
    learner = PrototypicalNetwork(network, network.init(generator))
    sample = partial(train.with_rotations().sample, 1, 20, 1, 4)
    snapshots = {}
    with TemporaryDirectory() as folder:
        for iterations in (0, 5, 20, 50, 100, 200):
            unfinished = Path(folder, "run.safetensors")  # each round goes on where the last ended
            meta_train(learner, sample, iterations, generator, outer_lr=2e-3, save_to=unfinished)
            snapshots[iterations] = {k: v.detach().clone() for k, v in learner.params.items()}
    return EmbeddingExplorer(learner, snapshots, test.sample(8, 5, 3, 2, seeded(29)))


def in_context() -> InContextExplorer:
    names = ("MAML", "neural process", "recurrent", "transformer")
    learners = {
        name: checkpoints.load(f"sinusoid-{name.lower().replace(' ', '-')}") for name in names
    }
    return InContextExplorer(InContextModel(learners, seeded(20)))


def trajectories() -> TrajectoryExplorer:
    learners = {
        "MAML": checkpoints.load("navigation-maml"),
        "joint training": checkpoints.load("navigation-joint"),
    }
    return TrajectoryExplorer(TrajectoryModel(learners, Navigation()))


def bandit_duel() -> BanditDuel:
    others = {"Thompson": Thompson(), "UCB1": UCB1()}
    return BanditDuel(
        {pulls: {"RL²": checkpoints.load(f"bandits-rl2-{pulls}")} | others for pulls in (10, 100)}
    )


def chooser() -> Chooser:
    generator = seeded(12)
    network = MLP(1, 40, 40, 1)
    patient = checkpoints.load("sinusoid-maml")
    patient.inner_steps = 100
    learners = {
        "straight line": StraightLine(),
        "random start": MAML(network, network.init(generator), inner_lr=0.02, inner_steps=200),
        "MAML": patient,
        "a rate for every weight": checkpoints.load("sinusoid-all-rates"),
        "transformer": checkpoints.load("sinusoid-transformer"),
    }
    probes = {
        "straight line": StraightLine(),
        "nearest neighbour": NearestValue(),
        "neural process": checkpoints.load("sinusoid-neural-process"),
    }
    stream = choosing.record(learners, probes, 1, 150, generator)
    names = choosing.feature_names(probes)
    return Chooser(ChooserModel(stream, list(learners), names, exploration=0.8))


def stream_player() -> StreamPlayer:
    generator = seeded(13)
    streams = WaveStreams(num_worlds=2, stay=(16, 24), spread=0.4, drift=0.02).draw(
        NUM_STREAMS, 80, generator
    )
    rounds = streams.rounds(num_shots=5, num_queries=20, generator=generator)
    network = MLP(1, 40, 40, 1)
    starts = draw_networks(network, NUM_STREAMS, generator)
    grid = torch.linspace(-5, 5, 101)

    def played(kind: type[MAML], *inner: float, **options: Any) -> tuple[Recorder, Tensor]:
        learner = OnlineLearner(kind(network, starts, *inner), seeded(1), steps=8, **options)
        recorder = Recorder(learner, grid)
        return recorder, play(recorder, rounds)

    meta = partial(played, FollowTheMetaLeader, 0.015, 2, batch=4, outer_lr=1e-2)
    joint = partial(played, FollowTheLeader, 0.01, 1, outer_lr=6e-3)
    records = {
        "meta-leader, detector": meta(watch=lambda: PageHinkley(0.25, 4.0, 5)),
        "meta-leader": meta(),
        "joint training": joint(batch=4),
        "fine-tuned for ever": joint(batch=1, window=1),
    }
    hindsight = FollowTheMetaLeader(network, starts, 0.015, 2)
    everything = OnlineLearner(hindsight, generator, steps=0, batch=4)
    for task in rounds:
        everything.observe(task, torch.ones(NUM_STREAMS))
    meta_train(
        hindsight, lambda generator: everything._some(), 600, generator,
        outer_lr=1e-2, schedule=cosine,
    )  # fmt: skip
    best = play(OnlineLearner(hindsight, generator, steps=0), rounds)
    return StreamPlayer(StreamModel(streams, rounds, records, best, grid))


def poison() -> PoisonSlider:
    prototypical, maml = (
        checkpoints.load(f"omniglot-conv-{name}") for name in ("prototypical", "maml")
    )
    maml.inner_steps = 3
    learners = {"MAML": maml, "prototypical": prototypical}
    for name in ("medoid", "trimmed", "reweighted"):
        learners[name] = RobustPrototypes(prototypical.network, prototypical.params, name)
    model = PoisonModel(learners, split()[2], seeded(1))
    model.kind = "targeted"
    return PoisonSlider(model)


def bug_lab() -> BugLab:
    return BugLab()


def diversity_dial() -> DiversityDial:
    return DiversityDial(DiversityDialModel(diversity.load()))
