import torch

from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvNet
from metalearn_lite.tasks.framing import frame
from metalearn_lite.tasks.glyphs import Glyphs


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
