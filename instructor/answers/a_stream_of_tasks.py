"""Notebook 13: the reference answers, and known wrong ones with what the check says to them."""

import math

import numpy as np
import torch

from instructor.answers import Answers
from metalearn_lite.episodes import Episodes

# --- play -----------------------------------------------------------------------------------


def play_stream(learner, rounds):
    losses = []
    for task in rounds:
        predicted = learner.predict(learner.adapt(task.support), task.query.x)
        losses.append((predicted - task.query.y).square().mean(1))
        learner.observe(task, losses[-1])
    return torch.stack(losses, 1)


def play_in_numpy(learner, rounds):
    table = []
    for support, query in rounds:
        errors = learner.predict(learner.adapt(support), query.x).numpy() - query.y.numpy()
        loss = np.mean(errors**2, axis=1)
        learner.observe(Episodes(support, query), torch.tensor(loss))
        table.append(loss)
    return np.array(table).T


def swapped_the_halves(learner, rounds):
    losses = []
    for support, query in rounds:
        predicted = learner.predict(learner.adapt(support), query.x)
        losses.append((predicted - query.y).square().mean(1))
        learner.observe(Episodes(query, support), losses[-1])
    return torch.stack(losses, 1)


def told_first(learner, rounds):
    losses = []
    for task in rounds:
        learner.observe(task, torch.zeros(len(task.query.y)))
        predicted = learner.predict(learner.adapt(task.support), task.query.x)
        losses.append((predicted - task.query.y).square().mean(1))
    return torch.stack(losses, 1)


def told_between(learner, rounds):
    losses = []
    for task in rounds:
        adapted = learner.adapt(task.support)
        learner.observe(task, torch.zeros(len(task.query.y)))
        losses.append((learner.predict(adapted, task.query.x) - task.query.y).square().mean(1))
    return torch.stack(losses, 1)


def adapted_to_the_query(learner, rounds):
    losses = []
    for task in rounds:
        predicted = learner.predict(learner.adapt(task.query), task.query.x)
        losses.append((predicted - task.query.y).square().mean(1))
        learner.observe(task, losses[-1])
    return torch.stack(losses, 1)


def scored_the_support(learner, rounds):
    losses = []
    for task in rounds:
        predicted = learner.predict(learner.adapt(task.support), task.support.x)
        losses.append((predicted - task.support.y).square().mean(1))
        learner.observe(task, losses[-1])
    return torch.stack(losses, 1)


def never_told(learner, rounds):
    losses = []
    for task in rounds:
        predicted = learner.predict(learner.adapt(task.support), task.query.x)
        losses.append((predicted - task.query.y).square().mean(1))
    return torch.stack(losses, 1)


def rounds_first(learner, rounds):
    return play_stream(learner, rounds).T


def averaged_over_streams(learner, rounds):
    return play_stream(learner, rounds).mean(0)


def summed_over_rounds(learner, rounds):
    return play_stream(learner, rounds).cumsum(1)


def one_loss_for_all_streams(learner, rounds):
    losses = []
    for task in rounds:
        predicted = learner.predict(learner.adapt(task.support), task.query.x)
        losses.append((predicted - task.query.y).square().mean())
        learner.observe(task, losses[-1])
    return torch.stack(losses)


def told_at_the_end(learner, rounds):
    losses = never_told(learner, rounds)
    for number, task in enumerate(rounds):
        learner.observe(task, losses[:, number])
    return losses


def mean_over_all_streams(learner, rounds):
    losses = []
    for task in rounds:
        predicted = learner.predict(learner.adapt(task.support), task.query.x)
        losses.append((predicted - task.query.y).square().mean().expand(len(predicted)))
        learner.observe(task, losses[-1])
    return torch.stack(losses, 1)


def forgot_to_tell_the_last(learner, rounds):
    losses = []
    for number, task in enumerate(rounds):
        predicted = learner.predict(learner.adapt(task.support), task.query.x)
        losses.append((predicted - task.query.y).square().mean(1))
        if number < len(rounds) - 1:
            learner.observe(task, losses[-1])
    return torch.stack(losses, 1)


# --- meta_leader ----------------------------------------------------------------------------


def meta_leader(episodes, inner_lr):
    (x, y), query = episodes
    step = 2 * inner_lr / x.shape[1]
    onto = torch.eye(x.shape[2]) - step * x.mT @ x
    by = step * x.mT @ y.unsqueeze(2)
    rows = (query.x @ onto).flatten(0, 1)
    targets = query.y.flatten() - (query.x @ by).flatten()
    return torch.linalg.lstsq(rows, targets.unsqueeze(1)).solution.squeeze(1)


def leader_by_normal_equations(episodes, inner_lr):
    x, y, q, r = (part.double().numpy() for half in episodes for part in half)
    left, right = 0.0, 0.0
    for task in range(len(x)):
        step = 2 * inner_lr / len(x[task])
        rows = q[task] - step * q[task] @ x[task].T @ x[task]
        targets = r[task] - step * q[task] @ x[task].T @ y[task]
        left = left + rows.T @ rows
        right = right + rows.T @ targets
    return np.linalg.solve(left, right)


def _solved(rows, targets):
    return torch.linalg.lstsq(rows, targets.unsqueeze(1)).solution.squeeze(1)


def joint_leader(episodes, inner_lr):
    return _solved(episodes.query.x.flatten(0, 1), episodes.query.y.flatten())


def fitted_the_supports(episodes, inner_lr):
    x, y = episodes.support.x.flatten(0, 1), episodes.support.y.flatten()
    return torch.linalg.lstsq(x, y.unsqueeze(1), driver="gelsd").solution.squeeze(1)


def mean_of_best_starts(episodes, inner_lr):
    starts = [meta_leader(episodes.tasks(task), inner_lr) for task in range(len(episodes.query.y))]
    return torch.stack(starts).mean(0)


def forgot_the_two(episodes, inner_lr):
    return meta_leader(episodes, inner_lr / 2)


def step_by_the_sum(episodes, inner_lr):
    return meta_leader(episodes, inner_lr * episodes.support.x.shape[1])


def uphill(episodes, inner_lr):
    return meta_leader(episodes, -inner_lr)


def forgot_the_constant(episodes, inner_lr):
    (x, _), query = episodes
    onto = torch.eye(x.shape[2]) - 2 * inner_lr / x.shape[1] * x.mT @ x
    return _solved((query.x @ onto).flatten(0, 1), query.y.flatten())


def _parts(episodes, inner_lr):
    (x, y), query = episodes
    step = 2 * inner_lr / x.shape[1]
    return torch.eye(x.shape[2]) - step * x.mT @ x, step * x.mT @ y.unsqueeze(2), query


def wrong_sign_of_c(episodes, inner_lr):
    onto, by, (x, y) = _parts(episodes, inner_lr)
    return _solved((x @ onto).flatten(0, 1), (y + (x @ by).squeeze(2)).flatten())


def wrong_sign_of_a(episodes, inner_lr):
    onto, by, (x, y) = _parts(episodes, inner_lr)
    rows = x @ (2 * torch.eye(x.shape[2]) - onto)
    return _solved(rows.flatten(0, 1), (y - (x @ by).squeeze(2)).flatten())


def first_order(episodes, inner_lr):
    onto, by, (x, y) = _parts(episodes, inner_lr)
    left = (x.mT @ x @ onto).sum(0)
    return torch.linalg.solve(left, (x.mT @ (y.unsqueeze(2) - x @ by)).sum(0)).squeeze(1)


def left_a_out(episodes, inner_lr):
    _, by, (x, y) = _parts(episodes, inner_lr)
    return _solved(x.flatten(0, 1), (y - (x @ by).squeeze(2)).flatten())


def mean_of_the_adapted(episodes, inner_lr):
    onto, by, _ = _parts(episodes, inner_lr)
    start = meta_leader(episodes, inner_lr).unsqueeze(1)
    return (onto @ start + by).mean(0).squeeze(1)


def stepped_on_the_query(episodes, inner_lr):
    return meta_leader(Episodes(episodes.query, episodes.query), inner_lr)


def judged_on_the_support(episodes, inner_lr):
    (x, y), _ = episodes
    step = 2 * inner_lr / x.shape[1]
    rows = (x - step * x @ x.mT @ x).flatten(0, 1)
    targets = y.unsqueeze(2) - step * x @ x.mT @ y.unsqueeze(2)
    return torch.linalg.lstsq(rows, targets.flatten(0, 1), driver="gelsd").solution.squeeze(1)


def a_start_for_each(episodes, inner_lr):
    starts = [meta_leader(episodes.tasks(task), inner_lr) for task in range(len(episodes.query.y))]
    return torch.stack(starts)


def kept_the_column(episodes, inner_lr):
    return meta_leader(episodes, inner_lr).unsqueeze(1)


# --- find_alarms ----------------------------------------------------------------------------


def find_alarms(values, delta, threshold, least):
    found = []
    count, total, running, lowest = 0, 0.0, 0.0, math.inf
    for value in values.tolist():
        count += 1
        total += value
        running += value - total / count - delta
        lowest = min(lowest, running)
        found.append(count >= least and running - lowest > threshold)
        if found[-1]:
            count, total, running, lowest = 0, 0.0, 0.0, math.inf
    return torch.tensor(found)


def alarms_in_numpy(values, delta, threshold, least):
    values, since = np.asarray(values, dtype=float), 0
    found = np.zeros(len(values), dtype=bool)
    for end in range(1, len(values) + 1):
        part = values[since:end]
        sums = np.cumsum(part - np.cumsum(part) / np.arange(1, len(part) + 1) - delta)
        if len(part) >= least and sums[-1] - np.min(sums) > threshold:
            found[end - 1] = True
            since = end
    return found


def _walk(values, delta, threshold, least, anew=True, mean=None, lowest=True):
    found, count, total, running, low = [], 0, 0.0, 0.0, math.inf
    for value in values.tolist():
        count, total = count + 1, total + value
        running += value - (total / count if mean is None else mean) - delta
        low = min(low, running)
        above = running - low if lowest else running
        found.append(count >= least and above > threshold)
        if found[-1] and anew:
            count, total, running, low = 0, 0.0, 0.0, math.inf
    return torch.tensor(found)


def only_the_sum_anew(values, delta, threshold, least):
    found, count, total, running, low = [], 0, 0.0, 0.0, math.inf
    for value in values.tolist():
        count, total = count + 1, total + value
        running += value - total / count - delta
        low = min(low, running)
        found.append(count >= least and running - low > threshold)
        if found[-1]:
            running, low = 0.0, math.inf
    return torch.tensor(found)


def never_resets_the_count(values, delta, threshold, least):
    found, count, total, running, low = [], 0, 0.0, 0.0, math.inf
    for value in values.tolist():
        count, total = count + 1, total + value
        running += value - total / count - delta
        low = min(low, running)
        found.append(count >= least and running - low > threshold)
        if found[-1]:
            total, running, low = 0.0, 0.0, math.inf
    return torch.tensor(found)


def waits_once_only(values, delta, threshold, least):
    found, since = [], 0
    for end in range(1, len(values) + 1):
        part = values[since:end]
        sums = (part - part.cumsum(0) / torch.arange(1, len(part) + 1) - delta).cumsum(0)
        found.append(bool(end >= least and sums[-1] - sums.min() > threshold))
        since = end if found[-1] else since
    return torch.tensor(found)


def keeps_the_lowest(values, delta, threshold, least):
    found, count, total, running, low = [], 0, 0.0, 0.0, math.inf
    for value in values.tolist():
        count, total = count + 1, total + value
        running += value - total / count - delta
        low = min(low, running)
        found.append(count >= least and running - low > threshold)
        if found[-1]:
            count, total, running = 0, 0.0, 0.0
    return torch.tensor(found)


def more_than_least(values, delta, threshold, least):
    return find_alarms(values, delta, threshold, least + 1)


def never_begins_anew(values, delta, threshold, least):
    return _walk(values, delta, threshold, least, anew=False)


def mean_of_the_whole_series(values, delta, threshold, least):
    found, since = [], 0
    for end in range(1, len(values) + 1):
        sums = (values[since:end] - values[since:].mean() - delta).cumsum(0)
        found.append(bool(end - since >= least and sums[-1] - sums.min() > threshold))
        since = end if found[-1] else since
    return torch.tensor(found)


def compared_the_sum(values, delta, threshold, least):
    return _walk(values, delta, threshold, least, lowest=False)


def forgot_delta(values, delta, threshold, least):
    return find_alarms(values, 0.0, threshold, least)


def forgot_least(values, delta, threshold, least):
    return find_alarms(values, delta, threshold, 1)


def at_the_threshold(values, delta, threshold, least):
    return find_alarms(values, delta, threshold - 1e-9, least)


def both_ways(values, delta, threshold, least):
    found, since = [], 0
    for end in range(1, len(values) + 1):
        part = values[since:end]
        means = part.cumsum(0) / torch.arange(1, len(part) + 1)
        sums = ((part - means).abs() - delta).cumsum(0)
        found.append(bool(end - since >= least and sums[-1] - sums.min() > threshold))
        since = end if found[-1] else since
    return torch.tensor(found)


def where_the_alarms_are(values, delta, threshold, least):
    return find_alarms(values, delta, threshold, least).nonzero().flatten()


def begins_with_the_alarm(values, delta, threshold, least):
    found, since = [], 0
    for end in range(1, len(values) + 1):
        part = values[since:end]
        sums = (part - part.cumsum(0) / torch.arange(1, len(part) + 1) - delta).cumsum(0)
        found.append(bool(len(part) >= least and sums[-1] - sums.min() > threshold))
        since = end - 1 if found[-1] else since
    return torch.tensor(found)


# --- cold_start -----------------------------------------------------------------------------


def cold_start(predicted, ratings, shown):
    hidden = ~shown
    some = hidden.any(1)
    squares = (predicted - ratings).square() * hidden
    errors = squares.sum(1)[some] / hidden.sum(1)[some]
    return errors.mean(), 1.96 * errors.std() / len(errors) ** 0.5


def cold_start_person_by_person(predicted, ratings, shown):
    guess, truth, known = (np.asarray(part) for part in (predicted, ratings, shown))
    errors = []
    for person in range(len(truth)):
        judged = ~known[person]
        if judged.any():
            errors.append(np.mean((guess[person, judged] - truth[person, judged]) ** 2))
    return np.mean(errors), 1.96 * np.std(errors, ddof=1) / math.sqrt(len(errors))


def judged_everything(predicted, ratings, shown):
    return cold_start(predicted, ratings, torch.zeros_like(shown))


def judged_what_was_shown(predicted, ratings, shown):
    return cold_start(predicted, ratings, ~shown) if shown.any() else (0.0, 0.0)


def pooled_all_ratings(predicted, ratings, shown):
    squares = (predicted - ratings).square()[~shown]
    return squares.mean(), 1.96 * squares.std() / len(squares) ** 0.5


def nothing_hidden_counts_as_nothing_wrong(predicted, ratings, shown):
    hidden = ~shown
    errors = ((predicted - ratings).square() * hidden).sum(1) / hidden.sum(1).clamp(min=1)
    return errors.mean(), 1.96 * errors.std() / len(errors) ** 0.5


def nothing_hidden_is_no_number(predicted, ratings, shown):
    hidden = ~shown
    errors = ((predicted - ratings).square() * hidden).sum(1) / hidden.sum(1)
    return errors.mean(), 1.96 * errors.std() / len(errors) ** 0.5


def left_out_who_was_shown_nothing(predicted, ratings, shown):
    some = shown.any(1)
    return cold_start(predicted[some], ratings[some], shown[some])


def forgot_the_root_of_the_number(predicted, ratings, shown):
    mean, half = cold_start(predicted, ratings, shown)
    return mean, half * (~shown).any(1).sum() ** 0.5


def one_standard_error(predicted, ratings, shown):
    mean, half = cold_start(predicted, ratings, shown)
    return mean, half / 1.96


def counted_those_left_out(predicted, ratings, shown):
    mean, half = cold_start(predicted, ratings, shown)
    return mean, half * ((~shown).any(1).sum() / len(shown)) ** 0.5


def interval_over_ratings(predicted, ratings, shown):
    mean, _ = cold_start(predicted, ratings, shown)
    return mean, pooled_all_ratings(predicted, ratings, shown)[1]


def only_the_mean(predicted, ratings, shown):
    return cold_start(predicted, ratings, shown)[0]


ANSWERS = {
    "13.play": Answers(
        right=(play_stream, play_in_numpy),
        wrong={
            told_first: "Your learner is told a round's answers before",
            told_between: "Between adapting and predicting",
            adapted_to_the_query: "adapts to the query",
            scored_the_support: "scored the support",
            never_told: "never told",
            swapped_the_halves: "support and query swapped",
            rounds_first: "exchanged",
            averaged_over_streams: "averaged over the streams",
            summed_over_rounds: "Return each round's own",
            one_loss_for_all_streams: "one number for each stream",
            told_at_the_end: "too late",
            mean_over_all_streams: "same losses",
            forgot_to_tell_the_last: "the last too",
        },
        equal={
            "play_stream: line 5: predicted - task.query.y -> task.query.y - predicted": (
                "it is squared"
            ),
            "play_in_numpy: line 4: learner.predict(learner.adapt(support), query.x).numpy() - "
            "query.y.numpy() -> query.y.numpy() - learner.predict(learner.adapt(support), "
            "query.x).numpy()": "it is squared",
        },
    ),
    "13.meta_leader": Answers(
        right=(meta_leader, leader_by_normal_equations),
        wrong={
            joint_leader: "leader of joint training",
            fitted_the_supports: "fits the supports",
            mean_of_best_starts: "mean of the best starts",
            forgot_the_two: "factor 2",
            step_by_the_sum: "The loss is their mean",
            uphill: "uphill",
            forgot_the_constant: "adds on its own",
            wrong_sign_of_c: "other side of the equation",
            wrong_sign_of_a: "the one with θ has the wrong sign",
            first_order: "first-order leader",
            left_a_out: "before the step. It takes part",
            mean_of_the_adapted: "mean of adapted weights",
            stepped_on_the_query: "taken on the query",
            judged_on_the_support: "judged on the query",
            a_start_for_each: "one* start for all",
            kept_the_column: "One axis too many",
        },
        equal={"leader_by_normal_equations: line 3: 0.0 -> 0.0": "half of 0 is 0"},
    ),
    "13.find_alarms": Answers(
        right=(find_alarms, alarms_in_numpy),
        wrong={
            never_begins_anew: "everything begins anew",
            only_the_sum_anew: "only your sum",
            never_resets_the_count: "divided by the number of all",
            waits_once_only: "counting the old",
            keeps_the_lowest: "still that of the values before",
            more_than_least: "more than `least` values",
            mean_of_the_whole_series: "still to come",
            compared_the_sum: "above its lowest",
            forgot_delta: "`delta`",
            forgot_least: "fewer than `least`",
            at_the_threshold: "no alarm yet",
            both_ways: "Falls",
            where_the_alarms_are: "rounds with an alarm",
            begins_with_the_alarm: "the one after it",
        },
        equal={
            "find_alarms: line 3: 0.0 -> 1.0": "what the sum begins at cancels in the comparison",
            "find_alarms: line 11: 0.0 -> 1.0": "what the sum begins at cancels in the comparison",
            "find_alarms: line 11: 0.0 -> 0.0": "half of 0 is 0",
            "alarms_in_numpy: line 2: np.asarray(values, dtype=float) -> np.asarray(values)": (
                "single precision is precise enough"
            ),
            "alarms_in_numpy: line 4: 1 -> 2": "the first value is its own mean: no alarm",
            "alarms_in_numpy: line 4: 1 -> 0": "no value at all gives no alarm",
        },
    ),
    "13.cold_start": Answers(
        right=(cold_start, cold_start_person_by_person),
        wrong={
            judged_everything: "judged what was shown, too",
            judged_what_was_shown: "Judge what was hidden",
            pooled_all_ratings: "pooled all ratings",
            nothing_hidden_counts_as_nothing_wrong: "error of 0",
            nothing_hidden_is_no_number: "NaN",
            left_out_who_was_shown_nothing: "shown nothing",
            forgot_the_root_of_the_number: "spread of people",
            one_standard_error: "one standard error",
            counted_those_left_out: "counted people who were left",
            interval_over_ratings: "ratings to be independent",
            only_the_mean: "two numbers",
        },
        equal={
            "cold_start: line 4: predicted - ratings -> ratings - predicted": "it is squared",
            "cold_start_person_by_person: line 7: guess[person, judged] - truth[person, judged] -> "
            "truth[person, judged] - guess[person, judged]": "it is squared",
            "cold_start_person_by_person: line 8: np.std(errors, ddof=1) -> np.std(errors)": (
                "dividing by N or by N - 1 are both good"
            ),
            "cold_start_person_by_person: line 8: 1 -> 0": (
                "dividing by N or by N - 1 are both good"
            ),
        },
    ),
}
