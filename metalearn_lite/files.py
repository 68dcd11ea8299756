"""Tensors on disk: never a pickle, and never half a file."""

from __future__ import annotations

import glob
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

STALE_AFTER = 24 * 3600  # seconds; only where files cannot be locked


def write_whole(path: Path, content: bytes) -> None:
    """Writes under a temporary name, then renames: ``path`` is old or new, and always whole."""
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """As `write_whole`, for files that belong together: all are on disk before one is renamed.

    So a full disk changes none of them. The machine may still stop between two renames: then some
    are new and some old, which their reader has to notice.

    Raises:
        OSError: one cannot be written; the message names it.
    """
    with ExitStack() as stack:
        written = {}
        for path, content in contents.items():
            with _naming(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                written[path] = stack.enter_context(temporary_file(path))
                written[path].write_bytes(content)
        for path, temporary in written.items():
            with _naming(path):
                os.replace(temporary, path)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Whatever the system says of a full disk or of a temporary name, it is about ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def temporary_file(target: Path) -> Iterator[Path]:
    """A file beside ``target`` that no other process has, gone when the block ends.

    A killed process leaves its own behind. They go when the same ``target`` is written again.
    """
    for part in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        _remove_abandoned(part)
    handle, temporary = _locked_file(target)
    try:
        # mkstemp keeps others out, but these are for all who may read the folder.
        temporary.chmod(0o644)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def _locked_file(target: Path) -> tuple[int | None, Path]:
    """A new temporary file, and the handle whose lock says that a living process has it."""
    while True:
        handle, name = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=".part", dir=target.parent
        )
        if fcntl is None:  # Windows could not rename a file that is open
            os.close(handle)
            return None, Path(name)
        with suppress(OSError):  # there are network folders without locks
            fcntl.flock(handle, fcntl.LOCK_SH)
        if os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)  # another process took it for abandoned before it was locked


def _remove_abandoned(part: Path) -> None:
    """Removes a temporary file unless a process still holds its lock.

    Where there are no locks, its age decides.
    """
    with suppress(OSError):
        if fcntl is None:
            if time.time() - part.stat().st_mtime > STALE_AFTER:
                part.unlink()
            return
        handle = os.open(part, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()
        finally:
            os.close(handle)


class Header(NamedTuple):
    """What a safetensors file says of itself, before any number in it is read."""

    shapes: dict[str, tuple[int, ...]]
    metadata: dict[str, str]


def read_header(path: Path) -> Header:
    """The header of a safetensors file.

    Raises:
        FileNotFoundError, ValueError: the file is missing, or is not a whole safetensors file.
    """
    from safetensors import safe_open

    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    with _naming_damage(path), safe_open(path, framework="pt") as file:
        names = file.keys()  # it cannot be looped over itself
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
        return Header(shapes, file.metadata() or {})


def load_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; raises what `read_header` does."""
    from safetensors.torch import load

    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    with _naming_damage(path):
        # Not mapped into memory: Windows could not replace the file while its tensors are in use.
        return load(path.read_bytes())


def pack(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """``tensors`` as the content of a safetensors file."""
    from safetensors.torch import save

    plain = {  # copies, as safetensors takes no two tensors of one memory
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    return save(plain, metadata=metadata and dict(metadata))


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged or not a safetensors file ({error})") from error
