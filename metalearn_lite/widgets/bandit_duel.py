"""The bandit duel: you and the players pull the arms of the same bandit.

`DuelModel` is plain Python: pulls in, frames and sentences out. `BanditDuel` shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from metalearn_lite.figures import looks
from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.widgets.layout import row, shrinking, still_figure
from metalearn_lite.widgets.picture import (
    BLACK,
    FONT_SIZE,
    GREY,
    SKY,
    VERMILION,
    Picture,
    Pointer,
    Sentence,
    new_figure,
    plain_axes,
)
from metalearn_lite.widgets.words import count, require

if TYPE_CHECKING:
    from metalearn_lite.rl.bandit_players import Player

YOU = "You"
MAX_ARMS, MAX_PLAYERS = 9, 4  # keys 1 to 9; colours


class Record(NamedTuple):
    """All pulls of one player on one bandit, in their order."""

    arms: np.ndarray
    """``(pulls,)``, each from 0"""
    rewards: np.ndarray
    """``(pulls,)``, each 0 or 1"""


class DuelFrame(NamedTuple):
    """All that one picture shows. What would give the best arm away is missing until the end."""

    num_pulls: int
    pulls: int
    """how many you have made"""
    counts: np.ndarray
    """``(num_arms,)``: your pulls of each arm"""
    wins: np.ndarray
    """``(num_arms,)``: your rewards from each"""
    last: int | None
    """the arm you pulled last"""
    regrets: dict[str, np.ndarray]
    """by player ``(pulls + 1,)``: the regret after 0 … pulls. Yours is there at the end, or when
    you peek"""
    truth: np.ndarray | None
    """``(num_arms,)``: how probable a reward is, once all pulls are made"""
    all_counts: dict[str, np.ndarray]
    """by player ``(num_arms,)``: all their pulls, at the end"""


class DuelModel:
    """One bandit after the other; on each, you and the players make the same number of pulls.

    All meet the same chance: the n-th pull of an arm pays the same, whoever makes it and when.
    The players never see what you do, nor you what they do.

    Args:
        games: for each number of pulls that can be chosen, who plays, by name. A player has
            ``start``, ``choose`` and ``learn``, as in ``rl.bandit_players``. At most 4.
        num_arms: 2 to 9.
        seed: of the bandits and of all chance.
        helper: who can finish for you; a player of every game.

    Raises:
        ValueError: for impossible sizes, no player, too many, or one called You.
    """

    def __init__(
        self,
        games: Mapping[int, Mapping[str, Player]],
        num_arms: int = 5,
        seed: int = 0,
        helper: str = "UCB1",
    ):
        require(bool(games), "games is empty: name at least one number of pulls and its players.")
        require(
            2 <= num_arms <= MAX_ARMS, f"num_arms={num_arms}: choose 2 to {MAX_ARMS}, one per key."
        )
        for num_pulls, players in games.items():
            require(num_pulls >= 1, f"{num_pulls} pulls: choose 1 or more.")
            require(
                1 <= len(players) <= MAX_PLAYERS,
                f"{len(players)} players for {num_pulls} pulls: name 1 to {MAX_PLAYERS}.",
            )
            require(YOU not in players, f"A player cannot be called {YOU}: that is your name.")
            require(helper in players, f"{helper} is to help but does not play: {list(players)}.")
        self.games = {num_pulls: dict(players) for num_pulls, players in games.items()}
        self.num_arms, self.helper = num_arms, helper
        self.peek = False
        """whether your own regret is shown while you play"""
        self._generator = torch.Generator().manual_seed(seed)
        self._begin(next(iter(self.games)))
        self.new_bandit()

    @property
    def players(self) -> dict[str, Player]:
        return self.games[self.num_pulls]

    @property
    def is_over(self) -> bool:
        return len(self._arms) == self.num_pulls

    # Playing

    def new_bandit(self, num_pulls: int | None = None) -> None:
        """Another bandit, with another number of pulls if it is given; scores begin anew then.

        Raises:
            ValueError: there is no game of so many pulls.
        """
        if num_pulls is not None:
            there = ", ".join(map(str, self.games))
            require(num_pulls in self.games, f"No game has {num_pulls} pulls: choose {there}.")
        if num_pulls not in (None, self.num_pulls):
            self._begin(num_pulls)
        bandits = Bandits(self.num_arms, self.num_pulls)
        self._truth = bandits.sample_tasks(1, self._generator)[0].double().numpy()
        lots = torch.rand(self.num_arms, self.num_pulls, generator=self._generator).numpy()
        self._pays = (lots < self._truth[:, None]).astype(int)
        self._arms: list[int] = []
        self._rewards: list[int] = []
        self._helped = False
        self._seed = int(torch.randint(2**31, (), generator=self._generator))
        self._records = {
            name: self._played(player, self._seed + place)
            for place, (name, player) in enumerate(self.players.items())
        }

    def _begin(self, num_pulls: int) -> None:
        self.num_pulls = num_pulls
        self.bandits_played = 0
        self._totals = dict.fromkeys((YOU, *self.players), 0.0)

    def pull(self, arm: int) -> bool:
        """You pull ``arm``, counted from 0. Returns whether it pays.

        Raises:
            ValueError: there is no such arm, or no pull is left.
        """
        require(
            isinstance(arm, int) and 0 <= arm < self.num_arms,
            f"There is no arm {arm + 1 if isinstance(arm, int) else arm}: "
            f"choose 1 to {self.num_arms}.",
        )
        require(not self.is_over, self._all_made())
        reward = int(self._pays[arm, self._arms.count(arm)])
        self._arms.append(arm)
        self._rewards.append(reward)
        self._count_if_over()
        return bool(reward)

    def finish(self) -> None:
        """The helper sees what you have seen and makes the pulls that are left.

        Raises:
            ValueError: none is left.
        """
        require(not self.is_over, self._all_made())
        helper = self.players[self.helper]
        record = self._played(helper, self._seed + MAX_PLAYERS, self._arms)
        self._arms, self._rewards = record.arms.tolist(), record.rewards.tolist()
        self._helped = True
        self._count_if_over()

    @torch.no_grad()
    def _played(self, player: Player, seed: int, first: Sequence[int] = ()) -> Record:
        """All pulls of ``player``, the ``first`` of which are made already."""
        generator = torch.Generator().manual_seed(seed)
        memory, arms, rewards = player.start(1, 1), [], []
        for pull in range(self.num_pulls):
            arm = first[pull] if pull < len(first) else int(player.choose(memory, generator))
            reward = int(self._pays[arm, arms.count(arm)])
            arms.append(arm)
            rewards.append(reward)
            memory = player.learn(memory, torch.tensor([[arm]]), torch.tensor([[float(reward)]]))
        return Record(np.array(arms), np.array(rewards))

    def _count_if_over(self) -> None:
        if self.is_over:
            self.bandits_played += 1
            for name, regret in self._regrets(self.num_pulls).items():
                self._totals[name] += float(regret[-1])

    # What is to be seen

    def frame(self) -> DuelFrame:
        """The bandit as you know it."""
        pulls, over = len(self._arms), self.is_over
        regrets = self._regrets(pulls)
        if not (over or self.peek):
            del regrets[YOU]
        counts = self._counts(self._arms)
        return DuelFrame(
            num_pulls=self.num_pulls,
            pulls=pulls,
            counts=counts,
            wins=np.bincount(self._arms, self._rewards, self.num_arms).astype(int)
            if pulls
            else np.zeros_like(counts),
            last=self._arms[-1] if pulls else None,
            regrets=regrets,
            truth=self._truth if over else None,
            all_counts={
                YOU: counts,
                **{name: self._counts(record.arms) for name, record in self._records.items()},
            }
            if over
            else {},
        )

    def records(self) -> dict[str, Record]:
        """By player, all pulls of this bandit: what a picture for afterwards shows."""
        return dict(self._records)

    def sentence(self) -> str:
        """Where you stand, in words; at the end, the truth and who came how far."""
        frame = self.frame()
        if frame.pulls == 0:
            return (
                f"{self.num_arms} arms, {count(self.num_pulls, 'pull')}. Each arm pays 1 with a "
                f"probability of its own, or 0. Pull arm 1 to {self.num_arms}."
            )
        total = int(frame.wins.sum())
        if self.is_over:
            return f"{self._told(total)} {self.result_sentence()}"
        last = frame.last
        return (
            f"Pull {frame.pulls} of {self.num_pulls}: arm {last + 1} pays {self._rewards[-1]}. "
            f"It has paid {frame.wins[last]} of {frame.counts[last]}. You have {total} in all."
        )

    def arms_sentence(self) -> str:
        """Your pulls and rewards, arm by arm; at the end, also the probabilities."""
        frame = self.frame()
        said = [
            f"arm {arm + 1}: {wins} of {pulls}"
            + ("" if frame.truth is None else f", true probability {frame.truth[arm]:.2f}")
            for arm, (wins, pulls) in enumerate(zip(frame.wins, frame.counts, strict=True))
        ]
        return f"{'; '.join(said)}."

    def regrets_sentence(self) -> str:
        """Everybody's regret so far. Yours is missing where it would give the best arm away."""
        regrets = self.frame().regrets
        said = ", ".join(f"{name} {regret[-1]:.1f}" for name, regret in regrets.items())
        return f"Regret after {count(len(self._arms), 'pull')}: {said}."

    def result_sentence(self) -> str:
        """Everybody's regret on this bandit, and on average over all played so far."""
        told = self.regrets_sentence()
        if self.bandits_played > 1:
            means = ", ".join(
                f"{name} {total / self.bandits_played:.1f}" for name, total in self._totals.items()
            )
            told += f" Average over {self.bandits_played} bandits: {means}."
        return f"{told} One bandit says little: chance decides much of it."

    def _told(self, total: int) -> str:
        who = f"You and {self.helper}" if self._helped else YOU
        best = int(self._truth.argmax())
        others = ", ".join(
            f"{name} {int(record.rewards.sum())}" for name, record in self._records.items()
        )
        return (
            f"The best arm was {best + 1}, with probability {self._truth[best]:.2f}. "
            f"{who} got {total}; {others}."
        )

    def _all_made(self) -> str:
        return f"All {count(self.num_pulls, 'pull')} are made: ask for a new bandit."

    def _regrets(self, pulls: int) -> dict[str, np.ndarray]:
        arms = {YOU: self._arms}
        arms |= {name: record.arms for name, record in self._records.items()}
        lost = self._truth.max() - self._truth
        return {
            name: np.concatenate(([0.0], lost[np.array(pulled[:pulls], dtype=int)].cumsum()))
            for name, pulled in arms.items()
        }

    def _counts(self, arms) -> np.ndarray:
        return np.bincount(np.array(arms, dtype=int), minlength=self.num_arms)


# The view


class BanditDuel(widgets.VBox):
    """The duel: pull by clicking an arm, by its button, or by the keys 1 to 9.

    Args and errors: as for `DuelModel`.
    """

    def __init__(self, *args, **settings):
        self.model = DuelModel(*args, **settings)
        model = self.model
        figure = new_figure(4.9, 3.7)
        self._arms = _Arms(figure.subplots(), model)
        keys = [str(arm + 1) for arm in range(model.num_arms)]
        self.arms = Picture(
            figure, self._arms.moving, on_click=self._click, on_key=self._press, keys=keys
        )
        figure = new_figure(3.6, 3.7)
        self._regrets = _Regrets(figure.subplots(), model)
        self.regrets = Picture(figure, self._regrets.moving)
        self.sentence = Sentence()
        left = shrinking(self.arms, 370, *self._controls())
        right = shrinking(self.regrets, 320, self.peek)
        super().__init__([row(left, right), self.sentence])
        self.children[0].layout.align_items = "flex-start"
        self._show()

    def demo(self) -> BanditDuel:
        """Lets the helper make all pulls that are left, for those who would rather watch."""
        if not self.model.is_over:
            self._finish()
        return self

    def filmstrip(self, num_pulls: int | None = None, seed: int = 0) -> Figure:
        """The players on one bandit, pull by pull, and their regret: as `filmstrip`."""
        return filmstrip(self._still(num_pulls, seed))

    def description(self, num_pulls: int | None = None, seed: int = 0) -> str:
        """The text alternative of `filmstrip`."""
        return description(self._still(num_pulls, seed))

    def _still(self, num_pulls: int | None, seed: int) -> DuelModel:
        model = DuelModel(self.model.games, self.model.num_arms, seed, self.model.helper)
        if num_pulls is not None:
            model.new_bandit(num_pulls)
        return model

    def _controls(self) -> list[widgets.Widget]:
        self.pulls = [
            widgets.Button(description=str(arm + 1), tooltip=f"pull arm {arm + 1}")
            for arm in range(self.model.num_arms)
        ]
        for arm, button in enumerate(self.pulls):
            button.layout = widgets.Layout(flex="1 1 0", min_width="36px")
            button.on_click(lambda _, arm=arm: self._pull(arm))
        self.new = widgets.Button(description="New bandit", button_style="primary")
        self.new.on_click(lambda _: self._new())
        self.finish = widgets.Button(description=f"Let {self.model.helper} finish")
        self.finish.on_click(lambda _: self._finish())
        self.length = widgets.ToggleButtons(
            options=[(f"{n} pulls", n) for n in self.model.games],
            value=self.model.num_pulls,
            style={"button_width": "84px"},
        )
        self.length.observe(lambda change: self._new(change["new"]), "value")
        self.peek = widgets.Checkbox(
            description="Peek: draw my regret as I play",
            indent=False,
            layout={"width": "auto"},
        )
        self.peek.observe(lambda change: self._peek(change["new"]), "value")
        return [widgets.HBox(self.pulls), row(self.new, self.finish, self.length)]

    def _click(self, pointer: Pointer) -> None:
        arm = self._arms.arm_at(pointer.y)
        if arm is not None:
            self._pull(arm)

    def _press(self, key: str) -> None:
        self._pull(int(key) - 1)

    def _pull(self, arm: int) -> None:
        self._do(lambda: self.model.pull(arm))

    def _finish(self) -> None:
        self._do(self.model.finish)

    def _new(self, num_pulls: int | None = None) -> None:
        self._do(lambda: self.model.new_bandit(num_pulls))

    def _peek(self, value: bool) -> None:
        self.model.peek = value
        self._show()

    def _do(self, move) -> None:
        try:
            move()
        except ValueError as refusal:
            self.sentence.text = str(refusal)
            return
        self._show()

    def _show(self) -> None:
        model, frame = self.model, self.model.frame()
        self._arms.show(frame)
        changed = self._regrets.show(frame)
        self.arms.refresh(alt=f"Your pulls and rewards. {model.arms_sentence()}")
        self.regrets.refresh(
            alt=f"Regret, pull by pull. {model.regrets_sentence()}", layout=changed
        )
        self.finish.disabled = model.is_over
        self.sentence.text = model.sentence()

    def __repr__(self) -> str:
        return f"BanditDuel({self.sentence.text!r})"


def filmstrip(model: DuelModel) -> Figure:
    """Which arm each player pulled, pull by pull, and their regret, as a figure that stays."""
    records, order = model.records(), np.argsort(model._truth)
    figure = still_figure(10.5, 1.2 + 1.05 * len(records))
    left, right = figure.subfigures(1, 2, width_ratios=(6, 4))
    panels = left.subplots(len(records), 1, sharex=True, squeeze=False)[:, 0]
    height = np.argsort(order)
    styles = looks(records)
    for place, (axes, (name, record)) in enumerate(zip(panels, records.items(), strict=True)):
        plain_axes(axes, "pull" if place == len(records) - 1 else "", "arm’s\nprobability")
        pulls = np.arange(1, model.num_pulls + 1)
        paid = record.rewards == 1
        color = styles[name]["color"]
        size = {"markersize": 5 if model.num_pulls > 40 else 8, "linestyle": ""}
        axes.plot(pulls[paid], height[record.arms[paid]], "s", color=color, **size)
        axes.plot(pulls[~paid], height[record.arms[~paid]], "x", color=GREY, **size)
        axes.set(ylim=(-0.6, model.num_arms - 0.4))
        axes.set_yticks(range(model.num_arms), [f"{model._truth[a]:.2f}" for a in order])
        axes.tick_params(labelsize=9)
        axes.set_title(f"{name}: {int(paid.sum())} rewards", fontsize=FONT_SIZE, loc="left")
    axes = plain_axes(right.subplots(), "pull", "regret")
    for name in records:
        regret = model._regrets(model.num_pulls)[name]
        style = styles[name] | {"marker": ""}
        axes.plot(np.arange(model.num_pulls + 1), regret, linewidth=2.5, label=name, **style)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=10, frameon=False)
    return figure


def description(model: DuelModel) -> str:
    """As `BanditDuel.description`."""
    regrets = model._regrets(model.num_pulls)
    said = [
        f"{name} pulled the best arm {int((record.arms == model._truth.argmax()).sum())} times, "
        f"got {int(record.rewards.sum())} and has a regret of {regrets[name][-1]:.1f}."
        for name, record in model.records().items()
    ]
    truth = ", ".join(f"{p:.2f}" for p in np.sort(model._truth))
    pictures = (
        f"One bandit whose arms pay with probabilities {truth}; {count(model.num_pulls, 'pull')}.",
        "Left: which arm each player pulled; a square where it paid, a cross where not.",
        "Right: their regret.",
    )
    return "\n".join((*pictures, *said))


class _Arms:
    """A row per arm: your rewards of your pulls; at the end the truth and the others' pulls."""

    def __init__(self, axes: Axes, model: DuelModel):
        arms = range(model.num_arms)
        self._num_arms = model.num_arms
        plain_axes(axes, "share of your pulls that paid")
        axes.set(xlim=(0, 2.5), ylim=(model.num_arms - 0.4, -1.4))
        axes.set_xticks((0, 0.5, 1), ("0", "½", "1"))
        axes.set_yticks(arms, [f"arm {arm + 1}" for arm in arms])
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False)
        axes.spines["bottom"].set_bounds(0, 1)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_label_coords(0.2, -0.1)
        axes.barh(arms, 1, height=0.62, color="#eeeeee")
        self._text(axes, 1.24, -0.75, "you")
        self._bars = axes.barh(arms, np.zeros(model.num_arms), height=0.62, color=SKY)
        self._mine = [self._text(axes, 1.24, arm) for arm in arms]
        (self._truth,) = axes.plot(
            [], [], "D", color=VERMILION, markersize=9, markeredgecolor="white", clip_on=False
        )
        self._legend = self._text(axes, 0.5, -0.75)
        self._head = self._text(axes, 2.02, -1.2)
        self._last = self._text(axes, 1.55, 0)
        columns = np.linspace(1.63, 2.38, max(len(players) for players in model.games.values()))
        self._names = [self._text(axes, x, -0.75, size=9) for x in columns]
        self._table = [[self._text(axes, x, arm) for x in columns] for arm in arms]
        self.moving = [
            *(*self._bars, *self._mine, self._truth, self._legend, self._head, self._last),
            *(*self._names, *(text for texts in self._table for text in texts)),
        ]

    @staticmethod
    def _text(axes: Axes, x: float, y: float, said: str = "", size: float = FONT_SIZE) -> Text:
        return axes.text(x, y, said, ha="center", va="center", fontsize=size)

    def show(self, frame: DuelFrame) -> None:
        over = frame.truth is not None
        for arm, (bar, text) in enumerate(zip(self._bars, self._mine, strict=True)):
            won, pulls = frame.wins[arm], frame.counts[arm]
            bar.set_width(won / max(pulls, 1))
            text.set_text(f"{won} of {pulls}" if pulls else "–")
        self._truth.set_data(frame.truth if over else [], range(self._num_arms) if over else [])
        self._legend.set_text("◆ true probability" if over else "")
        self._legend.set_color(VERMILION)
        self._last.set(text="" if over or frame.last is None else "◀", y=frame.last or 0)
        pulled = f"{frame.pulls} of {frame.num_pulls} pulls made"
        self._head.set_text("pulls of the others" if over else pulled)
        columns = list(frame.all_counts.items())[1:] if over else []
        for place, name in enumerate(self._names):
            player, counts = columns[place] if over and place < len(columns) else ("", None)
            name.set_text(player)
            for arm, texts in enumerate(self._table):
                texts[place].set_text("" if counts is None else str(counts[arm]))

    def arm_at(self, y: float) -> int | None:
        """The arm whose row is at ``y`` of the axes."""
        arm = round(y)
        return arm if 0 <= arm < self._num_arms and abs(y - arm) < 0.45 else None


class _Regrets:
    """The regret of everybody, pull by pull."""

    def __init__(self, axes: Axes, model: DuelModel):
        self._axes = plain_axes(axes, "pull", "regret")
        self._num_pulls = 0
        self._lines = {}
        names = dict.fromkeys((YOU, *(n for game in model.games.values() for n in game)))
        you = {"color": BLACK, "linestyle": "-", "marker": "o"}
        for name, style in {**looks(names), YOU: you}.items():
            style = style | {"linewidth": 2, "markersize": 5}
            (self._lines[name],) = axes.plot([], [], label=name, clip_on=False, **style)
        axes.figure.legend(
            loc="outside upper center", ncols=2, fontsize=10, frameon=False, handlelength=2.6
        )
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        self.moving = list(self._lines.values())
        for line in self.moving:
            line.set_in_layout(False)  # one that leaves the scale would take room from the axes

    def show(self, frame: DuelFrame) -> bool:
        """Returns whether the axes have changed."""
        changed = frame.num_pulls != self._num_pulls
        if changed:
            self._num_pulls = frame.num_pulls
            self._axes.set(xlim=(0, frame.num_pulls), ylim=(0, max(2, 0.3 * frame.num_pulls)))
            for line in self._lines.values():
                line.set_markevery(max(1, frame.num_pulls // 10))
        for name, line in self._lines.items():
            regret = frame.regrets.get(name, np.zeros(0))
            line.set_data(np.arange(len(regret)), regret)
        highest = max(regret[-1] for regret in frame.regrets.values())
        if highest > self._axes.get_ylim()[1]:
            self._axes.set_ylim(0, 1.2 * highest)
            changed = True
        return changed
