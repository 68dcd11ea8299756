"""Notebook 17: the reference answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch

from instructor.answers import Answers

# --- prior_of_your_own ----------------------------------------------------------------------


def tree_classes(x, columns, cuts, leaves):
    node = torch.zeros(x.shape[:2], dtype=torch.int64)
    while (node < columns.shape[1]).any():
        asked = columns.gather(1, node)
        number = x.gather(2, asked.unsqueeze(2)).squeeze(2)
        node = 2 * node + 1 + (number > cuts.gather(1, node)).long()
    return leaves.gather(1, node - columns.shape[1])


def tree_classes_row_by_row(x, columns, cuts, leaves):
    x, cuts = x.double().numpy(), cuts.double().numpy()
    columns, leaves = columns.numpy(), leaves.numpy()
    found = np.zeros(x.shape[:2], dtype=int)
    for task, table in enumerate(x):
        for place, row in enumerate(table):
            node = 0
            while node < columns.shape[1]:
                node = 2 * node + (2 if row[columns[task, node]] > cuts[task, node] else 1)
            found[task, place] = leaves[task, node - columns.shape[1]]
    return found


def _walk(
    x, columns, cuts, leaves, above=torch.gt, left_first=True, ask=None, number=False, stop=0
):
    num_nodes = columns.shape[1]
    node, level = torch.zeros(x.shape[:2], dtype=torch.int64), 0
    while num_nodes > stop and (node < (num_nodes - stop) // (1 + (stop > 0))).any():
        asks = node if ask is None else torch.full_like(node, ask(level))
        asked = columns.gather(1, asks).unsqueeze(2)
        right = above(x.gather(2, asked).squeeze(2), cuts.gather(1, asks)).long()
        node, level = 2 * node + 1 + (right if left_first else 1 - right), level + 1
    return node - num_nodes if number else leaves.gather(1, node - num_nodes)


def right_on_the_cut(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, above=torch.ge)


def left_and_right_swapped(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, left_first=False)


def right_below_the_cut(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, above=torch.lt)


def one_question_a_level(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, ask=lambda level: 2**level - 1)


def one_tree_for_all(x, columns, cuts, leaves):
    return _walk(x, columns[:1].expand_as(columns), cuts[:1].expand_as(cuts), leaves)


def leaves_of_the_first_tree(x, columns, cuts, leaves):
    return leaves[0][_walk(x, columns, cuts, leaves, number=True)]


def the_number_of_the_leaf(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, number=True)


def the_number_of_the_node(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, number=True) + columns.shape[1]


def leaves_from_the_right(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves.flip(1))


def the_leaf_before(x, columns, cuts, leaves):
    leaf = _walk(x, columns, cuts, leaves, number=True)
    return leaves.gather(1, (leaf - 1) % leaves.shape[1])


def one_level_too_few(x, columns, cuts, leaves):
    num_nodes = columns.shape[1]
    node = torch.zeros(x.shape[:2], dtype=torch.int64)
    while (2 * node + 1 < num_nodes).any():
        asked = columns.gather(1, node).unsqueeze(2)
        right = x.gather(2, asked).squeeze(2) > cuts.gather(1, node)
        node = 2 * node + 1 + right.long()
    return leaves.gather(1, (node - num_nodes) % leaves.shape[1])


def children_counted_from_one(x, columns, cuts, leaves):
    node = torch.zeros(x.shape[:2], dtype=torch.int64)
    for _ in range(int(np.log2(leaves.shape[1]))):
        right = x.gather(2, columns.gather(1, node).unsqueeze(2)).squeeze(2) > cuts.gather(1, node)
        node = 2 * node + right.long()
    return leaves.gather(1, node)


def floats(x, columns, cuts, leaves):
    return tree_classes(x, columns, cuts, leaves).float()


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


# --- ridge_head -----------------------------------------------------------------------------


def ridge_head(points, targets, strength):
    matrix = points.mT @ points + strength * torch.eye(points.shape[2])
    return torch.linalg.solve(matrix, points.mT @ targets)


def ridge_head_by_examples(points, targets, strength):
    """N equations in place of D, in double precision."""
    points, targets = points.double(), targets.double()
    kernel = points @ points.mT + strength * torch.eye(points.shape[1])
    return points.mT @ torch.linalg.inv(kernel) @ targets


def ridge_head_of_longer_points(points, targets, strength):
    """Least squares with D more examples: λ's root in each feature, and nothing wanted."""
    heads = []
    for task in range(len(points)):
        p, y = points[task], targets[task]
        more = strength.sqrt() * torch.eye(p.shape[1])
        q, r = torch.linalg.qr(torch.cat([p, more]))
        wanted = torch.cat([y, torch.zeros(p.shape[1], y.shape[1])])
        heads.append(torch.linalg.solve_triangular(r, q.T @ wanted, upper=True))
    return torch.stack(heads)


def _solved(points, targets, strength):
    matrix = points.mT @ points + strength * torch.eye(points.shape[2])
    return torch.linalg.solve(matrix, points.mT @ targets)


def without_strength(points, targets, strength):
    return torch.linalg.pinv(points) @ targets + 0 * strength


def strength_in_every_entry(points, targets, strength):
    return torch.linalg.solve(points.mT @ points + strength, points.mT @ targets)


def one_for_all_tasks(points, targets, strength):
    one = _solved(points.flatten(0, 1)[None], targets.flatten(0, 1)[None], strength)
    return one.expand(len(points), -1, -1)


def of_the_mean_error(points, targets, strength):
    return _solved(points, targets, strength * points.shape[1])


def twice_the_strength(points, targets, strength):
    return _solved(points, targets, 2 * strength)


def squared_strength(points, targets, strength):
    return _solved(points, targets, strength**2)


def each_feature_alone(points, targets, strength):
    return points.mT @ targets / (points.square().sum(1).unsqueeze(2) + strength)


def nothing_solved(points, targets, strength):
    return points.mT @ targets


def centred(points, targets, strength):
    return _solved(points - points.mean(1, keepdim=True), targets, strength)


def wrong_sign(points, targets, strength):
    return _solved(points, targets, -strength)


def predicted(points, targets, strength):
    return points @ _solved(points, targets, strength)


def exchanged(points, targets, strength):
    return _solved(points, targets, strength).mT


def a_plain_number(points, targets, strength):
    return _solved(points, targets, strength.item())


def under_no_grad(points, targets, strength):
    with torch.no_grad():
        return _solved(points, targets, strength)


def points_detached(points, targets, strength):
    return _solved(points.detach(), targets, strength)


def changed_in_place(points, targets, strength):
    with torch.no_grad():
        points *= 2
    return _solved(points / 2, targets, strength)


def a_few_gradient_steps(points, targets, strength):
    weights = torch.zeros(len(points), points.shape[2], targets.shape[2])
    for _ in range(5):
        slope = points.mT @ (points @ weights - targets) + strength * weights
        weights = weights - 0.02 * slope
    return weights


ANSWERS = {
    "17.prior_of_your_own": Answers(
        right=(tree_classes, tree_classes_row_by_row),
        wrong={
            right_on_the_cut: "A row whose number equals the cut goes left",
            left_and_right_swapped: "Left and right are swapped: above the cut is right.",
            right_below_the_cut: "at the cut or below it is left",
            one_question_a_level: "All nodes of a level asked the same question",
            one_tree_for_all: "by the first table's tree",
            leaves_of_the_first_tree: "from the first table's leaves",
            the_number_of_the_leaf: "This is the number of the leaf",
            the_number_of_the_node: "a node below the last one that asks",
            leaves_from_the_right: "counted from right to left",
            the_leaf_before: "the class of the leaf beside it",
            one_level_too_few: "The walk ends one level too early",
            children_counted_from_one: "as where the top is number 1",
            floats: "Classes are whole numbers",
        },
        equal={},
    ),
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
    "17.ridge_head": Answers(
        right=(ridge_head, ridge_head_of_longer_points, ridge_head_by_examples),
        wrong={
            without_strength: "λ makes no difference",
            strength_in_every_entry: "to every entry of the matrix",
            one_for_all_tasks: "All tasks have the same weights",
            of_the_mean_error: "yours is their mean",
            twice_the_strength: "both squares have it",
            squared_strength: "You squared λ",
            each_feature_alone: "as if it were alone",
            nothing_solved: "nothing was solved",
            centred: "There is no bias here",
            wrong_sign: "large weights are rewarded",
            predicted: "Return the weights",
            exchanged: "features and targets exchanged",
            a_plain_number: "gradient for `strength` is missing",
            under_no_grad: "no gradient goes through them",
            points_detached: "gradient for `points` is missing",
            changed_in_place: "changed an argument in place",
            a_few_gradient_steps: "other weights have a smaller sum",
        },
        equal={
            "ridge_head_of_longer_points: line 4: points -> targets": "as many tasks in both",
            "ridge_head_by_examples: line 4: points -> targets": "as many examples in both",
        },
    ),
}
