"""The file that keeps a run of `meta_train`, so that it goes on as if it had never stopped."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metalearn_lite.files import load_tensors, pack, read_header, write_whole
from metalearn_lite.learners.base import trainable
from metalearn_lite.networks import Params

Optimizers = list[torch.optim.Optimizer]
REMEDY = "delete it or choose another save_to"


@dataclass
class RunFile:
    """A run's parameters, optimizers, generator and losses, in one safetensors file.

    Its metadata says what the run was started with, how many iterations are done, and the digest
    of all tensors. Only the same run is gone on with.

    Args:
        path: the file.
        started_with: the run's settings by name, each as text (`described`).
        learner: its ``params`` are kept, and the tensors and generators that it holds beside them.
        optimize: makes the optimizers of some parameters.
        generator: the run's source of randomness.
    """

    path: Path
    started_with: dict[str, str]
    learner: Any
    optimize: Callable[[Params], Optimizers]
    generator: torch.Generator

    def save(self, optimizers: Optimizers, losses: list[float]) -> None:
        """Writes the run as it is now: the old file or the new one is there, and whole."""
        tensors = self._tensors(self.learner.params, optimizers, torch.tensor(losses).double())
        about = {"done": str(len(losses)), "digest": _digest(tensors)}
        write_whole(self.path, pack(tensors, self.started_with | about))

    def read(self, iterations: int) -> dict[str, Tensor]:
        """All that the file keeps, for `restore`.

        Args:
            iterations: how many there are to be in all.

        Raises:
            ValueError: the file is damaged or keeps another run. Nothing was changed.
        """
        tensors = self._read()
        if len(tensors["losses"]) > iterations:
            raise ValueError(
                f"{self.path} keeps a run of {len(tensors['losses']):,} iterations, more than "
                f"iterations={iterations:,}; {REMEDY}"
            )
        return tensors

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor], optimizers: Optimizers) -> list[float]:
        """Sets everything to what was `read`, and returns the losses so far.

        Args:
            optimizers: those that the run goes on with, as new.
        """
        for name, value in self.learner.params.items():
            value.copy_(tensors[f"params.{name}"])
        for key, optimizer, value in _moved(self.learner.params, optimizers):
            optimizer.state[value] = {
                name.removeprefix(key): kept.to(value.device)
                for name, kept in tensors.items()
                if name.startswith(key)
            }
        for name, now in held(self.learner).items():
            kept = tensors[f"held.{name}"]
            if isinstance(source := getattr(self.learner, name), torch.Generator):
                source.set_state(kept)
            else:
                setattr(self.learner, name, kept.to(now.device))
        self.generator.set_state(tensors["generator"])
        return tensors["losses"].tolist()

    def _read(self) -> dict[str, Tensor]:
        """All tensors of the file, once they are known to be this run's and sound."""
        if not self.path.is_file():
            raise ValueError(f"{self.path} is not a file; {REMEDY}")
        kept = read_header(self.path).metadata
        if "digest" not in kept:
            raise ValueError(
                f"{self.path} does not say what its run was started with: an older version of the "
                f"course wrote it; {REMEDY}"
            )
        differences = [
            f"{name} was {kept.get(name)} and is now {value}"
            for name, value in self.started_with.items()
            if kept.get(name) != value
        ]
        if differences:
            raise ValueError(f"{self.path} keeps another run: {', '.join(differences)}; {REMEDY}")
        tensors = load_tensors(self.path)
        losses = tensors.get("losses")
        expected = self._expected(0 if losses is None or losses.dim() == 0 else len(losses))
        for name in sorted(expected.keys() | tensors.keys()):
            found, due = _kind(tensors.get(name)), _kind(expected.get(name))
            if found != due:
                raise ValueError(f"{self.path} holds {found} as {name}, not {due}; {REMEDY}")
        sound = all(value.isfinite().all() for value in tensors.values())
        if not sound or kept["digest"] != _digest(tensors) or kept.get("done") != _done(tensors):
            raise ValueError(f"{self.path} is damaged; {REMEDY}")
        return tensors

    def _expected(self, done: int) -> dict[str, Tensor]:
        """Tensors of the kinds that the file has to hold: those of a run of one step of zeros."""
        copies = trainable(self.learner.params)
        optimizers = self.optimize(copies)
        for value in copies.values():
            value.grad = torch.zeros_like(value)
        for optimizer in optimizers:
            optimizer.step()
        return self._tensors(copies, optimizers, torch.zeros(done, dtype=torch.float64))

    def _tensors(self, params: Params, optimizers: Optimizers, losses: Tensor) -> dict[str, Tensor]:
        tensors = {f"params.{name}": value for name, value in params.items()}
        for key, optimizer, value in _moved(params, optimizers):
            for name, moment in optimizer.state[value].items():
                if isinstance(moment, Tensor):
                    tensors[key + name] = moment
        tensors |= {f"held.{name}": value for name, value in held(self.learner).items()}
        return tensors | {"generator": self.generator.get_state(), "losses": losses}


def held(learner: Any) -> dict[str, Tensor]:
    """What a learner keeps beside its parameters: the weights of groups, or a source of noise."""
    states = {
        name: value.get_state() if isinstance(value, torch.Generator) else value
        for name, value in vars(learner).items()
    }
    return {name: value for name, value in states.items() if isinstance(value, Tensor)}


def _moved(
    params: Params, optimizers: Optimizers
) -> Iterator[tuple[str, torch.optim.Optimizer, Tensor]]:
    """Each parameter with its optimizer, and what their state is called, ``Adam.weight1.``."""
    names = {value: name for name, value in params.items()}
    for optimizer in optimizers:
        for value in optimizer.param_groups[0]["params"]:
            yield f"{type(optimizer).__name__}.{names[value]}.", optimizer, value


def _kind(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)}"


def _done(tensors: Mapping[str, Tensor]) -> str:
    return str(len(tensors["losses"]))


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {_kind(value)}".encode())
        digest.update(value.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


PLAIN = bool | int | float | str | Path | None


def described(value: Any) -> str:
    """What ``value`` is, as text that another process would write too.

    A function is its name, an object its class and the plain settings that it holds. A tensor is
    its shape alone, and of what a function finds outside itself nothing can be said.
    """
    value = plain(value)
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, Tensor):
        return f"Tensor{tuple(value.shape)}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{described(k)}: {described(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(described, value))})"
    if isinstance(value, partial):
        given = [*map(described, value.args), *_named(value.keywords)]
        return f"{described(value.func)}({', '.join(given)})"
    if inspect.ismethod(value):
        return f"{described(value.__self__)}.{value.__name__}"
    if inspect.isroutine(value) or inspect.isclass(value):
        return value.__qualname__
    if isinstance(settings := getattr(value, "settings", None), tuple):  # of a network
        return type(value).__qualname__ + described(settings)
    # A learner also holds what changes while it is trained.
    held = settings_of(value) if hasattr(value, "params") else getattr(value, "__dict__", {})
    told = {k: v for k, v in held.items() if isinstance(v, PLAIN | Tensor | tuple)}
    return f"{type(value).__qualname__}({', '.join(_named(told))})"


def _named(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={described(value)}" for name, value in values.items()]


def settings_of(learner: Any) -> dict[str, Any]:
    """The arguments of the learner's class that it still holds, but for its parameters."""
    names = inspect.signature(type(learner)).parameters
    return {n: plain(getattr(learner, n)) for n in names if n != "params" and hasattr(learner, n)}


def plain(value: Any) -> Any:
    """A number of numpy, or a tensor of one number, as Python's own; all else as it is."""
    return value.item() if isinstance(value, np.generic) or _is_number(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dim() == 0
