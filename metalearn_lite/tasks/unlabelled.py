"""Few-shot tasks made of images without labels: augmentations as classes, clusters as classes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.images import distort

Augment = Callable[[Tensor, torch.Generator | None], Tensor]


class AugmentedTasks:
    """UMTRA (Khodadadeh, Bölöni & Shah, 2019): each image is a class of its own.

    A task draws ``num_ways`` images and takes them for different classes. The support is these
    images, the queries are distorted copies of them. Two of the images may be of one character;
    with many characters that is rare.

    Args:
        images: ``(M, 1, S, S)`` floats, paper 0 and ink 1.
        augment: called as ``augment(images, generator)``.
    """

    def __init__(self, images: Tensor, augment: Augment = distort):
        checks.pixels(images, "images")
        self.images, self.augment = images, augment

    def sample(
        self,
        num_tasks: int,
        num_ways: int,
        num_queries: int = 3,
        generator: torch.Generator | None = None,
    ) -> Episodes:
        """Tasks with one shot: a class has one image, and ``num_queries`` copies of it to ask."""
        checks.count(num_tasks=num_tasks, num_queries=num_queries)
        checks.count(1, len(self.images), num_ways=num_ways)
        scores = torch.rand(num_tasks, len(self.images), generator=generator)
        x = self.images[scores.topk(num_ways).indices]
        y = torch.arange(num_ways).expand(num_tasks, -1)
        asked = x.repeat_interleave(num_queries, 1)
        query = self.augment(asked, generator)
        return Episodes(Examples(x, y), Examples(query, y.repeat_interleave(num_queries, 1)))


class ClusteredTasks:
    """CACTUs (Hsu, Levine & Finn, 2019): the clusters of an embedding are taken for classes.

    Args:
        images: ``(M, 1, S, S)`` floats.
        partitions: ``(P, M)`` integers: the cluster of each image, by ``P`` clusterings. A task
            draws one of them.
    """

    def __init__(self, images: Tensor, partitions: Tensor):
        checks.pixels(images, "images")
        checks.labels(partitions, 2**31, "partitions")
        if partitions.dim() != 2 or partitions.shape[1] != len(images):
            raise ValueError(
                f"partitions has shape {tuple(partitions.shape)} for {len(images)} images: "
                "give (P, M), a cluster for each image"
            )
        self.images, self.partitions = images, partitions

    def sample(
        self,
        num_tasks: int,
        num_ways: int,
        num_shots: int = 1,
        num_queries: int = 3,
        generator: torch.Generator | None = None,
    ) -> Episodes:
        """Tasks of ``num_ways`` clusters with enough images, all of one partition.

        Raises:
            ValueError: no partition has so many clusters of ``num_shots + num_queries`` images.
        """
        checks.count(num_tasks=num_tasks, num_ways=num_ways)
        checks.count(num_shots=num_shots, num_queries=num_queries)
        need, places = num_shots + num_queries, []
        sizes = [partition.bincount() for partition in self.partitions]
        able = [p for p, size in enumerate(sizes) if (size >= need).sum() >= num_ways]
        if not able:
            raise ValueError(
                f"num_ways={num_ways}: no partition has so many clusters of {need} images; choose "
                "fewer ways, shots or queries"
            )
        for _ in range(num_tasks):  # clusters differ in size: no tensor holds them all
            partition = able[int(torch.randint(len(able), (1,), generator=generator))]
            large = (sizes[partition] >= need).nonzero().flatten()
            ways = large[torch.randperm(len(large), generator=generator)[:num_ways]]
            for way in ways:
                members = (self.partitions[partition] == way).nonzero().flatten()
                places.append(members[torch.randperm(len(members), generator=generator)[:need]])
        x = self.images[torch.stack(places).view(num_tasks, num_ways, need)]
        halves = x.split([num_shots, num_queries], 2)
        y = torch.arange(num_ways).expand(num_tasks, -1)
        return Episodes(
            *(Examples(x.flatten(1, 2), y.repeat_interleave(x.shape[2], 1)) for x in halves)
        )


def principal(images: Tensor, num_components: int = 32) -> Tensor:
    """Each image's coordinates ``(M, num_components)`` along the principal axes, blurred first.

    Scaled to a variance of 1 each: thin lines that lie a pixel apart have then something in common.
    """
    checks.pixels(images, "images")
    checks.count(1, min(len(images), images[0].numel()), num_components=num_components)
    flat = F.avg_pool2d(images, 3, 2, 1).flatten(1)
    flat = flat - flat.mean(0)
    _, values, axes = torch.linalg.svd(flat, full_matrices=False)
    along = flat @ axes[:num_components].T
    return along / (values[:num_components] / len(flat) ** 0.5).clamp(min=1e-6)


def clusters(points: Tensor, num_clusters: int, num_partitions: int = 1, seed: int = 0) -> Tensor:
    """``(P, M)``: scikit-learn's k-means of ``points`` ``(M, D)``, each time on other scales.

    As in CACTUs every partition stretches the coordinates at random first, so that they differ.
    """
    from sklearn.cluster import MiniBatchKMeans

    checks.count(1, len(points), num_clusters=num_clusters)
    checks.count(num_partitions=num_partitions)
    generator = torch.Generator().manual_seed(seed)
    found = []
    for partition in range(num_partitions):
        scales = torch.rand(points.shape[1], generator=generator) if num_partitions > 1 else 1.0
        means = MiniBatchKMeans(num_clusters, n_init=1, random_state=seed + partition)
        found.append(torch.from_numpy(means.fit_predict((points * scales).numpy())).long())
    return torch.stack(found)
