"""The JavaScript and CSS of the widgets are in the shape that biome asks for."""

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
BIOME = REPOSITORY / "node_modules" / ".bin" / "biome"


@pytest.fixture
def biome() -> str:
    if not BIOME.exists():
        pytest.skip("no biome, so nobody looks at JavaScript and CSS: `npm ci` installs it")
    return str(BIOME)


def test_javascript_and_css_are_in_shape(biome):
    command = [biome, "check", "--error-on-warnings"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [("wrong.js", "const a = 1\nconst  b = a;\n"), ("wrong.css", "a { color: red; color: red }\n")],
)
def test_what_is_out_of_shape_is_seen(biome, tmp_path, name, text):
    (tmp_path / "biome.json").write_text(
        (REPOSITORY / "biome.json").read_text().replace("metalearn_lite/", "")
    )
    (tmp_path / name).write_text(text)
    command = [biome, "check", "--error-on-warnings"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert name in done.stdout + done.stderr
