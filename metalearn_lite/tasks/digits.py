"""Handwritten digits: characters of another world than the alphabets that learners train on."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from metalearn_lite.tasks.characters.character_set import IMAGE_SIZE, Characters

DIGIT_SIZE = 20  # pixels; a character of Omniglot has 18, with a thinner pen
PAPER, INK = 0.4, 0.8  # the file's greys that become white and black
PER_HAND = 8


def load() -> Characters:
    """The digits of scikit-learn (Alpaydin & Kaynak, 1998), as an alphabet of ten characters.

    They are 8 × 8 pixels of 16 greys, here enlarged and sharpened; their pen is thicker than that
    of Omniglot. The 174 "drawers" are images in the order of the file.

    Raises:
        ImportError: without scikit-learn.
    """
    images = _read()
    names = [str(digit) for digit in range(10)]
    return Characters(images, ["Digits"] * 10, names, "handwritten digits")


def load_hands() -> Characters:
    """The same digits in 21 alphabets "hand 01" …, each of ten digits with 8 "drawers".

    Thirteen people wrote the file one after the other, though it does not say where one ends. So
    8 images of a digit in a row are mostly by one person. Episodes sampled ``within_alphabet``
    then have support and query by one hand, of which the learner never saw anything before.

    Raises:
        ImportError: without scikit-learn.
    """
    images = _read()
    num_hands = images.shape[1] // PER_HAND
    rows = images[:, : num_hands * PER_HAND].unflatten(1, (num_hands, PER_HAND))
    return Characters(
        rows.transpose(0, 1).flatten(0, 1),
        [f"hand {hand:02d}" for hand in range(1, num_hands + 1) for _ in range(10)],
        [str(digit) for digit in range(10)] * num_hands,
        "handwritten digits",
    )


def _read() -> torch.Tensor:
    """The images (10, 174, 28, 28) uint8, ink 255; digits that have more leave out their last."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as fault:
        raise ImportError("The digits come with scikit-learn: pip install scikit-learn") from fault
    data, labels = (torch.from_numpy(part) for part in load_digits(return_X_y=True))
    grey = data.float().view(-1, 1, 8, 8) / 16
    # Twice as fine and then averaged: edges are sharp, but not jagged.
    fine = F.interpolate(grey, size=2 * DIGIT_SIZE, mode="bicubic", align_corners=False)
    digits = F.avg_pool2d(((fine - PAPER) / (INK - PAPER)).clamp(0, 1), 2)
    margin = (IMAGE_SIZE - DIGIT_SIZE) // 2
    pages = (255 * F.pad(digits, [margin] * 4)).round().to(torch.uint8).squeeze(1)
    fewest = int(labels.bincount().min())
    return torch.stack([pages[labels == digit][:fewest] for digit in range(10)])
