"""What each iteration of training was like, for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metalearn_lite import distributed


class Curves:
    """Writes for TensorBoard what each iteration was like; without a folder nothing."""

    def __init__(self, folder: Path | str | None):
        self.folder, self._writer = folder, None
        if folder is not None:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                raise ValueError(
                    "log_to needs the package tensorboard, which is not installed: "
                    "pip install tensorboard, or leave log_to out"
                ) from None
            self._new = SummaryWriter

    @contextmanager
    def going_on(self, done: int) -> Iterator[None]:
        """While inside, iterations after the first ``done`` are written, by one process."""
        if self.folder is None or not distributed.is_first():
            yield
            return
        # What an ended run had written beyond the iteration that this goes on from is left out.
        with self._new(self.folder, purge_step=done + 1) as self._writer:
            yield

    def write(self, iteration: int, **values: float) -> None:
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name.replace("_", " "), value, iteration)

    def flush(self) -> None:
        """All that was written is in the file, so that it goes on where a saved run does."""
        if self._writer is not None:
            self._writer.flush()
