"""For all tests."""

import os
import tempfile

import pytest
from hypothesis import settings

# A slow or busy machine is no mistake: no test asserts a time.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# What the tests answer is not what the person who runs them has done. Kernels inherit it.
os.environ["METALEARN_LITE_PROGRESS"] = tempfile.mkdtemp(prefix="metalearn_lite_progress_")


def pytest_collection_modifyitems(items):
    """The longest file comes first: one worker does it while the other does the rest."""
    items.sort(key=lambda item: item.path.name != "test_with_answers.py")


@pytest.fixture(scope="session")
def generator():
    """``generator(seed)`` is a new torch.Generator. Helpers that are no tests import it."""
    from truths import generator  # not above: who only drives a browser needs no torch

    return generator
