"""Finding, reading and caching Omniglot, on a tiny archive and, where it is, on the real one."""

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest
import torch

from metalearn_lite import paths
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters import ArchiveError, Omniglot, loading
from metalearn_lite.tasks.characters.archives import SOURCES, find_archive, read_image_set
from metalearn_lite.tasks.characters.cache import read_cache

REAL = Path(os.environ.get("METALEARN_LITE_DATA", "/nowhere"))
real = pytest.mark.skipif(
    not (REAL / "images_background_small1.zip").is_file(),
    reason="METALEARN_LITE_DATA does not name a folder with Omniglot's small sets",
)


def put(folder: Path, name: str, body: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SOURCES[name].file_name
    path.write_bytes(body)
    return path


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.name.startswith(".")]


# Finding


def test_the_named_folder_comes_before_data_before_a_download(
    no_folders, monkeypatch, publish, server, archives
):
    body = publish("small1", archives.image_set())
    named = no_folders / "named"
    monkeypatch.setenv("METALEARN_LITE_DATA", str(named))
    source = SOURCES["small1"]
    in_data = put(no_folders / "data", "small1", body)
    assert find_archive(source) == in_data
    in_named = put(named, "small1", body)
    assert find_archive(source) == in_named
    Omniglot("small1", base_url=server.url)
    assert server.requests == []


def test_a_download_is_kept(no_folders, publish, server, archives):
    body = publish("small1", archives.image_set())
    for _ in range(2):
        assert Omniglot("small1", base_url=server.url).num_characters == 7
    assert server.requests == ["/images_background_small1.zip"]
    assert (no_folders / "data" / "images_background_small1.zip").read_bytes() == body


def test_a_folder_given_is_the_only_one(no_folders, publish, server, archives):
    put(no_folders / "data", "small1", publish("small1", archives.image_set()))
    with pytest.raises(FileNotFoundError, match=r"is not in .*elsewhere; put it there"):
        Omniglot("small1", download=False, data=no_folders / "elsewhere")
    Omniglot("small1", data=no_folders / "elsewhere", base_url=server.url)
    assert (no_folders / "elsewhere" / "images_background_small1.zip").is_file()


def test_a_file_that_is_another_is_refused(no_folders, publish, archives):
    publish("small1", archives.image_set())
    path = put(no_folders / "data", "small1", b"another")
    with pytest.raises(ArchiveError, match=r"sha256 checksum is .*Delete or replace it"):
        Omniglot("small1")
    assert path.is_file()


def test_a_read_only_data_folder_is_passed_over(no_folders, monkeypatch, publish, server, archives):
    publish("small1", archives.image_set())
    (no_folders / "data").write_text("not a folder, so nothing can be written below it")
    monkeypatch.setenv("METALEARN_LITE_DATA", str(no_folders / "data" / "below"))
    assert Omniglot("small1", base_url=server.url).num_characters == 7
    assert (paths.user_folder() / "images_background_small1.zip").is_file()


def test_nowhere_to_write_is_told(no_folders, monkeypatch, publish, server, archives):
    publish("small1", archives.image_set())
    (no_folders / "data").write_text("")
    (no_folders / "user").write_text("")
    with pytest.raises(characters.DownloadError, match="set METALEARN_LITE_DATA to a folder"):
        Omniglot("small1", base_url=server.url)
    assert server.requests == []


def test_an_unknown_set_is_named():
    with pytest.raises(ValueError, match="No Omniglot set 'small3'; choose from small1, small2"):
        Omniglot("small3")


def test_the_table_has_the_published_archives():
    assert set(SOURCES) == {"small1", "small2", "background", "evaluation", "runs"}
    for source in SOURCES.values():
        assert len(source.checksum) == 2 * hashlib.new(source.algorithm).digest_size


# Reading


def test_images_are_where_their_names_say(no_folders, publish, server, archives):
    publish("small1", archives.image_set({"Beta": 2, "Alpha": 1}, num_drawers=4))
    loaded = Omniglot("small1", base_url=server.url)
    assert loaded.alphabets == ["Alpha", "Beta", "Beta"]
    assert loaded.names == ["character01", "character01", "character02"]
    assert loaded.images.shape == (3, 4, 28, 28)
    assert loaded.images.dtype == torch.uint8
    assert loaded.source == "Omniglot small1"


def test_ink_is_one_and_its_amount_is_kept(tmp_path, archives):
    from PIL import Image

    path = tmp_path / "set.zip"
    path.write_bytes(archives.zipped(archives.image_set({"Alpha": 1}, num_drawers=1)))
    images, _, _ = read_image_set(path)
    with Image.open(io.BytesIO(archives.png(21))) as drawing:
        ink = 1 - sum(drawing.convert("L").tobytes()) / 255 / 105**2
    assert images.float().mean().item() / 255 == pytest.approx(ink, rel=0.005)
    assert images[0, 0, 0].max() == 0
    assert set(images.unique().tolist()) - {0, 255}, "edges are anti-aliased"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("images/../../evil.png", "unsafe path"),
        ("/etc/evil.png", "unsafe path"),
        ("images\\..\\evil.png", "unsafe path"),
        ("C:/evil.png", "unsafe path"),
        ("images/Alpha/notes.txt", "is no drawing"),
        ("images/Alpha/character01/0001_99.png", "Alpha character02 has 3 drawings"),
        ("other/Alpha/character01/0001_01.png", "two drawings of Alpha character01 by 01"),
    ],
)
def test_a_strange_member_is_refused(tmp_path, archives, name, message):
    path = tmp_path / "set.zip"
    path.write_bytes(archives.zipped({**archives.image_set(), name: archives.png(1)}))
    with pytest.raises(ArchiveError, match=message):
        read_image_set(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no picture", "no readable PNG"),
        (b"\x00" * 200_000, "too large: 200,000 bytes"),
        ("small", "20 x 30 pixels, not 105 x 105"),
        ("cut", "no readable PNG"),
    ],
)
def test_a_strange_image_is_refused(tmp_path, archives, content, message):
    if content == "small":
        content = archives.png(1, size=(20, 30))
    elif content == "cut":
        content = archives.png(1)[:60]
    path = tmp_path / "set.zip"
    members = {**archives.image_set(), "images/Alpha/character01/0001_01.png": content}
    path.write_bytes(archives.zipped(members))
    with pytest.raises(ArchiveError, match=message):
        read_image_set(path)


def test_a_damaged_archive_is_told(tmp_path, archives):
    body = bytearray(archives.zipped(archives.image_set()))
    path = tmp_path / "set.zip"
    for damaged in (body[:-30], b"", body[:60] + b"\xff" * 40 + body[100:]):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveError, match=r"damaged|cannot be read"):
            read_image_set(path)


def test_an_empty_archive_is_no_image_set(tmp_path, archives):
    path = tmp_path / "set.zip"
    path.write_bytes(archives.zipped({}))
    with pytest.raises(ArchiveError, match="holds no drawings"):
        read_image_set(path)


# Caching


def test_a_cache_gives_the_same_characters(no_folders, publish, server, archives, monkeypatch):
    publish("small1", archives.image_set())
    first = Omniglot("small1", base_url=server.url)
    monkeypatch.setattr("metalearn_lite.tasks.characters.omniglot.read_image_set", None)
    second = Omniglot("small1", base_url=server.url)
    assert torch.equal(first.images, second.images)
    assert (first.alphabets, first.names) == (second.alphabets, second.names)
    assert left_over(no_folders) == []


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:-9], lambda b: b[:-9] + b"x" * 9])
def test_a_damaged_cache_is_made_again(no_folders, publish, server, archives, damage):
    publish("small1", archives.image_set())
    first = Omniglot("small1", base_url=server.url)
    (cache,) = (no_folders / "data" / "cache").iterdir()
    whole = cache.read_bytes()
    cache.write_bytes(damage(whole))
    assert torch.equal(Omniglot("small1", base_url=server.url).images, first.images)
    assert cache.read_bytes() == whole


def test_another_archive_has_another_cache(no_folders, publish, server, archives):
    publish("small1", archives.image_set({"Alpha": 2}))
    assert Omniglot("small1", data=no_folders / "a", base_url=server.url).num_characters == 2
    publish("small1", archives.image_set({"Alpha": 3}))
    assert Omniglot("small1", data=no_folders / "b", base_url=server.url).num_characters == 3


def test_without_a_cache_it_still_loads(no_folders, publish, server, archives):
    body = publish("small1", archives.image_set())
    (no_folders / "data").write_text("")
    (no_folders / "user").write_text("")
    put(no_folders / "named", "small1", body)
    assert paths.cache_folder() is None
    assert Omniglot("small1", data=no_folders / "named").num_characters == 7


# Falling back


@pytest.mark.parametrize("fault", ["404", "500", "truncated", "wrong", "refused"])
def test_every_fault_ends_in_glyphs_and_one_sentence(
    no_folders, publish, server, archives, fault, monkeypatch, capsys
):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    publish("small1", archives.image_set())
    server.faults = [fault] * 3
    if fault == "404":
        server.faults, server.files = [], {}
    url = "http://127.0.0.1:1/" if fault == "refused" else server.url
    monkeypatch.setitem(loading.STAND_INS, "small1", (2, 3))
    loaded = characters.load("small1", base_url=url)
    said = capsys.readouterr().out
    assert loaded.source == "Glyphs"
    assert list(loaded.alphabet_sizes.values()) == [2, 3]
    assert said.count("\n") == 1
    assert "Omniglot small1 is not available" in said
    assert "Glyphs" in said
    kept = [path for path in no_folders.rglob("*") if path.is_file()]
    assert kept == []


def test_a_download_that_is_there_says_nothing(no_folders, publish, server, archives, capsys):
    publish("small1", archives.image_set())
    assert characters.load("small1", base_url=server.url).source == "Omniglot small1"
    assert capsys.readouterr().out == ""


def test_a_split_falls_back_too(no_folders, monkeypatch, capsys):
    for name in ("small1", "small2"):
        monkeypatch.setitem(loading.STAND_INS, name, (2, 2, 2, 2, 2))
    parts = characters.load_split("small1", download=False)
    assert [part.source for part in parts] == ["Glyphs"] * 3
    assert_nothing_shared(parts)
    assert [part.num_characters for part in parts] == [8, 2, 10]
    assert "split is not available" in capsys.readouterr().out


def test_a_misspelt_name_does_not_fall_back():
    with pytest.raises(ValueError, match="No Omniglot set"):
        characters.load("omniglot")
    with pytest.raises(ValueError, match="No split"):
        characters.load_split("omniglot")


# Splits


def assert_nothing_shared(parts):
    keys = [set(zip(part.alphabets, part.names, strict=True)) for part in parts]
    for i, one in enumerate(keys):
        assert one
        for other in keys[i + 1 :]:
            assert not one & other


@pytest.mark.parametrize("name", ["small1", "small2", "background", "characters"])
def test_standard_splits_share_no_character(no_folders, publish, server, archives, name):
    for set_name, prefix in [("small1", "A"), ("small2", "B"), ("background", "C")]:
        sizes = {f"{prefix}{i}": 3 for i in range(5)} | ({"Greek": 3} if prefix < "C" else {})
        publish(set_name, archives.image_set(sizes, num_drawers=2))
    publish("evaluation", archives.image_set({"D1": 4, "D2": 3}, num_drawers=2))
    if name == "characters":  # 22 characters are too few for the real sizes
        with pytest.raises(ValueError, match=r"need 1623 characters; there are 22"):
            characters.standard_split(name, base_url=server.url)
        return
    parts = characters.standard_split(name, base_url=server.url)
    assert len(parts) == 3
    assert_nothing_shared(parts)
    again = characters.standard_split(name, base_url=server.url)
    assert [part.names for part in parts] == [part.names for part in again]
    assert "Greek" not in parts[2].alphabets


# The real images


@real
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("small1", {"Balinese": 24, "Early_Aramaic": 22, "Greek": 24, "Korean": 40, "Latin": 26}),
        (
            "small2",
            {"Greek": 24, "Japanese_(katakana)": 47, "Latin": 26, "Sanskrit": 42, "Tagalog": 17},
        ),
    ],
)
def test_the_small_sets_load(no_folders, name, sizes):
    """Decoded at first, and from the cache the second time."""
    decoded, loaded = (Omniglot(name, download=False, data=REAL) for _ in range(2))
    assert torch.equal(decoded.images, loaded.images)
    assert loaded.alphabet_sizes == sizes
    assert loaded.num_drawers == 20
    assert 0.06 < loaded.images.float().mean() / 255 < 0.1


@real
def test_greek_and_latin_are_in_both_small_sets(no_folders):
    small1, small2 = (Omniglot(name, data=REAL, download=False) for name in ("small1", "small2"))
    shared = ["Greek", "Latin"]
    assert torch.equal(small1.select(shared).images, small2.select(shared).images)
    with pytest.raises(ValueError, match="Greek, Latin would be there twice"):
        characters.join(small1, small2)
    joined = characters.join(small1, small2.exclude(shared))
    assert joined.num_characters == 242
    assert joined.images.flatten(0, 1).unique(dim=0).shape[0] == 4840


@real
def test_the_named_folder_holds_the_archives_as_they_are():
    with zipfile.ZipFile(REAL / "images_background_small1.zip") as archive:
        assert sum(not name.endswith("/") for name in archive.namelist()) == 136 * 20


def test_a_pipe_in_place_of_the_cache_is_not_waited_on(tmp_path):
    os.mkfifo(tmp_path / "cache.safetensors")
    assert read_cache(tmp_path / "cache.safetensors") is None
