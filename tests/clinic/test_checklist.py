"""The checklist to print is that of the page, and names patients that are there."""

import re
from pathlib import Path

import nbformat

from metalearn_lite.clinic import PATIENTS

ROOT = Path(__file__).parents[2]
PAPER = (ROOT / "docs" / "checklist.md").read_text(encoding="utf-8")


def table(text):
    return [line for line in text.splitlines() if line.startswith("|")]


def test_the_page_has_the_same_table():
    (page,) = (ROOT / "notebooks").glob("15_*.ipynb")
    cells = nbformat.read(page, as_version=4).cells
    (cell,) = [cell.source for cell in cells if "docs/checklist.md" in cell.source]
    assert table(cell) == table(PAPER)


def test_the_page_says_how_many_patients_there_are():
    (page,) = (ROOT / "notebooks").glob("15_*.ipynb")
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"(\d+) \**patients", text)) == {str(len(PATIENTS))}


def test_every_patient_is_on_it():
    named = {one for group in re.findall(r"\(([\d\w, ]+)\)", PAPER) for one in group.split(", ")}
    assert named == set(PATIENTS)
