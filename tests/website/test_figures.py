"""The recorded figures of the site, without a browser."""

import itertools
import json
import re
from pathlib import Path

import nbformat
import pytest

from metalearn_lite.widgets.kit.recorded import LIMIT
from tools.site import figures, widgets
from tools.site.figures import FIGURES, PLAYED, credit, gallery, markup, place, record

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
QUICK = (
    "adaptation",
    "bandit_duel",
    "diversity_dial",
    "in_context",
    "landscape",
    "live_check",
    "race",
)
"""made in less than a second, and without drawings"""
AS_STORED = {
    "adaptation": (),
    "bandit_duel": (100,),
    "bug_lab": (),
    "diversity_dial": (),
    "in_context": (),
    "landscape": (),
    "race": ((2, 6),),
    "training_explorer": (),
    "trajectories": (),
}
"""whose filmstrip is the notebook's, and what its description is asked for there"""
DRAWN = ("episode_builder", "episode_viewer", "poison")
"""the same, where Omniglot is"""
SHOWS = re.compile(r"^display\((\w+)\.filmstrip\(|^figure = (\w+)\.filmstrip\(", re.MULTILINE)


def cells(stem: str) -> list:
    cells = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("[0-9]*.ipynb")), ids=lambda p: p.stem[:2])
def test_each_widget_of_a_notebook_is_recorded_or_runs_in_the_page(path):
    """A widget's cell ends with its name, and its filmstrip is in the cell after it."""
    code = cells(path.stem)
    shown = [one.source for one, after in itertools.pairwise(code)
             if SHOWS.search(after.source)]  # fmt: skip
    runs = ("EpisodeGame(", "DrawYourOwn(")
    assert shown
    for source in shown:
        assert markup(path.stem, source) or any(name in source for name in runs)
    recorded = [one for one in code if markup(path.stem, one.source)]
    assert len(recorded) == sum(figure.stem == path.stem for figure in FIGURES.values())


def test_of_no_figure_there_is_no_markup():
    assert markup("04_maml_on_sinusoids", "explorer = AdaptationExplorer") is None
    assert markup("03_maml_mathematics", "AdaptationExplorer(model)") is None
    html = markup("04_maml_on_sinusoids", "explorer = AdaptationExplorer(model)\nexplorer")
    assert html == place("adaptation")
    assert html.startswith('<figure class="ml-figure" data-figure="adaptation" ')
    assert "which start is at home in a new task?" in html
    assert "\n" not in html  # as Markdown ends HTML at an empty line


@pytest.mark.parametrize("name", QUICK)
def test_a_record_is_the_same_twice_and_says_no_gesture_that_is_not_there(name):
    first = record(name)
    assert record(name) == first
    assert len(first.encode()) <= LIMIT
    content = json.loads(first)
    said = [frame["state"] for state in content["states"]
            for frame in (state, *state["recorded"]["at"].values())]  # fmt: skip
    words = [state["sentence"] for state in said]
    words += [part.get("look", "") for part in content["parts"] if isinstance(part, dict)]
    words += [part for part in content["parts"] if isinstance(part, str)]
    gestures = "click|pull arm" if any("drag" in way for way in content["ways"]) else (
        "click|pull arm|drag|tab")  # fmt: skip
    found = {text for text in words if re.search(rf"\b({gestures})\b", text, re.IGNORECASE)}
    assert not found
    assert {state["code"] for state in said} == {""}


def test_drawings_have_their_origin_beside_them():
    content = json.loads(record("episode_builder"))
    notes = {content["parts"][frame["state"]["note"]] for state in content["states"]
             for frame in (state, *state["recorded"]["at"].values())}  # fmt: skip
    assert all(note.endswith(credit()) for note in notes)
    assert any(note.startswith("In this episode 0 is ") for note in notes)
    assert not any("drawings are" in part for part in json.loads(record("race"))["parts"])


@pytest.mark.parametrize("name", [*AS_STORED, *DRAWN])
def test_a_figure_is_the_one_of_the_notebook(name):
    if name in DRAWN and not widgets.split()[2].source.startswith("Omniglot"):
        pytest.skip("the stored notebooks show Omniglot, which is not here")
    figure = FIGURES[name]
    printed = "".join(
        output.get("text", "") for cell in cells(figure.stem) for output in cell.outputs
    )
    assert figure.make().description(*AS_STORED.get(name, ())) in printed


def test_words_that_are_not_there_cannot_be_replaced(monkeypatch):
    monkeypatch.setitem(FIGURES["race"].instead, "never said", "")
    with pytest.raises(ValueError, match="race does not say 'never said'"):
        record("race")


def test_the_gallery_has_a_card_for_each_widget():
    page = gallery(NOTEBOOKS, {name: f"<div>{name}</div>" for name in PLAYED})
    titles = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert len(titles) == len(FIGURES) + len(PLAYED)
    assert titles[:2] == ["The game", "Training explorer"]
    assert titles[-1] == "Live check"
    assert "[04 · Can five points be enough?](04_maml_on_sinusoids.ipynb)" in page
    for name in FIGURES:
        assert place(name) in page
    assert "<div>draw</div>" in page
    for name, figure in FIGURES.items():
        assert (NOTEBOOKS / f"{figure.stem}.ipynb").exists(), name


def test_files(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "FIGURES", {"live_check": FIGURES["live_check"]})
    figures.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"kit.js", "kit.css", "live_check.json"}
    assert "export function recorded" in (tmp_path / "kit.js").read_text(encoding="utf-8")
