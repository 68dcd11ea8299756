import pytest
import torch

from metalearn_lite.tasks.distortions import NUM_SYMMETRIES, distort, symmetric_versions, symmetries


def images(num: int = 3) -> torch.Tensor:
    x = torch.zeros(1, num, 1, 28, 28)
    x[..., 6:20, 8:10] = 1  # an upright stroke with a foot: no symmetry maps it to itself
    x[..., 18:20, 8:18] = 1
    return x


def test_strength_0_changes_nothing(generator):
    torch.testing.assert_close(distort(images(), generator(), strength=0.0), images())


def test_the_eight_symmetries_are_those_of_flip_and_rot90(generator):
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


def test_every_image_is_distorted_in_its_own_way(generator):
    out = distort(images(), generator())
    assert not torch.allclose(out[0, 0], out[0, 1], atol=0.1)
    assert torch.equal(out, distort(images(), generator()))


@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_most_of_the_ink_stays(generator, strength):
    out = distort(images(200), generator(), strength)
    share = out.sum((2, 3, 4)) / images(200).sum((2, 3, 4))
    assert 0.8 < share.mean() < 1.2
    assert share.min() > 0.3


def test_symmetric_versions_are_eight_and_begin_with_the_image_itself():
    versions = symmetric_versions(images(1))
    assert torch.equal(versions[0], images(1))
    distinct = torch.stack([version.flatten() for version in versions]).unique(dim=0)
    assert len(distinct) == NUM_SYMMETRIES


def test_distort_and_symmetric_versions_mean_the_same_eight(generator):
    x = images(NUM_SYMMETRIES)
    turned = distort(x, generator(), 0.0, torch.arange(NUM_SYMMETRIES).unsqueeze(0))[0]
    for version in symmetric_versions(images(1)):
        assert any(torch.allclose(version[0, 0], other, atol=1e-4) for other in turned)
