"""meta_train: the one loop that trains every learner."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.compiling import compiled_meta_gradient
from metalearn_lite.episodes import Episodes
from metalearn_lite.files import load_tensors, save_tensors
from metalearn_lite.learners.base import Learner
from metalearn_lite.networks import Params
from metalearn_lite.paths import first_writable

Optimizers = list[torch.optim.Optimizer]


class TrainingDiverged(FloatingPointError):
    """The meta-loss or its gradient is no longer a finite number."""


class TrainingStopped(KeyboardInterrupt):
    """Training was interrupted; the message says where it is kept."""


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
    first = torch.optim.Muon(matrices.values(), lr=30 * outer_lr, weight_decay=0.0)
    return [first, *adam(rest, outer_lr)]


def meta_train(
    learner: Learner,
    sample: Callable[..., Episodes],
    iterations: int,
    generator: torch.Generator,
    outer_lr: float = 1e-3,
    schedule: Callable[[float], float] = constant,
    optimize: Callable[[Params, float], Optimizers] = adam,
    max_norm: float = math.inf,
    save_to: Path | str | None = None,
    save_every: int = 1000,
    compile: bool = False,
) -> History:
    """Changes ``learner.params`` along its meta-gradient.

    Interrupting (Ctrl-C, or Jupyter's stop button) ends the run after the current iteration.
    Without ``save_to`` the history so far is returned. With it an exception is raised, so that
    nothing goes on with what is half trained.

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
            be a run of the same kind of learner, network and optimizer.
        save_every: how many iterations lie between two saves.
        compile: compile the meta-gradient first (about half a minute, then two to three times
            faster). Where there is no compiler, training goes on without.

    Raises:
        TrainingDiverged: the loss or a gradient is not finite. The parameters keep the values
            from before that iteration.
        TrainingStopped: it was interrupted, and ``save_to`` keeps the run.
        OSError: ``save_to`` cannot be written; said before training, not after it.
        ValueError: ``save_to`` is damaged, or holds another kind of run.
    """
    checks.count(0, iterations=iterations)
    checks.count(save_every=save_every)
    checks.rate(outer_lr=outer_lr)
    if not max_norm > 0:
        raise ValueError(f"max_norm={max_norm}: choose a length above 0, or math.inf for no bound")
    if save_to is not None and first_writable([Path(save_to).parent]) is None:
        raise OSError(f"cannot write into {Path(save_to).parent}; choose another folder")
    optimizers = optimize(learner.params, outer_lr)
    full_rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    history = History()
    if save_to is not None and Path(save_to).exists():
        _restore(Path(save_to), learner, optimizers, generator, history)
    meta_gradient = compiled_meta_gradient(learner) if compile else learner.meta_gradient

    from tqdm.auto import tqdm  # takes a tenth of a second to import

    first = len(history.losses)
    # tqdm's own switch, which its bar for notebooks does not read.
    silent = bool(os.environ.get("TQDM_DISABLE"))
    bar = tqdm(total=iterations, initial=first, leave=False, mininterval=0.5, disable=silent)
    with _stop_between_iterations() as stopped, bar:
        for iteration in range(first, iterations):
            learner.advance(iteration / iterations)
            loss, gradient = meta_gradient(sample(generator=generator))
            norm = _finite_norm(iteration, loss, gradient, outer_lr)
            if norm > max_norm:
                gradient = {name: value * (max_norm / norm) for name, value in gradient.items()}
            for name, value in learner.params.items():
                # Fused Adam pairs numbers by their place in memory: one layout for both.
                value.grad = gradient[name].contiguous()
            for optimizer, full_rate in zip(optimizers, full_rates, strict=True):
                optimizer.param_groups[0]["lr"] = full_rate * schedule(iteration / iterations)
                optimizer.step()
                optimizer.zero_grad()
            history.losses.append(loss.item())
            bar.update()
            if iteration % 50 == 0:
                bar.set_postfix_str(f"meta-loss {history.losses[-1]:.3f}", refresh=False)
            last = stopped.is_set() or iteration + 1 == iterations
            if save_to is not None and (last or (iteration + 1) % save_every == 0):
                _save(Path(save_to), learner, optimizers, generator, history)
            if stopped.is_set() and iteration + 1 < iterations:
                message = f"Stopped after iteration {iteration + 1:,} of {iterations:,}."
                if save_to is not None:
                    raise TrainingStopped(f"{message} {save_to} keeps the run, to go on from.")
                print(message)
                break
    return history


def _finite_norm(iteration, loss, gradient, outer_lr) -> float:
    norm = torch.nn.utils.get_total_norm(gradient.values()).item()
    if not math.isfinite(loss.item() + norm):
        raise TrainingDiverged(
            f"iteration {iteration + 1:,}: the meta-loss is {loss.item():.3g} and its gradient's "
            f"norm {norm:.3g}. The parameters are those from before this iteration. Try "
            f"a smaller inner_lr, fewer inner steps, or outer_lr below {outer_lr:g}."
        )
    return norm


@contextmanager
def _stop_between_iterations() -> Iterator[threading.Event]:
    """While inside, Ctrl-C sets the event instead of breaking into the middle of an update."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = signal.signal(signal.SIGINT, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def _save(path, learner, optimizers, generator, history) -> None:
    tensors = {_key(learner, name): value for name, value in learner.params.items()}
    for optimizer, name, value in _optimized(learner, optimizers):
        for key, moment in optimizer.state[value].items():
            tensors[_key(optimizer, name, key)] = moment
    tensors["generator"] = generator.get_state()
    tensors["losses"] = torch.tensor(history.losses, dtype=torch.float64)
    save_tensors(path, tensors)


@torch.no_grad()
def _restore(path, learner, optimizers, generator, history) -> None:
    tensors = load_tensors(path)

    def kept_of(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}

    params = kept_of(_key(learner, ""))
    states = [
        (optimizer, value, kept_of(_key(optimizer, name, "")))
        for optimizer, name, value in _optimized(learner, optimizers)
    ]
    # Nothing is changed before all is known to fit.
    shapes = {name: value.shape for name, value in learner.params.items()}
    if shapes != {name: value.shape for name, value in params.items()}:
        raise ValueError(
            f"{path} holds a run of another learner or network; delete it or choose another save_to"
        )
    if not all(kept for *_, kept in states):
        raise ValueError(
            f"{path} holds a run with another optimizer; delete it or choose another save_to"
        )
    for name, value in learner.params.items():
        value.copy_(params[name])
    for optimizer, value, kept in states:
        optimizer.state[value] = kept
    generator.set_state(tensors["generator"])
    history.losses.extend(tensors["losses"].tolist())


def _key(owner: Learner | torch.optim.Optimizer, *names: str) -> str:
    """What a tensor of the state is called in the file, such as ``Adam.weight1.exp_avg``."""
    return ".".join([type(owner).__name__, *names])


def _optimized(
    learner: Learner, optimizers: Optimizers
) -> Iterator[tuple[torch.optim.Optimizer, str, Tensor]]:
    """Each parameter with its name and the optimizer that moves it."""
    names = {value: name for name, value in learner.params.items()}
    for optimizer in optimizers:
        for value in optimizer.param_groups[0]["params"]:
            yield optimizer, names[value], value
