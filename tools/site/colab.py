"""The notebooks as Colab opens them: not run, and a first cell that installs the course.

    python -m tools.site.colab   writes them to build/colab/, which the site's workflow pushes

Colab opens a notebook from a branch and brings nothing else of the repository along.
"""

from __future__ import annotations

import json
from pathlib import Path

from metalearn_lite.teaching.workbook import learners_copy
from tools.site import links

FOLDER = links.ROOT / "build" / "colab"
REQUIREMENT = f"metalearn_lite @ git+{links.REPOSITORY}.git@{links.BRANCH}"
FIRST_CELL = f"""\
#@title Run this cell first: it installs the course on this machine
%pip install --quiet "{REQUIREMENT}"
"""


def copy_for_colab(notebook: dict) -> dict:
    """The learner's copy of a notebook, and above it the cell that installs the course."""
    made = learners_copy(notebook)
    first = {
        "cell_type": "code",
        "id": "colab",
        "metadata": {"cellView": "form"},
        "execution_count": None,
        "outputs": [],
        "source": FIRST_CELL.splitlines(keepends=True),
    }
    made["cells"].insert(0, first)
    return made


def write(folder: Path = FOLDER) -> list[Path]:
    """Writes a copy of every notebook into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted((links.ROOT / "notebooks").glob("[0-9]*.ipynb")):
        made = copy_for_colab(json.loads(path.read_text(encoding="utf-8")))
        text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
        (folder / path.name).write_text(text, encoding="utf-8")
        written.append(folder / path.name)
    return written


if __name__ == "__main__":
    print(f"{len(write())} notebooks in {FOLDER.relative_to(links.ROOT)}")
