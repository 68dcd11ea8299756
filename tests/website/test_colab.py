"""The copies for Colab: what their first cell installs, and that nothing else was changed."""

import json
from urllib.parse import urlsplit

import nbformat
import pytest
from packaging.requirements import Requirement

from metalearn_lite.teaching.workbook import digest, learners_copy
from tools.site import colab, links

STORED = sorted((links.ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return colab.write(tmp_path_factory.mktemp("colab"))


def test_each_notebook_has_a_copy_where_its_link_looks(written):
    assert [path.name for path in written] == [path.name for path in STORED]
    for path in written:
        assert links.colab(path.stem).endswith(f"/blob/{links.COLAB_BRANCH}/{path.name}")


def test_the_first_cell_installs_the_course_and_the_rest_is_the_learner_s_copy(written):
    for path, stored in zip(written, STORED, strict=True):
        made = json.loads(path.read_text(encoding="utf-8"))
        nbformat.validate(made)
        assert "".join(made["cells"].pop(0)["source"]) == colab.FIRST_CELL
        assert digest(made) == digest(learners_copy(json.loads(stored.read_text("utf-8"))))
        assert not any(cell.get("outputs") for cell in made["cells"])


def test_pip_is_asked_for_this_package_from_this_repository():
    asked = Requirement(colab.FIRST_CELL.splitlines()[1].split('"')[1])
    assert asked.name == "metalearn_lite"
    address, _, branch = asked.url.removeprefix("git+").rpartition("@")
    assert branch == links.BRANCH
    assert address == f"{links.REPOSITORY}.git"
    assert urlsplit(address).scheme == "https"
