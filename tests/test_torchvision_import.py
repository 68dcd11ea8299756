"""What a reader types into a cell, each in a process of its own."""

import importlib.util
import subprocess
import sys

import pytest

FIRST_DECLARED = """
import torch
brought = torch.library.Library("torchvision", "FRAGMENT")
for name in ("nms", "qnms"):
    brought.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""

needs = {
    name: pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is missing")
    for name in ("torchvision", "learn2learn")
}


def typed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
@needs["learn2learn"]
@needs["torchvision"]
def test_importing_the_course_first_is_enough():
    code = (
        "import metalearn_lite\nimport torchvision, learn2learn\nprint(learn2learn.algorithms.MAML)"
    )
    assert "MAML" in typed(code)


@pytest.mark.slow
@needs["torchvision"]
def test_it_is_enough_after_a_first_error_too():
    first = "try:\n    import torchvision\nexcept RuntimeError as error:\n    print(error)"
    assert typed(first) in ("", "operator torchvision::nms does not exist")
    typed(f"{first}\nimport metalearn_lite\nimport torchvision\ntorchvision.transforms.Resize(28)")


@pytest.mark.slow
@needs["torchvision"]
def test_operators_that_are_there_are_not_declared_again():
    code = (
        "import torchvision, metalearn_lite.torchvision_import as mended\nprint(mended._declared)"
    )
    assert typed(f"{FIRST_DECLARED}\nimport metalearn_lite\n{code}") == "None"


def test_who_never_imports_torchvision_pays_nothing():
    code = "import sys, metalearn_lite\nprint({'torch', 'torchvision'} & set(sys.modules))"
    assert typed(code) == "set()"


def test_without_torchvision_the_import_error_is_pythons_own(tmp_path):
    code = (
        "import sys, metalearn_lite\n"
        "sys.path = [p for p in sys.path if 'site-packages' not in p]\n"
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
        "try:\n    import torchvision\nexcept ModuleNotFoundError as error:\n    print(error)"
    )
    assert typed(code) == "No module named 'torchvision'"
