"""The official Omniglot challenge: what others scored on it, and what a learner of ours misreads.

Lake, Salakhutdinov & Tenenbaum (2015): 20 runs of 20 items, so 400 answers; see
`tasks.characters.challenge_runs`. Nothing in this course is chosen by it (CONTRIBUTING.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import answers, chosen, exact_interval
from metalearn_lite.learners.base import Learner
from metalearn_lite.tasks import characters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED_ERRORS = {  # in per cent, by what was trained on
    "people": 4.5,
    "BPL, minimal set 1": 4.3,
    "BPL, minimal set 2": 4.0,
    "BPL, 30 alphabets": 3.3,
    "ConvNet, minimal set 1": 24.0,
    "ConvNet, minimal set 2": 22.3,
    "ConvNet, 30 alphabets": 13.5,
    "prototypical network, minimal sets †": 30.1,
    "prototypical network, 30 alphabets †": 13.7,
    "RCN, 30 alphabets †": 7.3,
    "Siamese network, 30 alphabets ‡": 8.0,
    "ARC, more alphabets †": 1.5,
    "modified Hausdorff distance": 38.8,
}
NOTES = """\
Lake, Salakhutdinov & Tenenbaum (2015), but for
† their report of 2019 (arXiv:1902.03477), which we have seen in a secondary copy only;
‡ Koch, Zemel & Salakhutdinov (2015), who hold 10 more alphabets for validation and train with
  distortions; whether their test is these 20 runs, they do not say."""

COLUMNS = 5  # of the contact sheet: items in a row
GAP = 3  # pixels of paper between two images


def official_runs(download: bool = False) -> Episodes | None:
    """The official runs, or None where they cannot be had, and one sentence to say so.

    They are looked for in the data folders, and downloaded (0.4 MB) only if asked for.
    """
    try:
        return characters.challenge_runs(download=download)
    except FileNotFoundError:
        print(
            "The official runs, all_runs.zip, are not here, so what is said of them is not tested."
        )
    except (characters.ArchiveError, characters.DownloadError) as fault:
        reason = str(fault).split(". ")[0].rstrip(".")
        print(f"The official runs cannot be had ({reason}), so what is said of them is not tested.")
    return None


def read_runs(learner: Learner, runs: Episodes) -> Tensor:
    """The class that ``learner`` names for each item, ``(num_runs, 20)``, by `chosen`."""
    # One run at a time: all 20 together would need a gigabyte more, and no less time.
    return chosen(answers(learner, runs, num_at_once=1))


def in_words(wrong: int, total: int) -> str:
    """As the command and the cards say it, with the exact binomial interval."""
    low, high = exact_interval(wrong, total)
    share = f"{wrong} of {total} wrong, {100 * wrong / total:.1f} %"
    return f"{share} (95 % interval {100 * low:.1f}–{100 * high:.1f})"


def draw_misread(runs: Episodes, named: dict[str, Tensor]) -> Figure:
    """A contact sheet: every misread item, what it was taken for, and what it was.

    Args:
        runs: the runs, each class once in the support.
        named: for each learner what `read_runs` gives.
    """
    from matplotlib.figure import Figure

    misread = {name: (said != runs.query.y).nonzero().tolist() for name, said in named.items()}
    rows = [-(-len(items) // COLUMNS) for items in misread.values()]
    heights = [0.4 + 0.95 * count for count in rows]  # inches
    figure = Figure(figsize=(2 * COLUMNS, sum(heights)), layout="constrained", facecolor="white")
    blocks = figure.subfigures(len(named), 1, height_ratios=heights, squeeze=False)[:, 0]
    for block, (name, said), items, count in zip(
        blocks, named.items(), misread.values(), rows, strict=True
    ):
        block.suptitle(f"{name}: {in_words(len(items), said.numel())}", fontsize=11)
        axes = block.subplots(max(count, 1), COLUMNS, squeeze=False).ravel()
        for ax in axes:
            ax.set_axis_off()
        for ax, (run, item) in zip(axes, items, strict=False):
            _draw_item(ax, runs, run, item, int(said[run, item]))
    return figure


def _draw_item(ax, runs: Episodes, run: int, item: int, taken_for: int) -> None:
    from matplotlib.patches import Rectangle

    support, y = runs.support.x[run, :, 0], runs.support.y[run]
    images = {
        "item": runs.query.x[run, item, 0],
        "taken for": support[y == taken_for][0] if taken_for >= 0 else 0 * support[0],
        "was": support[y == runs.query.y[run, item]][0],
    }
    for place, (label, image) in enumerate(images.items()):
        size = image.shape[-1]
        left = place * (size + GAP)
        paper = (1 - image).numpy()
        ax.imshow(paper, cmap="gray", vmin=0, vmax=1, extent=(left, left + size, size, 0))
        ax.add_patch(Rectangle((left, 0), size, size, fill=False, color="0.8", linewidth=0.6))
        ax.text(left + size / 2, size + 1, label, ha="center", va="top", fontsize=8)
    ax.set(xlim=(-1, left + size + 1), ylim=(size + 8, -1))
    ax.set_title(f"run {run + 1}, item {item + 1}", fontsize=8, pad=1)
