"""The digits, as characters and by hands, against scikit-learn's own file."""

import builtins

import pytest
import torch
from torch.nn import functional as F

from metalearn_lite.tasks import digits
from metalearn_lite.tasks.digits import DIGIT_SIZE, PER_HAND

datasets = pytest.importorskip("sklearn.datasets")


@pytest.fixture(scope="module")
def pool():
    return digits.load()


def test_ten_characters_of_as_many_drawings_as_the_rarest_has(pool):
    labels = datasets.load_digits().target
    rarest = min((labels == digit).sum() for digit in range(10))
    assert pool.images.shape == (10, rarest, 28, 28)
    assert pool.names == list("0123456789")


def test_paper_is_0_and_ink_is_bright_inside_a_border(pool):
    border = (28 - DIGIT_SIZE) // 2
    assert pool.images[..., :border, :].max() == 0
    assert pool.images[..., :, -border:].max() == 0
    assert (pool.images.flatten(2).amax(2) > 200).all()


def test_shrunk_back_to_8_by_8_they_are_the_originals(pool):
    """Class by class, in the file's order: no image is lost, moved or given to another class."""
    bunch = datasets.load_digits()
    border = (28 - DIGIT_SIZE) // 2
    inside = pool.images[..., border:-border, border:-border].float() / 255
    cells = F.adaptive_avg_pool2d(inside, 8).flatten(2)
    for digit in range(10):
        originals = torch.from_numpy(bunch.images[bunch.target == digit][:174]).float().flatten(1)
        pairs = torch.stack([cells[digit], originals], 1)
        for pair in pairs:
            assert torch.corrcoef(pair)[0, 1] > 0.8
    assert not torch.equal(cells[0, 0], cells[0, 1])


def test_a_hand_has_ten_digits_of_eight_drawings_in_the_order_of_the_file(pool):
    hands = digits.load_hands()
    assert set(hands.alphabet_sizes.values()) == {10}
    assert hands.num_drawers == PER_HAND
    assert torch.equal(hands.images[13], pool.images[3, PER_HAND : 2 * PER_HAND])  # hand 2, a three


def test_they_make_episodes(pool):
    support, query = pool.sample(3, 10, 5, 2, torch.Generator().manual_seed(0))
    assert support.x.shape == (3, 50, 1, 28, 28)
    assert query.y[0].tolist() == [digit for digit in range(10) for _ in range(2)]


def test_without_scikit_learn_a_sentence_says_what_to_do(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **options):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        digits.load()
