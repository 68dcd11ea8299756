"""Notebook 14: the reference answers, and known wrong ones with what the check says to them."""

import math

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.stats import norm

from instructor.answers import Answers

# --- refit ----------------------------------------------------------------------------------


def refit(points, y, weights):
    new = []
    for i in range(len(y)):
        others = torch.arange(len(y)) != i
        if not (others & (y == y[i])).any():
            new.append(torch.tensor(1.0))
            continue
        near = []
        for way in range(int(y.max()) + 1):
            kept = others & (y == way)
            center = (weights[kept, None] * points[kept]).sum(0) / weights[kept].sum()
            near.append(torch.exp(-(center - points[i]).square().sum()))
        new.append(near[y[i]] / sum(near))
    return torch.stack(new)


def refit_in_numpy(points, y, weights):
    points, weights, y = points.double().numpy(), weights.double().numpy(), y.numpy()
    mine = np.eye(y.max() + 1)[y]
    belongs = mine * weights[:, None]
    with np.errstate(all="ignore"):  # who is alone leaves a class of nobody behind
        centers = (belongs.T @ points - belongs[:, :, None] * points[:, None]) / (
            belongs.sum(0) - belongs
        )[:, :, None]
        near = np.exp(-((points[:, None] - centers) ** 2).sum(2))
        chance = (near * mine).sum(1) / near.sum(1)
    return np.where((y[:, None] == y).sum(1) == 1, 1.0, chance)


def _refit(points, y, weights, itself=False, power=2.0, sign=-1.0, normed=True, own=True):
    num_ways = int(y.max()) + 1
    new = []
    for i in range(len(y)):
        others = (torch.arange(len(y)) != i) | itself
        distances = []
        for way in range(num_ways):
            kept = others & (y == way)
            center = (weights[kept, None] * points[kept]).sum(0) / weights[kept].sum()
            distances.append((points[i] - center).norm() ** power)
        near = torch.exp(sign * torch.stack(distances)).nan_to_num(nan=0.0)
        best = near[y[i]] if own else near.max()
        alone = (y == y[i]).sum() == 1 and not itself
        new.append(torch.ones(()) if alone else best / (near.sum() if normed else 1))
    return torch.stack(new)


def vouched_for_itself(points, y, weights):
    return _refit(points, y, weights, itself=True)


def ignored_the_weights(points, y, weights):
    return _refit(points, y, torch.ones_like(weights))


def divided_by_the_count(points, y, weights):
    alone, new = (y[:, None] == y).sum(1) == 1, []
    for i in range(len(y)):
        others, near = torch.arange(len(y)) != i, []
        for way in range(int(y.max()) + 1):
            kept = others & (y == way)
            center = (weights[kept, None] * points[kept]).sum(0) / kept.sum()
            near.append(torch.exp(-(center - points[i]).square().sum()))
        new.append(torch.ones(()) if alone[i] else near[y[i]] / sum(near))
    return torch.stack(new)


def class_by_class(points, y, weights):
    return refit(points, y, weights)[torch.argsort(y, stable=True)]


def forgot_the_square(points, y, weights):
    return _refit(points, y, weights, power=1.0)


def went_for_the_farthest(points, y, weights):
    return _refit(points, y, weights, sign=1.0)


def no_softmax(points, y, weights):
    return _refit(points, y, weights, normed=False)


def of_the_likeliest(points, y, weights):
    return _refit(points, y, weights, own=False)


def of_the_others(points, y, weights):
    return 1 - refit(points, y, weights)


def times_the_old_weight(points, y, weights):
    return weights * refit(points, y, weights)


def nothing_for_the_lonely(points, y, weights):
    alone = (y[:, None] == y).sum(1) == 1
    return torch.where(alone, 0.0, refit(points, y, weights))


# --- unlabelled_task ------------------------------------------------------------------------


def unlabelled_task(images, num_ways, num_queries, augment, generator):
    chosen = torch.randperm(len(images), generator=generator)[:num_ways]
    x, y = images[chosen], torch.arange(num_ways)
    copies = x.repeat_interleave(num_queries, 0)
    return x, y, augment(copies), y.repeat_interleave(num_queries)


def unlabelled_task_one_by_one(images, num_ways, num_queries, augment, generator):
    left, support, queries, labels = list(range(len(images))), [], [], []
    for way in range(num_ways):
        place = int(torch.randint(len(left), (), generator=generator))
        image = images[left.pop(place)]
        support.append(image)
        for _ in range(num_queries):
            queries.append(augment(image[None])[0].numpy())
            labels.append(way)
    return np.stack(support), np.arange(num_ways), np.stack(queries), np.array(labels)


def put_back(images, num_ways, num_queries, augment, generator):
    x = images[torch.randint(len(images), (num_ways,), generator=generator)]
    y = torch.arange(num_ways)
    copies = x.repeat_interleave(num_queries, 0)
    return x, y, augment(copies), y.repeat_interleave(num_queries)


def support_augmented_too(images, num_ways, num_queries, augment, generator):
    x, y, asked, labels = unlabelled_task(images, num_ways, num_queries, augment, generator)
    return augment(x), y, asked, labels


def nothing_augmented(images, num_ways, num_queries, augment, generator):
    return unlabelled_task(images, num_ways, num_queries, lambda x: x, generator)


def one_copy_repeated(images, num_ways, num_queries, augment, generator):
    x = images[torch.randperm(len(images), generator=generator)[:num_ways]]
    y = torch.arange(num_ways)
    copies = augment(x).repeat_interleave(num_queries, 0)
    return x, y, copies, y.repeat_interleave(num_queries)


def labels_in_another_order(images, num_ways, num_queries, augment, generator):
    x, y, asked, _ = unlabelled_task(images, num_ways, num_queries, augment, generator)
    return x, y, asked, y.repeat(num_queries)


def always_the_first(images, num_ways, num_queries, augment, generator):
    x, y = images[:num_ways], torch.arange(num_ways)
    copies = x.repeat_interleave(num_queries, 0)
    return x, y, augment(copies), y.repeat_interleave(num_queries)


def other_generator(images, num_ways, num_queries, augment, generator):
    return unlabelled_task(images, num_ways, num_queries, augment, None)


def asks_of_other_images(images, num_ways, num_queries, augment, generator):
    order = torch.randperm(len(images), generator=generator)
    y = torch.arange(num_ways)
    copies = images[order.flip(0)[:num_ways]].repeat_interleave(num_queries, 0)
    return images[order[:num_ways]], y, augment(copies), y.repeat_interleave(num_queries)


# --- noise_for ------------------------------------------------------------------------------


def noise_for(epsilon, delta, rounds):
    def spent(z):
        return norm.cdf(1 / (2 * z) - epsilon * z) - math.exp(epsilon) * norm.cdf(
            -1 / (2 * z) - epsilon * z
        )

    low, high = 1e-3, 1e7
    for _ in range(200):
        middle = math.sqrt(low * high)
        if spent(middle) > delta:
            low = middle
        else:
            high = middle
    return math.sqrt(rounds) * high


def noise_for_in_numpy(epsilon, delta, rounds):
    def excess(log_z):
        z = np.exp(log_z)
        ends = np.array([1 / (2 * z), -1 / (2 * z)]) - epsilon * z
        return norm.cdf(ends) @ [1.0, -np.exp(epsilon)] - delta

    return np.sqrt(rounds) * np.exp(brentq(excess, -7.0, 16.0))


def one_round_only(epsilon, delta, rounds):
    return noise_for(epsilon, delta, 1)


def as_many_times(epsilon, delta, rounds):
    return noise_for(epsilon, delta, 1) * rounds


def from_the_textbook(epsilon, delta, rounds):
    return math.sqrt(rounds) * math.sqrt(2 * math.log(1.25 / delta)) / max(epsilon, 1e-9)


def in_equal_parts(epsilon, delta, rounds):
    return noise_for(epsilon / rounds, delta / rounds, 1)


def only_the_tail(epsilon, delta, rounds):
    low, high = 1e-3, 1e7
    for _ in range(200):
        middle = math.sqrt(low * high)
        if norm.cdf(1 / (2 * middle) - epsilon * middle) > delta:
            low = middle
        else:
            high = middle
    return math.sqrt(rounds) * high


def less_with_more_rounds(epsilon, delta, rounds):
    return noise_for(epsilon, delta, 1) / math.sqrt(rounds)


def searched_up_to_a_hundred(epsilon, delta, rounds):
    return min(noise_for(epsilon, delta, 1), 100.0) * math.sqrt(rounds)


def searched_the_sum_up_to_a_hundred(epsilon, delta, rounds):
    return min(noise_for(epsilon, delta, rounds), 100.0)


def on_a_grid(epsilon, delta, rounds):
    return math.ceil(100 * noise_for(epsilon, delta, 1)) / 100 * math.sqrt(rounds)


def the_variance(epsilon, delta, rounds):
    return math.sqrt(rounds) * noise_for(epsilon, delta, 1) ** 2


INSIDE = "the answer lies well inside of where it is looked for"

ANSWERS = {
    "14.refit": Answers(
        right=(refit, refit_in_numpy),
        wrong={
            vouched_for_itself: "it vouches for itself. Leave it out.",
            ignored_the_weights: "The weights that you were given make no difference",
            divided_by_the_count: "divided by the sum of its weights",
            class_by_class: "the right weights in another order",
            forgot_the_square: "It should be squared",
            went_for_the_farthest: "What lies far away got the higher chance",
            no_softmax: "alone is no chance",
            of_the_likeliest: "the chance of the likeliest label",
            of_the_others: "the *other* labels together",
            times_the_old_weight: "You multiplied by the old weight",
            nothing_for_the_lonely: "it gets 1, not 0",
        },
        equal={
            "refit: line 12: center - points[i] -> points[i] - center": "it is squared",
            "refit_in_numpy: line 11: 1 -> 0": "the matrix is its own mirror image",
        },
    ),
    "14.unlabelled_task": Answers(
        right=(unlabelled_task, unlabelled_task_one_by_one),
        wrong={
            put_back: "One image came twice",
            support_augmented_too: "Your support is augmented",
            nothing_augmented: "exact copies",
            one_copy_repeated: "the same augmented copy",
            labels_in_another_order: "the label of another image",
            always_the_first: "Draw them by chance",
            other_generator: "draw with `generator` only",
            asks_of_other_images: "images that are not in the support",
        },
        equal={
            "unlabelled_task_one_by_one: line 8: 0 -> -1": "of one image the first is the last",
        },
    ),
    "14.noise_for": Answers(
        right=(noise_for, noise_for_in_numpy),
        wrong={
            one_round_only: "the noise for a single round",
            as_many_times: "Noise need not grow as fast",
            from_the_textbook: "a bound in textbooks",
            in_equal_parts: "an equal part of ε and δ",
            only_the_tail: "the chance that the privacy loss is above ε",
            less_with_more_rounds: "they need more noise, not less",
            searched_up_to_a_hundred: "Your search may end too early",
            searched_the_sum_up_to_a_hundred: "Your search may end too early",
            on_a_grid: "your search is too coarse",
            the_variance: "the variance of the noise",
        },
        equal={
            "noise_for: line 8: 200 -> 201": "the interval is a single number by then",
            "noise_for: line 8: 200 -> 199": "the interval is a single number by then",
            "noise_for: line 7: 0.001 -> 0.0005": INSIDE,
            "noise_for: line 7: 10000000.0 -> 5000000.0": INSIDE,
            "noise_for_in_numpy: line 7: 7.0 -> 8.0": INSIDE,
            "noise_for_in_numpy: line 7: 16.0 -> 17.0": INSIDE,
            "noise_for_in_numpy: line 5: "
            "return norm.cdf(ends) @ [1.0, -np.exp(epsilon)] - delta -> "
            "return -(norm.cdf(ends) @ [1.0, -np.exp(epsilon)] - delta)": "its zero stays",
            "noise_for_in_numpy: line 5: norm.cdf(ends) @ [1.0, -np.exp(epsilon)] - delta -> "
            "delta - norm.cdf(ends) @ [1.0, -np.exp(epsilon)]": "its zero stays",
        },
    ),
}
