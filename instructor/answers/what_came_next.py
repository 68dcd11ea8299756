"""Notebook 17: the reference answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch

from instructor.answers import Answers

# --- best_guess -----------------------------------------------------------------------------


def best_guess(known, x, y, query_x, noise):
    misfit = (y[:, None] - x @ known.T).square().sum(0)
    chances = torch.softmax(-misfit / (2 * noise**2), 0)
    return query_x @ (chances @ known)


def best_guess_in_numpy(known, x, y, query_x, noise):
    known, x, y, query_x = (part.double().numpy() for part in (known, x, y, query_x))
    logs = np.zeros(len(known))
    for point, value in zip(x, y, strict=True):
        logs = logs - (value - known @ point) ** 2 / noise**2 / 2
    chances = np.exp(logs - logs.max())
    return (query_x @ known.T) @ chances / chances.sum()


def _guess(known, x, y, query_x, scores):
    return query_x @ known.T @ torch.softmax(scores((y[:, None] - x @ known.T) ** 2), 0)


def the_likeliest(known, x, y, query_x, noise):
    return query_x @ known[(y[:, None] - x @ known.T).square().sum(0).argmin()]


def all_alike(known, x, y, query_x, noise):
    return query_x @ known.mean(0)


def forgot_the_two(known, x, y, query_x, noise):
    return _guess(known, x, y, query_x, lambda m: -m.sum(0) / noise**2)


def noise_not_squared(known, x, y, query_x, noise):
    return _guess(known, x, y, query_x, lambda m: -m.sum(0) / (2 * noise))


def ignored_the_noise(known, x, y, query_x, noise):
    return _guess(known, x, y, query_x, lambda m: -m.sum(0) / 2)


def mean_misfit(known, x, y, query_x, noise):
    return _guess(known, x, y, query_x, lambda m: -m.sum(0) / max(len(x), 1) / (2 * noise**2))


def absolute_misfits(known, x, y, query_x, noise):
    return _guess(known, x, y, query_x, lambda m: -m.sqrt().sum(0) / noise)


def summed_then_squared(known, x, y, query_x, noise):
    misfit = (y[:, None] - x @ known.T).sum(0) ** 2
    return query_x @ known.T @ torch.softmax(-misfit / (2 * noise**2), 0)


def worst_first(known, x, y, query_x, noise):
    return _guess(known, x, y, query_x, lambda m: m.sum(0) / (2 * noise**2))


def not_normalised(known, x, y, query_x, noise):
    likely = torch.exp(-(y[:, None] - x @ known.T).square().sum(0) / (2 * noise**2))
    return query_x @ (likely @ known)


def one_over_the_misfit(known, x, y, query_x, noise):
    near = 1 / (y[:, None] - x @ known.T).square().sum(0).clamp(min=1e-12)
    return query_x @ (near @ known) / near.sum()


def each_example_votes(known, x, y, query_x, noise):
    if not len(x):
        return query_x @ known.mean(0)
    votes = torch.softmax(-((y[:, None] - x @ known.T) ** 2) / (2 * noise**2), 1).mean(0)
    return query_x @ (votes @ known)


def each_task_once(known, x, y, query_x, noise):
    return best_guess(known.unique(dim=0), x, y, query_x, noise)


def fitted_by_ridge(known, x, y, query_x, noise):
    matrix = x.T @ x + noise**2 * torch.eye(x.shape[1])
    return query_x @ torch.linalg.solve(matrix, x.T @ y)


def underflows(known, x, y, query_x, noise):
    likely = torch.exp(-(y[:, None] - x @ known.T).square().sum(0) / (2 * noise**2))
    return query_x @ (likely @ known) / likely.sum()


def only_the_first_example(known, x, y, query_x, noise):
    return best_guess(known, x[:1], y[:1], query_x, noise)


def mean_of_no_examples(known, x, y, query_x, noise):
    return _guess(known, x, y, query_x, lambda m: -m.mean(0) * len(x) / (2 * noise**2))


# --- must_not_memorise ----------------------------------------------------------------------


def must_not_memorise(support_x, support_y, query_x, query_y, generator):
    change = 3 * torch.randn(len(support_x), support_x.shape[2], generator=generator)
    return tuple(
        y + torch.einsum("tnd,td->tn", x, change)
        for x, y in ((support_x, support_y), (query_x, query_y))
    )


def must_not_memorise_task_by_task(support_x, support_y, query_x, query_y, generator):
    support, query = [], []
    for x, y, asked, answers in zip(support_x, support_y, query_x, query_y, strict=True):
        change = 3 * torch.randn(x.shape[1], generator=generator).numpy()
        support.append(y.numpy() + x.numpy() @ change)
        query.append(answers.numpy() + asked.numpy() @ change)
    return np.stack(support), np.stack(query)


def _changed(given, change):
    support_x, support_y, query_x, query_y = given
    return support_y + (support_x @ change)[..., 0], query_y + (query_x @ change)[..., 0]


def _draw(x, generator, scale=3.0):
    return scale * torch.randn(len(x), x.shape[2], 1, generator=generator)


def flipped_the_sign(support_x, support_y, query_x, query_y, generator):
    sign = 2 * torch.randint(2, (len(support_x), 1), generator=generator) - 1
    return sign * support_y, sign * query_y


def scaled(support_x, support_y, query_x, query_y, generator):
    factor = 3 * torch.randn(len(support_x), 1, generator=generator)
    return factor * support_y, factor * query_y


def shifted(support_x, support_y, query_x, query_y, generator):
    shift = 3 * torch.randn(len(support_x), 1, generator=generator)
    return support_y + shift, query_y + shift


def same_for_all_tasks(support_x, support_y, query_x, query_y, generator):
    change = 3 * torch.randn(support_x.shape[2], 1, generator=generator)
    return _changed((support_x, support_y, query_x, query_y), change)


def drew_twice(support_x, support_y, query_x, query_y, generator):
    support = support_y + (support_x @ _draw(support_x, generator))[..., 0]
    return support, query_y + (query_x @ _draw(query_x, generator))[..., 0]


def noise_of_its_own(support_x, support_y, query_x, query_y, generator):
    return tuple(y + 3 * torch.randn(y.shape, generator=generator) for y in (support_y, query_y))


def without_the_generator(support_x, support_y, query_x, query_y, generator):
    return _changed((support_x, support_y, query_x, query_y), _draw(support_x, None))


def always_the_same_change(support_x, support_y, query_x, query_y, generator):
    own = torch.Generator().manual_seed(0)
    return _changed((support_x, support_y, query_x, query_y), _draw(support_x, own))


def nothing_changed(support_x, support_y, query_x, query_y, generator):
    return support_y, query_y


def only_the_support(support_x, support_y, query_x, query_y, generator):
    given = support_x, support_y, query_x, query_y
    return _changed(given, _draw(support_x, generator))[0], query_y


def too_little(support_x, support_y, query_x, query_y, generator):
    given = support_x, support_y, query_x, query_y
    return _changed(given, _draw(support_x, generator, 0.3))


def too_much(support_x, support_y, query_x, query_y, generator):
    given = support_x, support_y, query_x, query_y
    return _changed(given, _draw(support_x, generator, 30.0))


def one_number_for_all_weights(support_x, support_y, query_x, query_y, generator):
    change = _draw(support_x, generator)
    change = change[:, :1].expand_as(change)
    return _changed((support_x, support_y, query_x, query_y), change)


def one_sided(support_x, support_y, query_x, query_y, generator):
    change = 9 * torch.rand(len(support_x), support_x.shape[2], 1, generator=generator)
    return _changed((support_x, support_y, query_x, query_y), change)


def labels_of_another_task(support_x, support_y, query_x, query_y, generator):
    order = torch.randperm(len(support_y), generator=generator)
    return support_y[order], query_y[order]


def noise_thrown_away(support_x, support_y, query_x, query_y, generator):
    nothing = torch.zeros_like(support_y), torch.zeros_like(query_y)
    return _changed((support_x, nothing[0], query_x, nothing[1]), _draw(support_x, generator))


def in_place(support_x, support_y, query_x, query_y, generator):
    change = _draw(support_x, generator)
    support_y += (support_x @ change)[..., 0]
    query_y += (query_x @ change)[..., 0]
    return support_y, query_y


def flipped_and_noised(support_x, support_y, query_x, query_y, generator):
    given = support_x, support_y, query_x, query_y
    new = _changed(given, _draw(support_x, generator))
    return tuple(y + torch.randn(y.shape, generator=generator) * (y.shape[1] > 9) for y in new)


SQUARED = "it is squared"
AS_LONG = "they are equally long"
IN_RANGE = "any spread from 2 to 5 was asked for"

ANSWERS = {
    "17.best_guess": Answers(
        right=(best_guess, best_guess_in_numpy),
        wrong={
            the_likeliest: "the likeliest task alone",
            all_alike: "your examples make no difference",
            forgot_the_two: "surer than you may be",
            noise_not_squared: "the noise is squared",
            ignored_the_noise: "With much of it, a misfit says little",
            mean_misfit: "Each example is a witness of its own",
            absolute_misfits: "another noise than the normal one",
            summed_then_squared: "then one too high hides one too low",
            worst_first: "The tasks that fit worst",
            not_normalised: "Your weights do not sum to 1. Divide",
            one_over_the_misfit: "one over the misfit",
            each_example_votes: "independent chances multiply",
            each_task_once: "twice as likely as the others",
            fitted_by_ridge: "This is ridge regression",
            underflows: "all chances were rounded to 0",
            only_the_first_example: "Only your first example counts",
            mean_of_no_examples: "every task of the list is still as likely",
        },
        equal={
            "best_guess: line 3: 0 -> -1": "one vector has one axis",
            "best_guess: line 2: y[:, None] - x @ known.T -> x @ known.T - y[:, None]": SQUARED,
            "best_guess_in_numpy: line 5: value - known @ point -> known @ point - value": SQUARED,
            "best_guess_in_numpy: line 4: zip(x, y, strict=True) -> zip(x, y)": AS_LONG,
        },
    ),
    "17.must_not_memorise": Answers(
        right=(must_not_memorise, must_not_memorise_task_by_task),
        wrong={
            flipped_the_sign: "You multiplied all labels of a task by one number",
            scaled: "You multiplied all labels of a task by one number",
            shifted: "You shifted all labels of a task by one number",
            same_for_all_tasks: "All tasks of the batch changed by the same weights",
            drew_twice: "did you draw twice?",
            noise_of_its_own: "no linear function of x any more",
            labels_of_another_task: "no linear function of x any more",
            without_the_generator: "draw with `generator` only",
            always_the_same_change: "Draw the change anew each time",
            nothing_changed: "Nothing has changed",
            only_the_support: "Only one of the two halves",
            too_little: "too close to the old ones",
            too_much: "spread too far",
            one_number_for_all_weights: "In some direction the weights never change",
            one_sided: "lean to one side",
            noise_thrown_away: "The labels' own noise is gone",
            in_place: "You changed the examples in place",
            flipped_and_noised: "noisier than they were",
        },
        equal={
            "must_not_memorise: line 2: 3 -> 2": IN_RANGE,
            "must_not_memorise: line 2: 3 -> 4": IN_RANGE,
            "must_not_memorise: line 2: support_x -> query_x": "both have as many tasks",
            "must_not_memorise: line 4: y + torch.einsum('tnd,td->tn', x, change) -> "
            "y - torch.einsum('tnd,td->tn', x, change)": "minus the change is as likely",
            "must_not_memorise_task_by_task: line 4: 3 -> 2": IN_RANGE,
            "must_not_memorise_task_by_task: line 4: 3 -> 4": IN_RANGE,
            "must_not_memorise_task_by_task: line 3: zip(support_x, support_y, query_x, query_y, "
            "strict=True) -> zip(support_x, support_y, query_x, query_y)": AS_LONG,
            "must_not_memorise_task_by_task: line 3: True -> False": AS_LONG,
        },
    ),
}
