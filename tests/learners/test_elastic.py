"""Elastic prototypes against a slow loop, a plain cosine, and drawings that moved."""

import pytest
import torch
from torch.nn import functional as F
from truths import generator

from metalearn_lite.images import symmetric_versions
from metalearn_lite.learners.elastic import PICKINESS, ElasticPrototypes, find_parts, match
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvNet
from metalearn_lite.tasks.characters import Glyphs

NETWORK = ConvNet((8, 8, 8), "group")


def maps(num: int, seed: int) -> torch.Tensor:
    flat = F.normalize(torch.randn(2, 1, num, 3 * 16, generator=generator(seed)), dim=-1)
    return flat.unflatten(3, (3, 4, 4))


def parameters():
    """As after some training: the reader has its say."""
    params = ElasticPrototypes.init(NETWORK, generator(1))
    weight = 0.3 * torch.randn(params["reader_weight3"].shape, generator=generator(5))
    return params | {"reader_weight3": weight}


def episodes():
    return Glyphs(2, 8, 6, seed=1).sample(3, 4, 2, 2, generator(2))


def test_parts_are_found_as_by_a_slow_loop():
    some, others = maps(2, 0), maps(3, 1)
    found = find_parts(match(some, others))
    assert found.shape == (2, 1, 2, 3)
    for task in range(2):
        for n in range(2):
            for m in range(3):
                total, other = 0.0, F.pad(others[task, 0, m], (1, 1, 1, 1))
                for row in range(4):
                    for column in range(4):
                        here = some[task, 0, n, :, row, column]
                        near = other[:, row : row + 3, column : column + 3].flatten(1)
                        dots = here @ near
                        total += (torch.softmax(PICKINESS * 16 * dots, 0) * dots).sum()
                torch.testing.assert_close(found[task, 0, n, m], total)


def test_a_part_that_moved_by_one_place_is_still_found():
    drawing = torch.zeros(1, 1, 1, 2, 7, 7)
    drawing[..., 0, 2:5, 2] = drawing[..., 1, 3, 3:5] = 1
    drawing /= drawing.norm()
    moved = drawing.roll((1, 1), (-2, -1))
    apart = drawing.roll((3, 0), (-2, -1))
    same, near, far = (find_parts(match(drawing, x)).item() for x in (drawing, moved, apart))
    assert near > 0.9 * same
    assert far < 0.3 * same
    assert (drawing * moved).sum() < 0.3  # a plain cosine loses it


@pytest.mark.parametrize("symmetries", [False, True])
def test_logits_are_those_of_single_comparisons(symmetries):
    params, (support, query) = parameters(), episodes()
    learner = ElasticPrototypes(NETWORK, params, all_symmetries=symmetries)
    logits = learner.predict(learner.adapt(support), query.x)
    assert logits.shape == (3, 8, 4)
    plain = ElasticPrototypes(NETWORK, params)
    versions = symmetric_versions(query.x) if symmetries else [query.x]
    turned = symmetric_versions(support.x) if symmetries else [support.x]
    each = [
        plain.predict(plain.adapt(support._replace(x=s)), q)
        for s, q in zip(turned, versions, strict=True)
    ]
    torch.testing.assert_close(logits, torch.stack(each).mean(0), rtol=1e-3, atol=1e-3)


def test_the_reader_sees_each_pair_as_by_a_slow_loop():
    learner, some, others = ElasticPrototypes(NETWORK, parameters()), maps(2, 0), maps(3, 1)
    judged = learner.read(match(some, others), some, others)
    assert judged.shape == (2, 1, 2, 3)
    weight = {i: learner.params[f"reader_weight{i}"].unflatten(1, (-1, 3, 3)) for i in (1, 2)}
    for task in range(2):
        for n in range(2):
            for m in range(3):
                a, b = some[task, 0, n], F.pad(others[task, 0, m], (1, 1, 1, 1))
                shifted = [b[:, r : r + 4, c : c + 4] for r in range(3) for c in range(3)]
                seen = [(a * s).sum(0) for s in shifted] + [
                    (a * a).sum(0),
                    (shifted[4] ** 2).sum(0),
                ]
                seen = 16 * torch.stack(seen)[None]
                for i in (1, 2):
                    bias = learner.params[f"reader_bias{i}"]
                    seen = F.conv2d(seen, weight[i], bias, padding=1).relu()
                expected = seen.mean((2, 3)) @ learner.params["reader_weight3"].mT
                torch.testing.assert_close(judged[task, 0, n, m], expected[0, 0])


def test_a_new_reader_says_nothing_yet():
    params, (support, query) = ElasticPrototypes.init(NETWORK, generator(1)), episodes()
    learner = ElasticPrototypes(NETWORK, params)
    logits = learner.predict(learner.adapt(support), query.x)
    maps = [learner.maps(points) for points in (learner.embed(query.x), learner.adapt(support))]
    there, back = find_parts(match(*maps)), find_parts(match(*reversed(maps)))
    torch.testing.assert_close(logits, 20 * (there + back.mT).mean(1) / 2)


def test_it_is_symmetric_and_a_drawing_is_most_like_itself():
    x = episodes().support.x
    learner = ElasticPrototypes(NETWORK, parameters())
    points = learner.embed(x)
    table = learner.compare(points, points)
    torch.testing.assert_close(table, table.transpose(1, 2))
    assert (table.argmax(2) == torch.arange(x.shape[1])).all()


def test_it_learns_through_the_comparison():
    """A step along the meta-gradient lowers the meta-loss, and it is not the plain network's."""
    params = parameters()
    learner = ElasticPrototypes(NETWORK, params)
    before, gradient = learner.meta_gradient(episodes())
    with torch.no_grad():
        for name, value in learner.params.items():
            value -= 0.01 * gradient[name]
    assert learner.meta_loss(episodes()) < before
    plain = PrototypicalNetwork(NETWORK, NETWORK.init(generator(1)), "cosine", 20.0)
    assert not torch.allclose(plain.meta_gradient(episodes())[1]["weight1"], gradient["weight1"])
