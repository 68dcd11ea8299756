"""Notebook 12: the reference answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch

from instructor.answers import Answers
from metalearn_lite.episodes import Episodes, Examples

# --- task_features --------------------------------------------------------------------------


def task_features(task):
    x, y = task.support
    itself = torch.eye(x.shape[1], dtype=torch.bool)
    nearest = torch.cdist(x, x).masked_fill(itself, torch.inf).argmin(2)
    error = (y.gather(1, nearest) - y).square().mean(1).sqrt()
    spread = y.std(1, correction=0)
    score = torch.where(spread == 0, 1, (1 - error / spread).clamp(min=0))
    return torch.stack([torch.ones_like(score), spread, score], 1)


def features_in_numpy(task):
    inputs, values = (part.double().numpy() for part in task.support)
    rows = []
    for number, y in enumerate(values):
        apart = np.abs(inputs[number] - inputs[number].T)
        np.fill_diagonal(apart, np.inf)
        error = np.sqrt(np.mean((y[apart.argmin(axis=1)] - y) ** 2))
        rows.append([1, y.std(), 1 if y.std() == 0 else max(1 - error / y.std(), 0)])
    return np.array(rows)


def _nearest(x):
    itself = torch.eye(x.shape[1], dtype=torch.bool)
    return torch.cdist(x, x).masked_fill(itself, torch.inf).argmin(2)


def _columns(y, nearest, spread=None, error=None):
    error = (y.gather(1, nearest) - y).square().mean(1).sqrt() if error is None else error
    spread = y.std(1, correction=0) if spread is None else spread
    score = (1 - error / y.std(1, correction=0).clamp(min=1e-6)).clamp(min=0)
    return torch.stack([torch.ones_like(score), spread, score], 1)


def peeked_at_the_querys_spread(task):
    x, y = task.support
    return _columns(y, _nearest(x), spread=task.query.y.std(1, correction=0))


def judged_on_the_query(task):
    (x, y), query = task
    nearest = torch.cdist(query.x, x).argmin(2)
    return _columns(y, None, error=(y.gather(1, nearest) - query.y).square().mean(1).sqrt())


def pooled_both_halves(task):
    both = Examples(*(torch.cat(parts, 1) for parts in zip(*task, strict=True)))
    return task_features(Episodes(both, both))


def found_itself(task):
    x, y = task.support
    near = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").argmin(2)
    return _columns(y, near)


def one_spread_for_all(task):
    x, y = task.support
    return _columns(y, _nearest(x), spread=y.std(correction=0).expand(len(y)))


def took_the_variance(task):
    x, y = task.support
    return _columns(y, _nearest(x), spread=y.var(1, correction=0))


def divided_by_one_less(task):
    x, y = task.support
    return _columns(y, _nearest(x), spread=y.std(1))


def forgot_the_one(task):
    return task_features(task)[:, 1:]


def squared_error_as_it_is(task):
    x, y = task.support
    columns = _columns(y, _nearest(x))
    columns[:, 2] = (y.gather(1, _nearest(x)) - y).square().mean(1)
    return columns


def score_below_zero(task):
    x, y = task.support
    columns = _columns(y, _nearest(x))
    error = (y.gather(1, _nearest(x)) - y).square().mean(1).sqrt()
    columns[:, 2] = 1 - error / columns[:, 1].clamp(min=1e-6)
    return columns


def against_the_variance(task):
    x, y = task.support
    columns = _columns(y, _nearest(x))
    error = (y.gather(1, _nearest(x)) - y).square().mean(1)
    columns[:, 2] = (1 - error / columns[:, 1].square().clamp(min=1e-6)).clamp(min=0)
    return columns


def nearest_in_y(task):
    y = task.support.y
    return _columns(y, _nearest(y.unsqueeze(2)))


def no_two_at_one_place(task):
    x, y = task.support
    apart = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    return _columns(y, apart.masked_fill(apart == 0, torch.inf).argmin(2))


def second_in_order(task):
    x, y = task.support
    apart = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    return _columns(y, apart.argsort(dim=2, stable=True)[..., 1])


def nothing_over_nothing(task):
    x, y = task.support
    error = (y.gather(1, _nearest(x)) - y).square().mean(1).sqrt()
    spread = y.std(1, correction=0)
    score = (1 - error / spread).clamp(min=0)
    return torch.stack([torch.ones_like(score), spread, score], 1)


# --- upper_bounds ---------------------------------------------------------------------------


def upper_bounds(seen, picked, rewards, features, num_learners, exploration):
    bounds = []
    for learner in range(num_learners):
        x, r = seen[picked == learner], rewards[picked == learner]
        a = torch.eye(len(features)) + x.T @ x
        weights = torch.linalg.solve(a, x.T @ r)
        uncertainty = (features @ torch.linalg.solve(a, features)).sqrt()
        bounds.append(features @ weights + exploration * uncertainty)
    return torch.stack(bounds)


def bounds_in_numpy(seen, picked, rewards, features, num_learners, exploration):
    x = features.double().numpy()
    inverse = np.stack([np.eye(len(x))] * num_learners)
    evidence = np.zeros((num_learners, len(x)))
    for task, k in enumerate(picked.tolist()):
        row = seen[task].double().numpy()
        turned = inverse[k] @ row
        inverse[k] -= np.outer(turned, turned) / (1 + row @ turned)
        evidence[k] += rewards[task].item() * row
    toward = inverse @ x
    return (toward * evidence).sum(axis=1) + exploration * np.sqrt(toward @ x)


def _parts(seen, picked, rewards, x, num_learners, ridge=1.0):
    """Of each learner what is expected, and xᵀA⁻¹x."""
    expected, variance = [], []
    for k in range(num_learners):
        rows, r = seen[picked == k], rewards[picked == k]
        inverse = torch.linalg.inv(ridge * torch.eye(len(x)) + rows.T @ rows)
        expected.append(x @ inverse @ rows.T @ r)
        variance.append(x @ inverse @ x)
    return torch.stack(expected), torch.stack(variance)


def greedy(seen, picked, rewards, features, num_learners, exploration):
    return _parts(seen, picked, rewards, features, num_learners)[0]


def forgot_the_root(seen, picked, rewards, features, num_learners, exploration):
    expected, variance = _parts(seen, picked, rewards, features, num_learners)
    return expected + exploration * variance


def lower_bounds(seen, picked, rewards, features, num_learners, exploration):
    return upper_bounds(seen, picked, rewards, features, num_learners, -exploration)


def forgot_exploration(seen, picked, rewards, features, num_learners, exploration):
    return upper_bounds(seen, picked, rewards, features, num_learners, 1.0)


def only_curious(seen, picked, rewards, features, num_learners, exploration):
    return exploration * _parts(seen, picked, rewards, features, num_learners)[1].sqrt()


def forgot_to_invert(seen, picked, rewards, features, num_learners, exploration):
    expected, _ = _parts(seen, picked, rewards, features, num_learners)
    growing = [features.square().sum() + (seen[picked == k] @ features).square().sum()
               for k in range(num_learners)]  # fmt: skip
    return expected + exploration * torch.stack(growing).sqrt()


def everybodys_history(seen, picked, rewards, features, num_learners, exploration):
    all_of_it = [upper_bounds(seen, torch.zeros_like(picked), rewards, features, 1, exploration)]
    return torch.cat(all_of_it * num_learners)


def evidence_as_weights(seen, picked, rewards, features, num_learners, exploration):
    variance = _parts(seen, picked, rewards, features, num_learners)[1]
    evidence = [rewards[picked == k] @ seen[picked == k] for k in range(num_learners)]
    return torch.stack(evidence) @ features + exploration * variance.sqrt()


def without_the_ridge(seen, picked, rewards, features, num_learners, exploration):
    expected, variance = _parts(seen, picked, rewards, features, num_learners, ridge=1e-6)
    return expected + exploration * variance.sqrt()


def learned_before_choosing(seen, picked, rewards, features, num_learners, exploration):
    bounds = []
    for k in range(num_learners):
        rows = torch.cat([seen, features.unsqueeze(0)])
        which, told = torch.cat([picked, torch.tensor([k])]), torch.cat([rewards, torch.zeros(1)])
        bounds.append(upper_bounds(rows, which, told, features, num_learners, exploration)[k])
    return torch.stack(bounds)


def the_pick_itself(seen, picked, rewards, features, num_learners, exploration):
    return upper_bounds(seen, picked, rewards, features, num_learners, exploration).argmax()


# --- from_the_log ---------------------------------------------------------------------------


def from_the_log(wanted, picked, chances, rewards):
    return torch.where(wanted == picked, rewards / chances, 0).mean()


def log_in_a_loop(wanted, picked, chances, rewards):
    total = 0
    for task in range(len(wanted)):
        if wanted[task] == picked[task]:
            total += rewards[task].item() / chances[task].item()
    return total / len(wanted)


def mean_of_the_matches(wanted, picked, chances, rewards):
    return rewards[wanted == picked].mean().nan_to_num(0)


def what_the_old_one_earned(wanted, picked, chances, rewards):
    return rewards.mean()


def matches_unweighted(wanted, picked, chances, rewards):
    return ((wanted == picked) * rewards).mean()


def all_weighted(wanted, picked, chances, rewards):
    return (rewards / chances).mean()


def over_the_matches(wanted, picked, chances, rewards):
    seen = wanted == picked
    return (seen * rewards / chances).sum() / seen.sum().clamp(min=1)


def over_the_weights(wanted, picked, chances, rewards):
    weights = (wanted == picked) / chances
    return (weights * rewards).sum() / weights.sum().clamp(min=1e-9)


def times_the_chance(wanted, picked, chances, rewards):
    return ((wanted == picked) * rewards * chances).mean()


def by_the_other_chance(wanted, picked, chances, rewards):
    return ((wanted == picked) * rewards / (1 - chances)).mean()


def a_sum(wanted, picked, chances, rewards):
    return ((wanted == picked) * rewards / chances).sum()


def no_answer_to_some_logs(wanted, picked, chances, rewards):
    weights = (wanted == picked) / chances
    return (weights * rewards).mean() * weights.sum() / weights.sum()


def one_for_each_task(wanted, picked, chances, rewards):
    return (wanted == picked) * rewards / chances


ANSWERS = {
    "12.task_features": Answers(
        right=(task_features, features_in_numpy),
        wrong={
            peeked_at_the_querys_spread: "peeked at the query",
            judged_on_the_query: "peeked at the query",
            pooled_both_halves: "peeked at the query",
            found_itself: "is itself",
            one_spread_for_all: "each task has its own",
            took_the_variance: "is the variance",
            divided_by_one_less: "divides by N - 1",
            forgot_the_one: "shape (4, 3)",
            squared_error_as_it_is: "is the squared error",
            score_below_zero: "counts as 0",
            against_the_variance: "with the variance",
            nearest_in_y: "nearest y",
            no_two_at_one_place: "left out both",
            second_in_order: "second in the order",
            nothing_over_nothing: "are all alike",
        },
        equal={
            "features_in_numpy: line 5: inputs[number] - inputs[number].T -> "
            "inputs[number].T - inputs[number]": "a distance forgets the sign",
            "features_in_numpy: line 7: 1 -> 0": "distances are the same both ways",
            "features_in_numpy: line 7: y[apart.argmin(axis=1)] - y -> "
            "y - y[apart.argmin(axis=1)]": "a square forgets the sign",
        },
    ),
    "12.upper_bounds": Answers(
        right=(upper_bounds, bounds_in_numpy),
        wrong={
            greedy: "expected reward alone",
            forgot_the_root: "square root",
            lower_bounds: "lower end",
            forgot_exploration: "left out exploration",
            only_curious: "left out the expected reward",
            forgot_to_invert: "where A⁻¹ belongs",
            everybodys_history: "whole history",
            evidence_as_weights: "not yet the weights",
            without_the_ridge: "left out the |w|²",
            learned_before_choosing: "task at hand into the history",
            the_pick_itself: "one upper bound per learner",
        },
    ),
    "12.from_the_log": Answers(
        right=(from_the_log, log_in_a_loop),
        wrong={
            mean_of_the_matches: "the mean over the tasks on which both picked alike",
            what_the_old_one_earned: "old agent earned",
            matches_unweighted: "you count 0",
            all_weighted: "counted all rewards",
            over_the_matches: "divided by the number of tasks",
            over_the_weights: "sum of the weights",
            times_the_chance: "multiplied by the chance",
            by_the_other_chance: "chance of *not*",
            a_sum: "This is a sum",
            no_answer_to_some_logs: "NaN or an infinity",
            one_for_each_task: "One number is asked for",
        },
        equal={
            "log_in_a_loop: line 3: wanted -> chances": "both count the tasks",
            "log_in_a_loop: line 6: wanted -> chances": "both count the tasks",
        },
    ),
}
