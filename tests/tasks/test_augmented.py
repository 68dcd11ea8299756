"""Few tasks and their augmentations: labels change places, images turn, and nothing else."""

import pytest
import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners import MAML, PrototypicalNetwork
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.augmented import FixedTasks, permute_labels, turn_tasks
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.sinusoids import Sinusoids


@pytest.fixture(scope="module")
def glyphs():
    return Glyphs(2, 12, 6, seed=3)


def test_fixed_tasks_share_no_character_and_keep_their_labels(glyphs, generator):
    tasks = FixedTasks(glyphs, 3, 5, generator())
    assert tasks.classes.unique().numel() == 15
    assert tasks.pool.num_characters == 15
    of_image = {
        image.numpy().tobytes(): number
        for number, drawings in enumerate(tasks.pool.images)
        for image in drawings
    }
    for half in tasks.sample(40, 2, 3, generator(1)):
        for x, y in zip(half.x, half.y, strict=True):
            pixels = (255 * x[:, 0]).round().to(torch.uint8).numpy()
            numbers = torch.tensor([of_image[image.tobytes()] for image in pixels])
            assert torch.equal(numbers % 5, y)  # its place in its task is its label
            assert (numbers // 5).unique().numel() == 1


def test_support_and_query_share_no_drawing(glyphs, generator):
    support, query = FixedTasks(glyphs, 2, 5, generator()).sample(10, 3, 3, generator(1))
    together = torch.cat([support.x, query.x], 1).flatten(2)
    for images in together:
        assert len(images.unique(dim=0)) == 30


def test_fixed_tasks_refuse_too_many(glyphs, generator):
    with pytest.raises(ValueError, match="num_tasks=5"):
        FixedTasks(glyphs, 5, 5, generator())
    with pytest.raises(ValueError, match="num_ways"):
        FixedTasks(glyphs, 1, 25, generator())
    with pytest.raises(ValueError, match="images_of_a_character=7"):
        FixedTasks(glyphs, 2, 5, generator()).sample(2, 4, 3, generator())


def test_permuted_labels_change_places_in_support_and_query_alike(glyphs, generator):
    before = glyphs.sample(200, 4, 2, 3, generator())
    after = permute_labels(before, generator(1))
    for was, now in zip(before, after, strict=True):
        assert now.x is was.x
    maps = set()
    for task in range(200):
        pairs = {
            (int(old), int(new))
            for was, now in zip(before, after, strict=True)
            for old, new in zip(was.y[task], now.y[task], strict=True)
        }
        assert len(pairs) == 4  # one new label for each old one …
        assert {new for _, new in pairs} == {0, 1, 2, 3}  # … and no two the same
        maps.add(tuple(sorted(pairs)))
    assert len(maps) == 24


def test_a_prototypical_network_does_not_care_and_maml_does(glyphs, generator):
    before = glyphs.sample(6, 5, 1, 3, generator())
    after = permute_labels(before, generator(1))
    embed, network = MLP(784, 16), MLP(784, 16, 5)
    protonet = PrototypicalNetwork(embed, embed.init(generator(2)))
    maml = MAML(network, network.init(generator(2)), 0.1, 1)
    found = {}
    for learner in (protonet, maml):
        (one, gradient), (two, other) = (learner.meta_gradient(e) for e in (before, after))
        apart = max((gradient[name] - other[name]).abs().max().item() for name in gradient)
        found[learner] = (one - two).abs().item(), apart
    assert max(found[protonet]) < 1e-5
    assert min(found[maml]) > 1e-3


def test_a_task_is_turned_as_a_whole(glyphs, generator):
    before = glyphs.sample(80, 3, 1, 2, generator())
    after = turn_tasks(before, generator(1))
    quarters = []
    for task in range(80):
        (turn,) = (
            k
            for k in range(4)
            if all(
                torch.equal(torch.rot90(was.x[task], k, (-2, -1)), now.x[task])
                for was, now in zip(before, after, strict=True)
            )
        )
        quarters.append(turn)
    assert set(quarters) == {0, 1, 2, 3}
    for was, now in zip(before, after, strict=True):
        assert torch.equal(was.y, now.y)


def test_what_has_no_labels_or_no_images_is_refused(generator):
    waves = Sinusoids().sample(2, 5, 5, generator=generator())
    with pytest.raises(ValueError, match=r"support\.y"):
        permute_labels(waves, generator())
    with pytest.raises(ValueError, match="x"):
        turn_tasks(waves, generator())
    half = Examples(torch.rand(1, 2, 1, 4, 4), torch.tensor([[0, 2]]))
    with pytest.raises(ValueError, match="classes"):
        permute_labels(Episodes(half, half), generator())
