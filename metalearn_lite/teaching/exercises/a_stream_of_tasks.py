"""Hints, checks and stand-ins for notebook 13."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.drift import PageHinkley, alarms
from metalearn_lite.learners.follow_the_meta_leader import linear_meta_leader
from metalearn_lite.learners.online import play
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

__all__ = ["EXERCISES", "cold_start", "find_alarms", "linear_meta_leader", "play"]


def find_alarms(values: Tensor, delta: float, threshold: float, least: int) -> Tensor:
    """``(R,)``, True where the Page–Hinkley test of `river` gives an alarm."""
    return alarms(PageHinkley(delta, threshold, least), values)


def cold_start(predicted: Tensor, ratings: Tensor, shown: Tensor) -> tuple[float, float]:
    """The mean over people of their error on what was not shown, and half its 95 % interval.

    All three are ``(P, V)``. People of whom everything was shown are left out.
    """
    hidden = ~shown
    counts = hidden.sum(1)
    errors = ((predicted - ratings).square() * hidden).sum(1)[counts > 0] / counts[counts > 0]
    return errors.mean().item(), (1.96 * errors.std() / math.sqrt(len(errors))).item()


# --- play


class _Diary:
    """A learner whose every answer tells when it was asked and what it had been told before."""

    def __init__(self, num_streams: int):
        self.level, self.times_told = torch.zeros(num_streams), 0

    def adapt(self, support: Examples) -> Tensor:
        return self.level + support.y.mean(1)

    def predict(self, adapted: Tensor, x: Tensor) -> Tensor:
        return (adapted + 0.5 * self.level).unsqueeze(1) + 0.3 * x.squeeze(-1)

    def observe(self, task: Episodes, losses: Tensor) -> None:
        if not isinstance(losses, Tensor) or losses.shape != self.level.shape:
            raise Mistake(
                "`observe` wants this round's losses beside the task: a tensor with one number for "
                "each stream."
            )
        self.times_told += 1
        told = 2 * task.query.y.mean(1) + task.support.y.mean(1)
        self.level = 0.5 * self.level + told + 0.1 * losses


def _stream(num_streams: int, num_rounds: int, sizes: tuple[int, int], seed: int):
    generator = seeded(seed)
    return [
        Episodes(
            *(
                Examples(
                    torch.randn(num_streams, size, 1, generator=generator),
                    torch.randn(num_streams, size, generator=generator) + 0.5,
                )
                for size in sizes
            )
        )
        for _ in range(num_rounds)
    ]


def _otherwise(learner: Any, rounds: list[Episodes], way: str) -> Tensor:
    """The losses of one who plays the stream in a wrong ``way``."""
    losses = []
    for task in rounds:
        support, query = task
        if way == "told first":
            learner.observe(task, torch.zeros_like(learner.level))
        adapted = learner.adapt(query if way == "adapts to the query" else support)
        if way == "told too early":
            learner.observe(task, torch.zeros_like(learner.level))
        judged = support if way == "judged on the support" else query
        errors = learner.predict(adapted, judged.x) - judged.y
        losses.append(errors.square().sum(1) if way == "summed" else errors.square().mean(1))
        if way == "root":
            losses[-1] = losses[-1].sqrt()
        if way == "absolute":
            losses[-1] = errors.abs().mean(1)
        if way == "over all streams":
            losses[-1] = errors.square().mean().expand(len(errors))
        if way not in ("never told", "told first", "told too early"):
            swapped = way == "halves swapped"
            learner.observe(Episodes(query, support) if swapped else task, losses[-1])
    return torch.stack(losses, 1)


PEEKED = "is told a round's answers before it is scored on them. Score first, reveal afterwards."
WAYS = {
    "told first": f"Your learner {PEEKED}",
    "told too early": f"Between adapting and predicting your learner {PEEKED}",
    "adapts to the query": "Your learner adapts to the query: these are the answers it must give.",
    "judged on the support": "You scored the support: the learner was just shown those answers.",
    "never told": "Your learner is never told about a task, so it cannot learn from the stream.",
    "over all streams": "Every stream has the same losses: each mean was taken over all streams at "
    "once. Take it over a stream's own query points.",
    "halves swapped": "You revealed the task with its support and query swapped.",
    "summed": "You added the squared errors of the query points up. Take their mean.",
    "root": "You took the root: the loss is the mean *squared* error.",
    "absolute": "You took the size of the errors: the loss is the mean *squared* error.",
}


def check_play(play_stream: Callable) -> None:
    for seed, (streams, number, sizes) in enumerate(
        ((3, 4, (2, 5)), (1, 3, (3, 3)), (2, 1, (1, 4)), (4, 6, (2, 2)))
    ):
        rounds = _stream(streams, number, sizes, seed)
        learner, right_learner = _Diary(streams), _Diary(streams)
        result = attempted(play_stream(learner, rounds))
        right = play(right_learner, rounds)
        if streams != number and same(result, right.T):
            raise Mistake("Rows and columns are exchanged: streams come first, then rounds.")
        if same(result, right.mean(0)) or same(result, right.mean()):
            raise Mistake("You averaged over the streams: each stream has losses of its own.")
        wanted = "for each stream a loss in every round"
        result = of_shape(result, (streams, number), wanted)
        never = _otherwise(_Diary(streams), rounds, "never told")
        if same(result, never) and not same(never, right) and learner.times_told:
            raise Mistake(
                "Your learner is told the tasks, but too late: only when the whole stream is over. "
                "It may learn from a round before the next one begins."
            )
        ways = {way: _otherwise(_Diary(streams), rounds, way) for way in WAYS}
        refuse(result, ((w, WAYS[way]) for way, w in ways.items() if not same(w, right)))
        if number > 1 and same(result, right.cumsum(1)):
            raise Mistake("You summed the losses up over the rounds. Return each round's own.")
        if not same(result, right):
            raise Mistake(
                f"With {streams} stream(s) of {number} round(s) the losses differ. In each round: "
                "adapt, predict, score; then tell the learner the task and these losses, once."
            )
        if not same(learner.level, right_learner.level):
            raise Mistake(
                "The losses are right, but afterwards the learner knows something else than it "
                "should: tell it every task once, the last too, with that round's losses."
            )


# --- meta_leader


def _linear(num_tasks: int, sizes: tuple[int, int], size: int, seed: int) -> Episodes:
    generator = seeded(seed)
    weights = 2 * torch.randn(num_tasks, size, 1, generator=generator) + 1
    halves = []
    for count in sizes:
        x = torch.randn(num_tasks, count, size, generator=generator)
        x = x * torch.linspace(0.5, 1.2, num_tasks).view(-1, 1, 1)
        noise = 0.3 * torch.randn(num_tasks, count, generator=generator)
        halves.append(Examples(x, (x @ weights).squeeze(2) + noise))
    return Episodes(*halves)


def _fit(rows: Tensor, targets: Tensor) -> Tensor:
    rows, targets = rows.flatten(0, 1).double(), targets.flatten().double()
    return torch.linalg.lstsq(rows, targets.unsqueeze(1), driver="gelsd").solution.squeeze(1)


def _steps(episodes: Episodes, lr: float, by_count: bool = True) -> tuple[Tensor, Tensor]:
    """A step's two parts for every task: A ``(T, D, D)`` and c ``(T, D, 1)`` of φ = A θ + c."""
    x, y = episodes.support
    step = 2 * lr / (x.shape[1] if by_count else 1)
    return torch.eye(x.shape[2]) - step * x.mT @ x, step * (x.mT @ y.unsqueeze(2))


def _leader(
    episodes: Episodes, lr: float, shift: float = 1.0, by_count: bool = True, turn: str = ""
) -> Tensor:
    """The closed form once more, or with one of a step's two parts left out or turned round.

    Args:
        shift: the factor of the part that does not hang on the start.
        turn: "no A" leaves the other part out, "A" has it go uphill.
    """
    query = episodes.query
    onto, by = _steps(episodes, lr, by_count)
    identity = torch.eye(onto.shape[1]).expand_as(onto)
    onto = {"no A": identity, "A": 2 * identity - onto}.get(turn, onto)
    by = by * shift
    return _fit(query.x @ onto, query.y - (query.x @ by).squeeze(2))


def _first_order(episodes: Episodes, lr: float) -> Tensor:
    """The start where the sum of the first-order gradients is zero."""
    onto, by = _steps(episodes, lr)
    x, y = episodes.query
    left = (x.mT @ x @ onto).sum(0).double()
    right = (x.mT @ (y.unsqueeze(2) - x @ by)).sum(0).double()
    return torch.linalg.lstsq(left, right, driver="gelsd").solution.squeeze(1)


def check_meta_leader(meta_leader: Callable) -> None:
    cases = (
        (_linear(4, (6, 5), 3, 0), 0.15),
        (_linear(1, (3, 4), 2, 1), 0.2),
        (_linear(6, (2, 7), 1, 2), 0.3),
        (_linear(5, (4, 4), 2, 3), 0.0),
        (_linear(8, (10, 3), 4, 4), 0.25),
    )
    for episodes, lr in cases:
        (x, y), query = episodes
        num_tasks, _, size = x.shape
        result = attempted(meta_leader(episodes, lr))
        if isinstance(result, Tensor) and result.shape == (size, 1):
            raise Mistake(f"One axis too many: return the start itself, of shape {(size,)}.")
        if isinstance(result, Tensor) and result.shape == (num_tasks, size) and num_tasks > 1:
            raise Mistake("You found a start for every task. The leader is *one* start for all.")
        if isinstance(result, float) or getattr(result, "ndim", 1) == 0:
            result = torch.as_tensor(result).reshape(1)  # the one number of (1,) comes alone
        result = of_shape(result, (size,), "one start for all tasks")
        right = linear_meta_leader(
            Episodes(*(Examples(h.x.double(), h.y.double()) for h in episodes)), lr
        )
        if same(result, right, 2e-3, 2e-4):
            continue
        own = torch.stack([_fit(a[None], b[None]) for a, b in zip(*query, strict=True)])
        each = torch.stack([_leader(episodes.tasks(t), lr) for t in range(num_tasks)])
        onto, by = _steps(episodes, lr)
        joint = _fit(query.x, query.y)
        landed = [
            (onto.double() @ start.double().unsqueeze(1) + by).squeeze(2).mean(0)
            for start in (torch.zeros(size), joint, right)
        ]
        both = [torch.cat(parts, 1) for parts in zip(*episodes, strict=True)]
        mistakes = (
            (
                joint,
                "This is the best single answer for all queries, before any step: the leader of "
                "joint training. Where does your start land after its step?",
            ),
            (_fit(x, y), "This fits the supports. A start is judged on the query, after a step."),
            (_fit(*both), "This fits all examples at once, with no thought of the step."),
            (own.mean(0), "This is the mean of the tasks' own solutions. A start need not be good, "
                "it must lead to something good."),
            (each.mean(0), "This is the mean of the best starts of single tasks. Tasks count by "
                "how much a wrong start costs them: stack them in one least-squares problem."),
            (_leader(episodes, lr / 2), "Your step is half as long as it should be: the squared "
                "error's gradient has a factor 2."),
            (_leader(episodes, lr, by_count=False), "Your step follows the *sum* of the support's "
                "squared errors. The loss is their mean."),
            (_leader(episodes, -lr), "Your step goes uphill: mind the sign of the gradient."),
            (_leader(episodes, lr, shift=-1), "The part with the support's y has the wrong sign, "
                "or changed it on its way to the other side of the equation."),
            (_leader(episodes, lr, turn="A"), "Of the step's two parts the one with θ has the "
                "wrong sign; the one with y is right."),
            (_first_order(episodes, lr), "This is the first-order leader: you took dφ/dθ as 1 "
                "where you set the gradient to zero. A step changes how much the start counts."),
            (_leader(episodes, lr, turn="no A"), "You have the part of φ with y, but for the rest "
                "you took θ as it was before the step. It takes part in the step, too."),
            *((mean, "This is a mean of adapted weights φ. The start is wanted, from which the "
                "steps set out.") for mean in landed),
            (_leader(episodes, lr, shift=0), "You moved the start by the step, but forgot what "
                "the step adds on its own, whatever the start: the part with the support's y."),
            (_leader(Episodes(query, query), lr), "Your step is taken on the query. It has to be "
                "taken on the support."),
            (_leader(Episodes(episodes.support, episodes.support), lr), "You judge the adapted "
                "weights on the support. They are judged on the query."),
        )  # fmt: skip
        refuse(result, mistakes, rtol=2e-3, atol=2e-4)
        raise Mistake(
            f"For {num_tasks} task(s) of {size} input(s) and inner_lr={lr:g} there is a start with "
            "a smaller meta-loss. Write φ as A θ + c for one task first, and test it."
        )


# --- alarms


def _page(values: list[float], delta: float, threshold: float, least: int, twist: str) -> list:
    """Page's test written out, with a likely mistake. (Without, a test holds it to `river`'s.)"""
    found, since, old_lowest = [], 0, math.inf
    for end in range(1, len(values) + 1):
        total, lowest = 0.0, {"from zero": 0.0, "old lowest": old_lowest}.get(twist, math.inf)
        for place in range(since, end):
            upto = {"all": len(values), "before": place}.get(twist, place + 1)
            start = 0 if twist in ("old mean", "only the sum") else since
            known = values[start:upto] or [values[place]]
            rise = values[place] - sum(known) / (place + 1 if twist == "old count" else len(known))
            total += {"no delta": rise, "both": abs(rise) - delta}.get(twist, rise - delta)
            lowest = min(lowest, total)
        above = total if twist == "no lowest" else total - lowest
        uncounted = twist in ("old count", "old least", "only the sum", "never anew")
        enough = end - (0 if uncounted else since) >= least + (twist == "more than least")
        beyond = above >= threshold if twist == "at it" else above > threshold
        found.append((enough or twist == "no least") and beyond)
        if found[-1] and twist != "never anew":
            since, old_lowest = end - 1 if twist == "with it" else end, lowest
    return found


TWISTS = {
    "all": "Your mean knows values that are still to come: take those up to the newest only.",
    "before": "Your mean leaves the newest value out; it belongs to it.",
    "old mean": "After an alarm the sum begins anew, and the mean must, too.",
    "only the sum": "After an alarm only your sum begins anew. The mean and the number of values "
    "forget what came before, too.",
    "old count": "After an alarm your number of values goes on: a mean's sum over the new values "
    "is divided by the number of all.",
    "old least": "After an alarm `least` values must come once more: you go on counting the old.",
    "old lowest": "After an alarm your lowest sum is still that of the values before it.",
    "more than least": "You wait for more than `least` values; with exactly so many there may be "
    "an alarm.",
    "never anew": "After an alarm everything begins anew: mean, sum, lowest sum and count.",
    "with it": "You begin anew *with* the value that gave the alarm. Begin with the one after it.",
    "no delta": "You left `delta` out: no rise at all would be tolerated.",
    "both": "Falls give alarms, too. Only a rise of the loss is bad news.",
    "no lowest": "You compare the sum itself. Compare by how much it is above its lowest so far.",
    "from zero": "Your lowest sum begins at 0. It begins with the first sum, which may be below.",
    "at it": "Where the sum is exactly `threshold` above the lowest there is no alarm yet.",
    "no least": "You give alarms after fewer than `least` values.",
}


def check_alarms(find_alarms_: Callable) -> None:
    generator = seeded(13)
    steps = torch.tensor([0.0] * 15 + [1.5] * 15 + [-1.0] * 12 + [2.0] * 14)
    noisy = steps + 0.6 * torch.randn(len(steps), generator=generator)
    early = torch.tensor([0.0, 3.0, 3.0, 3.0, 3.0, 3.0, 6.0, 6.0, 6.0, 9.0, 9.0, 9.0, 9.0])
    cases = (
        (noisy, 0.1, 2.0, 3),
        (torch.tensor([0.0, 2.0]), 0.0, 1.0, 1),  # exactly at the threshold
        (early, 0.25, 1.5, 4),
        (early, 0.0, 0.9, 1),
        (torch.tensor([1.0, 1.0, 0.0, 0.0]), 0.1, 0.15, 1),
        (-steps, 0.2, 1.5, 2),
        (0.4 * noisy, 0.3, 0.5, 5),
        (torch.zeros(6), 0.5, 0.1, 2),
        (torch.tensor([5.0]), 0.1, 1.0, 1),
        (noisy.flip(0), 0.0, 3.0, 6),
    )
    given: list[list[bool]] = []
    for values, delta, threshold, least in cases:
        result = attempted(find_alarms_(values.clone(), delta, threshold, least))
        if isinstance(result, bool) or getattr(result, "ndim", 1) == 0:
            result = torch.as_tensor(result).reshape(1)  # the one answer of (1,) comes alone
        right = torch.tensor(_page(values.tolist(), delta, threshold, least, "none"))
        if len(values) > 1 and not isinstance(result, bool):
            places = right.nonzero().flatten()
            if same(result, places):
                raise Mistake("These are the rounds with an alarm. Return True or False for each.")
        result = of_shape(result, tuple(values.shape), "True or False for every value")
        if not ((result == 0) | (result == 1)).all():
            raise Mistake("Return True where there is an alarm and False elsewhere, no sums.")
        given.append(result.bool().tolist())

    def answers(twist: str) -> list[list[bool]]:
        return [_page(values.tolist(), *settings, twist) for values, *settings in cases]

    right = answers("none")
    if given == right:
        return
    for twist, message in TWISTS.items():
        if given == answers(twist):
            raise Mistake(message)
    place = next(i for i, pair in enumerate(zip(given, right, strict=True)) if pair[0] != pair[1])
    values, delta, threshold, least = cases[place]
    raise Mistake(
        f"For a series of {len(values)} value(s), delta={delta:g}, threshold={threshold:g} and "
        f"least={least}, the alarms are elsewhere. Walk through five values by hand."
    )


# --- cold_start


def check_cold_start(cold_start_: Callable) -> None:
    generator = seeded(13)

    def case(people: int, items: int, counts: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        ratings, noise = torch.randn(2, people, items, generator=generator)
        shown = torch.rand(people, items, generator=generator).argsort(1)
        shown = shown < torch.tensor(counts).unsqueeze(1)
        far = torch.linspace(0.5, 2.5, people).unsqueeze(1)
        # What was shown is known almost exactly, as after learning from it.
        return ratings + far * noise * torch.where(shown, 0.1, 1.0), ratings, shown

    cases = (
        case(5, 8, [2, 5, 0, 7, 3]),
        case(4, 6, [0, 0, 0, 0]),
        case(6, 5, [1, 5, 3, 2, 5, 4]),  # of two people everything was shown
        case(3, 10, [9, 1, 4]),
    )
    for predicted, ratings, shown in cases:
        result = attempted(cold_start_(predicted.clone(), ratings.clone(), shown.clone()))
        if isinstance(result, Tensor) and result.shape == (2,):
            result = tuple(result)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Mistake("Return two numbers: the mean error, and half the width of its interval.")
        mean, half = (torch.as_tensor(part).float() for part in result)
        if mean.numel() != 1 or half.numel() != 1:
            raise Mistake("Return two numbers, each for all people together.")
        right = torch.tensor(cold_start(predicted, ratings, shown))
        squares, hidden = (predicted - ratings).square(), ~shown
        some = hidden.any(1)
        errors = (squares * hidden).sum(1) / hidden.sum(1).clamp(min=1)
        kept = errors[some]
        if mean.isnan() or half.isnan():
            raise Mistake(
                "There is a NaN: of someone everything was shown, so nothing is left to judge. "
                "Leave such people out."
            )
        refuse(
            mean.reshape(()),
            [
                (wrong, said)
                for wrong, said in (
                    (squares.mean(), "You judged what was shown, too: the learner knows that."),
                    (squares[hidden].mean(), "You pooled all ratings, so people with much hidden "
                        "count more. First a mean for each person, then over people."),
                    (errors.mean(), "Someone of whom everything was shown counts as an error of 0. "
                        "Leave such people out."),
                    (errors[some & shown.any(1)].mean(), "You left out people who were shown "
                        "nothing. They can be judged: all of their ratings are hidden."),
                    (kept.sqrt().mean(), "You took the root: return mean *squared* errors."),
                    ((squares * hidden).sum(1)[some].mean(), "You added a person's squared errors "
                        "up. Take the mean over what was hidden."),
                    ((squares * hidden).mean(1)[some].mean(), "You divided by the number of all "
                        "items, not of the hidden ones."),
                    (kept.median(), "This is the median over people. Return the mean."),
                )
                if not same(wrong, right[0])
            ]
            + [
                (wrong, "You judged what was shown. Judge what was hidden.")
                for wrong in _on_the_shown(squares, shown)
                if not same(wrong, right[0])
            ],
        )  # fmt: skip
        if not same(mean.reshape(()), right[0]):
            raise Mistake(
                f"The mean differs with {len(ratings)} people and {ratings.shape[1]} items. One "
                "error a person, over what was hidden from the learner; then the mean over people."
            )
        spread, count = kept.std(), len(kept)
        refuse(
            half.reshape(()),
            (
                (1.96 * spread, "This is the spread of people. That of their mean is smaller: "
                    "divide by the root of their number."),
                (spread / math.sqrt(count), "This is one standard error. The interval has 1.96 of "
                    "them to either side."),
                (2 * 1.96 * spread / math.sqrt(count), "This is the whole width. Return half of "
                    "it."),
                (1.96 * squares[hidden].std() / math.sqrt(int(hidden.sum())), "Your interval takes "
                    "ratings to be independent. Those of one person are not: people are."),
                *[(1.96 * spread / math.sqrt(len(ratings)), "You counted people who were left "
                    "out.")] * (count < len(ratings)),
                (1.96 * spread / count, "Divide by the *root* of the number of people."),
            ),
        )  # fmt: skip
        if not any(
            same(half.reshape(()), 1.96 * kept.std(correction=correction) / math.sqrt(count))
            for correction in (0, 1)
        ):
            raise Mistake("The mean is right, half the interval is not: 1.96 standard errors.")


def _on_the_shown(squares: Tensor, shown: Tensor) -> list[Tensor]:
    each = (squares * shown).sum(1) / shown.sum(1).clamp(min=1)
    return [each[shown.any(1)].mean(), squares[shown].mean()] if shown.any() else []


EXERCISES = {
    "play": Exercise(
        hints=(
            "Four things happen in a round. Ask yourself what the learner may know at each.",
            "adapt sees the support only, predict sees query.x only. Then the loss is fixed, and "
            "only then the learner may be told.",
            "for task in rounds: predicted = learner.predict(learner.adapt(task.support), "
            "task.query.x); the loss is (predicted - task.query.y).square().mean(1); then "
            "learner.observe(task, loss). torch.stack(losses, 1) puts streams first.",
        ),
        check=check_play,
        praise="Score first, reveal afterwards: nobody peeks in your stream.",
    ),
    "meta_leader": Exercise(
        hints=(
            "Write one step out. The gradient of the support's mean squared error at θ is "
            "2/N · Xᵀ(Xθ - y). So φ is linear in θ: φ = A θ + c. What are A and c?",
            "The query's residuals are Q φ - q = (Q A) θ - (q - Q c). That is a least-squares "
            "problem in θ, and all tasks together are one, too: put their rows below one another.",
            "A = I - 2α/N XᵀX and c = 2α/N Xᵀy, task by task. rows = query.x @ A, targets = "
            "query.y - query.x @ c; flatten the tasks into the rows, then torch.linalg.lstsq.",
        ),
        check=check_meta_leader,
        praise="No start does better on these tasks: there is nothing left to train.",
    ),
    "find_alarms": Exercise(
        hints=(
            "Five things to remember between values: how many since the last alarm, their total, "
            "the running sum, its lowest, and the answers so far.",
            "For each value, in this order: count it, update the mean, update the sum, update the "
            "lowest, compare. After an alarm put all back as they were at the start.",
            "count += 1; total += value; running += value - total / count - delta; lowest = "
            "min(lowest, running), which begins at infinity; alarm = count >= least and running - "
            "lowest > threshold.",
        ),
        check=check_alarms,
        praise="As the library has it, alarm for alarm.",
    ),
    "cold_start": Exercise(
        hints=(
            "A person is a task, so a person has one score. Which ratings of theirs are fair?",
            "hidden = ~shown; each person's squared errors, summed over what is hidden, divided by "
            "how many are. Who has none is left out first.",
            "errors = (squares * hidden).sum(1)[some] / hidden.sum(1)[some], where some = "
            "hidden.any(1). Then the mean, and 1.96 * errors.std() / √len(errors).",
        ),
        check=check_cold_start,
        praise="Only what was hidden, and every person counts once.",
    ),
}
