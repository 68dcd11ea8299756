"""No image of the official challenge is in what a shipped learner was trained on.

The runs do not say which alphabets they are of, and the alphabets of the minimal sets have no such
names to compare with: `all_runs.zip` holds numbers only. So it is the images that are compared,
pixel by pixel, as they were drawn (105 x 105) and as a learner sees them (28 x 28).
"""

import hashlib
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.characters.archives import SOURCES, find_archive, read_image_set

SETS = ("small1", "small2")
ARCHIVES = {name: find_archive(SOURCES[name]) for name in (*SETS, "runs")}
needs_all = pytest.mark.skipif(
    None in ARCHIVES.values(),
    reason="needs all_runs.zip and both minimal sets of Omniglot in a data folder; not here: "
    + ", ".join(name for name, path in ARCHIVES.items() if path is None),
)


def digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def drawings(path: Path) -> set[str]:
    """The hashes of all bitmaps in an archive, whatever they are called."""
    found = set()
    with ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith(".png") and "__MACOSX" not in member:
                with archive.open(member) as file, Image.open(file) as image:
                    found.add(digest(np.asarray(image.convert("1"))))
    return found


def seen(images) -> set[str]:
    """The hashes of images (…, 28, 28) as uint8."""
    return {digest(image) for image in images.reshape(-1, 28, 28).numpy()}


def seen_in_runs(path: Path) -> set[str]:
    support, query = characters.challenge_runs(path)
    return seen((255 * support.x).round().byte()) | seen((255 * query.x).round().byte())


@needs_all
def test_no_drawing_of_the_runs_is_in_a_minimal_set():
    runs = drawings(ARCHIVES["runs"])
    assert len(runs) == 800  # 20 runs of 20 characters by two people each, no two alike
    for name, size in zip(SETS, (2720, 3120), strict=True):
        minimal = drawings(ARCHIVES[name])
        assert len(minimal) == size
        assert not runs & minimal


@needs_all
def test_no_image_of_the_runs_as_learners_see_it_is_in_a_minimal_set():
    runs = seen_in_runs(ARCHIVES["runs"])
    assert len(runs) == 800
    for name in SETS:
        minimal = characters.Omniglot(name, download=False)
        images = seen(minimal.images)
        assert len(images) > 0.99 * minimal.images[:, :, 0, 0].numel()
        assert not runs & images


def test_a_drawing_that_is_in_both_is_found(tmp_path, archives):
    """The two ways of comparing, on archives that do share drawings."""
    runs, images = tmp_path / "all_runs.zip", tmp_path / "images.zip"
    runs.write_bytes(archives.zipped(archives.runs()))
    images.write_bytes(archives.zipped(archives.image_set()))
    assert drawings(runs) & drawings(images)
    assert seen_in_runs(runs) & seen(read_image_set(images)[0])
    assert not seen_in_runs(runs) & seen(Glyphs(1, 20, 2).images)
