"""Glyphs: the same for a seed, different otherwise, and in numbers like handwriting."""

import random

import pytest
import torch

from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.characters.alphabets import invent_alphabet


@pytest.fixture(scope="module")
def glyphs():
    return Glyphs(num_alphabets=5, characters_per_alphabet=20, num_drawers=10, seed=3)


def test_glyphs_have_the_shape_of_omniglot(glyphs):
    assert glyphs.images.shape == (100, 10, 28, 28)
    assert glyphs.images.dtype == torch.uint8
    assert glyphs.source == "Glyphs"
    assert list(glyphs.alphabet_sizes.values()) == [20] * 5
    assert glyphs.names[:2] == ["character01", "character02"]
    runs = characters.make_runs(glyphs, 3, generator=torch.Generator().manual_seed(0))
    assert runs.query.x.shape == (3, 20, 1, 28, 28)


def test_the_seed_decides_everything(glyphs):
    fewer = Glyphs(2, 20, num_drawers=10, seed=3)
    assert torch.equal(fewer.images, glyphs.images[:40]), "and more alphabets change none of these"
    assert not torch.equal(Glyphs(2, 20, num_drawers=10, seed=4).images, fewer.images)
    state = torch.get_rng_state()
    Glyphs(1, 2, num_drawers=2)
    assert torch.equal(torch.get_rng_state(), state), "nor is the global generator touched"


def test_alphabets_may_differ_in_size():
    assert list(Glyphs(3, (4, 1, 7), num_drawers=2).alphabet_sizes.values()) == [4, 1, 7]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5), "num_alphabets=0: choose 1 to 100"),
        ((2, 0), "characters_per_alphabet=0: choose 1 to 200"),
        ((1, 4000, 1), "characters_per_alphabet=4000: choose 1 to 200"),
        ((2, (3, 4, 5)), r"characters_per_alphabet=\(3, 4, 5\) for 2 alphabets"),
        ((2, (3, 0)), "characters_per_alphabet=0"),
        ((2, 5, 0), "num_drawers=0: choose 1 or more"),
        ((2, 5, 10**9), "num_drawers=1000000000 × pixels=784 asks for .* numbers at once"),
        ((2, 5, 2, 0.5), r"seed=0\.5: choose a whole number"),
    ],
)
def test_impossible_numbers_are_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        Glyphs(*arguments)


def test_no_two_drawings_and_no_two_characters_are_the_same(glyphs):
    assert glyphs.images.flatten(0, 1).unique(dim=0).shape[0] == 1000


@pytest.mark.parametrize("seed", range(6))
def test_no_two_characters_of_an_alphabet_are_almost_the_same(seed):
    """Each has ink about 2 pixels or more from all of the other's, wherever they stand."""
    tracks = [
        torch.cat([stroke.track for stroke in strokes])
        for strokes in invent_alphabet(random.Random(seed), 26)
    ]
    tracks = [track - (track.amin(0) + track.amax(0)) / 2 for track in tracks]
    for index, track in enumerate(tracks):
        for other in tracks[:index]:
            distances = torch.cdist(track, other)
            assert max(distances.amin(0).max(), distances.amin(1).max()) > 0.14


def test_ink_is_like_omniglots(glyphs):
    """Small set 1 has 0.076 ± 0.025, and its inked pixels have a median of 0.78."""
    images = glyphs.images.float() / 255
    ink = images.mean((2, 3))
    assert 0.055 < ink.mean() < 0.09
    assert 0.012 < ink.std() < 0.035
    assert ink.min() > 0.008, "no drawing is blank"
    assert 0.7 < images[images > 0.3].median() < 0.9


def test_drawings_stand_on_the_paper(glyphs):
    inked = glyphs.images > 80
    rows, columns = inked.any(3), inked.any(2)
    border = (rows[..., [0, -1]] | columns[..., [0, -1]]).any(-1)
    assert border.float().mean() < 0.2
    height, width = rows.sum(-1).float(), columns.sum(-1).float()
    assert 16 < torch.maximum(height, width).mean() < 21


def test_a_character_looks_more_like_itself_than_like_others(glyphs):
    generator = torch.Generator().manual_seed(0)
    runs = characters.make_runs(glyphs, 200, generator=generator)
    blurred = [
        torch.nn.functional.avg_pool2d(half.x.flatten(0, 1), 5, stride=1, padding=2).reshape(
            200, 20, -1
        )
        for half in runs
    ]
    nearest = torch.cdist(blurred[1], blurred[0]).argmin(-1)
    error = (nearest != runs.query.y).float().mean().item()
    assert 0.4 < error < 0.8, "by blurred pixels, small sets 1 and 2 have 0.67 and 0.70"


def test_a_drawer_has_a_hand_of_their_own():
    """Someone who writes one character large writes the others large."""
    made = Glyphs(1, 30, num_drawers=12, seed=0)
    size = (made.images > 80).any(3).sum(-1).float().log()
    size = size - size.mean(1, keepdim=True)
    first, second = size[:15].mean(0), size[15:].mean(0)
    assert torch.corrcoef(torch.stack([first, second]))[0, 1] > 0.6
