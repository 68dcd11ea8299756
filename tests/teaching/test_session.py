"""A check runs in a standard session and leaves the reader's as it was."""

import contextlib
import math
import random
import signal
import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from instructor.answers import maml_on_sinusoids
from metalearn_lite.teaching import check
from metalearn_lite.teaching.session import SETTINGS, standard_session

NAME, RIGHT = "04.inner_step", maml_on_sinusoids.inner_step


def state() -> list:
    """What a check must not change, as things that can be compared."""
    kind, keys, *place = np.random.get_state()  # noqa: NPY002  as readers do
    return [
        *(get() for get, _ in SETTINGS),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_default_device(),
        torch.get_rng_state().tolist(),
        random.getstate(),
        (kind, keys.tolist(), place),
        list(warnings.filters),
        torch.allclose,
        torch.Tensor.mean,
        F.mse_loss,
        getattr(torch, "equal", None),
        "mean" in vars(torch.Tensor),
        math.isclose,
    ]


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    yield
    torch.set_default_dtype(before)


@contextlib.contextmanager
def default_device(device):
    torch.set_default_device(device)
    yield
    torch.set_default_device(None)


@contextlib.contextmanager
def replaced(owner, name, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, value)
        yield


@contextlib.contextmanager
def without(owner, name):
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(owner, name)
        yield


STRANGE = {
    "gradients were off": torch.no_grad,
    "gradients were off ": torch.inference_mode,
    "the default dtype was torch.float64": lambda: default_dtype(torch.float64),
    "the default device was meta": lambda: default_device("meta"),
    "the default device was meta ": lambda: torch.device("meta"),
    "torch.allclose was replaced": lambda: replaced(torch, "allclose", lambda *_, **__: False),
    "torch.nn.functional.mse_loss was": lambda: replaced(F, "mse_loss", None),
    "Tensor.mean was replaced": lambda: replaced(torch.Tensor, "mean", lambda *_: 0),
    "math.isclose was replaced": lambda: replaced(math, "isclose", lambda *_, **__: False),
    "torch.equal was replaced": lambda: without(torch, "equal"),
    "torch.sum was replaced": lambda: replaced(torch, "sum", torch.mean),
}


@pytest.mark.parametrize("note", STRANGE)
def test_a_strange_session_is_named_set_aside_and_put_back(note):
    with STRANGE[note]():
        before = state()
        verdict = check(NAME, RIGHT)
        assert state() == before
    assert verdict.passed, verdict
    assert note.strip() in verdict.message
    assert "In this session" not in check(NAME, RIGHT).message


def vandal(*_):
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.autograd.set_detect_anomaly(True)
    torch.set_float32_matmul_precision("medium")
    warnings.simplefilter("error")
    torch.allclose = torch.equal = lambda *_, **__: True
    torch.Tensor.mean = lambda *_: 0
    F.mse_loss = None
    del math.isclose
    raise KeyError("done")


# Torch has set_default_device fail in a device's own context, which is where those two are checked.
SESSIONS = [session for note, session in STRANGE.items() if "device" not in note]


@pytest.mark.parametrize("session", [contextlib.nullcontext, *SESSIONS])
def test_what_an_answer_leaves_behind_is_undone(session):
    with session():
        before = state()
        assert "KeyError: 'done'" in check(NAME, vandal).message
        assert state() == before


def test_what_is_drawn_without_a_generator_is_the_same_at_every_check():
    drawn = []
    for seed in (1, 2):  # what went before
        torch.manual_seed(seed), random.seed(seed), np.random.seed(seed)  # noqa: NPY002
        with standard_session():
            drawn.append((torch.rand(3).tolist(), random.random(), np.random.rand()))  # noqa: NPY002
    assert drawn[0] == drawn[1]


def test_a_replaced_torch_does_not_judge():
    """An answer that has everything found equal is still wrong."""

    def cheats(network, params, x, y, inner_lr):
        torch.allclose = lambda *_, **__: True
        return dict(params)

    assert not check(NAME, cheats).passed


def test_an_interrupt_leaves_the_session_too():
    before = state()

    def interrupted(*_):
        torch.set_default_dtype(torch.float64)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        check(NAME, interrupted)
    assert state() == before


def test_a_plain_session_is_not_remarked_upon():
    with standard_session() as notes:
        assert notes == []
