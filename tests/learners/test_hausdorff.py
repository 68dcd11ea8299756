import torch

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.hausdorff import ModifiedHausdorff


def random_strokes(num_tasks: int, num: int, seed: int) -> torch.Tensor:
    """Images with ink near the middle, so that centring wraps nothing around an edge."""
    x = torch.zeros(num_tasks, num, 1, 28, 28)
    inner = torch.rand(num_tasks, num, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    x[..., 10:18, 9:17] = (inner > 0.7).float()
    return x


def by_definition(a: torch.Tensor, b: torch.Tensor) -> float:
    """Dubuisson & Jain's distance of two images, point by point."""
    points = []
    for image in (a, b):
        where = image[0].nonzero().float()
        points.append(where - (where.mean(0) - 14).round())
    between = torch.cdist(*points)
    return max(between.amin(1).mean(), between.amin(0).mean()).item()


def test_distances_are_those_of_the_definition():
    x, support = random_strokes(2, 3, 0), random_strokes(2, 4, 1)
    y = torch.tensor([[0, 1, 0, 1]] * 2)
    distances = ModifiedHausdorff().distances(x, Examples(support, y))
    expected = [
        [[by_definition(a, b) for b in support[task]] for a in x[task]] for task in range(2)
    ]
    torch.testing.assert_close(distances, torch.tensor(expected))


def test_moving_an_image_changes_nothing():
    x = random_strokes(1, 3, 0)
    moved = Examples(x.roll((4, -5), (-2, -1)), torch.tensor([[0, 1, 2]]))
    learner = ModifiedHausdorff()
    logits = learner.predict(learner.adapt(moved), x)
    assert logits.argmax(-1).tolist() == [[0, 1, 2]]
    torch.testing.assert_close(logits.diagonal(dim1=1, dim2=2), torch.zeros(1, 3))
