"""Where learn2learn is not installed the cells that use it say so, and nothing fails."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch

from metalearn_lite.networks import MLP
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.teaching.exercises import maml_on_sinusoids

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def no_learn2learn(monkeypatch):
    """An import of it fails, as where it is not installed."""
    monkeypatch.setitem(sys.modules, "learn2learn", None)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))


def section(number: str, heading: str) -> list[str]:
    """The code cells under a heading of a notebook, up to the next exercise or heading."""
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    titles = [cell.cell_type == "markdown" and cell.source.startswith("#") for cell in cells]
    (first,) = [i for i, cell in enumerate(cells) if cell.source.startswith(heading)]
    last = titles.index(True, first + 1)
    return [cell.source for cell in cells[first:last] if cell.cell_type == "code"]


def cell_with(number: str, words: str) -> str:
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    (found,) = [c.source for c in cells if c.cell_type == "code" and words in c.source]
    return found


@pytest.mark.slow
def test_04_shows_the_readers_half_and_its_claims_hold(no_learn2learn, capsys):
    network = MLP(1, 40, 40, 1)
    scope = {
        "network": network,
        "start": network.init(torch.Generator().manual_seed(4)),
        "sinusoids": Sinusoids(),
        "inner_step": maml_on_sinusoids.inner_step,
        "meta_loss": maml_on_sinusoids.meta_loss,
    }
    cells = section("04", "## The same MAML in learn2learn")
    for source in [cell_with("04", "import matplotlib"), cell_with("04", "class YourMAML"), *cells]:
        exec(source, scope)
    said = capsys.readouterr().out
    assert said.count("learn2learn is not installed here") == 1
    assert "✔ your meta-gradient is the package's" in said
    assert "learn2learn's is yours" not in said
