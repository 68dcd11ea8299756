"""Samplers and splits, by properties: whatever the sizes, nothing leaks and nothing is favoured."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters import Characters

PROPERTIES = settings(max_examples=40)


def numbered(sizes: list[int], num_drawers: int) -> Characters:
    """Characters whose images tell where they come from.

    Pixel (0, 0) is the character's index, (0, 1) the drawer's, (0, 2) the alphabet's.
    """
    count = sum(sizes)
    images = torch.zeros(count, num_drawers, 28, 28, dtype=torch.uint8)
    alphabets = [f"A{index}" for index, size in enumerate(sizes) for _ in range(size)]
    images[:, :, 0, 0] = torch.arange(count).unsqueeze(1)
    images[:, :, 0, 1] = torch.arange(num_drawers)
    images[:, :, 0, 2] = torch.tensor([int(a[1:]) for a in alphabets]).unsqueeze(1)
    return Characters(images, alphabets, [f"c{i}" for i in range(count)], "numbered")


def read(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The character, drawer and alphabet of images (T, N, 1, 28, 28), each (T, N)."""
    return tuple((x[:, :, 0, 0, i] * 255).round().long() for i in range(3))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def chi_square(counts: torch.Tensor) -> float:
    """The statistic over its degrees of freedom: near 1 when all are equally likely."""
    expected = counts.double().mean()
    return (((counts - expected) ** 2 / expected).sum() / (counts.numel() - 1)).item()


alphabet_sizes = st.lists(st.integers(1, 9), min_size=1, max_size=5)


# Episodes


@PROPERTIES
@given(alphabet_sizes, st.integers(2, 6), st.integers(1, 4), st.booleans(), st.data())
def test_an_episode_is_what_was_asked_for(sizes, num_drawers, num_tasks, within, data):
    made = numbered(sizes, num_drawers)
    num_ways = data.draw(st.integers(1, max(sizes) if within else sum(sizes)))
    num_shots = data.draw(st.integers(1, num_drawers - 1))
    num_queries = data.draw(st.integers(1, num_drawers - num_shots))
    episodes = made.sample(
        num_tasks,
        num_ways,
        num_shots,
        num_queries,
        generator=seeded(data.draw(st.integers(0, 2**30))),
        within_alphabet=within,
    )
    for half, each in ((episodes.support, num_shots), (episodes.query, num_queries)):
        assert half.x.shape == (num_tasks, num_ways * each, 1, 28, 28)
        assert half.x.dtype == torch.float32
        assert half.y.dtype == torch.int64
        labels = torch.arange(num_ways).repeat_interleave(each)
        assert torch.equal(half.y, labels.expand(num_tasks, -1))

    support_class, support_drawer, alphabet = read(episodes.support.x)
    query_class, query_drawer, _ = read(episodes.query.x)
    for task in range(num_tasks):
        class_of = support_class[task, ::num_shots]
        assert class_of.unique().numel() == num_ways, "classes of a task differ"
        assert torch.equal(class_of[episodes.support.y[task]], support_class[task])
        assert torch.equal(class_of[episodes.query.y[task]], query_class[task])
        if within:
            assert alphabet[task].unique().numel() == 1
        support = set(zip(support_class[task].tolist(), support_drawer[task].tolist(), strict=True))
        query = set(zip(query_class[task].tolist(), query_drawer[task].tolist(), strict=True))
        assert not support & query, "support and query share an image"
        assert len(support) == num_ways * num_shots, "an image is there twice"
        assert len(query) == num_ways * num_queries


def test_the_generator_decides_everything():
    made = numbered([6, 7], 5)
    one, same = (made.sample(3, 4, 2, 2, generator=seeded(1)) for _ in range(2))
    other = made.sample(3, 4, 2, 2, generator=seeded(2))
    assert torch.equal(one.support.x, same.support.x)
    assert torch.equal(one.query.x, same.query.x)
    assert not torch.equal(one.support.x, other.support.x)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_each_character_is_as_likely_in_each_place(position):
    episodes = numbered([10, 10], 3).sample(6_000, 3, 1, 1, generator=seeded(0))
    chosen, _, _ = read(episodes.support.x)
    counts = chosen[:, position].bincount(minlength=20)
    assert chi_square(counts) < 2.1  # with 19 degrees of freedom: 1 in 300 by chance


def test_each_pair_of_drawers_is_as_likely():
    episodes = numbered([4], 5).sample(10_000, 1, 1, 1, generator=seeded(1))
    pairs = read(episodes.support.x)[1] * 5 + read(episodes.query.x)[1]
    counts = pairs.flatten().bincount(minlength=25).reshape(5, 5)
    assert counts.diagonal().sum() == 0
    assert chi_square(counts[~torch.eye(5, dtype=torch.bool)]) < 2.1


def test_alphabets_are_as_likely_however_large():
    made = numbered([4, 40, 12, 3], 2)
    episodes = made.sample(6_000, 4, 1, 1, generator=seeded(2), within_alphabet=True)
    chosen, _, alphabet = read(episodes.support.x)
    counts = alphabet[:, 0].bincount(minlength=4)
    assert counts[3] == 0, "three characters are too few for four ways"
    assert chi_square(counts[:3]) < 5
    in_largest = chosen[alphabet[:, 0] == 1].flatten()
    assert chi_square((in_largest - 4).bincount(minlength=40)) < 1.8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_ways": 30}, "num_ways=30 but this split has 22 characters; choose at most 22"),
        (
            {"num_ways": 13, "within_alphabet": True},
            "num_ways=13 but the largest alphabet of this split has 12 characters; .*at most 12",
        ),
        (
            {"num_shots": 4, "num_queries": 3},
            "num_shots=4 and num_queries=3 need 7 images .* there are 6; .*at most 6",
        ),
        ({"num_tasks": 0}, "num_tasks=0: choose 1 or more"),
        ({"num_ways": 0}, "num_ways=0: choose 1 or more"),
        ({"num_shots": 0}, "num_shots=0: choose 1 or more"),
        ({"num_shots": 1.5}, r"num_shots=1\.5: choose a whole number, 1 or more"),
        ({"num_tasks": 10**9}, "num_tasks=1000000000 × numbers_of_a_task=.* numbers at once"),
        ({"num_queries": -1}, "num_queries=-1: choose 1 or more"),
    ],
)
def test_what_cannot_be_sampled_is_told(arguments, message):
    asked = {"num_tasks": 2, "num_ways": 5, "num_shots": 1, "num_queries": 1, **arguments}
    with pytest.raises(ValueError, match=message):
        numbered([10, 12], 6).sample(**asked)


# Runs


@PROPERTIES
@given(alphabet_sizes, st.integers(2, 6), st.integers(0, 2**30))
def test_a_run_is_two_people_and_one_alphabet(sizes, num_drawers, seed):
    num_ways = max(sizes)
    made = numbered(sizes, num_drawers)
    runs = characters.make_runs(made, 5, generator=seeded(seed), num_ways=num_ways)
    support_class, support_drawer, support_alphabet = read(runs.support.x)
    query_class, query_drawer, _ = read(runs.query.x)
    assert torch.equal(support_class, query_class)
    assert torch.equal(runs.support.y, torch.arange(num_ways).expand(5, -1))
    assert torch.equal(runs.query.y, runs.support.y)
    for run in range(5):
        assert support_class[run].unique().numel() == num_ways
        assert support_alphabet[run].unique().numel() == 1
        (teacher,), (pupil,) = support_drawer[run].unique(), query_drawer[run].unique()
        assert teacher != pupil


def test_runs_leave_small_alphabets_out():
    runs = characters.make_runs(numbered([19, 20, 25], 3), 200, generator=seeded(0))
    assert runs.support.x.shape == (200, 20, 1, 28, 28)
    assert read(runs.support.x)[2].unique().tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"num_ways=20 but the largest alphabet .* 19 characters"):
        characters.make_runs(numbered([19, 5], 3), 1)
    with pytest.raises(ValueError, match="by 2 people"):
        characters.make_runs(numbered([20], 1), 1)
    with pytest.raises(ValueError, match="num_ways=0: choose 1 or more"):
        characters.make_runs(numbered([20], 3), 1, num_ways=0)


# Splits


def keys(part: Characters) -> set[tuple[str, str]]:
    """Which characters are in a part, whichever way they are turned."""
    bases = [alphabet.split("@")[0] for alphabet in part.alphabets]
    return set(zip(bases, part.names, strict=True))


@PROPERTIES
@given(
    st.lists(st.integers(2, 9), min_size=4, max_size=7),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**30),
)
def test_no_character_is_in_two_parts(sizes, rotated, by_alphabet, seed):
    made = numbered(sizes, 2)
    made = made.with_rotations() if rotated else made
    total = len(sizes) if by_alphabet else sum(sizes)
    parts = made.split((total - 3, 1, 2), generator=seeded(seed), by_alphabet=by_alphabet)
    assert sum(part.num_characters for part in parts) == made.num_characters
    seen = [keys(part) for part in parts]
    if by_alphabet:
        seen = [{alphabet for alphabet, _ in part} for part in seen]
    assert [len(part) for part in seen] == [total - 3, 1, 2]
    assert len(set.union(*seen)) == total
    for part in parts:  # what a part says of a character is still what its image shows
        for index, (alphabet, name) in enumerate(zip(part.alphabets, part.names, strict=True)):
            base, _, angle = alphabet.partition("@")
            upright = part.images[index, 0].rot90(-int(angle or 0) // 90)
            assert upright[0, 0] == int(name[1:])
            assert upright[0, 2] == int(base[1:])


def test_a_split_without_a_generator_is_always_the_same():
    made = numbered([20, 20], 2)
    first, second = made.split(), made.split()
    assert [part.names for part in first] == [part.names for part in second]
    assert [part.num_characters for part in first] == [28, 4, 8]
    other = made.split(generator=seeded(5))
    assert first[0].names != other[0].names


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((30, 10, 1), "need 41 characters; there are 40"),
        ((0.5, 0.1), "shares that sum to 1"),
        ((0.99, 0.01), "leave a part of 40 characters empty"),
        ((10, 0), "empty"),
        ((50, -20), "empty"),
        ((), "empty"),
        ((0.5, float("nan")), r"sizes\[1\]=nan: choose a finite number"),
    ],
)
def test_impossible_splits_are_told(sizes, message):
    with pytest.raises(ValueError, match=message):
        numbered([20, 20], 2).split(sizes)


def test_rotations_are_classes_of_their_own():
    made = numbered([2, 3], 2)
    turned = made.with_rotations()
    assert turned.num_characters == 20
    assert list(turned.alphabet_sizes)[:4] == ["A0", "A1", "A0@90", "A1@90"]
    upside_down = turned.select("A1@180")
    assert torch.equal(upside_down.images, made.select("A1").images.flip(2, 3))
    with pytest.raises(ValueError, match="rotated already"):
        turned.with_rotations()


def test_alphabets_are_selected_and_excluded():
    made = numbered([2, 3, 1], 2)
    assert made.select(["A2", "A0"]).names == ["c0", "c1", "c5"]
    assert made.exclude("A1").names == ["c0", "c1", "c5"]
    for choose in (made.select, made.exclude):
        with pytest.raises(ValueError, match="No alphabet Greek in numbered; it has A0, A1, A2"):
            choose(["Greek", "A0"])


def test_sets_are_joined_once():
    made = numbered([2, 3], 2)
    joined = characters.join(made.select("A1"), made.select("A0"))
    assert joined.names == ["c2", "c3", "c4", "c0", "c1"]
    with pytest.raises(ValueError, match="A0 would be there twice"):
        characters.join(made, made.select("A0"))
    with pytest.raises(ValueError, match="have 2 and 5 drawings of each character"):
        characters.join(made, numbered([1], 5))
    with pytest.raises(ValueError, match="no characters to join"):
        characters.join()


def test_white_paper_is_told():
    images = numbered([4], 3).images
    with pytest.warns(UserWarning, match="is their paper white"):
        Characters(255 - images, ["A"] * 4, list("abcd"), "inverted")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"images": [torch.zeros(3, 28, 28), torch.zeros(2, 28, 28)]},
            "images is a list: stack it .* all characters need as many drawings",
        ),
        ({"images": np.zeros((2, 3, 28, 28), np.uint8)}, "not a numpy array"),
        ({"images": torch.zeros(2, 0, 28, 28, dtype=torch.uint8)}, r"not .* \(2, 0, 28, 28\)"),
        ({"images": torch.zeros(2, 3, 28, 28)}, "uint8 .* not torch.float32"),
        ({"images": torch.zeros(2, 3, 32, 32, dtype=torch.uint8)}, r"not .* \(2, 3, 32, 32\)"),
        ({"names": ["c0"]}, "2 characters need as many"),
        ({"names": ["c0", "c0"]}, "share both alphabet and name"),
    ],
)
def test_malformed_sets_are_refused(change, message):
    good = {
        "images": torch.zeros(2, 3, 28, 28, dtype=torch.uint8),
        "alphabets": ["A", "A"],
        "names": ["c0", "c1"],
        "source": "test",
    }
    Characters(**good)
    with pytest.raises(ValueError, match=message):
        Characters(**{**good, **change})


def test_a_contact_sheet_shows_what_was_asked():
    figure = numbered([4], 5).contact_sheet(num_characters=3, num_drawers=2, title="Three")
    (axes,) = figure.axes
    (image,) = axes.images
    assert axes.get_title() == "Three"
    assert image.get_array().shape == (3 * 28, 2 * 28)
    assert image.get_array()[28, 0] == 255 - 1, "ink is dark; the second row is character 1"


def test_importing_characters_is_cheap():
    code = (
        "import sys, torch, metalearn_lite.episodes; before = set(sys.modules); "
        "import metalearn_lite.tasks.characters; new = set(sys.modules) - before; "
        "print(*(new & {'PIL', 'matplotlib', 'safetensors', 'tqdm', 'urllib.request'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
