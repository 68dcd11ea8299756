"""The episode game: you and the learners answer the same few-shot questions.

`GameModel` is plain Python: answers in, frames, scores and sentences out. `EpisodeGame` shows it.
"""

from __future__ import annotations

from collections.abc import Collection
from string import ascii_uppercase as LETTERS
from typing import NamedTuple

import numpy as np
import torch

from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import Evaluation, task_scores
from metalearn_lite.learners.base import Learner
from metalearn_lite.widgets.drawings import RIGHT, WRONG, board, pixels
from metalearn_lite.widgets.kit import (
    Axis,
    Bars,
    Button,
    Images,
    Live,
    Panel,
    Points,
    Rules,
    Scene,
    Spans,
    Texts,
    Try,
    solid,
    still,
)
from metalearn_lite.widgets.words import require

MAX_WAYS = 5  # cards that fit side by side
YOU, CHANCE, BOTH = "You", "Chance", "You + chance"


class GameFrame(NamedTuple):
    """All that one picture shows. What would give the answer away is missing until it is given."""

    title: str
    support: np.ndarray
    """``(num_ways, 28, 28)``: the drawings A, B, …"""
    query: np.ndarray
    """``(28, 28)``"""
    truth: int | None
    choices: dict[str, int]
    """by player, who said what"""
    tallies: dict[str, list[bool]]
    """by player, the rounds so far: right or not"""


class GameModel:
    """Rounds of one question each, the same for the player and for every learner.

    A round is one task: its support is shown with letters, its query is the question. Where a task
    has several queries, one of them is drawn by lot. The learners answer all of it beforehand.

    Args:
        episodes: characters with one support image per class, at most 5 classes. A game takes the
            first ``num_rounds`` tasks, the next game those after them.
        learners: by the name that the player will see.
        num_rounds: rounds per game.
        seed: of the lots: which query is asked, and what chance answers.
        first: the task of the first round.

    Raises:
        ValueError: for episodes of more than one shot or too few, or no learners.
    """

    def __init__(
        self,
        episodes: Episodes,
        learners: dict[str, Learner],
        num_rounds: int = 10,
        seed: int = 0,
        first: int = 0,
    ):
        self.num_ways = int(episodes.support.y.max()) + 1
        num_tasks = episodes.num_tasks
        require(
            episodes.support.y.shape[1] == self.num_ways
            and bool((episodes.support.y.sort(1).values == torch.arange(self.num_ways)).all()),
            "The game shows one drawing of each class: sample episodes with num_shots=1.",
        )
        require(
            2 <= self.num_ways <= MAX_WAYS,
            f"num_ways={self.num_ways}: the game has room for 2 to {MAX_WAYS} cards.",
        )
        require(
            1 <= num_rounds <= num_tasks,
            f"num_rounds={num_rounds} but there are {num_tasks} tasks; choose 1 to {num_tasks}.",
        )
        require(bool(learners), "learners is empty: name at least one to play against.")
        require(
            not {YOU, CHANCE, BOTH} & set(learners),
            f"A learner cannot be called {YOU}, {CHANCE} or {BOTH}: those are the player's names.",
        )
        last = num_tasks - num_rounds
        require(0 <= first <= last, f"first={first}: choose 0 to {last}, so that a game follows.")
        self.seed = seed
        self._lots = torch.Generator().manual_seed(seed)
        self.num_rounds = num_rounds
        tasks = torch.arange(num_tasks)
        asked = torch.randint(episodes.query.y.shape[1], (num_tasks,), generator=self._lots)
        order = episodes.support.y.argsort(1)
        self._support = episodes.support.x[tasks[:, None], order][:, :, 0].numpy()
        self._queries = episodes.query.x[tasks, asked][:, 0].numpy()
        self._truths = episodes.query.y[tasks, asked]
        self._choices: dict[str, list[int]] = {}
        self.overall: dict[str, Evaluation] = {}
        with torch.no_grad():
            for name, learner in learners.items():
                adapted = learner.adapt(episodes.support)
                predicted = learner.predict(adapted, episodes.query.x[tasks, asked].unsqueeze(1))
                self._choices[name] = predicted.argmax(-1).flatten().tolist()
                self.overall[name] = Evaluation(task_scores(predicted, self._truths.unsqueeze(1)))
        self._begin(first)

    def _begin(self, first: int) -> None:
        self.first, self.round = first, 0
        self.answers: list[int] = []
        self._by_lot: list[bool] = []

    @property
    def player(self) -> str:
        if not any(self._by_lot):
            return YOU
        return CHANCE if all(self._by_lot) else BOTH

    @property
    def num_tasks(self) -> int:
        return len(self._truths)

    @property
    def is_answered(self) -> bool:
        return self.round < len(self.answers)

    @property
    def is_over(self) -> bool:
        return len(self.answers) == self.num_rounds

    # Playing

    def answer(self, way: int) -> bool:
        """The player says ``way``, 0 for A. Returns whether that is right.

        Raises:
            ValueError: if there is no such way, or this round is answered already.
        """
        require(
            isinstance(way, int) and 0 <= way < self.num_ways,
            f"There is no answer {way}: choose 0 to {self.num_ways - 1}, which are "
            f"{LETTERS[0]} to {LETTERS[self.num_ways - 1]}.",
        )
        require(
            not self.is_answered,
            f"Round {self.round + 1} is answered already: "
            f"{'play again' if self.is_over else 'go to the next round'}.",
        )
        self.answers.append(way)
        self._by_lot.append(False)
        return self._is_right(self.round, way)

    def next_round(self) -> None:
        """Goes on. Raises ValueError before an answer is given, and after the last round."""
        require(self.is_answered, f"Answer round {self.round + 1} first.")
        require(not self.is_over, f"All {self.num_rounds} rounds are played: play again.")
        self.round += 1

    def play_by_chance(self) -> None:
        """Answers every round that is left at random. Raises ValueError if none is."""
        left = self.num_rounds - len(self.answers)
        require(left > 0, f"All {self.num_rounds} rounds are played: play again.")
        self._draw_lots(left)
        self.round = self.num_rounds - 1

    def play_again(self) -> None:
        """Begins a game on the next tasks; on the first ones when too few are left."""
        first = self.first + self.num_rounds
        self._begin(first if first + self.num_rounds <= self.num_tasks else 0)

    def play_to_telling_task(self) -> None:
        """Begins the game that has the `telling_task`; chance answers the rounds before it."""
        task = self.telling_task()
        self._begin(
            min(task // self.num_rounds * self.num_rounds, self.num_tasks - self.num_rounds)
        )
        self.round = task - self.first
        self._draw_lots(self.round)

    def _draw_lots(self, count: int) -> None:
        self.answers += torch.randint(self.num_ways, (count,), generator=self._lots).tolist()
        self._by_lot += [True] * count

    # What is to be seen

    def frame(self) -> GameFrame:
        """The round as it stands."""
        task = self.first + self.round
        shown = {}
        if self.is_answered:
            shown = {self.player: self.answers[self.round]}
            shown |= {name: choices[task] for name, choices in self._choices.items()}
        return GameFrame(
            title=f"Round {self.round + 1} of {self.num_rounds}",
            support=self._support[task],
            query=self._queries[task],
            truth=int(self._truths[task]) if self.is_answered else None,
            choices=shown,
            tallies=self._tallies(),
        )

    def result(self) -> dict[str, int]:
        """By player, how many of the rounds answered so far were answered rightly."""
        return {name: sum(tally) for name, tally in self._tallies().items()}

    def sentence(self) -> str:
        """The round, or at the end the result, in words."""
        frame = self.frame()
        where = f"Round {self.round + 1} of {self.num_rounds}"
        if not self.is_answered:
            return (
                f"{where}: which of {LETTERS[0]} to {LETTERS[self.num_ways - 1]} is the same "
                "character as the one above, by another hand?"
            )
        if self.is_over and self._by_lot[-1]:
            return self._end()
        mine, truth = self.answers[self.round], LETTERS[frame.truth]
        verdict = (
            f"right, it is {truth}."
            if mine == frame.truth
            else (f"it is {truth}, not {LETTERS[mine]}.")
        )
        others = [
            f"{name} says {LETTERS[way]}, {'right' if way == frame.truth else 'wrong'}"
            for name, way in frame.choices.items()
            if name != self.player
        ]
        told = f"{where}: {verdict} {'; '.join(others)}."
        return f"{told} {self._end()}" if self.is_over else told

    def result_sentence(self) -> str:
        """The scores so far, and how little so few rounds can tell."""
        played = len(self.answers)
        require(played > 0, "No round is played yet: answer the first one.")
        (player, mine), *others = self.result().items()
        scores = ", ".join(f"{name} {score}" for name, score in others)
        return (
            f"{player}: {mine} of {played}. {scores}. With {played} "
            f"{'round' if played == 1 else 'rounds'}, one more or less right moves a score by "
            f"{100 / played:.0f} points, so small differences mean little."
        )

    def overall_sentence(self) -> str:
        """The learners' scores over all tasks, with 95 % intervals."""
        scores = [
            f"{name} {score.mean:.0%} ± {100 * score.interval:.0f}"
            for name, score in self.overall.items()
        ]
        return (
            f"Over all {self.num_tasks} tasks, one question each: {', '.join(scores)} "
            f"(95 % intervals); chance {1 / self.num_ways:.0%}."
        )

    def _end(self) -> str:
        return f"{self.result_sentence()} {self.overall_sentence()}"

    def telling_task(self) -> int:
        """The first task on which the learners disagree most."""
        disagreement = [len(set(choices)) for choices in zip(*self._choices.values(), strict=True)]
        return int(np.argmax(disagreement))

    def learners_frame(self, task: int) -> GameFrame:
        """Task ``task`` as answered by the learners alone."""
        require(0 <= task < self.num_tasks, f"There is no task {task} of {self.num_tasks}.")
        return GameFrame(
            title=f"One of {self.num_tasks} questions",
            support=self._support[task],
            query=self._queries[task],
            truth=int(self._truths[task]),
            choices={name: choices[task] for name, choices in self._choices.items()},
            tallies={},
        )

    def _tallies(self) -> dict[str, list[bool]]:
        rounds = range(len(self.answers))
        tallies = {self.player: [self._is_right(i, self.answers[i]) for i in rounds]}
        for name, choices in self._choices.items():
            tallies[name] = [self._is_right(i, choices[self.first + i]) for i in rounds]
        return tallies

    def _is_right(self, round: int, way: int) -> bool:
        return way == int(self._truths[self.first + round])


# The view

WIDTH, QUERY, CARD, LINE = 430, 120, 72, 16  # CSS pixels
TRIES = (
    Try(
        "A game by chance",
        "Its bar ends near the dotted line, seldom on it. Play several: how far apart are they?",
        press="play_by_chance_alone",
    ),
    Try(
        "A question that divides",
        "The learners disagree here as much as anywhere. What do you say?",
        press="play_to_telling_task",
    ),
)


class EpisodeGame(Live):
    """The game: answer by choosing a card.

    Args and errors: as for `GameModel`.
    """

    def __init__(
        self,
        episodes: Episodes,
        learners: dict[str, Learner],
        num_rounds: int = 10,
        seed: int = 0,
        first: int = 0,
    ):
        super().__init__(GameModel(episodes, learners, num_rounds, seed, first))

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        go_on = "Play again" if model.is_over else "Next round"
        return Scene(
            (_board(frame, model, pick="answer with this card"), _scores(frame.tallies, model)),
            (
                Button("go_on", go_on, enabled=model.is_answered, primary=True, beside="board"),
                Button(
                    "play_by_chance", "Let chance play", enabled=not model.is_over, beside="board"
                ),
            ),
            TRIES,
            sentence=model.sentence(),
            code=f"EpisodeGame(episodes, learners, num_rounds={model.num_rounds}, "
            f"seed={model.seed}, first={model.first})",
        )

    def go_on(self) -> None:
        self.model.play_again() if self.model.is_over else self.model.next_round()

    def play_by_chance_alone(self) -> None:
        self.model.play_again()
        self.model.play_by_chance()

    def pick(self, key: str, index: int) -> None:
        self.model.answer(index)

    def demo(self) -> EpisodeGame:
        """Lets chance play all rounds that are left, for those who would rather watch."""
        if not self.model.is_over:
            self.model.play_by_chance()
            self.show()
        return self

    def filmstrip(self, task: int | None = None) -> still.Figure:
        """One task with the learners' answers, and their scores over all tasks.

        Args:
            task: which one; by default the first on which the learners disagree most.

        Raises:
            ValueError: if there is no such task.
        """
        frame = self.model.learners_frame(self.model.telling_task() if task is None else task)
        return still.draw(Scene((_board(frame, self.model), _overall(self.model))))

    def description(self, task: int | None = None) -> str:
        """The text alternative of `filmstrip`."""
        model = self.model
        frame = model.learners_frame(model.telling_task() if task is None else task)
        choices = [
            f"{name} says {LETTERS[way]}, {'right' if way == frame.truth else 'wrong'}"
            for name, way in frame.choices.items()
        ]
        return (
            f"Left, one question: a handwritten character above {model.num_ways} cards, of which "
            f"{LETTERS[frame.truth]} is the same character. {'; '.join(choices)}. "
            f"Right, the scores as bars. {model.overall_sentence()}"
        )


def _board(frame: GameFrame, model: GameModel, pick: str = "") -> Panel:
    """The query above the cards; under each card who chose it."""
    ways = range(model.num_ways)
    middle, place = WIDTH / 2, np.array(ways) - (model.num_ways - 1) / 2
    x, level = middle + place * WIDTH / MAX_WAYS, np.ones(model.num_ways)
    names = LINE * (1 + len(model.overall))
    cards, letters = names + CARD / 2 + 4, names + CARD + 16
    top = letters + 18 + QUERY / 2
    mine = next((way for name, way in frame.choices.items() if name in (YOU, CHANCE, BOTH)), None)
    wrong = mine not in (None, frame.truth)
    edges = ["green" if way == frame.truth else "red" if wrong and way == mine else "gray"
             for way in ways]  # fmt: skip
    verdict = f"{WRONG} it is {LETTERS[frame.truth]}" if wrong else f"{RIGHT} right"
    beside = [] if mine is None else [middle + QUERY / 2 + 12]
    lines = [
        (x[way], names - 8 - LINE * line, name)
        for way in ways
        for line, name in enumerate(n for n, choice in frame.choices.items() if choice == way)
    ]
    query = {"edges": ["ink"], "wide": QUERY, "tall": QUERY}
    looks = {"edges": edges, "dashed": [edge == "red" for edge in edges]}
    hand = {"texts": [f"card {LETTERS[way]}" for way in ways], "pick": pick}
    marks = [
        Images("query", [middle], [top], pixels(frame.query[None]), **query),
        Texts("verdict", beside, [top][: len(beside)], [verdict][: len(beside)], size=17,
              anchor="start", bold=True),
        Texts("letters", x, letters * level, LETTERS[: len(x)], size=14, bold=True),
        Images("cards", x, cards * level, pixels(frame.support), wide=CARD, tall=CARD, **looks,
               **hand),
        Texts("names", *zip(*lines, strict=True)),
    ]  # fmt: skip
    title = f"{frame.title}: which card is it?"
    alt = f"a handwritten character, and below it {len(x)} others on cards"
    return board("board", WIDTH, top + QUERY / 2 + 4, marks, title=title, alt=alt)


def _scores(tallies: dict[str, list[bool]], model: GameModel) -> Panel:
    """Round by round who was right, and below that how many were: a row for each player."""
    most, rows = model.num_rounds, _rows(tallies)
    colors = {name: _color(name, model) for name in rows}
    told = [(round, name, right) for name, tally in tallies.items()
            for round, right in enumerate(tally, 1)]  # fmt: skip
    played = {name: sum(tally) for name, tally in tallies.items() if tally}
    looks = {
        "colors": [colors[name] for _, name, _ in told],
        "markers": ["s" if right else "x" for *_, right in told],
        "texts": [f"{name}, round {round}: {'right' if right else 'wrong'}"
                  for round, name, right in told],
        "size": max(4, min(11, 200 / most)),
    }  # fmt: skip
    bars = {"colors": [colors[name] for name in played], "texts": [*map(str, played.values())]}
    free = [(round, row + 0.22) for row in rows.values() for round in range(1, most + 1)]
    marks = (
        Points("free", *zip(*free, strict=True), color="gray", size=4, fixed=("x", "y")),
        Points("played", [round for round, *_ in told], [rows[name] + 0.22 for _, name, _ in told],
               **looks),
        Bars("rights", [*played.values()], [rows[name] - 0.16 for name in played], **bars,
             thick=0.3, flat=True),
        Points("right", label="right", marker="s"),
        Points("wrong", label="wrong", marker="x"),
        Rules("by chance", [most / model.num_ways], label="by chance, on average", dash=":"),
    )  # fmt: skip
    ticks = tuple(range(0, most + 1, max(1, round(most / 5))))
    x = Axis(0, most + 0.7, f"rounds, of {most}", ticks=ticks)
    alt = "the scores, round by round"
    return Panel("scores", x, _players(rows), marks, alt=alt, width=380, height=90 + 56 * len(rows))


def _overall(model: GameModel) -> Panel:
    """The learners' scores over all tasks."""
    rows = _rows(model.overall)
    y, colors = [*rows.values()], [_color(name, model) for name in rows]
    ends = [100 * (score.mean + np.array([-1, 0, 1]) * score.interval)
            for score in model.overall.values()]  # fmt: skip
    low, means, high = zip(*ends, strict=True)
    marks = (
        Bars("scores", means, y, colors=colors, flat=True),
        Spans("intervals", y, low, high, label="95 % interval", flat=True),
        Rules("chance", [100 / model.num_ways], label="chance", dash=":"),
    )
    x = Axis(0, 102, f"% right of {model.num_tasks} questions")
    return Panel("overall", x, _players(rows), marks, width=380, height=330)


def _rows(players: Collection[str]) -> dict[str, int]:
    """Each player's row, the first on top."""
    return dict(zip(players, reversed(range(len(players))), strict=True))


def _players(rows: dict[str, int]) -> Axis:
    return Axis(-0.5, len(rows) - 0.5, ticks=tuple(rows.values()), names=tuple(rows))


def _color(name: str, model: GameModel) -> str:
    """The player's colour is that of text; a learner has its own."""
    return solid([*model.overall])[name]["color"] if name in model.overall else "ink"
