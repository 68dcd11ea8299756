"""Your own images: what is read is what was written, and what cannot be used is said."""

import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from metalearn_lite import checkpoints, paths
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters import folders, pictures
from metalearn_lite.tasks.characters.archives import SOURCES, find_archive


def ink(seed: int, size=(28, 28)) -> np.ndarray:
    """A drawing: uint8, ink 255 on paper 0, whose edge is paper."""
    drawn = np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)
    drawn[[0, -1]] = drawn[:, [0, -1]] = 0
    drawn[size[0] // 2, size[1] // 2] = 255
    return drawn


def write(root, layout, make=None, suffix="png"):
    """Files below `root`: `layout` gives each folder its number of drawings."""
    seed = 0
    for folder, count in layout.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            seed += 1
            image = make(seed) if make else Image.fromarray(255 - ink(seed))
            image.save(root / folder / f"{number:02d}.{suffix}")
    return root


def only(root, image, **options):
    """The one drawing `image` as it is read, beside others of its kind."""
    write(root, {"a": 2, "b": 2})
    image.save(root / "a" / "00.png")
    return characters.from_folder(root, **options).images[0, 0].numpy()


# What is read


def test_images_of_28_pixels_come_back_as_they_were_written(tmp_path, capsys):
    write(tmp_path, {"b": 3, "a": 3})
    made = characters.from_folder(tmp_path)
    expected = np.stack([np.stack([ink(s) for s in seeds]) for seeds in ((4, 5, 6), (1, 2, 3))])
    np.testing.assert_array_equal(made.images.numpy(), expected)
    assert made.names == ["a", "b"]
    assert made.alphabets == [tmp_path.name] * 2
    assert made.images.dtype == torch.uint8
    assert made.source == f"images of {tmp_path.name}"
    said = capsys.readouterr().out
    assert said == "All drawings are dark ink on light paper.\n2 classes, 3 drawings each.\n"


@pytest.mark.slow
def test_an_unpacked_archive_of_omniglot_is_omniglot(tmp_path, capsys):
    archive = find_archive(SOURCES["small1"])
    if archive is None:
        pytest.skip(f"{SOURCES['small1'].file_name} is in none of {paths.data_folders()}")
    with zipfile.ZipFile(archive) as packed:
        names = [n for n in packed.namelist() if "/Greek/" in n or "/Latin/" in n]
        packed.extractall(tmp_path, names)
    made = characters.from_folder(tmp_path)
    real = characters.Omniglot("small1").select(["Greek", "Latin"])
    assert torch.equal(made.images, real.images)
    assert made.alphabets == real.alphabets
    assert made.names == real.names
    assert "50 classes in 2 alphabets, 20 drawings each." in capsys.readouterr().out
    first, second = (characters.make_runs(m, 3, torch.Generator().manual_seed(0)) for m in
                     (made, real))  # fmt: skip
    assert torch.equal(first.query.x, second.query.x)


@pytest.mark.slow
def test_digits_written_as_files_are_recognised(tmp_path, capsys):
    """Also a third of them as negatives: each is the image that its positive gives."""
    pixels, labels = load_digits(return_X_y=True)
    for name, every in (("plain", 10**9), ("mixed", 3)):
        for number, (row, digit) in enumerate(zip(pixels[:400], labels[:400], strict=True)):
            folder = tmp_path / name / str(digit)
            folder.mkdir(parents=True, exist_ok=True)
            grey = (row.reshape(8, 8) * 255 / 16).round().astype(np.uint8)
            negative = number % every == every - 1
            Image.fromarray(grey if negative else 255 - grey).save(folder / f"{number:03d}.png")
    plain, mixed = (characters.from_folder(tmp_path / name) for name in ("plain", "mixed"))
    assert (plain.images.int() - mixed.images.int()).abs().max() <= 1
    counts = np.bincount(labels[:400])
    assert plain.images.shape == (10, counts.min(), 28, 28)
    # Enlarged 7 times and averaged 2 by 2, but smoothly: the means of 3.5 × 3.5 pixels are near.
    coarse = torch.nn.functional.interpolate(plain.images.float(), (8, 8), mode="area") / 255
    first = [np.flatnonzero(labels[:400] == digit)[0] for digit in range(10)]
    written = torch.from_numpy(pixels[first].reshape(10, 8, 8) / 16)
    written = written / written.amax((1, 2), keepdim=True)
    assert (coarse[:, 0] - written).abs().mean() < 0.1
    said = capsys.readouterr().out
    assert "light ink on dark paper, judged by the shade along the edge of each" in said
    tasks = plain.sample(50, 5, 1, 5, torch.Generator().manual_seed(0))
    assert evaluate(PixelNearestNeighbour(), tasks).mean > 0.5
    for name in ("omniglot-prototypical", "omniglot-elastic"):
        learner = checkpoints.load(name)
        learner.all_symmetries = False  # quicker
        assert evaluate(learner, tasks.tasks(0, 10)).mean > 0.5


@pytest.mark.parametrize("size", [(56, 56), (84, 28), (28, 140), (105, 105), (33, 47)])
def test_any_size_keeps_its_proportions_and_its_ink(tmp_path, size):
    drawn = ink(7, size)
    read = only(tmp_path, Image.fromarray(255 - drawn)).astype(float) / 255
    side = max(size)
    square = np.zeros((side, side))
    top, left = (side - size[0]) // 2, (side - size[1]) // 2
    square[top : top + size[0], left : left + size[1]] = drawn / 255
    # Each pixel 28 times as large, so that a page's pixel is a whole number of them: the truth.
    fine = square.repeat(28, 0).repeat(28, 1)
    truth = fine.reshape(28, side, 28, side).mean((1, 3))
    odd = (side - size[0]) % 2 or (side - size[1]) % 2
    if not odd:
        np.testing.assert_allclose(read, truth, atol=0.5 / 255 + 1e-6)
    assert abs(read.mean() - truth.mean()) < 0.003


def test_huge_images_are_read_like_small_ones(tmp_path):
    small = ink(3)
    huge = Image.fromarray(255 - small).resize((2800, 2800), Image.Resampling.NEAREST)
    np.testing.assert_allclose(only(tmp_path, huge), small, atol=1)


def test_a_camera_that_was_turned(tmp_path):
    upright = Image.fromarray(255 - ink(5, (28, 20)))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    write(tmp_path, {"a": 2, "b": 2})
    upright.save(tmp_path / "b" / "00.png")
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a" / "00.png", exif=exif)
    made = characters.from_folder(tmp_path)
    assert torch.equal(made.images[0, 0], made.images[1, 0])


def kinds():
    drawn = ink(9)
    paper = 255 - drawn
    grey = Image.fromarray(paper)
    yield "grey", grey, 0
    yield "colour", grey.convert("RGB"), 0
    yield "palette", grey.convert("P"), 0
    yield "palette of colours", grey.convert("RGB").quantize(256), 6
    yield "16 bits", Image.fromarray(paper.astype(np.uint16) * 257), 0
    opaque = Image.merge("LA", (grey, Image.new("L", grey.size, 255)))
    yield "grey with alpha", opaque, 0
    black = Image.new("L", grey.size, 0)
    yield "black ink on nothing", Image.merge("LA", (black, Image.fromarray(drawn))), 0
    white = Image.new("RGB", grey.size, (255, 255, 255))
    yield "white ink on nothing", Image.merge("RGBA", (*white.split(), Image.fromarray(drawn))), 0


@pytest.mark.parametrize(
    ("kind", "image", "off"), list(kinds()), ids=lambda v: v if type(v) is str else ""
)
def test_every_kind_of_image_is_the_same_drawing(tmp_path, kind, image, off):
    np.testing.assert_allclose(only(tmp_path, image).astype(int), ink(9), atol=off)


def test_one_bit_and_jpeg(tmp_path):
    drawn = np.where(ink(2) > 128, 255, 0).astype(np.uint8)
    image = Image.fromarray(255 - drawn)
    np.testing.assert_array_equal(only(tmp_path / "bit", image.convert("1")), drawn)
    smooth = np.zeros((56, 56), np.uint8)
    smooth[12:44, 20:36] = 200
    folder = tmp_path / "jpeg"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for number, value in enumerate((200, 100)):
            sheet = Image.fromarray(255 - smooth // 200 * value)
            sheet.save(folder / name / f"{number}.JPEG", quality=95)
    read = characters.from_folder(folder).images[0].float() / 255
    expected = smooth.reshape(28, 2, 28, 2).mean((1, 3)) / 200  # stretched to full ink
    assert np.abs(read.numpy() - expected).max() < 0.05


# Ink and paper


def test_negatives_are_turned_round_and_told(tmp_path, capsys):
    made = characters.from_folder(
        write(tmp_path, {"a": 2, "b": 2}, lambda seed: Image.fromarray(ink(seed)))
    )
    np.testing.assert_array_equal(made.images[0, 1].numpy(), ink(2))
    said = capsys.readouterr().out
    assert said.startswith("All drawings are light ink on dark paper. Light ink is turned round")


def test_a_mixture_is_told_with_its_numbers(tmp_path, capsys):
    write(tmp_path, {"a": 3, "b": 3})
    Image.fromarray(ink(2)).save(tmp_path / "a" / "01.png")
    made = characters.from_folder(tmp_path)
    np.testing.assert_array_equal(made.images[0, 1].numpy(), ink(2))
    assert "5 drawings are dark ink on light paper, 1 light ink" in capsys.readouterr().out


def test_what_was_said_of_the_ink_is_believed(tmp_path, capsys):
    write(tmp_path, {"a": 2, "b": 2})
    made = characters.from_folder(tmp_path, ink="light")
    np.testing.assert_array_equal(made.images[0, 0].numpy(), 255 - ink(1))
    assert "Taken as light ink on dark paper, as you said." in capsys.readouterr().out


def test_an_edge_that_does_not_tell_follows_the_others(tmp_path, capsys):
    write(tmp_path, {"a": 3, "b": 3})
    unclear = 255 - ink(1)
    unclear[[0, -1]] = unclear[:, [0, -1]] = 128
    Image.fromarray(unclear).save(tmp_path / "a" / "00.png")
    made = characters.from_folder(tmp_path)
    low, high = int(unclear.min()), int(unclear.max())
    expected = (high - unclear.astype(float)) / (high - low) * 255
    np.testing.assert_allclose(made.images[0, 0].numpy(), expected, atol=0.51)
    assert "Of 1 the edge does not tell: taken as most are." in capsys.readouterr().out


def test_grey_paper_and_pencil_are_stretched(tmp_path):
    drawn = ink(4)
    pencil = 200 - (drawn * (90 / 255)).round().astype(np.uint8)
    np.testing.assert_allclose(only(tmp_path, Image.fromarray(pencil)), drawn, atol=2)


def test_a_fine_pen_is_darkened_and_told(tmp_path, capsys):
    def hair(seed):
        sheet = np.full((560, 560), 255, np.uint8)
        sheet[100:400, 280 + 3 * seed] = 0
        return Image.fromarray(sheet)

    made = characters.from_folder(write(tmp_path, {"a": 2, "b": 2}, hair))
    assert made.images.amax((2, 3)).unique().tolist() == [255]
    assert "left it pale: 4 drawings, darkened" in capsys.readouterr().out


def test_a_small_drawing_is_told_and_framed_cuts_it_out(tmp_path, capsys):
    def corner(seed):
        sheet = np.full((300, 400), 255, np.uint8)
        sheet[20:56, 310:328] = 0
        sheet[20 + seed, 312] = 99
        return Image.fromarray(sheet)

    write(tmp_path, {"a": 2, "b": 2}, corner)
    characters.from_folder(tmp_path)
    assert "framed=True would cut off the empty paper" in capsys.readouterr().out
    made = characters.from_folder(tmp_path, framed=True)
    assert "framed=True" not in capsys.readouterr().out
    expected = np.zeros((28, 28))
    expected[5:23, 9:18] = 1  # 18 of 28 pixels high, half as wide, in the middle
    expected[5:23, 9], expected[5:23, 18] = 0.5, 0.5
    assert np.abs(made.images[0, 0].numpy() / 255 - expected).mean() < 0.005


# Folders


def test_alphabets_of_characters_and_classes_side_by_side(tmp_path, capsys):
    layout = {"Runes/r2": 2, "Runes/r1": 2, "Marks/m1": 2, "sun": 2}
    made = characters.from_folder(write(tmp_path, layout))
    top = tmp_path.name
    assert list(zip(made.alphabets, made.names, strict=True)) == [
        ("Marks", "m1"),
        ("Runes", "r1"),
        ("Runes", "r2"),
        (top, "sun"),
    ]
    assert "4 classes in 3 alphabets, 2 drawings each." in capsys.readouterr().out


def test_a_folder_around_the_folder_of_classes_is_looked_through(tmp_path):
    write(tmp_path / "download" / "images", {"a": 2, "b": 2})
    made = characters.from_folder(tmp_path)
    assert made.names == ["a", "b"]
    assert made.alphabet_sizes == {"images": 2}


def test_unequal_numbers_are_told(tmp_path, capsys):
    write(tmp_path, {"a": 9, "b": 3, "c": 8, "d": 1})
    made = characters.from_folder(tmp_path)
    said = capsys.readouterr().out
    assert made.images.shape[:2] == (3, 3)
    np.testing.assert_array_equal(made.images[0, 2].numpy(), ink(3))
    assert "1 class has fewer than 2 drawings and cannot take part: d (1)." in said
    assert "They have 3 to 9; each gives its first 3, as many as 'b' has, and 11 of 20 go" in said
    assert "num_drawings=8 would use more drawings, and leave out 1 class." in said
    made = characters.from_folder(tmp_path, num_drawings=8)
    said = capsys.readouterr().out
    assert made.names == ["a", "c"]
    assert made.num_drawers == 8
    assert "2 classes have fewer than 8 drawings and cannot take part: b (3), d (1)." in said


def test_what_cannot_be_used_is_named_in_a_sentence(tmp_path, capsys):
    write(tmp_path, {"a": 3, "b": 3, "Deep/c/d": 2, "Deep/e": 2})
    folder = tmp_path / "a"
    whole = (folder / "00.png").read_bytes()
    (folder / "notes.txt").write_text("not an image")
    (folder / "empty.png").write_bytes(b"")
    (folder / "half.png").write_bytes(whole[: len(whole) // 2])
    Image.new("L", (28, 28), 255).save(folder / "blank.png")
    Image.new("RGBA", (28, 28), (0, 0, 0, 0)).save(folder / "clear.png")
    Image.fromarray(ink(1)).save(folder / "old.gif")
    (folder / "twin.png").write_bytes(whole)
    Image.fromarray(ink(1)).save(tmp_path / "lost.png")
    for hidden in (".DS_Store", "Thumbs.db", ".hidden.png"):
        (folder / hidden).write_bytes(b"junk")
    (tmp_path / ".git").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    made = characters.from_folder(tmp_path)
    said = capsys.readouterr().out
    assert made.names == ["e", "a", "b"]
    assert made.images.shape[1] == 2
    lines = said.splitlines()
    no_image = "no PNG or JPEG; save it as one, or take it away."
    assert f"Left out: a/empty.png, a/notes.txt, a/old.gif: {no_image}" in lines
    assert "Left out: a/half.png: damaged; save it once more." in lines
    assert "Left out: a/blank.png, a/clear.png: all of one shade; it shows nothing." in lines
    assert "Left out: a/twin.png: a copy of another file of its class." in lines
    assert any("lost.png: it lies beside the folders of classes" in line for line in lines)
    assert any("Deep/c/d: folders so deep are not looked into" in line for line in lines)
    for hidden in ("DS_Store", "Thumbs", "hidden", "git", "MACOSX", "Traceback"):
        assert hidden not in said


def test_many_are_counted_and_not_all_named(tmp_path, capsys):
    write(tmp_path, {"a": 2, "b": 2})
    for number in range(9):
        (tmp_path / "a" / f"{number}.txt").write_text("x")
    characters.from_folder(tmp_path)
    assert "Left out: a/0.txt, a/1.txt, a/2.txt and 6 more: no PNG" in capsys.readouterr().out


def test_links_lead_nowhere(tmp_path, capsys):
    write(tmp_path / "secret", {"a": 3})
    root = write(tmp_path / "mine", {"a": 2, "b": 2})
    try:
        (root / "c").symlink_to(tmp_path / "secret" / "a", target_is_directory=True)
        (root / "a" / "zz.png").symlink_to(tmp_path / "secret" / "a" / "02.png")
        (root / "loop").symlink_to(root, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    made = characters.from_folder(root)
    assert made.names == ["a", "b"]
    assert made.num_drawers == 2
    said = capsys.readouterr().out
    assert "mine/c, mine/loop, a/zz.png: links are not followed: copy what they lead to." in said


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_on(tmp_path, capsys):
    write(tmp_path, {"a": 2, "b": 2})
    os.mkfifo(tmp_path / "a" / "pipe.png")
    assert characters.from_folder(tmp_path).num_drawers == 2
    assert "a/pipe.png: neither a file nor a folder." in capsys.readouterr().out


def test_an_image_of_billions_of_pixels_is_not_unpacked(tmp_path, capsys):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    write(tmp_path, {"a": 2, "b": 2})
    for name, side in (("bomb", 60_000), ("large", 9_000)):
        header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        whole = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
        (tmp_path / "a" / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + whole)
    characters.from_folder(tmp_path)
    assert (
        "a/bomb.png, a/large.png: above 64 megapixels; make it smaller." in capsys.readouterr().out
    )


# What is refused


@pytest.mark.parametrize("path", [None, "", " ", 3])
def test_no_path_is_refused(path):
    with pytest.raises(ValueError, match="give the folder of your images"):
        characters.from_folder(path)


def test_where_there_is_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere: check"):
        characters.from_folder(tmp_path / "nowhere")
    (tmp_path / "file.png").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"file\.png is no folder: give the folder that holds"):
        characters.from_folder(tmp_path / "file.png")
    for odd in ("~nobody-of-this-name/x", "a\0b"):
        with pytest.raises((ValueError, FileNotFoundError), match="folder"):
            characters.from_folder(odd)


def test_too_little_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(ValueError, match="no folders of classes, nor anything that could be one"):
        characters.from_folder(tmp_path)
    write(tmp_path, {".": 1})
    with pytest.raises(ValueError, match="no folders of classes, only 1 file: put the images of"):
        characters.from_folder(tmp_path)
    write(tmp_path, {".": 3})
    with pytest.raises(ValueError, match="no folders of classes, only 3 files: put the images of"):
        characters.from_folder(tmp_path)
    write(tmp_path, {"a": 3, "b": 1})
    with pytest.raises(ValueError, match=r"has 1 class of 2 or more .* Too few are in: b \(1\)"):
        characters.from_folder(tmp_path)
    write(tmp_path, {"b": 3})
    with pytest.raises(
        ValueError, match=r"0 classes of 7 or more .* choose a smaller num_drawings"
    ):
        characters.from_folder(tmp_path, num_drawings=7)


def test_settings_that_cannot_be_are_refused(tmp_path):
    write(tmp_path, {"a": 2, "b": 2})
    for options in ({"ink": "black"}, {"framed": 1}, {"num_drawings": 1}, {"num_drawings": 2.5}):
        with pytest.raises(ValueError, match=next(iter(options))):
            characters.from_folder(tmp_path, **options)
    (tmp_path / "up@90" / "c").mkdir(parents=True)
    with pytest.raises(ValueError, match="'up@90' has an @ in its name"):
        characters.from_folder(tmp_path)


def test_a_folder_of_everything_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "MOST_DRAWINGS", 5)
    with pytest.raises(ValueError, match="holds 6 files or more: choose a folder of at most 5"):
        characters.from_folder(write(tmp_path, {"a": 3, "b": 3, "c": 3}))


def test_too_few_for_a_split_or_an_episode_is_said_there(tmp_path):
    made = characters.from_folder(write(tmp_path, {"a": 3, "b": 3, "c": 3}))
    with pytest.raises(ValueError, match=r"of 3 characters empty: .* as \(1, 1, 1\)"):
        made.split((0.8, 0.1, 0.1))
    with pytest.raises(ValueError, match="num_ways=5 but this split has 3 characters; choose at"):
        made.sample(2, 5, 1, 1)
    with pytest.raises(ValueError, match="there are 3; choose a sum of at most 3"):
        made.sample(2, 3, 1, 5)
    with pytest.raises(ValueError, match="3 parts need 3 characters or more"):
        made.take([0, 1]).split()
    train, validation, test = made.split((1, 1, 1))
    assert sorted(train.names + validation.names + test.names) == ["a", "b", "c"]


def test_names_that_are_no_text_are_shown_all_the_same(tmp_path, capsys):
    root = write(tmp_path, {"a": 2, "b": 2})
    try:
        os.mkdir(os.fsencode(root) + b"/c\xff")
    except OSError:
        pytest.skip("this disk takes only text")
    write(root, {os.fsdecode(b"c\xff"): 2})
    (root / "a" / "two\nlines.txt").write_text("x")
    made = characters.from_folder(root)
    assert made.names == ["a", "b", "c�"]
    assert "a/two�lines.txt" in capsys.readouterr().out


def test_a_folder_that_may_not_be_looked_into_is_named(tmp_path, monkeypatch, capsys):
    root, scan = write(tmp_path, {"a": 2, "b": 2, "c": 2}), os.scandir

    def refusing(path):
        if path.name == "b" or path == locked:
            raise PermissionError(13, "Permission denied")
        return scan(path)

    locked = None
    monkeypatch.setattr(folders.os, "scandir", refusing)
    assert characters.from_folder(root).names == ["a", "c"]
    assert "Left out: b/: it cannot be looked into (Permission denied)." in capsys.readouterr().out
    locked = root
    with pytest.raises(ValueError, match=r"only what cannot be used \(it cannot be looked into"):
        characters.from_folder(root)


def test_the_order_is_that_of_the_names_on_any_disk(tmp_path, monkeypatch):
    root = write(tmp_path, {"b": 3, "a": 3})
    first = characters.from_folder(root).images
    scan = os.scandir
    monkeypatch.setattr(folders.os, "scandir", lambda path: reversed(list(scan(path))))
    assert torch.equal(characters.from_folder(root).images, first)


def test_a_page_takes_the_mean_of_each_area():
    page = pictures.page_of(np.ones((10, 30)))
    np.testing.assert_allclose(page.sum(), 28 * 28 / 3)
    np.testing.assert_allclose(page[14], 1)
    np.testing.assert_allclose(page[:9], 0)
