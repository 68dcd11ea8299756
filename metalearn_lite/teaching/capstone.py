"""The capstone: a learner of the reader's own at the Omniglot challenge.

A reader chooses a learner on built runs, as often as they like, and then asks the official runs,
once. `score_file` keeps what was asked, for an instructor to collect.
"""

from __future__ import annotations

import datetime
import os
import platform
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

import metalearn_lite
from metalearn_lite import challenge, checkpoints
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import Evaluation, chosen, exact_interval
from metalearn_lite.tasks import characters
from metalearn_lite.teaching import score_file
from metalearn_lite.teaching.comparing import as_tensors, kind_of
from metalearn_lite.teaching.console import printable

NUM_RUNS, SEED = 100, 16
MOST_SECONDS = 900.0  # for all runs together
OF_SET_2 = "omniglot-elastic-small2"
KNOWS_SET_2 = (
    f"It holds parameters of {OF_SET_2}, which was trained on minimal set 2. That is not allowed "
    "here: the built runs are made of that set."
)


class Tier(NamedTuple):
    """A step to climb: so many built items in a hundred wrong, or fewer."""

    at_most: float
    reached_by: str
    """a learner of the course that reaches it, and not the next; measured in test_capstone.py"""


TIERS = (
    Tier(40.0, "a Siamese, matching or relation network of notebook 07"),
    Tier(25.0, "notebook 07's prototypical network, 3,000 tasks"),
    Tier(15.0, "omniglot-protonet: framed, wider, trained on made-up alphabets as well"),
    Tier(10.0, "omniglot-elastic: parts may move"),
)


class CannotBeScored(ValueError):
    """A learner broke the contract; the message says how."""


class Runs(NamedTuple):
    """Twenty drawings to learn from, twenty to name, many times over."""

    episodes: Episodes
    """support and query ``x`` ``(num_runs, 20, 1, 28, 28)``, ``y`` ``(num_runs, 20)``"""
    source: str
    kind: str
    """``BUILT``, ``MADE_UP`` (of Glyphs) or ``OFFICIAL``, as `score_file` calls them"""


def built_runs(num_runs: int = NUM_RUNS, seed: int = SEED) -> Runs:
    """Runs like the official ones, of minimal set 2's own alphabets; where they are not, of Glyphs.

    A learner to be judged by them is trained on minimal set 1, or on what was made up.
    """
    pool = characters.load_split("small1")[2]
    generator = torch.Generator().manual_seed(seed)
    large = [name for name, size in pool.alphabet_sizes.items() if size >= 20]
    source = f"{pool.source}, {' and '.join(large)}, seed {seed}"
    episodes = characters.make_runs(pool, num_runs, generator)
    made_up = isinstance(pool, characters.Glyphs)
    return Runs(episodes, source, score_file.MADE_UP if made_up else score_file.BUILT)


@dataclass(frozen=True, repr=False)
class Score:
    """What a learner named in each run, and what that comes to."""

    learner: str
    source: str
    kind: str
    named: Tensor
    """the class given to each item, ``(num_runs, 20)``: -1 where a score was no number"""
    y: Tensor
    seconds: float
    made_of: dict[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def wrong(self) -> int:
        return int((self.named != self.y).sum())

    @property
    def total(self) -> int:
        return self.y.numel()

    @property
    def over_runs(self) -> Evaluation:
        """Per cent wrong in each run; items of one run share two hands, so the run is the unit."""
        return Evaluation(100 * (self.named != self.y).float().mean(1))

    @property
    def tier(self) -> int:
        """How many tiers are reached, 0 to 4: by ``NUM_RUNS`` built runs, of real characters.

        None by a learner that knows these characters from its training.
        """
        error = 100 * self.wrong / self.total
        reached = sum(error <= tier.at_most for tier in TIERS)
        counts = self.kind == score_file.BUILT and len(self.y) >= NUM_RUNS
        return reached if counts and KNOWS_SET_2 not in self.notes else 0

    def __repr__(self) -> str:
        both = self.over_runs
        told = f"{self.learner}, {self.total // self.y.shape[1]} runs of {self.source}: "
        told += f"{self.wrong:,} of {self.total:,} wrong, {both.mean:.1f} ± {both.interval:.1f} %."
        return printable("\n".join([told, *self.notes, self._climb()]))

    def _climb(self) -> str:
        if self.kind == score_file.MADE_UP:
            return "On made-up characters there are no tiers."
        if self.kind == score_file.OFFICIAL:
            return "The tiers are for built runs."
        if len(self.y) < NUM_RUNS:
            return f"The tiers are for {NUM_RUNS} runs."
        if KNOWS_SET_2 in self.notes:
            return "So it reaches no tier."
        if self.tier == len(TIERS):
            return "That is the highest tier."
        said = f"Tier {self.tier}." if self.tier else "No tier yet."
        return f"{said} Tier {self.tier + 1} asks for {TIERS[self.tier].at_most:g} % or less."


def score(learner: Any, runs: Runs, most_seconds: float = MOST_SECONDS) -> Score:
    """Asks ``learner`` every item of ``runs``, one at a time and in a random order.

    It needs two methods, those of every learner of the course: ``adapt(support)`` is given a run's
    20 drawings, each of a class, and ``predict(adapted, x)`` one drawing ``(1, 1, 1, 28, 28)``; it
    returns a score for each class, ``(1, 1, 20)``. It is handed copies, and never a query's label.

    Raises:
        CannotBeScored: it has no such methods, raised an error (which is shown above), returned
            another shape, or would take more than ``most_seconds``.
    """
    if isinstance(learner, type):
        raise CannotBeScored(f"{learner.__name__} is a class: hand over {learner.__name__}().")
    for method in ("adapt", "predict"):
        if not callable(getattr(learner, method, None)):
            raise CannotBeScored(f"{type(learner).__name__} has no method {method}.")
    made_of = score_file.describe(learner)
    episodes = runs.episodes
    order, started, named = torch.Generator().manual_seed(SEED), time.perf_counter(), []
    for run in _with_a_bar(episodes.num_tasks):
        support, query = episodes.tasks(run)
        named.append(_name_one_by_one(learner, support, query.x, order))
        spent = time.perf_counter() - started
        if (needed := spent / (run + 1) * episodes.num_tasks) > most_seconds:
            raise CannotBeScored(
                f"{type(learner).__name__} took {spent:.0f} s for the first {run + 1} of "
                f"{episodes.num_tasks} runs: all would take {needed / 60:.0f} minutes, and at most "
                f"{most_seconds / 60:.0f} are given. Do in __init__ what is the same for all runs."
            )
    support, query = episodes.tasks(0)
    again = _name_one_by_one(learner, support, query.x, order)
    named, y = torch.cat(named), episodes.query.y.cpu()
    notes = _notes(named, int((again != named[:1]).sum()))
    if runs.kind != score_file.MADE_UP and _knows_set_2(learner):
        notes += (KNOWS_SET_2,)
    seconds = time.perf_counter() - started
    return Score(type(learner).__name__, runs.source, runs.kind, named, y, seconds, made_of, notes)


def _with_a_bar(number: int) -> Iterable[int]:
    """``range(number)``; large networks take minutes, so a bar says how far they are."""
    from tqdm.auto import tqdm  # takes a tenth of a second to import

    silent = bool(os.environ.get("TQDM_DISABLE"))
    return tqdm(range(number), desc="runs", leave=False, mininterval=0.5, disable=silent)


def _knows_set_2(learner: Any) -> bool:
    return score_file.holds_any(learner, checkpoints.load(OF_SET_2).params.values())


def _notes(named: Tensor, changed: int) -> tuple[str, ...]:
    notes = []
    if none := int((named < 0).sum()):
        notes.append(f"{none:,} answers hold NaN: they are wrong.")
    if changed:
        notes.append(
            f"{changed} of {named.shape[1]} answers changed when the first run was asked again in "
            "another order: it draws at random, or remembers what it was asked."
        )
    return tuple(notes)


def _name_one_by_one(
    learner: Any, support: Examples, items: Tensor, order: torch.Generator
) -> Tensor:
    """The class that each item of one run is given, ``(1, 20)``. Nothing here knows a label."""
    x, y = support
    num_ways, num_items = int(y.max()) + 1, items.shape[1]
    named = torch.empty(1, num_items, dtype=torch.int64)
    with torch.enable_grad():
        adapted = _ask(learner, "adapt", Examples(x.clone(), y.clone()))
    for item in torch.randperm(num_items, generator=order).tolist():
        with torch.no_grad():
            answer = _ask(learner, "predict", adapted, items[:, item : item + 1].clone())
        named[0, item] = _class_of(answer, num_ways)
    return named


def _ask(learner: Any, method: str, *given: Any) -> Any:
    try:
        return getattr(learner, method)(*given)
    except (Exception, SystemExit) as error:
        said = "".join(traceback.format_exception_only(error)).strip()
        raise CannotBeScored(f"{type(learner).__name__}.{method} raised {said}") from error


def _class_of(answer: Any, num_ways: int) -> int:
    answer = as_tensors(answer, torch.float32)
    wanted = (1, 1, num_ways)
    if not isinstance(answer, Tensor) or answer.shape != wanted or answer.is_complex():
        hint = ""
        if isinstance(answer, Tensor) and answer.numel() == 1:
            hint = " (A score for each class, please, not the class.)"
        raise CannotBeScored(
            f"predict was asked one drawing, and returned {kind_of(answer)}: it should return "
            f"{wanted}, a score for each of {num_ways} classes.{hint}"
        )
    return int(chosen(answer.detach().float().cpu()))


def keep(scored: Score, name: str, folder: Path | str = ".") -> Path | None:
    """Adds a score on built runs to the file of ``name``; without a name nothing is kept.

    Raises:
        ValueError: it is an official score, which `official` keeps. Or the file that is there is
            damaged, or of another kind: it is left as it is.
        OSError: it cannot be written. What was there is there still.
    """
    if not name:
        print("Not kept: there is no name.")
        return None
    if scored.kind == score_file.OFFICIAL:
        raise ValueError("this is an official score, and kept already: keep one of built runs")
    path = score_file.file_of(name, folder)
    record = score_file.read_or_new(path, name)
    record["built"].append(_entry(scored))
    score_file.write(path, record, scored.made_of)
    print(printable(f"Kept in {path.name}: built score number {len(record['built'])}."))
    return path


def official(
    learner: Any, name: str, folder: Path | str = ".", download: bool = False
) -> Score | None:
    """The official score, kept before it is told. The first counts; every later one is counted.

    None, and one sentence to say why: where there is no name; where no built score is kept, as
    there is nothing then that was chosen; or where the official runs cannot be had. Nothing is
    counted then.

    Args:
        download: fetch the official runs (0.4 MB) if they are not here.

    Raises:
        CannotBeScored, ValueError, OSError: as for `score` and `keep`. Nothing is counted, or told.
    """
    if not name:
        print("Give your name first: the official score is kept under it.")
        return None
    path = score_file.file_of(name, folder)
    record = score_file.read_or_new(path, name)
    if not record["built"]:
        print("Choose first: keep a score on the built runs under this name, then ask again.")
        return None
    runs = _official_runs(download)
    if runs is None:
        return None
    scored = score(learner, runs)
    entry = _entry(scored)
    chosen_one = record["built"][-1]["fingerprint"]
    entry["as_chosen"] = entry["fingerprint"] == chosen_one
    record["official"].append(entry)
    record["times_official_asked"] += 1
    score_file.write(path, record, scored.made_of)
    print(printable(_told(scored, record)))
    return scored


def _told(scored: Score, record: dict[str, Any]) -> str:
    said = [f"{scored.learner}, official: {challenge.in_words(scored.wrong, scored.total)}."]
    said += scored.notes
    if (times := record["times_official_asked"]) > 1:
        first = record["official"][0]["error_percent"]
        said.append(
            f"This is official score number {times}. The first one counts, {first:.1f} %: a test "
            "that is asked again is no test any more. The file says so, too."
        )
    if not record["official"][-1]["as_chosen"]:
        said.append("This is not the learner last kept on the built runs. The file says so, too.")
    return "\n".join(said)


def _official_runs(download: bool) -> Runs | None:
    try:
        episodes = characters.challenge_runs(download=download)
    except FileNotFoundError:
        print(
            "The official runs, all_runs.zip, are not here, so nothing was scored or counted: "
            "`download=True` fetches them (0.4 MB)."
        )
    except (characters.ArchiveError, characters.DownloadError) as fault:
        reason = str(fault).split(". ")[0].rstrip(".")
        print(f"The official runs cannot be had ({reason}), so nothing was scored or counted.")
    else:
        return Runs(episodes, "the official challenge", score_file.OFFICIAL)
    return None


def _entry(scored: Score) -> dict[str, Any]:
    low, high = exact_interval(scored.wrong, scored.total)
    over_runs = scored.over_runs
    return {
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "learner": scored.learner,
        "fingerprint": scored.made_of["fingerprint"],
        "source_sha256": scored.made_of["source_sha256"],
        "runs": scored.source,
        "kind": scored.kind,
        "wrong": scored.wrong,
        "total": scored.total,
        "error_percent": round(100 * scored.wrong / scored.total, 2),
        "half_interval_over_runs": round(over_runs.interval, 2),
        "exact_interval_percent": [round(100 * low, 2), round(100 * high, 2)],
        "tier": scored.tier,
        "seconds": round(scored.seconds, 1),
        "notes": list(scored.notes),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "metalearn_lite": metalearn_lite.__version__,
        },
    }
