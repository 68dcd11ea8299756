import pytest

from metalearn_lite import paths


def test_the_home_of_a_user_who_does_not_exist_is_named(monkeypatch):
    monkeypatch.setenv("METALEARN_LITE_DATA", "~nouser/x")
    with pytest.raises(ValueError, match="METALEARN_LITE_DATA='~nouser/x': there is no such user"):
        paths.data_folders()


def test_the_named_folder_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("METALEARN_LITE_DATA", str(tmp_path))
    assert paths.data_folders()[0] == tmp_path


def test_a_file_is_no_folder(monkeypatch, tmp_path):
    (tmp_path / "all_runs.zip").touch()
    monkeypatch.setenv("METALEARN_LITE_DATA", str(tmp_path / "all_runs.zip"))
    with pytest.raises(ValueError, match=r"METALEARN_LITE_DATA=.* is no folder"):
        paths.data_folders()
