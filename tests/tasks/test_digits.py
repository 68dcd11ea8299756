"""Handwritten digits as characters, and that images near each other in the file are by one hand."""

import sys

import pytest
import torch

from metalearn_lite.tasks import digits

pytest.importorskip("sklearn")


def test_ten_digits_as_characters():
    pool = digits.load()
    assert pool.images.shape == (10, 174, 28, 28)
    assert pool.images.dtype == torch.uint8
    assert pool.names == list("0123456789")
    corners = pool.images[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.max() == 0
    assert pool.images.amax((2, 3)).min() == 255


def test_each_image_is_the_files():
    from sklearn.datasets import load_digits

    file = load_digits()
    third_seven = file.images[(file.target == 7).nonzero()[0][2]]
    page = digits.load().images[7, 2, 4:24, 4:24].float()
    small = torch.nn.functional.adaptive_avg_pool2d(page[None], 8)[0]
    both = torch.stack([small.flatten(), torch.from_numpy(third_seven).float().flatten()])
    assert both.corrcoef()[0, 1] > 0.9


def test_hands_hold_the_same_images():
    pool, hands = digits.load(), digits.load_hands()
    assert list(hands.alphabet_sizes.values()) == [10] * 21
    second = hands.select(["hand 02"])
    assert second.names == pool.names
    assert second.images.equal(pool.images[:, 8:16])


def test_images_of_a_hand_are_more_alike_than_those_of_others():
    """The file does not say who wrote what; this is why we believe that it is in that order."""
    images = digits.load_hands().images.unflatten(0, (21, 10)).float() / 255
    images = images.flatten(3).transpose(0, 1)  # (10 digits, 21 hands, 8, 784)
    between = torch.cdist(images.flatten(1, 2), images.flatten(1, 2)).unflatten(1, (21, 8))
    between = between.unflatten(3, (21, 8)).mean((0, 2, 4))  # (21, 21)
    own = between.diagonal().mean() * 8 / 7  # an image is at distance 0 from itself
    far = [between[i, j] for i in range(21) for j in range(21) if abs(i - j) > 2]
    assert own < 0.85 * torch.stack(far).mean()


def test_without_scikit_learn_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        digits.load()
