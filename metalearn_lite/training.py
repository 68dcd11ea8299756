"""meta_train: the one loop that trains every learner."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from metalearn_lite import checks, distributed
from metalearn_lite.curves import Curves
from metalearn_lite.devices import lent, moved_to, usable
from metalearn_lite.fast.compiling import compiled_meta_gradient
from metalearn_lite.learners.base import Learner
from metalearn_lite.networks import Params
from metalearn_lite.paths import first_writable
from metalearn_lite.resuming import Optimizers, RunFile, described, settings_of


class Trainable(Protocol):
    """What `meta_train` asks of a learner, whatever it learns from: episodes, or games played."""

    params: Params

    def advance(self, progress: float) -> None:
        """Told before each iteration how much of the training is done, 0 … 1."""

    def meta_gradient(self, batch: Any) -> tuple[Tensor, Params]:
        """The meta-loss of what was sampled, and the direction by name that is descended."""


class TrainingDiverged(FloatingPointError):
    """The meta-loss or its gradient is no longer a finite number."""


class TrainingStopped(KeyboardInterrupt):
    """Training was interrupted; the message says where it is kept, and so does ``kept``."""

    kept: Path | None = None


@dataclass
class History:
    """The meta-loss of every iteration so far."""

    losses: list[float] = field(default_factory=list)

    def plot(self, ax=None, label: str | None = None):
        """Draws the loss, smoothed over a fiftieth of the run, and returns the matplotlib axes."""
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(7, 3))[1] if ax is None else ax
        losses = torch.tensor(self.losses)
        window = max(1, len(losses) // 50)
        (line,) = ax.plot(range(window, len(losses) + 1), losses.unfold(0, window, 1).mean(1))
        line.set_label(label)
        scale = "log" if losses.min() > 0 else "linear"
        ax.set(xlabel="iteration", ylabel=f"meta-loss (mean of {window})", yscale=scale)
        if scale == "log":  # 1.5, not 1.5 × 10⁰
            low, high = ax.get_ylim()
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter("{x:g}" if high < 8 * low else "")
        ax.grid(alpha=0.3)
        return ax


def constant(progress: float) -> float:
    """A schedule: the outer learning rate stays as it is."""
    return 1.0


def cosine(progress: float) -> float:
    """A schedule: half a cosine, from 1 at ``progress`` 0 down to 0 at 1."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def adam(params: Params, outer_lr: float) -> Optimizers:
    """Adam (Kingma & Ba, 2015)."""
    return [torch.optim.Adam(params.values(), lr=outer_lr, fused=True)]


def muon(params: Params, outer_lr: float, but: tuple[str, ...] = ()) -> Optimizers:
    """Muon (Jordan et al., 2024) for matrices, at thirty times ``outer_lr``; Adam for the rest.

    Muon makes each update of a matrix orthogonal, so that no few directions take all of it. Names
    that start with one of ``but`` are left to Adam, matrices or not.
    """
    matrices = {
        name: value
        for name, value in params.items()
        if value.dim() == 2 and min(value.shape) > 1 and not name.startswith(but)
    }
    rest = {name: value for name, value in params.items() if name not in matrices}
    first = partial(torch.optim.Muon, lr=30 * outer_lr, weight_decay=0.0)
    both = [first(matrices.values())] if matrices else []  # torch has no optimizer of nothing
    return both + (adam(rest, outer_lr) if rest else [])


def meta_train(
    learner: Trainable,
    sample: Callable[..., Any],
    iterations: int,
    generator: torch.Generator,
    *,
    outer_lr: float = 1e-3,
    schedule: Callable[[float], float] = constant,
    optimize: Callable[[Params, float], Optimizers] = adam,
    max_norm: float = math.inf,
    save_to: Path | str | None = None,
    save_every: int = 1000,
    compile: bool = False,
    log_to: Path | str | None = None,
    device: torch.device | str | None = None,
) -> History:
    """Changes ``learner.params`` along its meta-gradient.

    Interrupting (Ctrl-C, or Jupyter's stop button) ends the run after the current iteration; a
    second time ends it at once. Without ``save_to`` the history so far is returned. With it an
    exception is raised, so that nothing goes on with what is half trained.

    Inside `distributed.joined`, several processes do this together: see there. The same ``save_to``
    goes on with any number of them.

    Args:
        learner: any learner; trained in place.
        sample: called as ``sample(generator=generator)`` for the episodes of each iteration, or
            for whatever else ``learner.meta_gradient`` takes, such as trajectories.
        iterations: how many steps are taken in all.
        generator: the only source of randomness.
        outer_lr: the outer learning rate.
        schedule: the factor on ``outer_lr``, given how much of the run is done, 0 … 1.
        optimize: ``adam`` or ``muon``.
        max_norm: a meta-gradient longer than this is shortened to it. One task whose adaptation
            runs away then spoils one iteration, not what the optimizer remembers for thousands.
        save_to: a ``.safetensors`` file for the state of the run. Where it exists, training goes
            on from it and ends with the same parameters as a run that was never stopped. It must
            have been started with the same learner, network, sampler and settings. More
            ``iterations`` are allowed where nothing depends on how much of them is done.
        save_every: how many iterations lie between two saves.
        compile: compile the meta-gradient first (about half a minute, then two to three times
            faster). Where there is no compiler, training goes on without.
        log_to: a folder for TensorBoard's curves of each iteration's loss, rate, seconds and
            gradient norm (before it is shortened). A run that goes on continues its curves.
        device: where to compute, such as ``"cuda"``. Learner and episodes are moved there, and
            the learner comes back at the end. Sampling stays where it is.

    Raises:
        TrainingDiverged: the loss or a gradient is not finite. The parameters keep the values
            from before that iteration.
        TrainingStopped: it was interrupted, and ``save_to`` keeps the run. Or another process
            that took part ended or does not answer.
        OSError: ``save_to`` cannot be written; said before training, not after it.
        ValueError: ``save_to`` is damaged, or keeps another run; the message says what differs.
            Or a parameter was frozen; there is no such device; TensorBoard is not installed.
    """
    checks.count(0, iterations=iterations)
    checks.count(save_every=save_every)
    checks.rate(outer_lr=outer_lr)
    if max_norm != math.inf:
        checks.positive(max_norm=max_norm)
    for name, value in {"schedule": schedule, "optimize": optimize}.items():
        if not callable(value):
            raise ValueError(f"{name} is a {type(value).__name__}: give a function")
    if not isinstance(generator, torch.Generator):
        raise ValueError(f"generator is a {type(generator).__name__}: give a torch.Generator")
    if frozen := [name for name, value in learner.params.items() if not value.requires_grad]:
        raise ValueError(
            f"{', '.join(frozen)} does not require a gradient, but meta_train changes all of "
            "learner.params: call requires_grad_() on it, or let the network hold it"
        )
    log_to = _ELSEWHERE.get("log_to") if log_to is None else log_to
    curves = Curves(log_to)
    device = usable(_ELSEWHERE.get("device") if device is None else device, learner)
    started_with = _started_with(
        learner,
        sample=sample,
        iterations=iterations,
        outer_lr=outer_lr,
        schedule=schedule,
        optimize=optimize,
        max_norm=max_norm,
    )
    losses: list[float] = []

    def make_optimizers(params: Params) -> Optimizers:
        return optimize(params, outer_lr)

    with _between_iterations() as interrupts, lent(learner, device):
        outer = _OuterStep(learner.params, make_optimizers, schedule, max_norm)
        file = None
        if save_to is not None:
            file = RunFile(Path(save_to), started_with, learner, make_optimizers, generator)
            losses = _begin(file, outer.optimizers, iterations)
        first = len(losses)
        compute = compiled_meta_gradient(learner) if compile else learner.meta_gradient
        with _progress_bar(first, iterations) as bar, curves.going_on(first):
            interrupts.prepared = True
            stopped = lost = None
            try:
                while not (stopped := distributed.anyone(interrupts.count > 0)):
                    if len(losses) >= iterations:
                        break
                    started, done = time.perf_counter(), len(losses)
                    learner.advance(done / iterations)
                    with _undone(generator, on=distributed.ProcessLost):
                        batch = moved_to(device, sample(generator=generator))
                        loss, gradient = distributed.meta_gradient(compute, batch, learner)
                    norm = _finite_norm(done, loss, gradient, outer_lr)
                    outer.descend(gradient, norm, done / iterations)
                    losses.append(loss.item())
                    bar.update()
                    if done % 50 == 0:
                        bar.set_postfix_str(f"meta-loss {losses[-1]:.3f}", refresh=False)
                    seconds = time.perf_counter() - started
                    shown = {"loss": losses[-1], "rate": outer.rate, "seconds": seconds}
                    curves.write(done + 1, **shown, gradient_norm=norm)
                    if file and len(losses) % save_every == 0 and distributed.is_first():
                        file.save(outer.optimizers, losses)
                        curves.flush()
            except distributed.ProcessLost as error:
                lost = error
        # Of those that are left when one is lost, it may be any that writes.
        writes = distributed.first_to("save") if lost else distributed.is_first()
        if file and writes and len(losses) > first:
            file.save(outer.optimizers, losses)
    if stopped or lost:
        _tell_stopped(len(losses), iterations, save_to, writes, lost)
    return History(losses)


class _OuterStep:
    """One step of the outer loop: along the meta-gradient, as long as the schedule says."""

    def __init__(self, params, make_optimizers, schedule, max_norm):
        self.params, self.schedule, self.max_norm = params, schedule, max_norm
        self.optimizers = make_optimizers(params)
        trained = {id(v) for one in self.optimizers for v in one.param_groups[0]["params"]}
        if left := [name for name, value in params.items() if id(value) not in trained]:
            raise ValueError(
                f"optimize makes no optimizer of {', '.join(left)}: it would not train"
            )
        self.rates = [optimizer.param_groups[0]["lr"] for optimizer in self.optimizers]

    def descend(self, gradient: Params, norm: float, progress: float) -> None:
        if norm > self.max_norm:
            gradient = {name: part * (self.max_norm / norm) for name, part in gradient.items()}
        for name, value in self.params.items():
            # Fused Adam pairs numbers by their place in memory: one layout for both.
            value.grad = gradient[name].contiguous()
        factor = self.schedule(progress)
        checks.rate(schedule=factor)
        for optimizer, rate in zip(self.optimizers, self.rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * factor
            optimizer.step()
            optimizer.zero_grad()

    @property
    def rate(self) -> float:
        """The outer learning rate of the last step, of the first optimizer."""
        return self.optimizers[0].param_groups[0]["lr"]


def _finite_norm(iteration, loss, gradient, outer_lr) -> float:
    norm = torch.nn.utils.get_total_norm(gradient.values()).item()
    if not math.isfinite(loss.item() + norm):
        raise TrainingDiverged(
            f"iteration {iteration + 1:,}: the meta-loss is {loss.item():.3g} and its gradient's "
            f"norm {norm:.3g}. The parameters are those from before this iteration. Try "
            f"a smaller inner_lr, fewer inner steps, or outer_lr below {outer_lr:g}."
        )
    return norm


def _started_with(learner: Trainable, **settings: Any) -> dict[str, str]:
    """What makes this run this run, by name and as text."""
    everything = {"learner": type(learner), **settings_of(learner), **settings}
    if settings["schedule"] is constant and type(learner).advance is Learner.advance:
        # Nothing depends on how much of the run is done: it may be made longer.
        del everything["iterations"]
    return {name: described(value) for name, value in everything.items()}


def _begin(file: RunFile, optimizers: Optimizers, iterations: int) -> list[float]:
    """The losses of the run so far: none, or those of the run that ``file`` keeps."""

    def kept() -> dict[str, Tensor] | None:
        if first_writable([file.path.parent]) is None:
            raise OSError(f"cannot write into {file.path.parent}; choose another folder")
        return file.read(iterations) if file.path.exists() else None

    tensors = distributed.from_first(kept)
    losses = [] if tensors is None else file.restore(tensors, optimizers)
    if tensors is not None and len(losses) == iterations:
        print(f"{file.path} is already complete: {iterations:,} of {iterations:,} iterations.")
    return losses


_ELSEWHERE: dict[str, Any] = {}


@contextmanager
def told(**settings: Any) -> Iterator[None]:
    """While inside, ``meta_train`` takes these where it is not given any: ``device``, ``log_to``.

    For a recipe, whose own call of ``meta_train`` says how to train, not where.
    """
    before = dict(_ELSEWHERE)
    _ELSEWHERE.update(settings)
    try:
        yield
    finally:
        _ELSEWHERE.clear()
        _ELSEWHERE.update(before)


@contextmanager
def _undone(generator: torch.Generator, on: type[Exception]) -> Iterator[None]:
    """Where ``on`` is raised, nothing has been drawn."""
    before = generator.get_state() if distributed.several() else None
    try:
        yield
    except on:
        generator.set_state(before)
        raise


def _progress_bar(first: int, iterations: int):
    from tqdm.auto import tqdm  # takes a tenth of a second to import

    # tqdm's own switch, which its bar for notebooks does not read.
    silent = bool(os.environ.get("TQDM_DISABLE"))
    return tqdm(total=iterations, initial=first, leave=False, mininterval=0.5, disable=silent)


def _tell_stopped(done, iterations, save_to, writes, lost) -> None:
    why = ": another process ended or does not answer" if lost else ""
    message = f"Stopped after iteration {done:,} of {iterations:,}{why}."
    if save_to is None and not lost:
        print(message)
        return
    if not writes:
        raise distributed.Quiet(130)
    if save_to is not None and done:
        message += f" {save_to} keeps the run, to go on from."
    stopped = TrainingStopped(message)
    stopped.kept = save_to
    raise stopped from lost


class _Interrupts:
    """Ctrl-C while training: the first is noted, so that nothing breaks off half way.

    The second does what Ctrl-C did before, at once. But until all is ``prepared`` it is noted only:
    PyTorch is still being imported then, and could not be used again if that broke off.
    """

    def __init__(self, before: Any):
        self.before = before if callable(before) else signal.default_int_handler
        self.count, self.prepared = 0, False

    def __call__(self, number: int, frame: Any) -> None:
        self.count += 1
        # One of several is ended by `torchrun` when it does not end by itself.
        if self.count > 1 and self.prepared and not distributed.several():
            self.before(number, frame)


@contextmanager
def _between_iterations() -> Iterator[_Interrupts]:
    """While inside, Ctrl-C is counted instead of breaking into the middle of an update."""
    before = signal.getsignal(signal.SIGINT)
    interrupts = _Interrupts(before)
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    signal.signal(signal.SIGINT, interrupts)
    try:
        yield interrupts
    finally:
        ends = interrupts.count and distributed.several()
        signal.signal(signal.SIGINT, signal.SIG_IGN if ends else before)
