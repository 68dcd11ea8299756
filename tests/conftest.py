"""For all tests."""

import itertools
import os
import tempfile

import pytest
from hypothesis import settings
from with_answers import add_answers

# A slow or busy machine is no mistake: no test asserts a time.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# What the tests answer is not what the person who runs them has done. Kernels inherit it.
PROGRESS = tempfile.TemporaryDirectory(prefix="metalearn_lite_progress_")
os.environ["METALEARN_LITE_PROGRESS"] = PROGRESS.name


def pytest_collection_modifyitems(items):
    """Notebooks are run with their exercises answered, and before all else.

    They take longest of all: what comes last is then short, and no worker waits for the other.
    """
    cells = [item for item in items if item.path.suffix == ".ipynb"]
    for _, one_notebook in itertools.groupby(cells, lambda item: item.path):
        add_answers([item.cell for item in one_notebook])
    items.sort(key=lambda item: item.path.suffix != ".ipynb")


@pytest.fixture(scope="session")
def generator():
    """``generator(seed)`` is a new torch.Generator. Helpers that are no tests import it."""
    from truths import generator  # not above: who only drives a browser needs no torch

    return generator
