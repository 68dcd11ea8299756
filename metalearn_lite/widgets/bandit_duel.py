"""The bandit duel: you and the players pull the arms of the same bandit.

`DuelModel` is plain Python: pulls in, frames and sentences out. `BanditDuel` shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.widgets.kit import (
    Axis,
    Bars,
    Boxes,
    Button,
    Choice,
    Line,
    Live,
    Panel,
    Points,
    Scene,
    Switch,
    Table,
    Texts,
    Try,
    dashed,
    solid,
    still,
    top_down,
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


class BanditDuel(Live):
    """The duel in the page: pull an arm by a click on it, or with the arrow keys and Enter.

    Args and errors: as for `DuelModel`.
    """

    def __init__(self, *args, **settings):
        super().__init__(DuelModel(*args, **settings))

    def scene(self) -> Scene:
        model, frame = self.model, self.model.frame()
        return Scene(
            (_arms(model, frame), _regrets(model, frame), _pulls(model, frame)),
            (
                Button("finish", f"Let {model.helper} finish", enabled=not model.is_over),
                Button("new", "New bandit", primary=model.is_over),
                Choice("length", "length", _length(model.num_pulls), self._lengths()),
                Switch("peek", "Peek: draw my regret as I play", model.peek),
            ),
            (
                Try(
                    f"Watch {model.helper}",
                    "It begins anew. How soon does it stay with one arm, and is that the best?",
                    press="demo",
                ),
                Try(
                    "With your regret",
                    "Each step of your line is what a better arm would have brought.",
                    values={"peek": True},
                ),
            ),
            sentence=model.sentence(),
            note=model.arms_sentence(),
        )

    def set(self, name: str, value: str | bool) -> None:
        if name == "peek":
            self.model.peek = value
        else:
            self.model.new_bandit(int(value.split()[0]))

    def pick(self, key: str, index: int) -> None:
        self.model.pull(index)

    def new(self) -> None:
        self.model.new_bandit()

    def demo(self) -> BanditDuel:
        """Another bandit, on which the helper makes all pulls, for those who would rather watch."""
        self.model.new_bandit()
        self.model.finish()
        self.show()
        return self

    def filmstrip(self, num_pulls: int | None = None, seed: int = 0) -> still.Figure:
        """Which arm each player pulled, pull by pull, and their regret, as a figure that stays."""
        model = self._still(num_pulls, seed)
        players = [_player(model, name) for name in model.records()]
        scene = Scene((*players, _all_regrets(model)))
        keys = [panel.key for panel in players]
        return still.strip([scene], [""], panels=keys, end=("all regrets",))

    def description(self, num_pulls: int | None = None, seed: int = 0) -> str:
        """The text alternative of `filmstrip`."""
        model = self._still(num_pulls, seed)
        regrets = model._regrets(model.num_pulls)
        said = [
            f"{name} pulled the best arm {int((record.arms == model._truth.argmax()).sum())} "
            f"times, got {int(record.rewards.sum())} and has a regret of {regrets[name][-1]:.1f}."
            for name, record in model.records().items()
        ]
        truth = ", ".join(f"{p:.2f}" for p in np.sort(model._truth))
        pulls = count(model.num_pulls, "pull")
        pictures = (
            f"One bandit whose arms pay with probabilities {truth}; {pulls}.",
            "Left: which arm each player pulled; a square where it paid, a cross where not.",
            "Right: their regret.",
        )
        return "\n".join((*pictures, *said))

    def _still(self, num_pulls: int | None, seed: int) -> DuelModel:
        model = DuelModel(self.model.games, self.model.num_arms, seed, self.model.helper)
        if num_pulls is not None:
            model.new_bandit(num_pulls)
        return model

    def _lengths(self) -> tuple[str, ...]:
        return tuple(map(_length, self.model.games))


def _length(num_pulls: int) -> str:
    return count(num_pulls, "pull")


def _arms(model: DuelModel, frame: DuelFrame) -> Panel:
    """A lever per arm, with your rewards of your pulls; at the end the truth."""
    arms = np.arange(model.num_arms)
    pairs = list(zip(frame.wins, frame.counts, strict=True))
    told = [f"{wins} of {pulls}" if pulls else "–" for wins, pulls in pairs]
    truth = () if frame.truth is None else (arms, frame.truth)
    last = ["ink" if arm == frame.last else "gray" for arm in arms]
    return Panel(
        "arms",
        Axis(-0.6, model.num_arms - 0.4, "a click pulls an arm", ticks=tuple(map(float, arms)),
             names=tuple(f"arm {arm + 1}" for arm in arms)),
        Axis(0, 1.2, "share of your pulls that paid", ticks=(0, 0.5, 1), names=("0", "½", "1")),
        (
            Boxes(
                "levers", arms, [0.5] * model.num_arms, fills=["faint"] * model.num_arms,
                edges=last, wide=0.7, tall=1, pick="pull this arm",
                texts=[f"arm {arm + 1}: {said} paid" for arm, said in zip(arms, told, strict=True)],
            ),
            Bars("paid", arms, frame.wins / np.maximum(frame.counts, 1), color="dark sky",
                 thick=0.7),
            Texts("told", arms, [1.1] * model.num_arms, told, size=13),
            Points("truth", *truth, label="true probability", color="red", marker="D", size=11,
                   edge="paper"),
        ),
        title="the arms",
        alt="your pulls and rewards, arm by arm",
        width=460,
        height=320,
        grid=False,
    )  # fmt: skip


def _regrets(model: DuelModel, frame: DuelFrame) -> Panel:
    """The regret of everybody, pull by pull."""
    names = dict.fromkeys(n for game in model.games.values() for n in game)
    styles = dashed(list(names)) | {YOU: {"color": "ink", "marker": "o", "dash": "-"}}
    highest = max(regret[-1] for regret in frame.regrets.values())
    scale = max(2, 0.3 * frame.num_pulls)
    every = (0, max(1, frame.num_pulls // 10))
    lines = []
    for name, style in styles.items():
        regret = frame.regrets.get(name, ())
        lines.append(
            Line(f"regret {name}", np.arange(len(regret)), regret, label=name, every=every, **style)
        )
    return Panel(
        "regrets",
        Axis(0, frame.num_pulls, "pull"),
        Axis(0, scale if highest <= scale else 1.2 * float(highest), "regret"),
        tuple(lines),
        alt="regret, pull by pull",
        width=400,
        height=320,
    )


def _pulls(model: DuelModel, frame: DuelFrame) -> Table:
    """How often everybody pulled each arm: yours as you play, the others' at the end."""
    counts = dict.fromkeys([YOU, *model.players]) | {YOU: frame.counts} | (frame.all_counts or {})
    nothing_yet = [""] * model.num_arms
    rows = [
        (name, *(nothing_yet if pulls is None else map(str, pulls)))
        for name, pulls in counts.items()
    ]
    return Table("pulls", ("pulls of", *(f"arm {arm + 1}" for arm in range(model.num_arms))), rows)


def _player(model: DuelModel, name: str) -> Panel:
    """Which arm a player pulled, pull by pull: the arms in the order of what they pay."""
    record, order = model.records()[name], np.argsort(model._truth)
    height, pulls = np.argsort(order), np.arange(1, model.num_pulls + 1)
    paid, size = record.rewards == 1, 6 if model.num_pulls > 40 else 9
    color = solid(list(model.records()))[name]["color"]
    return Panel(
        f"player {name}",
        Axis(0, model.num_pulls + 1, "pull"),
        top_down([f"{model._truth[arm]:.2f}" for arm in order[::-1]], "arm’s probability"),
        (
            Points(f"{name} paid", pulls[paid], height[record.arms[paid]], label="paid",
                   listed=False, color=color, marker="s", size=size),
            Points(f"{name} nothing", pulls[~paid], height[record.arms[~paid]], label="nothing",
                   listed=False, color="gray", marker="x", size=size),
        ),
        title=f"{name}: {int(paid.sum())} rewards",
        width=560,
        height=160,
    )  # fmt: skip


def _all_regrets(model: DuelModel) -> Panel:
    regrets, pulls = model._regrets(model.num_pulls), np.arange(model.num_pulls + 1)
    styles = dashed(list(model.records()))
    return Panel(
        "all regrets",
        Axis(0, model.num_pulls, "pull"),
        Axis(0, 1.05 * max(regrets[name][-1] for name in styles), "regret"),
        tuple(
            Line(name, pulls, regrets[name], label=name, width=2.5, **style | {"marker": ""})
            for name, style in styles.items()
        ),
        width=400,
        height=400,
    )
