"""Tensors on disk: never a pickle, and never half a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor


def write_whole(path: Path, content: bytes) -> None:
    """Writes under a temporary name, then renames: ``path`` is old or new, and always whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_file(path) as temporary:
        temporary.write_bytes(content)
        os.replace(temporary, path)


@contextmanager
def temporary_file(target: Path) -> Iterator[Path]:
    """A file beside ``target`` that no other process has, gone when the block ends."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    temporary = Path(name)
    try:
        os.close(handle)
        # mkstemp keeps others out, but these are for all who may read the folder.
        temporary.chmod(0o644)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Writes ``tensors`` as one safetensors file."""
    from safetensors.torch import save

    plain = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    write_whole(path, save(plain))


def load_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors that ``save_tensors`` wrote.

    Raises:
        FileNotFoundError, ValueError: the file is missing, or is not a whole safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    try:
        # Not mapped into memory: Windows could not replace the file while its tensors are in use.
        return load(path.read_bytes())
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged or not a safetensors file ({error})") from error
