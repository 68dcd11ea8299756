"""For all tests."""

import pytest
from hypothesis import settings

# A slow or busy machine is no mistake: no test asserts a time.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def generator():
    """``generator(seed)`` is a new torch.Generator. Helpers that are no tests import it."""
    from truths import generator  # not above: who only drives a browser needs no torch

    return generator
