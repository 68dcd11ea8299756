"""The bug lab: switch bugs on, alone and together, and see what betrays them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.devices import one_thread
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.base import example_losses, task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP, Params
from metalearn_lite.tasks.pool import TaskPool
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import adam
from metalearn_lite.widgets import words
from metalearn_lite.widgets.kit import (
    Axis,
    Bars,
    Button,
    Choice,
    Line,
    Live,
    Panel,
    Points,
    Rules,
    Scene,
    Spans,
    Switch,
    Texts,
    Try,
    still,
)

INNER_LR, OUTER_LR = 0.01, 5e-3
NUM_TASKS, NUM_POINTS, NUM_WAVES = 10, 10, 20
NUM_LOOKS = 20
SMOOTHED = 16
"""a point of the curve is the mean over this part of its iterations"""
OFF_THE_CHART = 1e4
LOSSES, SIZES = (0.005, 50.0), (0.1, 10.0)
PLACES = ("a random start", "a trained start")
FILMSTRIP = (("graph",), ("support",), ("labels",), ("seen",))
RULES = {
    "the curve": "it runs away, or ends more than half as high again as the healthy one. A low "
    "curve accuses nobody.",
    "the gradient check": "the cosine is not above 0.999, or the length is off by 2 % or more.",
    "the honest score": "all of its interval lies more than 15 % above the reported score: the "
    "report is too good. A bad score that is reported as bad has no cross, nor has a report that "
    "is off the chart.",
}
"""when each of the three witnesses says that something is wrong"""
WITNESSES = tuple(RULES)


class Bug(NamedTuple):
    """What its switch says, what it does, and the ward it lies in."""

    label: str
    does: str
    ward: str


BUGS = {
    "graph": Bug("no create_graph", "the inner gradient is taken as a constant", "gradient"),
    "support": Bug(
        "outer loss on the support", "the outer loss is that of the support set", "gradient"
    ),
    "in place": Bug(
        "inner step in place",
        "the inner step changes the shared start itself, and nothing is reset",
        "gradient",
    ),
    "pile": Bug("no zero_grad", "every meta-gradient is added to all before", "gradient"),
    "plus": Bug("θ + η∇L", "the outer step goes up the meta-gradient", "gradient"),
    "labels": Bug("query from another wave", "support and query are of two waves", "data"),
    "small": Bug("amplitude 0.1–0.5", "waves are a tenth as high as in the paper", "data"),
    "seen": Bug("validated on training waves", "the score is that on training waves", "score"),
    "best": Bug(
        f"best of {NUM_LOOKS} looks", f"the score is the best of {NUM_LOOKS} small ones", "score"
    ),
}


@dataclass(frozen=True)
class Run:
    """What one training showed, and what it was worth."""

    curve: np.ndarray
    """the loss of each iteration as this code computes it; it ends where it was no number"""
    reported: float
    """the score as this code computes it"""
    honest: float
    """the mean query loss on waves of the paper, never trained on, adapted to by right code"""
    interval: float
    """95 %, half of it"""


@dataclass(frozen=True)
class Frame:
    """All that a picture of one setting shows."""

    run: Run
    healthy: Run
    cosine: float
    """of the direction that the code descends to the finite-difference meta-gradient"""
    size: float
    """its length, over that of the finite-difference meta-gradient"""
    betrayed_by: tuple[str, ...]
    """of ``WITNESSES``"""
    sentence: str
    """what the picture shows, for those who cannot see it"""


class Sick(MAML):
    """MAML with some of the ``BUGS`` of its meta-gradient. With none it is MAML."""

    def __init__(self, network: MLP, params: Params, bugs: frozenset[str]):
        super().__init__(network, params, INNER_LR, order=1 if "graph" in bugs else 2)
        self.bugs = bugs
        self._piled: Params = {}

    def meta_gradient(self, episodes: Episodes) -> tuple[Tensor, Params]:
        if "support" in self.bugs:
            episodes = Episodes(episodes.support, episodes.support)
        step = self._in_place if "in place" in self.bugs else super().meta_gradient
        loss, gradient = step(episodes)
        if "pile" in self.bugs:
            gradient = {name: self._piled.get(name, 0) + part for name, part in gradient.items()}
            self._piled = gradient
        if "plus" in self.bugs:
            gradient = {name: -part for name, part in gradient.items()}
        return loss, gradient

    def _in_place(self, episodes: Episodes) -> tuple[Tensor, Params]:
        values = list(self.params.values())
        inner = task_losses(self.predict(self.params, episodes.support.x), episodes.support.y)
        slopes = torch.autograd.grad(inner.sum(), values)
        with torch.no_grad():
            for value, slope in zip(values, slopes, strict=True):
                value -= self.inner_lr * slope
        outer = example_losses(self.predict(self.params, episodes.query.x), episodes.query.y).mean()
        gradients = torch.autograd.grad(outer, values)
        return outer.detach(), dict(zip(self.params, gradients, strict=True))


class BugLabModel:
    """MAML on waves, with bugs that can be switched on. Needs no screen.

    ``bugs`` and ``place`` are its state: change them and ask for the next ``frame``. In a mystery
    the frame is that of the ``hidden`` bugs, and ``bugs`` are what the reader holds them for.
    The same state always gives the same frame; what was trained once is kept.

    Args:
        iterations: how long each training is.
        seed: draws waves, points, the start, and mysteries.
        bugs: those that are switched on to begin with.
    """

    def __init__(self, iterations: int = 400, seed: int = 4, bugs: Sequence[str] = ()):
        checks.count(NUM_LOOKS, iterations=iterations)
        self.iterations = iterations
        self.bugs: frozenset[str] = frozenset()
        self.place = PLACES[0]
        self.hidden: frozenset[str] | None = None
        self.notice = ""
        self._seed, self._mysteries = seed, random.Random(seed)
        self._network = MLP(1, 32, 32, 1)
        self._start = self._network.init(self._generator(0))
        self._training = TaskPool(self._sample(NUM_WAVES, NUM_POINTS, 1))
        self._held_out = self._sample(400, 2 * NUM_POINTS, 2)
        self._validation = self._sample(10 * NUM_TASKS, NUM_POINTS, 3)
        self._checked = self._sample(4, NUM_POINTS, 4)
        self._runs: dict[frozenset[str], tuple[Run, Params]] = {}
        self._checks: dict[tuple, tuple[float, float]] = {}
        self._truths: dict[str, Tensor] = {}
        for bug in bugs:
            self.set(bug, True)

    @property
    def shown(self) -> frozenset[str]:
        """The bugs that the frame is of."""
        return self.bugs if self.hidden is None else self.hidden

    def set(self, bug: str, on: bool) -> None:
        """Switches a bug on or off; in a mystery, in the reader's guess."""
        checks.choice(tuple(BUGS), bug=bug)
        self.bugs = self.bugs | {bug} if on else self.bugs - {bug}
        self.notice = ""

    def mystery(self) -> None:
        """Hides one bug or two, others than before; the guess begins empty."""
        before = self.hidden
        while self.hidden in (None, before):
            number = self._mysteries.choice((1, 1, 2))
            self.hidden = frozenset(self._mysteries.sample(sorted(BUGS), number))
        self.bugs, self.notice = frozenset(), ""

    def guess(self) -> None:
        """Says how much of the guess is right; the mystery goes on unless all is."""
        if self.hidden is None:
            self.notice = "Nothing is hidden: press Mystery first."
        elif self.bugs == self.hidden:
            self.reveal("Right. ")
        elif not self.bugs:
            self.notice = "Switch on what you think it is, then guess."
        else:
            right, rest = len(self.bugs & self.hidden), len(self.hidden - self.bugs)
            if not right:
                self.notice = "Not yet: nothing of that is hidden here."
            elif right == len(self.bugs):
                self.notice = f"Not yet: so far it is right, but {rest} more is hidden."
            else:
                verb = "is" if right == 1 else "are"
                self.notice = f"Not yet: {right} of your {len(self.bugs)} {verb} hidden here"
                self.notice += f", and {rest} more." if rest else "."

    def reveal(self, said: str = "") -> None:
        """Ends the mystery: the bugs are switched on, and named."""
        if self.hidden is None:
            self.notice = "Nothing is hidden: press Mystery first."
            return
        self.bugs, self.hidden = self.hidden, None
        self.notice = f"{said}It was: {_named(self.bugs)}."

    def known(self) -> bool:
        """Whether the frame costs no training any more."""
        return frozenset() in self._runs and self.shown in self._runs

    def frame(self, progress: Callable[[float], None] = lambda done: None) -> Frame:
        """What there is to see. ``progress`` is told how much is done, 0 … 1, while it trains."""
        checks.choice(PLACES, place=self.place)
        with one_thread():
            healthy, _ = self._run(frozenset(), progress)
            run, _ = self._run(self.shown, progress)
            cosine, size = self._check(self.shown, self.place)
        frame = Frame(run, healthy, cosine, size, (), "")
        frame = replace(frame, betrayed_by=_witnesses(frame))
        return replace(frame, sentence=self._sentence(frame))

    def frames(self, settings: Sequence[Sequence[str]] = FILMSTRIP) -> list[Frame]:
        """The frames with these bugs; the state is left as it was."""
        return [self.frame() for _ in self.visit(settings)]

    def visit(self, settings: Sequence[Sequence[str]]) -> Iterator[None]:
        """Is in each of these settings in turn, and then as it was."""
        before = self.bugs, self.hidden, self.notice, self.place
        for bugs in settings:
            for bug in bugs:
                checks.choice(tuple(BUGS), bug=bug)
            self.bugs, self.hidden, self.notice = frozenset(bugs), None, ""
            yield
        self.bugs, self.hidden, self.notice, self.place = before

    # --- one training

    def _run(self, bugs: frozenset[str], progress: Callable) -> tuple[Run, Params]:
        if bugs not in self._runs:
            self._runs[bugs] = self._trained(bugs, progress)
        return self._runs[bugs]

    def _trained(self, bugs: frozenset[str], progress: Callable) -> tuple[Run, Params]:
        learner = Sick(self._network, self._start, bugs)
        (optimizer,) = adam(learner.params, OUTER_LR)
        draws, others = self._generator(5), self._generator(6)
        losses, looks = [], []
        for iteration in range(self.iterations):
            if iteration % (self.iterations // NUM_LOOKS) == 0:
                progress(iteration / self.iterations)
                looks.append(
                    {name: value.detach().clone() for name, value in learner.params.items()}
                )
            places = torch.randint(NUM_WAVES, (NUM_TASKS,), generator=draws)
            loss, gradient = learner.meta_gradient(
                self._made(self._training.take(places), bugs, others)
            )
            if not math.isfinite(loss) or loss > 1e6:
                break
            losses.append(loss.item())
            for name, value in learner.params.items():
                value.grad = gradient[name].contiguous()
            optimizer.step()
        progress(1.0)
        params = {name: value.detach().clone() for name, value in learner.params.items()}
        honest = evaluate(MAML(self._network, params, INNER_LR), self._held_out)
        reported = self._reported(params, looks, bugs)
        return Run(np.array(losses), reported, honest.mean, honest.interval), params

    def _made(self, episodes: Episodes, bugs: frozenset[str], generator) -> Episodes:
        """The episodes as code with these bugs makes them."""
        (x, y), query = episodes
        if "labels" in bugs:
            waves = Sinusoids().draw_tasks(len(x), generator)
            query = Examples(query.x, waves(query.x))
        if "small" in bugs:
            y, query = y / 10, Examples(query.x, query.y / 10)
        return Episodes(Examples(x, y), query)

    def _reported(self, params: Params, looks: list[Params], bugs: frozenset[str]) -> float:
        """The loss of the same code on validation tasks, in batches as in training."""
        source = self._training.episodes if "seen" in bugs else self._validation
        source = self._made(source, bugs, self._generator(7))
        batches = [
            Episodes(*(Examples(*(part[at : at + NUM_TASKS] for part in half)) for half in source))
            for at in range(0, len(source.support.x), NUM_TASKS)
        ]
        if "best" in bugs:
            scores = [
                Sick(self._network, at, bugs).meta_gradient(batches[look % len(batches)])[0]
                for look, at in enumerate([*looks[1:], params])
            ]
            return torch.stack(scores).nan_to_num(nan=math.inf).min().item()
        learner = Sick(self._network, params, bugs)
        return torch.stack([learner.meta_gradient(batch)[0] for batch in batches]).mean().item()

    # --- the gradient check

    def _check(self, bugs: frozenset[str], place: str) -> tuple[float, float]:
        """Cosine and relative length of what the code's second iteration descends."""
        bugs = frozenset(bug for bug in bugs if BUGS[bug].ward == "gradient")
        if (bugs, place) not in self._checks:
            start = self._start
            if place == PLACES[1]:
                _, start = self._runs[frozenset()]
            if place not in self._truths:
                self._truths[place] = self._finite_differences(start)
            truth = self._truths[place]
            learner = Sick(self._network, start, bugs)
            learner.meta_gradient(self._training.take(torch.arange(NUM_TASKS)))
            with torch.no_grad():  # whatever the first iteration did to θ: the check is at θ
                for name, value in learner.params.items():
                    value.copy_(start[name])
            _, gradient = learner.meta_gradient(self._checked)
            found = torch.cat([part.flatten() for part in gradient.values()]).double()
            lengths = found.norm(), truth.norm()
            cosine = (found @ truth / (lengths[0] * lengths[1])).item()
            self._checks[bugs, place] = cosine, (lengths[0] / lengths[1]).item()
        return self._checks[bugs, place]

    def _finite_differences(self, start: Params, step: float = 1e-6) -> Tensor:
        """The meta-gradient from meta-losses alone, in double precision: all of it, flat."""
        flat = torch.cat([value.detach().double().flatten() for value in start.values()])
        moves = (step * torch.eye(len(flat), dtype=torch.float64)).split(128)
        rises = [self._losses_at(flat + move) - self._losses_at(flat - move) for move in moves]
        return torch.cat(rises) / (2 * step)

    @torch.no_grad()
    def _losses_at(self, starts: Tensor) -> Tensor:
        """The meta-loss ``(S,)`` at each of the flat starts ``(S, P)``."""
        number, num_tasks = len(starts), len(self._checked.support.x)
        sizes = [value.numel() for value in self._start.values()]
        shaped = {
            name: part.view(number, *value.shape).repeat_interleave(num_tasks, 0)
            for (name, value), part in zip(self._start.items(), starts.split(sizes, 1), strict=True)
        }
        support, query = (
            Examples(*(part.double().repeat(number, *[1] * (part.dim() - 1)) for part in half))
            for half in self._checked
        )
        learner = MAML(self._network, shaped, INNER_LR)
        adapted = learner.inner_step(shaped, support)
        losses = task_losses(learner.predict(adapted, query.x), query.y)
        return losses.view(number, num_tasks).mean(1)

    def _sample(self, num_tasks: int, num_queries: int, number: int) -> Episodes:
        return Sinusoids().sample(num_tasks, NUM_POINTS, num_queries, self._generator(number))

    def _generator(self, number: int) -> torch.Generator:
        return torch.Generator().manual_seed(100 * self._seed + number)

    # --- in words

    def _sentence(self, frame: Frame) -> str:
        run, curve = frame.run, _smooth(frame.run.curve)
        if self.hidden is not None:
            number = words.count(len(self.hidden), "bug")
            said = f"A mystery: {number} hidden. "
        elif self.bugs:
            said = f"Switched on: {_named(self.bugs)}. "
        else:
            said = "No bug is switched on. "
        if len(run.curve) < self.iterations:
            said += f"The reported loss runs away after {len(run.curve)} iterations. "
        else:
            said += (
                f"The reported loss goes from {_number(curve[0])} to {_number(curve[-1])} "
                f"(healthy: {_number(_smooth(frame.healthy.curve)[-1])}). "
            )
        said += (
            f"Gradient check at {self.place}: cosine {frame.cosine:.3f}, "
            f"{frame.size:.2f} times as long. "
            f"Score reported {_number(run.reported)}, honest {_number(run.honest)}"
        )
        if math.isfinite(run.interval) and run.honest < OFF_THE_CHART:
            said += f" ± {_number(run.interval)}"
        said += f" (healthy: {_number(frame.healthy.honest)}). "
        if frame.betrayed_by:
            said += f"Betrayed by {_listed(frame.betrayed_by)}."
        elif self.shown:
            said += "None of the three betrays it."
        else:
            said += "All three agree: healthy."
        return f"{self.notice} {said}".strip()


def _witnesses(frame: Frame) -> tuple[str, ...]:
    """Who says that something is wrong, by the ``RULES``."""
    run = frame.run
    says = {
        "the curve": len(run.curve) < len(frame.healthy.curve)
        or _smooth(run.curve)[-1] > 1.5 * _smooth(frame.healthy.curve)[-1],
        "the gradient check": any(_off(frame)),
        "the honest score": run.reported < OFF_THE_CHART
        and not run.honest - run.interval < 1.15 * run.reported,
    }
    return tuple(name for name in WITNESSES if says[name])


def _off(frame: Frame) -> tuple[bool, bool]:
    """Whether cosine and length are wrong. Rounding alone is a thousand times smaller."""
    return not frame.cosine > 0.999, not abs(frame.size - 1) < 0.02


def _smooth(losses: np.ndarray) -> np.ndarray:
    window = max(1, len(losses) // SMOOTHED)
    return np.convolve(losses, np.full(window, 1 / window), "valid")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))


def _named(bugs: frozenset[str]) -> str:
    return ", ".join(bug.label for key, bug in BUGS.items() if key in bugs)


def _number(value: float) -> str:
    if not value < OFF_THE_CHART:
        return "off the chart"
    return f"{value:.2g}" if value < 0.995 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


TICKS = {"ticks": (0.01, 0.1, 1, 10), "names": ("0.01", "0.1", "1", "10")}
SCORE_PLACES = (1.4, 0.2)


class BugLab(Live):
    """A `BugLabModel` in the page: curve, gradient check, scores, and a switch for each bug."""

    def __init__(self, model: BugLabModel | None = None):
        super().__init__(BugLabModel() if model is None else model)

    def scene(self) -> Scene:
        model = self.model
        frame = model.frame(self.working)
        hidden = model.hidden is not None
        switches = [
            Switch(key, bug.label, key in model.bugs, group=bug.ward, help=bug.does)
            for key, bug in BUGS.items()
        ]
        return Scene(
            (_curve(frame), *_checks(frame), _scores(frame)),
            (
                *switches,
                Button("all_off", "All off", enabled=bool(model.bugs)),
                Button("mystery", "Mystery"),
                Button("guess", "That is my guess", enabled=hidden),
                Button("reveal", "Reveal", enabled=hidden),
                Choice("place", "gradient checked at", model.place, PLACES, menu=True),
            ),
            (
                Try(
                    "A bug that the curve forgives",
                    "The curve looks healthy. Which of the other two betrays it?",
                    press="only_graph",
                ),
                Try(
                    "A score too good",
                    "Compare the two bars of the score: what was it measured on?",
                    press="only_seen",
                ),
            ),
            sentence=frame.sentence,
            code="" if hidden else f"BugLab(BugLabModel(bugs={sorted(model.bugs)}))",
        )

    def set(self, name: str, value: bool | str) -> None:
        if name == "place":
            self.model.place = value
        else:
            self.model.set(name, value)

    def all_off(self) -> None:
        for key in BUGS:
            self.model.set(key, False)

    def only_graph(self) -> None:
        self._only("graph")

    def only_seen(self) -> None:
        self._only("seen")

    def _only(self, bug: str) -> None:
        self.model.bugs, self.model.hidden, self.model.notice = frozenset({bug}), None, ""

    def filmstrip(self, settings: Sequence[Sequence[str]] = FILMSTRIP) -> still.Figure:
        """The panels in a row for each set of bugs, as a figure that stays."""
        titles = [_named(frozenset(bugs)) or "no bug" for bugs in settings]
        scenes = [self.scene() for _ in self.model.visit(settings)]
        return still.strip(scenes, titles, down=True, size=(2.5, 1.5))

    def description(self, settings: Sequence[Sequence[str]] = FILMSTRIP) -> str:
        """The text alternative of ``filmstrip``: a line for each set of bugs."""
        return "\n".join(frame.sentence for frame in self.model.frames(settings))


def _curve(frame: Frame) -> Panel:
    """The reported loss over the iterations, smoothed, and the healthy one; ✗ where it betrays."""
    lines = []
    for key, run, style in (
        ("healthy", frame.healthy, {"color": "gray", "dash": "--", "width": 1.5}),
        ("this code", frame.run, {"color": "blue"}),
    ):
        curve = _smooth(run.curve)
        x = len(run.curve) - len(curve) + np.arange(len(curve))
        lines.append(Line(key, x, _drawn(curve), label=key, **style))
    whole, number = len(frame.healthy.curve), len(frame.run.curve)
    ends = ([number], [0.8 * LOSSES[1]]) if number < whole else ()
    betrays = ([0.95 * whole], [0.5 * LOSSES[1]], ["✗"]) if _says(frame, "the curve") else ()
    return Panel(
        "curve",
        Axis(0, whole, "iteration"),
        Axis(*LOSSES, log=True, **TICKS),
        (
            *lines,
            Points("ran away", *ends, color="red", marker="X", size=12),
            Texts("curve ✗", *betrays, size=15),
        ),
        title="reported loss",
        alt="the reported loss, smoothed, over the iterations",
        width=290,
        height=270,
    )


def _checks(frame: Frame) -> list[Panel]:
    """The cosine to the finite-difference meta-gradient, and the length over its own."""
    size = float(np.clip(np.nan_to_num(frame.size, nan=SIZES[1]), *SIZES))
    panels = []
    for key, title, start, axis, base, value, said, off in (
        ("cosine", "cosine to finite differences", -1.0,
         Axis(-1.05, 1.05, "cosine", ticks=(-1, 0, 1)), 0.0,
         float(np.nan_to_num(frame.cosine)), f"{frame.cosine:.3f}", _off(frame)[0]),
        ("size", "length, times theirs", 0.11,
         Axis(*SIZES, "ratio", log=True, ticks=(0.1, 1, 10), names=("0.1", "1", "10")),
         SIZES[0], size, f"{frame.size:.2f}", _off(frame)[1]),
    ):  # fmt: skip
        panels.append(
            Panel(
                key,
                axis,
                Axis(-0.4, 2.3, ticks=()),
                (
                    Rules(f"{key} right", [1.0], color="gray", dash="--", width=1.5),
                    Bars(
                        f"{key} bar", [value], [0.8], colors=["red" if off else "blue"], base=base,
                        flat=True, label=title, listed=False,
                    ),
                    Texts(f"{key} said", [start], [1.3], [said + "  ✗" * off], anchor="start"),
                ),
                title=title,
                alt=title,
                width=215,
                height=270,
            )
        )  # fmt: skip
    return panels


def _scores(frame: Frame) -> Panel:
    """The reported score and the honest one, with its interval; the healthy honest one dashed."""
    run, (top, below) = frame.run, SCORE_PLACES
    said = _number(run.honest)
    if run.honest < OFF_THE_CHART:
        said += f" ± {_number(run.interval)}"
    low, high = _drawn(np.array([run.honest - run.interval, run.honest + run.interval]))
    return Panel(
        "scores",
        Axis(*LOSSES, "query loss", log=True, **TICKS),
        Axis(-0.4, 2.3, ticks=SCORE_PLACES, names=("reported", "honest")),
        (
            Rules("healthy score", [frame.healthy.honest], color="gray", dash="--", width=1.5),
            Bars(
                "score", _drawn([run.reported, run.honest]), [top, below],
                colors=["dark sky", "blue"], base=LOSSES[0], flat=True, label="score", listed=False,
            ),
            Spans("interval", [below], [low], [high], flat=True),
            Texts(
                "scores said", [1.2 * LOSSES[0]] * 2, [top + 0.5, below + 0.5],
                [_number(run.reported), said + "  ✗" * _says(frame, "the honest score")],
                anchor="start",
            ),
        ),
        title="score (low is good)",
        alt="the reported score and the honest one",
        width=290,
        height=270,
    )  # fmt: skip


def _says(frame: Frame, witness: str) -> bool:
    return witness in frame.betrayed_by


def _drawn(values) -> np.ndarray:
    low, high = LOSSES
    return np.clip(np.nan_to_num(np.asarray(values, float), nan=high, posinf=high), low, high)
