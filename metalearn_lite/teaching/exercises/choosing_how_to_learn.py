"""Hints and checks for notebook 12.

Under each check stands the package's version of the function that it asks for: it is the check's
truth, and runs in the notebook for whoever has not written theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.nearest_value import NearestValue
from metalearn_lite.rl.choosing import held_out_score
from metalearn_lite.rl.contextual_bandits import Beliefs
from metalearn_lite.tasks import mixed
from metalearn_lite.teaching.comparing import of_shape, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

# --- task_features --------------------------------------------------------------------------


def task_features(task: Episodes) -> Tensor:
    """``(T, 3)``: a 1, the spread of the support's y, and the nearest neighbour's held-out score.

    Every example is left out once, and guessed from the others.
    """
    support = task.support
    spread = support.y.std(1, correction=0)
    guessed = held_out_score(NearestValue(), support, num_folds=support.y.shape[1])
    return torch.stack([torch.ones_like(spread), spread, guessed], 1)


def _feature_cases() -> Iterator[Episodes]:
    generator = seeded(12)
    for kind, num_tasks, num_points in (
        ("slow waves", 4, 20),
        ("noisy waves", 3, 6),
        ("lines", 1, 12),
        ("waves", 3, 2),
        ("slow waves", 3, 10),
    ):
        yield mixed.sample(mixed.KINDS[kind], num_tasks, num_points, 9, generator)
    # Two examples at the same place; and a task whose y are all alike.
    task = mixed.sample(mixed.KINDS["slow waves"], 2, 8, 9, generator)
    task.support.x[:, 3] = task.support.x[:, 6]
    yield task
    task = mixed.sample(mixed.KINDS["lines"], 3, 6, 9, generator)
    task.support.y[1] = 0.5
    yield task


def _guess_error(x: Tensor, y: Tensor, left_out: Tensor) -> Tensor:
    """Squared errors ``(T, N)`` of the nearest neighbour; ``left_out`` is ``(T, N, N)``."""
    distances = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = distances.masked_fill(left_out, torch.inf).argmin(2)
    return (y.gather(1, nearest) - y).square()


def _feature_mistakes(task: Episodes) -> Iterator[tuple[int, Tensor, str]]:
    """What is often mixed up: the column, its values, and what the check says to it."""
    x, y = task.support
    count = y.shape[1]
    spread = y.std(1, correction=0)
    yield 1, spread.square(), "The second column is the variance. Take the standard deviation."
    yield (
        1,
        y.std(1),
        "The second column divides by N - 1. The score's standard deviation divides by N: "
        "correction=0, or ddof=0.",
    )
    yield (
        1,
        y.std(correction=0).expand(len(y)),
        "You took one spread over all tasks: each task has its own. Use dim=1.",
    )
    yield 1, x.squeeze(-1).std(1, correction=0), "That is the spread of x. Take that of y."
    itself = torch.eye(count, dtype=torch.bool).expand(len(y), -1, -1)
    squares = _guess_error(x, y, itself)
    error = squares.mean(1).sqrt()
    safe = spread.clamp(min=1e-6)
    yield (
        2,
        torch.ones_like(spread),
        "The score is 1 for every task: the nearest point to a point is itself. Leave it out, or "
        "you measure how well a learner knows what it was told.",
    )
    yield 2, error.square(), "The third column is the squared error. Make a score of it."
    yield 2, error, "The third column is the error. Make a score of it: higher is better."
    yield (
        2,
        1 - error / safe,
        "A score below 0 counts as 0: however badly a guess fails, it can do no worse.",
    )
    yield (
        2,
        (1 - error.square() / safe.square()).clamp(min=0),
        "You compared the squared error with the variance. The score takes the root of the one "
        "and the standard deviation of the other.",
    )
    yield (
        2,
        (1 - error / y.std(1).clamp(min=1e-6)).clamp(min=0),
        "In the score you divided by a standard deviation with N - 1. Divide by N.",
    )
    yield (
        2,
        (1 - squares.sqrt().mean(1) / safe).clamp(min=0),
        "You averaged the errors. Average their squares, then take the root.",
    )
    yield (
        2,
        (1 - squares.mean().sqrt() / safe).clamp(min=0),
        "You averaged the errors over tasks, too: each task has its own.",
    )
    in_y = y.unsqueeze(2)
    yield (
        2,
        (1 - _guess_error(in_y, y, itself).mean(1).sqrt() / safe).clamp(min=0),
        "You looked for the point with the nearest y. A new point comes without a y: use x.",
    )
    apart = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    yield (
        2,
        (1 - _guess_error(x, y, apart == 0).mean(1).sqrt() / safe).clamp(min=0),
        "Where two points share a place, you left out both. Leave out the point itself, by its "
        "number, and not all that lie where it lies.",
    )
    second = (y.gather(1, apart.argsort(dim=2, stable=True)[..., 1]) - y).square()
    yield (
        2,
        (1 - second.mean(1).sqrt() / safe).clamp(min=0),
        "You took the second in the order of distance. Where two points share a place, that may be "
        "the point itself: leave it out by its number.",
    )


def _peeked(answer: Callable, task: Episodes, result: Tensor) -> bool:
    """Whether another query, an empty one among them, changes the features."""
    support, query = task
    others = (
        Examples(query.x.flip(1) - 1, 3 * query.y + 2),
        Examples(query.x[:, :0], query.y[:, :0]),
    )
    return any(not same(answer(Episodes(support, other)), result) for other in others)


def check_task_features(answer: Callable) -> None:
    """Compares with the package's held-out score, and hands over other queries."""
    for task in _feature_cases():
        num_tasks, count = task.support.y.shape
        result = attempted(answer(task))
        result = of_shape(result, (num_tasks, 3), "one row of three numbers per task")
        if not result.isfinite().all():
            raise Mistake(
                "There is a NaN or an infinity. What is the score of a task whose y are all alike? "
                "One such number, and an agent never chooses well again."
            )
        if _peeked(answer, task, result):
            raise Mistake(
                "With another query and the same support, your features changed: you peeked at "
                "the query. Before the choice is made, nobody has it."
            )
        expected = task_features(task)
        if same(result, expected):
            continue
        if not same(result[:, 0], expected[:, 0]):
            raise Mistake("The first column should be 1 for every task.")
        for column, wrong, message in _feature_mistakes(task):
            if not same(result[:, column], expected[:, column]):
                refuse(result[:, column], [(wrong, message)])
        column = 1 if not same(result[:, 1], expected[:, 1]) else 2
        raise Mistake(
            f"With {num_tasks} tasks of {count} points, column {column} (from 0) is not right. "
            "Compute it by hand for one task of three points."
        )


# --- upper_bounds ---------------------------------------------------------------------------


def upper_bounds(
    seen: Tensor,
    picked: Tensor,
    rewards: Tensor,
    features: Tensor,
    num_learners: int,
    exploration: float,
) -> Tensor:
    """``(K,)``: each learner's expected reward, plus exploration times its uncertainty.

    Args:
        seen: ``(n, D)``: the features of the tasks so far.
        picked, rewards: ``(n,)``: which learner each of them got, and what that brought.
        features: ``(D,)``: of the task at hand.
    """
    x = features.unsqueeze(0)
    mine = F.one_hot(picked, num_learners).to(seen.dtype)
    products = seen.unsqueeze(2) * seen.unsqueeze(1)
    precision = torch.eye(len(features)) + torch.tensordot(mine.T, products, 1)
    evidence = mine.T @ (rewards.unsqueeze(1) * seen)
    beliefs = Beliefs(torch.linalg.inv(precision).unsqueeze(0), evidence.unsqueeze(0))
    return (beliefs.expected(x) + exploration * beliefs.uncertainty(x))[0]


class _History(NamedTuple):
    """One case of the check."""

    seen: Tensor
    picked: Tensor
    rewards: Tensor
    features: Tensor
    num_learners: int
    exploration: float

    def of(self, function: Callable) -> Any:
        return function(*(part.clone() for part in self[:4]), *self[4:])


def _history_cases() -> Iterator[_History]:
    generator = seeded(12)
    for picked, num_learners, num_features, exploration in (
        ([0, 2, 1, 0, 0, 2, 1, 0], 3, 2, 0.7),
        ([1, 1, 0, 1], 4, 3, 1.3),  # two that were never tried
        ([], 3, 2, 0.5),
        ([0, 1, 1, 0, 1, 0, 0, 1, 1, 1], 2, 4, 0.0),
        ([0, 0, 0], 1, 1, 2.0),
    ):
        size = (len(picked), num_features)
        seen = torch.randn(size, generator=generator)
        rewards = torch.rand(len(picked), generator=generator)
        features = torch.randn(num_features, generator=generator)
        which = torch.tensor(picked, dtype=torch.long)
        yield _History(seen, which, rewards, features, num_learners, exploration)


def _bound_mistakes(case: _History) -> Iterator[tuple[Tensor, str]]:
    seen, picked, rewards, x, num_learners, exploration = case
    eye = torch.eye(len(x))

    def bounds(
        seen=seen, picked=picked, rewards=rewards, ridge=1.0, alike=False
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Expected rewards, xᵀA⁻¹x and xᵀAx, learner by learner."""
        parts = []
        for learner in range(num_learners):
            here = torch.ones_like(picked, dtype=torch.bool) if alike else picked == learner
            precision = ridge * eye + seen[here].T @ seen[here]
            inverse = torch.linalg.inv(precision)
            weights = inverse @ (seen[here].T @ rewards[here])
            parts.append(torch.stack([x @ weights, x @ inverse @ x, x @ precision @ x]))
        return tuple(torch.stack(parts, 1))

    expected, variance, of_a = bounds()
    uncertainty = variance.sqrt()
    yield (expected, "This is the expected reward alone: whoever is not sure must be curious.")
    yield (
        exploration * uncertainty,
        "You left out the expected reward: this picks the least known.",
    )
    yield expected + uncertainty, "You left out exploration."
    yield (expected + exploration * variance, "You forgot the square root: xᵀA⁻¹x is a variance.")
    yield (
        expected - exploration * uncertainty,
        "This is the lower end of the interval. It would never try what it does not know.",
    )
    yield (
        expected + exploration * of_a.sqrt(),
        "You took A where A⁻¹ belongs: the more a learner was tried, the *less* unsure it is.",
    )
    alike, their_variance, _ = bounds(alike=True)
    yield (
        alike + exploration * their_variance.sqrt(),
        "Every learner got the whole history. A learner's A and b come from the tasks that it was "
        "picked for.",
    )
    evidence = torch.stack(
        [seen[picked == k].T @ rewards[picked == k] @ x for k in range(num_learners)]
    )
    yield (
        evidence + exploration * uncertainty,
        "Σ r x is not yet the weights. Which w makes the sum of squares smallest?",
    )
    for ridge in (1e-6, 1e-3):
        free, wide, _ = bounds(ridge=ridge)
        yield (
            free + exploration * wide.sqrt(),
            "You left out the |w|²: A begins with the identity, so that a learner that was hardly "
            "tried is held towards 0.",
        )
    once = torch.cat([seen, x.unsqueeze(0)])
    late = []
    for learner in range(num_learners):
        grown = torch.cat([picked, torch.tensor([learner])])
        parts = bounds(once, grown, torch.cat([rewards, torch.zeros(1)]))
        late.append(parts[0][learner] + exploration * parts[1][learner].sqrt())
    yield (
        torch.stack(late),
        "You put the task at hand into the history. It has not been learned from yet.",
    )


def check_upper_bounds(answer: Callable) -> None:
    """Compares with the package's beliefs, with learners never tried and no history among them."""
    for case in _history_cases():
        result = attempted(case.of(answer))
        if isinstance(result, int | float) and case.num_learners == 1:
            result = torch.tensor([float(result)])
        if isinstance(result, Tensor) and result.shape == () and case.num_learners == 1:
            result = result.reshape(1)
        result = of_shape(result, (case.num_learners,), "one upper bound per learner")
        if not result.isfinite().all():
            raise Mistake(
                "There is a NaN or an infinity. What do you believe of a learner that was never "
                "tried? Its A is the identity."
            )
        if same(result, case.of(upper_bounds)):
            continue
        refuse(result, _bound_mistakes(case))
        counts = torch.bincount(case.picked, minlength=case.num_learners).tolist()
        raise Mistake(
            f"With learners that were tried {counts} times, these are not the upper bounds. Start "
            "with one feature that is always 1: what are A, w and u then?"
        )


# --- from_the_log ---------------------------------------------------------------------------


def from_the_log(wanted: Tensor, picked: Tensor, chances: Tensor, rewards: Tensor) -> Tensor:
    """The mean reward that ``wanted`` would have had, right on average over all logs.

    Each reward that was seen counts for those that the dice hid (Horvitz & Thompson, 1952).

    Args:
        wanted: ``(n,)``: which learner a new agent would have picked.
        picked, chances, rewards: ``(n,)``: which one was, with what chance, and what it brought.
    """
    return ((wanted == picked) * rewards / chances).mean()


class _Log(NamedTuple):
    wanted: Tensor
    picked: Tensor
    chances: Tensor
    rewards: Tensor

    def of(self, function: Callable) -> Any:
        return function(*(part.clone() for part in self))


def _log_cases() -> Iterator[_Log]:
    generator = seeded(12)

    def drawn(wanted: list[int], picked: list[int]) -> _Log:
        count = len(wanted)
        chances, rewards = torch.rand(2, count, generator=generator)
        which = (torch.tensor(part, dtype=torch.long) for part in (wanted, picked))
        return _Log(*which, 0.1 + 0.8 * chances, 0.1 + 0.9 * rewards)

    yield drawn([0, 1, 2, 1, 0, 2, 1, 1], [0, 2, 2, 1, 1, 2, 0, 1])
    yield drawn([3, 0, 0, 1, 2], [3, 0, 1, 1, 0])
    yield drawn([1, 0, 2], [0, 2, 1])  # nothing that was wanted was picked
    yield drawn([1], [1])
    yield drawn([2, 0, 1, 1], [2, 0, 1, 1])


def _log_mistakes(case: _Log) -> Iterator[tuple[Tensor, str]]:
    wanted, picked, chances, rewards = case
    seen = wanted == picked
    number = seen.sum().clamp(min=1)
    right = (seen * rewards / chances).mean()
    yield (
        (seen * rewards).sum() / number,
        "This is the mean over the tasks on which both picked alike. Learners that the old agent "
        "liked are too often among them. Over all logs of two tasks its average comes out wrong.",
    )
    yield rewards.mean(), "This is what the old agent earned. The new one picks others."
    yield (
        (seen * rewards).mean(),
        "Where the two picks differ you count 0, and nothing makes up for it: the estimate comes "
        "out too low.",
    )
    yield (
        (rewards / chances).mean(),
        "You counted all rewards. On tasks where another learner was picked, the log says nothing "
        "about the one that was wanted.",
    )
    yield (
        (seen * rewards / chances).sum() / number,
        "You divided by the number of tasks on which both picked alike. The rare ones stand for "
        "the others already.",
    )
    yield (
        (seen * rewards / chances).sum() / (seen / chances).sum().clamp(min=1e-6),
        "You divided by the sum of the weights. In a long log that is a good habit, but its "
        "average is not *exactly* right.",
    )
    yield (
        (seen * rewards * chances).mean(),
        "You multiplied by the chance. A reward that is rarely seen must count more, not less.",
    )
    yield (
        (seen * rewards / (1 - chances)).mean(),
        "You divided by the chance of *not* picking it.",
    )
    yield right * len(rewards), "This is a sum. What is asked for is the mean reward of a task."
    yield (
        (~seen * rewards / chances).mean(),
        "You counted the tasks on which the two did *not* pick alike.",
    )


def check_from_the_log(answer: Callable) -> None:
    """Compares with the one weighting that is right on average, on logs of chance picks."""
    for case in _log_cases():
        result = attempted(case.of(answer))
        if isinstance(result, Tensor) and result.numel() != 1:
            raise Mistake(
                f"One number is asked for, the mean reward; you returned {tuple(result.shape)}."
            )
        result = torch.as_tensor(result, dtype=torch.float32).reshape(())
        number = int((case.wanted == case.picked).sum())
        if not result.isfinite():
            raise Mistake(
                f"There is a NaN or an infinity where {number} of {len(case.wanted)} picks in the "
                "log were the wanted ones. Such a log can be written: it needs an answer, too."
            )
        if same(result, case.of(from_the_log)):
            continue
        refuse(result, _log_mistakes(case))
        raise Mistake(
            f"Where {number} of {len(case.wanted)} picks in the log were the wanted ones, this is "
            "not it. Write down both logs of one task and two learners, each with its chance: what "
            "must the average of your two estimates be?"
        )


EXERCISES = {
    "task_features": Exercise(
        hints=(
            "Everything comes from task.support. x is (T, N, 1), y is (T, N); a feature is (T,). "
            "For the third, make N guesses a task first, then one score of them.",
            "torch.cdist(x, x) holds all distances (T, N, N). A point is at distance 0 from "
            "itself: put infinity on the diagonal, then argmin(2) is the nearest other point.",
            "nearest = (torch.cdist(x, x) + torch.diag(torch.full((N,), torch.inf))).argmin(2); "
            "error = (y.gather(1, nearest) - y).square().mean(1).sqrt(). Then 1 - error / spread, "
            "at least 0; and where the spread is 0, it is 1.",
        ),
        check=check_task_features,
        praise="All of it can be known before anyone is judged.",
    ),
    "upper_bounds": Exercise(
        hints=(
            "Learner by learner: choose the rows of `seen` and `rewards` that it was picked for, "
            "X and r. All that follows is least squares on X and r.",
            "The slope of |r - Xw|² + |w|² is 2 (Xᵀ(Xw - r) + w). It is 0 where (XᵀX + I) w = Xᵀr, "
            "and XᵀX + I is the A of the text. Without rows A is I and w is 0.",
            "A = eye + X.T @ X; w = solve(A, X.T @ r); u = (x @ solve(A, x)).sqrt(); the bound is "
            "x @ w + exploration * u, one for each learner.",
        ),
        check=check_upper_bounds,
        praise="High because good, or high because unknown: either is a reason to try.",
    ),
    "from_the_log": Exercise(
        hints=(
            "One task, two learners, a log that picks the wanted one with chance p. Write down "
            "both logs. What must your estimate be on each, so that p times the one plus (1 - p) "
            "times the other is the wanted learner's reward?",
            "On the log that picked another learner you know nothing of the wanted one: there the "
            "estimate can only be 0. So the other log has to make up for it.",
            "With chance p you see the reward, so let it count 1 / p times there: p · (reward / p) "
            "is the reward. Then the mean over all tasks, those with 0 among them.",
        ),
        check=check_from_the_log,
        praise="Right on average, whatever the old agent liked: rare sights count for the unseen.",
    ),
}
