"""The episode game: you and the learners answer the same few-shot questions.

`GameModel` is plain Python: answers in, frames, scores and sentences out. `EpisodeGame` shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_uppercase as LETTERS
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from metalearn_lite.episodes import Episodes
from metalearn_lite.evaluation import Evaluation, task_scores
from metalearn_lite.figures import looks
from metalearn_lite.learners.base import Learner
from metalearn_lite.widgets.drawings import Drawings
from metalearn_lite.widgets.layout import row, shrinking, still_figure
from metalearn_lite.widgets.picture import (
    BLACK,
    FONT_SIZE,
    GREEN,
    GREY,
    VERMILION,
    Picture,
    Pointer,
    Sentence,
    new_figure,
    plain_axes,
)
from metalearn_lite.widgets.words import require

MAX_WAYS = 5  # cards that fit side by side
RIGHT, WRONG = "✔", "✘"
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

    Raises:
        ValueError: for episodes of more than one shot or too few, or no learners.
    """

    def __init__(
        self,
        episodes: Episodes,
        learners: dict[str, Learner],
        num_rounds: int = 10,
        seed: int = 0,
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
        self._first = 0
        self._begin()

    def _begin(self) -> None:
        self.round, self.answers, self.player = 0, [], YOU

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
        self.player = BOTH if self.answers else CHANCE
        self.answers += torch.randint(self.num_ways, (left,), generator=self._lots).tolist()
        self.round = self.num_rounds - 1

    def play_again(self) -> None:
        """Begins a game on the next tasks; on the first ones when too few are left."""
        self._first += self.num_rounds
        if self._first + self.num_rounds > self.num_tasks:
            self._first = 0
        self._begin()

    # What is to be seen

    def frame(self) -> GameFrame:
        """The round as it stands."""
        task = self._first + self.round
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
        if self.is_over and self.player != YOU:
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
            tallies[name] = [self._is_right(i, choices[self._first + i]) for i in rounds]
        return tallies

    def _is_right(self, round: int, way: int) -> bool:
        return way == int(self._truths[self._first + round])


# The view


class EpisodeGame(widgets.VBox):
    """The game: answer by clicking a card, or by its button.

    Args and errors: as for `GameModel`.
    """

    def __init__(
        self,
        episodes: Episodes,
        learners: dict[str, Learner],
        num_rounds: int = 10,
        seed: int = 0,
    ):
        self.model = GameModel(episodes, learners, num_rounds, seed)
        figure = new_figure(4.2, 3.8)
        self._board = _Board(figure.subplots(), self.model)
        self.board = Picture(figure, self._board.moving, on_click=self._click)
        figure = new_figure(3.75, 3.8)
        tally, bars = figure.subplots(2, 1)
        self._tally, self._bars = _Tally(tally, self.model), _Bars(bars, self.model)
        self.scores = Picture(figure, self._tally.moving + self._bars.moving)
        self.sentence = Sentence()
        left = shrinking(self.board, 360, *self._controls(), self.sentence)
        super().__init__([row(left, shrinking(self.scores, 330))])
        self.children[0].layout.align_items = "flex-start"
        self._show()

    def demo(self) -> EpisodeGame:
        """Lets chance play all rounds that are left, for those who would rather watch."""
        if not self.model.is_over:
            self._by_chance()
        return self

    def filmstrip(self, task: int | None = None) -> Figure:
        """One task with the learners' answers, and their scores over all tasks.

        Args:
            task: which one; by default the first on which the learners disagree most.

        Raises:
            ValueError: if there is no such task.
        """
        return filmstrip(self.model, task)

    def description(self, task: int | None = None) -> str:
        """The text alternative of `filmstrip`."""
        return description(self.model, task)

    def _controls(self) -> list[widgets.Widget]:
        self.answers = [widgets.Button(description=LETTERS[i]) for i in range(self.model.num_ways)]
        for way, button in enumerate(self.answers):
            button.layout = widgets.Layout(flex="1 1 0", min_width="40px")
            button.on_click(lambda _, way=way: self._answer(way))
        self.next = widgets.Button(button_style="primary", icon="arrow-right")
        self.next.on_click(lambda _: self._go_on())
        self.chance = widgets.Button(description="Let chance play", icon="random")
        self.chance.on_click(lambda _: self._by_chance())
        return [widgets.HBox(self.answers), row(self.next, self.chance)]

    def _click(self, pointer: Pointer) -> None:
        way = self._board.card_at(pointer.x, pointer.y)
        if way is not None:
            self._answer(way)

    def _answer(self, way: int) -> None:
        try:
            self.model.answer(way)
        except ValueError as refusal:
            self.sentence.text = str(refusal)
            return
        self._show()
        self.next.focus()

    def _go_on(self) -> None:
        if self.model.is_over:
            self.model.play_again()
        else:
            self.model.next_round()
        self._show()
        self.answers[0].focus()

    def _by_chance(self) -> None:
        self.model.play_by_chance()
        self._show()
        self.next.focus()

    def _show(self) -> None:
        model, frame = self.model, self.model.frame()
        for part in (self._board, self._tally, self._bars):
            part.show(frame)
        cards = f"{model.num_ways} others on cards A to {LETTERS[model.num_ways - 1]}"
        self.board.refresh(alt=f"A handwritten character, and below it {cards}. {model.sentence()}")
        result = model.result_sentence() if model.answers else "None yet."
        self.scores.refresh(alt=f"The scores. {result}")
        for button in self.answers:
            button.disabled = model.is_answered
        self.next.disabled = not model.is_answered
        self.next.description = "Play again" if model.is_over else "Next round"
        self.chance.disabled = model.is_over
        self.sentence.text = model.sentence()

    def __repr__(self) -> str:
        return f"EpisodeGame({self.sentence.text!r})"


def filmstrip(model: GameModel, task: int | None = None) -> Figure:
    """As `EpisodeGame.filmstrip`."""
    frame = model.learners_frame(model.telling_task() if task is None else task)
    figure = still_figure(8.2, 3.8)
    left, right = figure.subplots(1, 2, width_ratios=(5, 4))
    _Board(left, model, drawing_size=36).show(frame)
    plain_axes(right, f"% right of {model.num_tasks} questions, 95 % intervals")
    names = list(model.overall)
    means = [100 * score.mean for score in model.overall.values()]
    right.barh(
        names,
        means,
        xerr=[100 * score.interval for score in model.overall.values()],
        color=_colours(names)[1:],
        capsize=4,
        height=0.6,
    )
    right.set(xlim=(0, 100), ylim=(len(names) - 0.4, -0.6))
    _chance_line(right, 100 / model.num_ways)
    return figure


def description(model: GameModel, task: int | None = None) -> str:
    """As `EpisodeGame.description`."""
    frame = model.learners_frame(model.telling_task() if task is None else task)
    choices = "; ".join(
        f"{name} says {LETTERS[way]}, {'right' if way == frame.truth else 'wrong'}"
        for name, way in frame.choices.items()
    )
    return (
        f"Left, one question: a handwritten character above {model.num_ways} cards, of which "
        f"{LETTERS[frame.truth]} is the same character. {choices}. "
        f"Right, the scores as bars. {model.overall_sentence()}"
    )


class _Board:
    """The query above the cards; under each card who chose it."""

    def __init__(self, axes: Axes, model: GameModel, drawing_size: float = 45):
        axes.set(xlim=(0, MAX_WAYS), ylim=(0, 4.35), aspect="equal")
        axes.axis("off")
        ways = range(model.num_ways)
        self.boards = [(MAX_WAYS - model.num_ways) / 2 + way for way in ways]
        self._title = axes.text(MAX_WAYS / 2, 4.15, "", ha="center", fontsize=FONT_SIZE)
        middle = MAX_WAYS / 2
        axes.add_patch(Rectangle((middle - 0.75, 2.5), 1.5, 1.5, fill=False, linewidth=1.5))
        self._query = Drawings(axes, 1.6 * drawing_size)
        self._query.set_points(np.array([[middle, 3.25]]))
        self._supports = Drawings(axes, drawing_size)
        self._supports.set_points(np.array([[left + 0.5, 1.45] for left in self.boards]))
        self._cards, self._names = [], []
        for left, letter in zip(self.boards, LETTERS, strict=False):
            card = Rectangle((left + 0.06, 1.01), 0.88, 0.88, facecolor="white")
            self._cards.append(axes.add_patch(card))
            axes.text(left + 0.5, 2.0, letter, ha="center", weight="bold", fontsize=FONT_SIZE + 1)
            names = axes.text(left + 0.5, 0.9, "", ha="center", va="top", fontsize=FONT_SIZE - 1)
            self._names.append(names)
        self._verdict = axes.text(3.5, 3.25, "", va="center", fontsize=FONT_SIZE + 4)
        self.moving = [
            *(*self._cards, self._title, self._query, self._supports),
            *(*self._names, self._verdict),
        ]
        self.show(model.frame())

    def show(self, frame: GameFrame) -> None:
        self._title.set_text(f"{frame.title}: which card is this character?")
        self._query.set_images(frame.query[None])
        self._supports.set_images(frame.support)
        mine = next(
            (frame.choices[name] for name in (YOU, CHANCE, BOTH) if name in frame.choices), None
        )
        for way, (card, names) in enumerate(zip(self._cards, self._names, strict=True)):
            chosen_by = [name for name, choice in frame.choices.items() if choice == way]
            names.set_text("\n".join(chosen_by))
            if frame.truth == way:
                card.set(edgecolor=GREEN, linewidth=4, linestyle="-")
            elif frame.truth is not None and mine == way:
                card.set(edgecolor=VERMILION, linewidth=3, linestyle="--")
            else:
                card.set(edgecolor=GREY, linewidth=1, linestyle="-")
        if mine is None:
            self._verdict.set_text("")
        elif mine == frame.truth:
            self._verdict.set(text=f"{RIGHT} right", color=GREEN)
        else:
            self._verdict.set(text=f"{WRONG} it is {LETTERS[frame.truth]}", color=VERMILION)

    def card_at(self, x: float, y: float) -> int | None:
        """The card, with its letter and names, at a place of the axes."""
        for way, left in enumerate(self.boards):
            if left <= x < left + 1 and y < 2.3:
                return way
        return None


class _Tally:
    """Round by round, who was right."""

    def __init__(self, axes: Axes, model: GameModel):
        num_players = 1 + len(model.overall)
        axes.set(xlim=(0.4, model.num_rounds + 0.6), ylim=(num_players - 0.5, -0.5))
        axes.set_xticks(range(1, model.num_rounds + 1))
        axes.set_yticks(range(num_players), ["", *model.overall])
        axes.tick_params(length=0, labelsize=FONT_SIZE)
        axes.set_title("■ right, × wrong, round by round", fontsize=FONT_SIZE)
        axes.spines[:].set_visible(False)
        size = min(12, 120 / model.num_rounds)
        self.scoress, self._wrongs = [], []
        for place, color in enumerate(_colours(model.overall)):
            style = {"color": color, "linestyle": ""}
            self.scoress += axes.plot([], [], "s", markersize=size, **style)
            self._wrongs += axes.plot(
                [], [], "x", markersize=0.75 * size, markeredgewidth=2, **style
            )
            axes.plot(range(1, model.num_rounds + 1), [place] * model.num_rounds, ".", color="#ccc")
        self._player = _player_label(axes)
        self.moving = [*self.scoress, *self._wrongs, self._player]
        self.show(model.frame())

    def show(self, frame: GameFrame) -> None:
        self._player.set_text(next(iter(frame.tallies)).replace(" + ", " +\n"))
        for place, tally in enumerate(frame.tallies.values()):
            rounds, right = np.arange(1, len(tally) + 1), np.array(tally, dtype=bool)
            self.scoress[place].set_data(rounds[right], np.full(right.sum(), place))
            self._wrongs[place].set_data(rounds[~right], np.full((~right).sum(), place))


class _Bars:
    """The scores."""

    def __init__(self, axes: Axes, model: GameModel):
        num_players = 1 + len(model.overall)
        plain_axes(axes, f"rounds right, of {model.num_rounds}")
        self._bars = axes.barh(range(num_players), np.zeros(num_players), height=0.6)
        axes.set(xlim=(0, 1.12 * model.num_rounds), ylim=(num_players - 0.4, -0.6))
        axes.set_yticks(range(num_players), ["", *model.overall])
        _chance_line(axes, model.num_rounds / model.num_ways)
        self._numbers = [
            axes.text(0, place, "", va="center", fontsize=FONT_SIZE) for place in range(num_players)
        ]
        for bar, color in zip(self._bars, _colours(model.overall), strict=True):
            bar.set_facecolor(color)
        self._player = _player_label(axes)
        self.moving = [*self._bars, *self._numbers, self._player]
        self.show(model.frame())

    def show(self, frame: GameFrame) -> None:
        self._player.set_text(next(iter(frame.tallies)).replace(" + ", " +\n"))
        for bar, number, tally in zip(
            self._bars, self._numbers, frame.tallies.values(), strict=True
        ):
            bar.set_width(sum(tally))
            number.set(x=sum(tally) + 0.15, text=str(sum(tally)) if tally else "")


def _player_label(axes: Axes) -> Text:
    """The first row's label, which changes when chance takes over."""
    style = {"ha": "right", "va": "center", "weight": "bold", "fontsize": FONT_SIZE}
    return axes.text(-0.02, 0, "", transform=axes.get_yaxis_transform(), **style)


def _chance_line(axes: Axes, place: float) -> None:
    axes.axvline(place, color=BLACK, linestyle=":", linewidth=1.5)
    axes.text(place, 1.02, "chance", ha="center", transform=axes.get_xaxis_transform())


def _colours(learners: Iterable[str]) -> list[str]:
    """The player's colour is black; then the learners' own."""
    return [BLACK, *(style["color"] for style in looks(learners).values())]
