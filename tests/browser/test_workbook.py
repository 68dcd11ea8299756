"""The learner's copy as its reader works in it: an exercise of notebook 04, done in JupyterLab."""

import json
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.browser

NAME = "04_maml_on_sinusoids.ipynb"
ANSWER = """from scipy.stats import binom
def median_interval(x):
    k = int(binom.ppf(0.025, len(x), 0.5))
    return (x.sort()[0][k - 1], x.sort()[0][-k]) if k else (0, math.inf)"""
MAKE = """
import sys
from pathlib import Path
from metalearn_lite.teaching.workbook import main
sys.exit(main([], *map(Path, sys.argv[1:])))
"""


def make_workbook(course, workbook) -> str:
    """What `make workbook` says, here of another course and of a folder that JupyterLab shows."""
    command = [sys.executable, "-c", MAKE, str(course), str(workbook)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def test_an_answer_given_in_the_copy_stays(lab, notebooks, tmp_path):
    for name in ("00_start_here.ipynb", NAME):
        shutil.copy(notebooks / name, tmp_path)
    path = notebooks / "workbook" / NAME
    assert make_workbook(tmp_path, path.parent) == ""
    lab.open_notebook(f"workbook/{NAME}")
    assert not any(cell["outputs"] for cell in lab.code_cells())
    details = lab.page.locator(".jp-MarkdownCell details")
    captions = path.read_text(encoding="utf-8").count("<details>")
    assert details.count() == captions > 3
    assert details.first.evaluate("it => it.open") is False
    details.first.locator("summary").click()
    assert details.first.locator("em").first.inner_text().startswith("Four dashed waves")
    assert lab.page.locator(".jp-CodeCell .jp-Placeholder").count() > 0
    hidden = lab.page.locator(".jp-Cell.lm-mod-hidden")
    assert hidden.count() > 0  # the bonus
    lab.page.locator(".jp-showHiddenCellsButton").click()
    lab.wait_for(lambda: hidden.count() == 0, lambda: "the bonus stays folded")

    lab.run_to("use_course_style()")
    starter = lab.page.locator(".jp-CodeCell", has_text="def median_interval")
    starter.locator(".cm-content").click()
    press = lab.page.keyboard.press
    press("ControlOrMeta+a")
    lab.page.keyboard.insert_text(ANSWER)
    press("Shift+Enter")
    press("Shift+Enter")

    def outputs(words):
        return str(next(cell["outputs"] for cell in lab.code_cells() if words in cell["source"]))

    for words in 'check("04.interval"', 'yours("04.interval"':
        lab.wait_for(lambda words=words: "✔" in outputs(words), lambda w=words: outputs(w), 30)
        press("Shift+Enter")
    assert "your own function runs from here" in outputs('yours("04.interval"')
    press("ControlOrMeta+s")
    lab.wait_for(lambda: ANSWER in answers(path), lambda: "it was not saved")

    saved = path.read_bytes()
    assert make_workbook(tmp_path, path.parent) == ""
    assert path.read_bytes() == saved
    newer = json.loads((tmp_path / NAME).read_text(encoding="utf-8"))
    newer["cells"][0]["source"] = "# 04 · Newer"
    (tmp_path / NAME).write_text(json.dumps(newer), encoding="utf-8")
    assert "(new).ipynb" in make_workbook(tmp_path, path.parent)
    assert path.read_bytes() == saved


def answers(path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"]]
