"""The official runs, read from a tiny archive in their layout."""

import os

import pytest
import torch

from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters import ArchiveError


def test_official_runs_are_read(no_folders, publish, server, archives):
    publish("runs", archives.runs())
    episodes = characters.challenge_runs(base_url=server.url)
    assert server.requests == ["/one-shot-classification/all_runs.zip"]
    for half in episodes:
        assert half.x.shape == (20, 20, 1, 28, 28)
        assert half.x.dtype == torch.float32
        assert half.y.dtype == torch.int64
    assert episodes.support.y[3].tolist() == list(range(20))
    assert episodes.query.y[3].tolist() == list(range(19, -1, -1))
    # In this archive an item is the very image of its class, so labels can be checked.
    assert torch.equal(episodes.support.x[0, episodes.query.y[0]], episodes.query.x[0])
    path = no_folders / "data" / "all_runs.zip"
    assert torch.equal(characters.challenge_runs(path).query.y, episodes.query.y)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("run02/test/item01.png run02/training/class01.png", "20 items a class of its own"),
        ("run01/test/item01.png run02/training/class01.png", "a line that is no label"),
        ("run02/test/item01.png run02/training/../class01.png", "a line that is no label"),
        (None, "has no run02/class_labels.txt"),
    ],
)
def test_wrong_labels_are_refused(tmp_path, archives, lines, message):
    members = archives.runs()
    del members["run02/class_labels.txt"]
    if lines:
        members["run02/class_labels.txt"] = lines.encode()
    path = tmp_path / "all_runs.zip"
    path.write_bytes(archives.zipped(members))
    with pytest.raises(ArchiveError, match=message):
        characters.challenge_runs(path)


def test_two_items_of_one_class_are_refused(tmp_path, archives):
    members = archives.runs()
    text = members["run20/class_labels.txt"].decode()
    members["run20/class_labels.txt"] = text.replace("class02", "class01").encode()
    path = tmp_path / "all_runs.zip"
    path.write_bytes(archives.zipped(members))
    with pytest.raises(ArchiveError, match="a class of its own"):
        characters.challenge_runs(path)


def test_a_missing_item_is_named(tmp_path, archives):
    members = archives.runs()
    del members["run07/test/item13.png"]
    path = tmp_path / "all_runs.zip"
    path.write_bytes(archives.zipped(members))
    with pytest.raises(ArchiveError, match=r"has no run07/test/item13\.png"):
        characters.challenge_runs(path)


def test_a_pipe_is_not_waited_on(tmp_path):
    os.mkfifo(tmp_path / "all_runs.zip")
    with pytest.raises(ArchiveError, match=r"all_runs.zip is no file: give a zip archive"):
        characters.challenge_runs(tmp_path / "all_runs.zip")
