"""Framing, distorting and turning images, and which images are refused."""

import numpy as np
import pytest
import torch

from metalearn_lite.images import NUM_SYMMETRIES, distort, frame, symmetric_versions, symmetries
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvNet
from metalearn_lite.tasks.characters import Glyphs


def images(num: int = 3) -> torch.Tensor:
    x = torch.zeros(1, num, 1, 28, 28)
    x[..., 6:20, 8:10] = 1  # an upright stroke with a foot: no symmetry maps it to itself
    x[..., 18:20, 8:18] = 1
    return x


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_strength_0_changes_nothing():
    torch.testing.assert_close(distort(images(), generator(), strength=0.0), images())


def test_the_eight_symmetries_are_those_of_flip_and_rot90():
    x = images(NUM_SYMMETRIES)
    turned = distort(x, generator(), 0.0, torch.arange(NUM_SYMMETRIES).unsqueeze(0))
    expected = [
        torch.rot90(image, quarter, (-2, -1))
        for image in (x[0, 0], x[0, 0].flip(-1))
        for quarter in range(4)
    ]
    for wanted in expected:
        assert any(torch.allclose(got, wanted, atol=1e-4) for got in turned[0])
    assert len(symmetries().unique(dim=0)) == NUM_SYMMETRIES


def test_every_image_is_distorted_in_its_own_way():
    out = distort(images(), generator())
    assert not torch.allclose(out[0, 0], out[0, 1], atol=0.1)
    assert torch.equal(out, distort(images(), generator()))


@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_most_of_the_ink_stays(strength):
    out = distort(images(200), generator(), strength)
    share = out.sum((2, 3, 4)) / images(200).sum((2, 3, 4))
    assert 0.8 < share.mean() < 1.2
    assert share.min() > 0.3


def test_symmetric_versions_are_eight_and_begin_with_the_image_itself():
    versions = symmetric_versions(images(1))
    assert torch.equal(versions[0], images(1))
    distinct = torch.stack([version.flatten() for version in versions]).unique(dim=0)
    assert len(distinct) == NUM_SYMMETRIES


def test_distort_and_symmetric_versions_mean_the_same_eight():
    x = images(NUM_SYMMETRIES)
    turned = distort(x, generator(), 0.0, torch.arange(NUM_SYMMETRIES).unsqueeze(0))[0]
    for version in symmetric_versions(images(1)):
        assert any(torch.allclose(version[0, 0], other, atol=1e-4) for other in turned)


# Framing


def bar(top, bottom, left, right):
    """An image with one dark rectangle: rows top to bottom - 1, columns left to right - 1."""
    image = torch.zeros(1, 1, 28, 28)
    image[..., top:bottom, left:right] = 1
    return image


def extent(image):
    dark = image[0, 0] > 0.5
    rows, columns = dark.any(1).nonzero(), dark.any(0).nonzero()
    return *(rows[[0, -1]].flatten().tolist()), *(columns[[0, -1]].flatten().tolist())


def test_a_small_character_in_a_corner_fills_the_middle():
    top, bottom, left, right = extent(frame(bar(2, 12, 1, 11)))
    assert abs(top + bottom - 27) <= 1
    assert abs(left + right - 27) <= 1
    assert 22 <= bottom - top + 1 <= 24  # 28 / 1.2 is 23.3


def test_width_and_height_are_scaled_alike():
    top, bottom, left, right = extent(frame(bar(10, 14, 2, 18)))
    assert abs((right - left + 1) / (bottom - top + 1) - 4) < 0.5


def test_where_it_was_drawn_does_not_matter():
    torch.testing.assert_close(frame(bar(2, 12, 3, 9)), frame(bar(14, 24, 18, 24)))


def test_a_character_at_the_edge_keeps_all_its_ink():
    full = torch.zeros(1, 1, 28, 28)
    full[..., 0, :] = full[..., :, 0] = full[..., -1, :] = full[..., :, -1] = 1
    sides = frame(full)[0, 0]
    assert extent(frame(full)) == (2, 25, 2, 25)
    assert (sides[14, 2:26] > 0.5).sum() == 2


def test_an_image_without_ink_stays_as_it_is():
    pale = 0.2 * torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert torch.equal(frame(pale), pale)


def test_a_dot_does_not_become_a_blot():
    top, bottom, _, _ = extent(frame(bar(13, 15, 13, 15)))
    assert bottom - top + 1 <= 8


def test_shapes_and_each_image_alone():
    x = Glyphs(1, 5, 4, seed=0).sample(2, 5, 1, 1, torch.Generator().manual_seed(0)).support.x
    together = frame(x)
    assert together.shape == x.shape
    torch.testing.assert_close(together[1, 3], frame(x[1, 3]))
    assert together.min() >= 0
    assert together.max() <= 1


def test_a_framed_network_does_not_mind_where_the_query_was_drawn():
    network = ConvNet((8, 8))
    params = network.init(torch.Generator().manual_seed(0))
    learner = PrototypicalNetwork(network, params, framed=True)
    here, there = bar(2, 12, 3, 9)[None], bar(14, 24, 18, 24)[None]
    torch.testing.assert_close(learner.embed(here), learner.embed(there))
    plain = PrototypicalNetwork(network, params)
    assert not torch.allclose(plain.embed(here), plain.embed(there), atol=1e-2)


# What is refused


@pytest.mark.parametrize("work", [frame, distort])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: 255 * x, r"x holds 0 to 255: give images of 0 \(paper\) to 1 \(ink\)"),
        (lambda x: 2 * x - 1, "x holds -1 to 1"),
        (lambda x: x / 0, "x holds nan to nan"),
        (lambda x: (255 * x).byte(), r"x is torch.uint8: give floats"),
        (lambda x: x.numpy(), "x is a ndarray: give a tensor, not a numpy array"),
        (lambda x: x[..., :20], r"x has shape \(1, 3, 1, 28, 20\): give square images"),
    ],
)
def test_other_numbers_than_paper_and_ink_are_refused(work, change, message):
    work(images())
    with pytest.raises(ValueError, match=message):
        work(change(images()))


def test_white_paper_is_told_in_one_sentence():
    with pytest.warns(UserWarning, match="is their paper white") as said:
        frame(1 - images())
    assert len(said) == 1


def test_double_precision_stays_so():
    x = images().double()
    assert frame(x).dtype == distort(x, generator()).dtype == torch.float64
    torch.testing.assert_close(frame(x).float(), frame(images()))


def test_a_numpy_array_says_so():
    with pytest.raises(ValueError, match="not a numpy array"):
        symmetric_versions(np.zeros((1, 28, 28)))


@pytest.mark.parametrize("strength", [-1.0, float("nan"), float("inf"), "1"])
def test_a_strength_is_a_number_of_0_or_more(strength):
    with pytest.raises(ValueError, match=r"strength=.*choose a finite number, 0 or more"):
        distort(images(), generator(), strength)
