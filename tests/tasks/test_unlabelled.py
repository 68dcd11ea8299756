"""Tasks without labels: what belongs together comes from one image, or from one cluster."""

import pytest
import torch

from metalearn_lite.tasks import characters
from metalearn_lite.tasks.unlabelled import AugmentedTasks, ClusteredTasks, clusters, principal


def images(generator, number=30):
    return torch.rand(number, 1, 28, 28, generator=generator()) * 0.5


def add_a_dot(x, generator):
    """An augmentation that can be undone."""
    x = x.clone()
    x[..., 0, 0] = 1.0
    return x


def test_queries_are_augmented_copies_of_their_classs_image(generator):
    pool = images(generator)
    pool[..., 0, 0] = 0.0
    (x, y), (asked, labels) = AugmentedTasks(pool, add_a_dot).sample(6, 5, 3, generator(1))
    assert x.shape == (6, 5, 1, 28, 28)
    assert asked.shape == (6, 15, 1, 28, 28)
    assert torch.equal(y, torch.arange(5).expand(6, -1))
    assert (asked[..., 0, 0] == 1).all()
    asked[..., 0, 0] = 0.0
    for task in range(6):
        assert len({image.sum().item() for image in x[task]}) == 5  # five different images
        assert all(any(torch.equal(image, one) for one in pool) for image in x[task])
        for image, label in zip(asked[task], labels[task], strict=True):
            assert torch.equal(image, x[task, label])
    with pytest.raises(ValueError, match="num_ways=31: choose 1 to 30"):
        AugmentedTasks(pool).sample(1, 31)


def test_a_task_of_clusters_is_of_one_partition_and_shares_no_image(generator):
    pool = images(generator)
    partitions = torch.stack([torch.arange(30) % 3, torch.arange(30) // 3])
    tasks = ClusteredTasks(pool, partitions)
    (x, y), (asked, labels) = tasks.sample(8, 3, 1, 2, generator(1))
    place = {image.sum().item(): number for number, image in enumerate(pool)}
    seen = set()
    for task in range(8):
        mine = [place[image.sum().item()] for image in torch.cat([x[task], asked[task]])]
        assert len(set(mine)) == 9
        said = torch.cat([y[task], labels[task]])
        fits = [
            number
            for number, partition in enumerate(partitions)
            if all(len(set(partition[mine][said == way].tolist())) == 1 for way in range(3))
        ]
        assert fits
        seen |= set(fits)
    assert seen == {0, 1}
    # Only the second partition has clusters enough for five ways; none has for eleven.
    assert tasks.sample(2, 5, 1, 2, generator()).query.x.shape == (2, 10, 1, 28, 28)
    with pytest.raises(ValueError, match="num_ways=11: no partition"):
        tasks.sample(1, 11)
    with pytest.raises(ValueError, match="partitions has shape"):
        ClusteredTasks(pool, partitions[:, :5])


def test_principal_coordinates_are_white_and_clusters_find_what_is_apart(generator):
    pool = characters.Glyphs(2, 10, seed=3).images.flatten(0, 1).unsqueeze(1).float() / 255
    along = principal(pool, 8)
    covariance = along.T @ along / len(along)
    torch.testing.assert_close(covariance, torch.eye(8), rtol=1e-3, atol=1e-3)
    heaps = torch.randn(60, 3, generator=generator()) + 50 * (torch.arange(60) % 3).view(-1, 1)
    found = clusters(heaps, 3, num_partitions=2, seed=1)
    assert found.shape == (2, 60)
    for partition in found:
        assert {tuple(partition[way::3].unique().tolist()) for way in range(3)} == {
            (0,), (1,), (2,)
        }  # fmt: skip
    assert torch.equal(found, clusters(heaps, 3, num_partitions=2, seed=1))
