"""Tensors on disk: never a pickle, and never half a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from torch import Tensor


def write_whole(path: Path, content: bytes) -> None:
    """Writes under a temporary name, then renames: ``path`` is old or new, and always whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name that nobody else has, also where machines that share a folder number processes alike.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(0o644)  # mkstemp keeps it from all others
        os.replace(temporary, path)
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
