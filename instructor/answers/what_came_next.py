"""Notebook 17: the reference answers, and known wrong ones with what the check says to them."""

import torch

from instructor.answers import Answers

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
