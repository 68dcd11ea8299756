import pytest
import torch

from metalearn_lite.tasks.distortions import NUM_SYMMETRIES, distort, looks_at, symmetries


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


def test_a_look_is_the_same_for_every_image_and_every_time():
    looks = list(looks_at(images(), 2))
    assert len(looks) == 2 * NUM_SYMMETRIES
    for look, again in zip(looks, looks_at(images(1), 2), strict=True):
        torch.testing.assert_close(look[:, :1], again)
        torch.testing.assert_close(look[:, 1:2], again)
