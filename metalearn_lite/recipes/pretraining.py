"""Pre-training against meta-learning, with few and with many training classes: 17's record.

``python -m metalearn_lite.recipes.pretraining`` records ``data/pretraining.json``, with a card of
how it was made: the body of notebook 08 on characters, and that of 05 on waves. Whoever trains
sees the same images, or points, in the same order, and each body starts from the same numbers. Only
the loss differs. Afterwards everybody is judged on the same new tasks.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.images import NUM_SYMMETRIES, distort
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.ridge_head import RidgeHead
from metalearn_lite.networks import MLP, ConvClassifier, Network, Params
from metalearn_lite.recipes import SMALL1, Recipe, records
from metalearn_lite.recipes.augmented import shrunk
from metalearn_lite.recipes.convolutional import (
    DIMENSIONS,
    INNER_LR,
    ITERATIONS,
    NUM_WAYS,
    judge,
    new_ridge_head,
)
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters.choosing import choose
from metalearn_lite.tasks.sinusoids import SineTasks, Sinusoids
from metalearn_lite.training import adam, cosine, meta_train, muon

NUM_RUNS = 3
STRENGTHS = tuple(10.0**power for power in range(-4, 5))


class Drawn(NamedTuple):
    """Tasks, and which of the training classes their examples belong to."""

    episodes: Episodes
    classes: Tensor
    """``(T, num_ways)`` of images, ``(T,)`` of waves"""


class ManyHeads:
    """Pre-training, as `meta_train` takes it: one linear head for all classes, or one a wave.

    Args:
        network: the body, ``(T, N, …)`` to ``(T, N, D)``.
        params: where it starts. A head of zeros, ``(D, num_classes)``, is added.
    """

    def __init__(self, network: Network, params: Params, size: int, num_classes: int):
        self.network = network
        self.params = params | {"head": torch.zeros(size, num_classes)}
        self.params = {n: value.clone().requires_grad_() for n, value in self.params.items()}

    def advance(self, progress: float) -> None:
        """It trains alike from the beginning to the end."""

    def meta_gradient(self, drawn: Drawn) -> tuple[Tensor, Params]:
        """Of the cross-entropy of all images, or of the squared error of all points."""
        (x, y), query = drawn.episodes
        # A task's examples stay together: batch normalisation measures each task for itself.
        points = self.network(self.params, torch.cat([x, query.x], 1))
        y = torch.cat([y, query.y], 1)
        if y.is_floating_point():
            heads = self.params["head"].T[drawn.classes]
            loss = F.mse_loss((points @ heads.unsqueeze(2)).squeeze(2), y)
        else:
            logits = points @ self.params["head"]
            loss = F.cross_entropy(logits.flatten(0, 1), drawn.classes.gather(1, y).flatten())
        gradient = torch.autograd.grad(loss, list(self.params.values()))
        return loss.detach(), dict(zip(self.params, gradient, strict=True))


class Meta:
    """A learner, for batches that also say which classes they show. It does not look at those."""

    def __init__(self, learner: Learner):
        self.learner, self.params = learner, learner.params
        self.network = learner.network

    def advance(self, progress: float) -> None:
        self.learner.advance(progress)

    def meta_gradient(self, drawn: Drawn) -> tuple[Tensor, Params]:
        return self.learner.meta_gradient(drawn.episodes)


class Setting(NamedTuple):
    """One body with its tasks."""

    sizes: tuple[int, ...]
    """how many classes, or waves, there are to train on"""
    draw: Callable[[int, int], Callable[[torch.Generator], Drawn]]
    """given size and run, a sampler of training tasks"""
    body: Network
    width: int
    heads: Callable[[int], int]
    """given the size, how many outputs the head of pre-training has"""
    new_maml: Callable[[torch.Generator], MAML]
    new_ridge_head: Callable[[Network, Params], RidgeHead]
    optimize: Callable
    outer_lr: dict[str, float]
    """by method; chosen on `valid`"""
    iterations: int
    valid: Callable[[int], Episodes]
    """given the shots, tasks to choose the strength of a frozen body's ridge by"""
    judge: Callable[[int], Episodes]


# Characters: the body of notebook 08, on images of half the side

NUM_TASKS, NUM_QUERIES = 4, 3


def draw_tasks(pool: characters.Characters, num_tasks: int, generator: torch.Generator) -> Drawn:
    """5-way 1-shot tasks of distorted images, each as a whole in one of eight symmetries.

    From the same generator these are the images of `convolutional.sample`.
    """
    chosen = pool.sample_classes(num_tasks, NUM_WAYS, generator, within_alphabet=False)
    drawers = choose(*chosen.shape, pool.num_drawers, 1 + NUM_QUERIES, generator)
    symmetry = torch.randint(NUM_SYMMETRIES, (num_tasks, 1), generator=generator)
    halves = []
    for part in drawers.split([1, NUM_QUERIES], 2):
        x, y = pool.examples(chosen, part)
        halves.append(Examples(distort(x, generator, symmetry=symmetry.expand_as(y)), y))
    return Drawn(Episodes(*halves), chosen * NUM_SYMMETRIES + symmetry)


def draw_characters(size: int, run: int) -> Callable[[torch.Generator], Drawn]:
    """Four tasks at a time, of ``size`` characters that the run has drawn."""
    known = characters.Omniglot("small1")
    luck = torch.Generator().manual_seed(100 + run)
    pool = known.take(torch.randperm(len(known), generator=luck)[:size].tolist())

    def sample(generator: torch.Generator) -> Drawn:
        episodes, classes = draw_tasks(pool, NUM_TASKS, generator)
        return Drawn(shrunk(episodes), classes)

    return sample


def valid_characters(num_shots: int) -> Episodes:
    """Of made-up alphabets: no real character is used up."""
    pool = characters.Glyphs(5, 25, seed=3)
    return shrunk(pool.sample(100, NUM_WAYS, num_shots, 5, torch.Generator().manual_seed(7)))


def judge_characters(num_shots: int) -> Episodes:
    """Of the three alphabets that minimal set 1 does not have."""
    pool = characters.standard_split("small1")[2]
    return shrunk(pool.sample(400, NUM_WAYS, num_shots, 5, torch.Generator().manual_seed(2017)))


def _maml_of_characters(start: torch.Generator) -> MAML:
    network = ConvClassifier(NUM_WAYS)
    return MAML(network, network.init(start), INNER_LR)


CHARACTERS = Setting(
    sizes=(15, 45, 136),
    draw=draw_characters,
    body=ConvClassifier(DIMENSIONS),
    width=DIMENSIONS,
    heads=lambda size: NUM_SYMMETRIES * size,
    new_maml=_maml_of_characters,
    new_ridge_head=new_ridge_head,
    optimize=partial(muon, but=("scale", "shift", "weight5", "head")),
    outer_lr={"pre-trained": 3e-3, "ridge head": 3e-3, "MAML": 3e-3},
    iterations=600,
    valid=valid_characters,
    judge=judge_characters,
)


# Waves: the body of notebook 05

WAVES_AT_ONCE = 25


def draw_waves(size: int, run: int) -> Callable[[torch.Generator], Drawn]:
    """25 of ``size`` fixed waves, with repeats, each time at other points: five and ten."""
    waves = Sinusoids().draw_tasks(size, torch.Generator().manual_seed(100 + run))

    def sample(generator: torch.Generator) -> Drawn:
        which = torch.randint(size, (WAVES_AT_ONCE,), generator=generator)
        tasks = SineTasks(waves.amplitude[which], waves.phase[which])
        return Drawn(Episodes(tasks.draw(5, generator), tasks.draw(10, generator)), which)

    return sample


def valid_waves(num_shots: int) -> Episodes:
    return Sinusoids().sample(500, num_shots, 50, torch.Generator().manual_seed(7))


def judge_waves(num_shots: int) -> Episodes:
    return Sinusoids().sample(2000, num_shots, 50, torch.Generator().manual_seed(2017))


def _maml_of_waves(start: torch.Generator) -> MAML:
    network = MLP(1, 40, 40, 1)
    return MAML(network, network.init(start), 0.01)


WAVES = Setting(
    sizes=(4, 32, 1024),
    draw=draw_waves,
    body=MLP(1, 40, 40),
    width=40,
    heads=lambda size: size,
    new_maml=_maml_of_waves,
    new_ridge_head=RidgeHead,
    optimize=adam,
    outer_lr={"pre-trained": 3e-2, "ridge head": 3e-2, "MAML": 1e-2},
    iterations=1000,
    valid=valid_waves,
    judge=judge_waves,
)
SETTINGS = {"characters": CHARACTERS, "waves": WAVES}


def train(method: str, setting: Setting, size: int, run: int, iterations: int | None = None):
    """A trained learner; of a pre-trained body, a `RidgeHead` whose strength is still 1."""
    generator, start = (torch.Generator().manual_seed(run) for _ in range(2))
    if method == "pre-trained":
        body = setting.body.init(start)
        learner = ManyHeads(setting.body, body, setting.width, setting.heads(size))
    elif method == "MAML":
        learner = Meta(setting.new_maml(start))
    else:
        learner = Meta(setting.new_ridge_head(setting.body, setting.body.init(start) | RIDGE))
    options = {"schedule": cosine, "optimize": setting.optimize, "max_norm": 10.0}
    options["outer_lr"] = setting.outer_lr[method]
    iterations = setting.iterations if iterations is None else iterations
    meta_train(learner, setting.draw(size, run), iterations, generator, **options)
    if method != "pre-trained":
        return learner.learner
    kept = {name: value.detach() for name, value in learner.params.items() if name != "head"}
    return RidgeHead(setting.body, kept | RIDGE)


def train_long(
    iterations: int, generator: torch.Generator, save_to: Path | None = None
) -> RidgeHead:
    """The body of notebook 08, pre-trained on the images that its learners are trained on.

    Eight tasks at a time, of whole images; all characters of minimal set 1 in all symmetries.
    """
    pool, start = characters.Omniglot("small1"), torch.Generator()
    start.manual_seed(generator.initial_seed())
    body, classes = CHARACTERS.body.init(start), NUM_SYMMETRIES * pool.num_characters
    learner = ManyHeads(CHARACTERS.body, body, DIMENSIONS, classes)
    options = {"schedule": cosine, "optimize": CHARACTERS.optimize, "max_norm": 10.0}
    options |= {"outer_lr": CHARACTERS.outer_lr["pre-trained"], "save_to": save_to}
    meta_train(learner, partial(draw_tasks, pool, 8), iterations, generator, **options)
    kept = {name: value.detach() for name, value in learner.params.items() if name != "head"}
    frozen = RidgeHead(CHARACTERS.body, kept | RIDGE)
    made_up = characters.Glyphs(5, 25, seed=3)
    tasks = made_up.sample(100, NUM_WAYS, 1, 5, torch.Generator().manual_seed(7))
    choose_strength(frozen, tasks)
    return frozen


RIDGE = {"log_strength": torch.zeros(()), "log_scale": torch.zeros(())}


@torch.no_grad()
def choose_strength(learner: RidgeHead, episodes: Episodes) -> float:
    """Sets the strength that is best on ``episodes``; returns it."""
    seen = Episodes(*(Examples(learner.embed(x), y) for x, y in episodes))  # once, for all of them
    found = []
    for strength in STRENGTHS:
        own = RIDGE | {"log_strength": torch.tensor(strength).log()}
        score = evaluate(RidgeHead(lambda params, x: x, own), seen).mean
        found.append((-score if episodes.query.y.is_floating_point() else score, strength))
    best = max(found)[1]
    learner.params["log_strength"].data.fill_(torch.tensor(best).log())
    return best


def scores(method: str, setting: Setting, size: int, run: int, **options) -> dict[str, dict]:
    """What one training leads to: by what is put on top, and by shots, the score of new tasks."""
    learner = train(method, setting, size, run, **options)
    waves = isinstance(setting.body, MLP)
    found: dict[str, dict] = {}
    for shots in (5,) if waves else (1, 5):
        judged_on = setting.judge(shots)
        names = {method: learner}
        if method == "pre-trained":
            choose_strength(learner, setting.valid(shots))
            names = {"pre-trained, ridge": learner}
            if not waves:
                body = {n: v for n, v in learner.params.items() if n not in RIDGE}
                names["pre-trained, nearest mean"] = PrototypicalNetwork(setting.body, body)
        for name, one in names.items():
            found.setdefault(name, {})[str(shots)] = round(evaluate(one, judged_on).mean, 4)
    return found


RECIPES = {"omniglot-conv-pre-trained": Recipe(SMALL1, partial(train_long, ITERATIONS), judge)}


def record(name: str, num_runs: int = NUM_RUNS, **options) -> dict:
    """``{learner: {size: {shots: [score of each run]}}}``: accuracies, or squared errors."""
    setting, found = SETTINGS[name], {}
    for run, size, method in product(range(num_runs), setting.sizes, setting.outer_lr):
        of_run = scores(method, setting, size, run, **options)
        print(name, run, size, json.dumps(of_run), file=sys.stderr, flush=True)
        for learner, by_shots in of_run.items():
            of_size = found.setdefault(learner, {}).setdefault(str(size), {})
            for shots, score in by_shots.items():
                of_size.setdefault(shots, []).append(score)
    return found


def load() -> dict:
    """The record that ships: ``"card"`` says how it was made, the rest is as `record` gives it."""
    return records.load("pretraining.json")


def main(names: tuple[str, ...] = tuple(SETTINGS), **options) -> None:
    """Records all, and writes the card."""
    torch.set_num_threads(1)
    started = time.process_time()
    found = {name: record(name, **options) for name in names}
    card = {
        "command": "python -m metalearn_lite.recipes.pretraining",
        "data": "Omniglot minimal set 1 (15 to 136 characters, 14 × 14 pixels), judged on 400 "
        "5-way tasks of 106 characters of other alphabets; waves, judged on 2,000 new ones",
        "seeds": f"0 to {options.get('num_runs', NUM_RUNS) - 1}",
        **records.made(started),
    }
    records.save("pretraining.json", card, found)


if __name__ == "__main__":
    main()
