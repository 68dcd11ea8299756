"""`import torchvision`, and with it learn2learn, beside a torch that its wheel was not built for.

PyPI has one torchvision for Linux, built for CUDA. Beside a CPU-only torch its library does not
load, and its Python half ends with "operator torchvision::nms does not exist": it describes two
operators that only the library brings. Declaring their names is enough, since nothing here calls
them. It is done when torchvision is about to be imported: who never imports it pays nothing.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from importlib.machinery import PathFinder
from typing import Any

DESCRIBED = ("nms", "qnms")

_declared: Any = None  # the end of this torch.library.Library would take the declarations back


class Doorbell:
    """On ``sys.meta_path``: answers no import itself, and rings once, at torchvision's."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "torchvision":
            sys.meta_path.remove(self)
            declare_missing_operators()


def declare_missing_operators() -> None:
    """Declares those operators that torchvision describes and its own library does not bring."""
    global _declared
    spec = importlib.util.find_spec("torchvision")
    if spec is None:
        return
    import torch

    # Loaded as torchvision does: declaring what it brings later would end the process.
    library = PathFinder.find_spec("_C", spec.submodule_search_locations)
    if library is not None:
        with contextlib.suppress(OSError):
            torch.ops.load_library(library.origin)
    missing = [name for name in DESCRIBED if not hasattr(torch.ops.torchvision, name)]
    if missing:
        _declared = torch.library.Library("torchvision", "FRAGMENT")
    for name in missing:
        _declared.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


sys.meta_path.insert(0, Doorbell())
