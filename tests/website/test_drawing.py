"""What the site's pages get to draw and to play with; how they use it is tested in a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from metalearn_lite import checkpoints
from metalearn_lite.episodes import Examples
from metalearn_lite.tasks.characters import Glyphs
from tools.site import drawing

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def cells(stem: str) -> list[dict]:
    return json.loads((NOTEBOOKS / f"{stem}.ipynb").read_text(encoding="utf-8"))["cells"]


@pytest.mark.parametrize(
    ("stem", "kind"),
    [
        ("00_start_here", "game"),
        ("08_maml_on_omniglot", "draw"),
        ("16_libraries_and_scale", "draw"),
        ("06_few_shot_characters", None),
    ],
)
def test_one_cell_of_these_notebooks_becomes_a_figure(stem, kind):
    sources = ["".join(cell["source"]) for cell in cells(stem) if cell["cell_type"] == "code"]
    shown = [html for source in sources if (html := drawing.markup(stem, source))]
    assert [html.split('data-play="')[1].split('"')[0] for html in shown] == [kind] * bool(kind)
    assert ("takes MAML's place" in "".join(shown).replace("&#x27;", "'")) == (stem[:2] == "08")


@pytest.mark.parametrize("name", drawing.FIGURES)
def test_a_place_reads_without_javascript(name):
    html = drawing.place(name)
    assert f'data-play="{name}"' in html
    assert drawing.FIGURES[name].says.split(":")[0] in html
    assert "<noscript>" in html


def test_the_questions_are_those_of_the_notebook():
    game = drawing.game()
    if "Omniglot" not in game["note"]:
        pytest.skip("no Omniglot here, so the game is played with characters made up")
    outputs = [one for cell in cells("00_start_here") for one in cell.get("outputs", [])]
    alts = [one.get("metadata", {}).get("image/png", {}).get("alt", "") for one in outputs]
    (told,) = [alt for alt in alts if "one question" in alt]
    assert game["overall"] in told
    said = [
        f"{name} says {'ABCDE'[ways[game['telling']]]}" for name, ways in game["choices"].items()
    ]
    assert all(one in told for one in said)


def test_lots_of_chance_are_about_even():
    game = drawing.game()
    counts = torch.tensor(game["lots"]).bincount()
    assert len(counts) == game["num_ways"]
    assert counts.min() > 70  # of 500
    assert len(game["lots"]) == drawing.LOTS * game["num_rounds"]


def test_omniglots_licence_goes_with_its_drawings():
    licence = drawing.omniglot_licence()
    assert "Copyright (c) 2015 Brenden Lake" in licence
    assert "2026" not in licence
    assert "The above copyright notice and this permission notice shall be included" in licence


@pytest.mark.parametrize("name", drawing.NETWORKS)
def test_what_is_exported_is_the_learner(name, monkeypatch):
    """What the exporter is given, as PyTorch; what comes out of it is tested in a browser."""
    modules = []
    monkeypatch.setattr(drawing, "_onnx", lambda module, *_: modules.append(module))
    learner = checkpoints.load(drawing.NETWORKS[name])
    drawing.exported(learner)
    embed, compare = modules
    images = Glyphs(1, 4, 2).images.float().unsqueeze(2) / 255
    with torch.no_grad():
        points = torch.cat([embed(image) for image in images[:, 0]])
        adapted = learner.adapt(Examples(images[:, 0][None], torch.arange(4)[None]))
        torch.testing.assert_close(points, adapted[0], atol=1e-5, rtol=0)
        for image in images[:, 1]:
            wanted = learner.predict(adapted, image[None, None])[0]
            torch.testing.assert_close(compare(embed(image), points), wanted, atol=1e-4, rtol=0)
