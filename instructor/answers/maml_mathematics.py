"""Notebook 03: the reference answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch

from instructor.answers import Answers

# --- quadratic ------------------------------------------------------------------------------


def times(matrices, vectors):
    """Each task's matrix times its vector."""
    return (matrices @ vectors.unsqueeze(-1)).squeeze(-1)


def bowl_meta_gradient(theta, hessians, minima, query_hessians, query_minima, rates):
    adapted = theta - rates * times(hessians, theta - minima)
    slopes = times(query_hessians, adapted - query_minima)
    return (slopes - times(hessians, rates * slopes)).mean(0)


def with_matrices_in_numpy(theta, hessians, minima, query_hessians, query_minima, rates):
    total = np.zeros(len(theta))
    for task in range(len(minima)):
        curvature, rate = np.asarray(hessians[task]), np.diag(rates.numpy())
        jacobian = np.eye(len(theta)) - rate @ curvature
        landed = minima[task].numpy() + jacobian @ (theta - minima[task]).numpy()
        slope = np.asarray(query_hessians[task]) @ (landed - query_minima[task].numpy())
        total += jacobian.T @ slope
    return total / len(minima)


def stepped(theta, hessians, minima, rates):
    return theta - rates * times(hessians, theta - minima)


def not_transposed(theta, hessians, minima, query_hessians, query_minima, rates):
    slopes = times(query_hessians, stepped(theta, hessians, minima, rates) - query_minima)
    return (slopes - rates * times(hessians, slopes)).mean(0)


def first_order(theta, hessians, minima, query_hessians, query_minima, rates):
    return times(query_hessians, stepped(theta, hessians, minima, rates) - query_minima).mean(0)


def no_step(theta, hessians, minima, query_hessians, query_minima, rates):
    return times(query_hessians, theta - query_minima).mean(0)


def gradient_at_theta(theta, hessians, minima, query_hessians, query_minima, rates):
    slopes = times(query_hessians, theta - query_minima)
    return (slopes - times(hessians, rates * slopes)).mean(0)


def plus_for_minus(theta, hessians, minima, query_hessians, query_minima, rates):
    slopes = times(query_hessians, stepped(theta, hessians, minima, rates) - query_minima)
    return (slopes + times(hessians, rates * slopes)).mean(0)


def query_hessian_in_the_jacobian(theta, hessians, minima, query_hessians, query_minima, rates):
    slopes = times(query_hessians, stepped(theta, hessians, minima, rates) - query_minima)
    return (slopes - times(query_hessians, rates * slopes)).mean(0)


def jacobian_twice(theta, hessians, minima, query_hessians, query_minima, rates):
    slopes = times(query_hessians, stepped(theta, hessians, minima, rates) - query_minima)
    for _ in range(2):
        slopes = slopes - times(hessians, rates * slopes)
    return slopes.mean(0)


def one_rate_for_all(theta, hessians, minima, query_hessians, query_minima, rates):
    rates = rates.mean().expand(len(rates))
    return bowl_meta_gradient(theta, hessians, minima, query_hessians, query_minima, rates)


def averaged_too_early(theta, hessians, minima, query_hessians, query_minima, rates):
    slope = times(query_hessians, stepped(theta, hessians, minima, rates) - query_minima).mean(0)
    return slope - hessians.mean(0) @ (rates * slope)


def one_minimum_for_both(theta, hessians, minima, query_hessians, query_minima, rates):
    return bowl_meta_gradient(theta, hessians, minima, query_hessians, minima, rates)


def towards_the_query(theta, hessians, minima, query_hessians, query_minima, rates):
    return bowl_meta_gradient(theta, hessians, query_minima, query_hessians, query_minima, rates)


def summed_over_tasks(*given):
    return len(given[2]) * bowl_meta_gradient(*given)


def one_for_each_task(theta, hessians, minima, query_hessians, query_minima, rates):
    slopes = times(query_hessians, stepped(theta, hessians, minima, rates) - query_minima)
    return slopes - times(hessians, rates * slopes)


# --- k_steps --------------------------------------------------------------------------------


def walk(gradient, theta, rates):
    """The points of the path, θ first."""
    path = [theta]
    for rate in rates:
        path.append(path[-1] - rate * gradient(path[-1]))
    return path


def walk_back(hessian, vector, points, rates):
    for point, rate in reversed(list(zip(points, rates, strict=False))):
        vector = vector - rate * hessian(point) @ vector
    return vector


def k_step_meta_gradient(gradient, hessian, query_gradient, theta, rates):
    path = [theta]
    for rate in rates:
        path.append(path[-1] - rate * gradient(path[-1]))
    vector = query_gradient(path.pop())
    for rate in reversed(rates):
        vector = vector - rate * hessian(path.pop()) @ vector
    return vector


def by_itself(gradient, hessian, query_gradient, theta, rates):
    if not rates:
        return query_gradient(theta)
    landed = theta - rates[0] * gradient(theta)
    vector = by_itself(gradient, hessian, query_gradient, landed, rates[1:])
    return vector - rates[0] * hessian(theta) @ vector


def forward_in_numpy(gradient, hessian, query_gradient, theta, rates):
    """Multiplies the Jacobians up on the way, and transposes the product at the end."""
    jacobian = np.eye(len(theta))
    for rate in rates:
        jacobian -= rate * hessian(theta).numpy() @ jacobian
        theta = theta - rate * gradient(theta)
    return jacobian.T @ query_gradient(theta).numpy()


def same_hessian_for_every_step(gradient, hessian, query_gradient, theta, rates):
    path = walk(gradient, theta, rates)
    return walk_back(hessian, query_gradient(path[-1]), [theta] * len(rates), rates)


def hessian_after_the_step(gradient, hessian, query_gradient, theta, rates):
    path = walk(gradient, theta, rates)
    return walk_back(hessian, query_gradient(path[-1]), path[1:], rates)


def hessian_at_the_end(gradient, hessian, query_gradient, theta, rates):
    path = walk(gradient, theta, rates)
    return walk_back(hessian, query_gradient(path[-1]), path[-1:] * len(rates), rates)


def from_first_to_last(gradient, hessian, query_gradient, theta, rates):
    path = walk(gradient, theta, rates)
    return walk_back(hessian, query_gradient(path[-1]), path[-2::-1], rates[::-1])


def rates_not_reversed(gradient, hessian, query_gradient, theta, rates):
    path = walk(gradient, theta, rates)
    return walk_back(hessian, query_gradient(path[-1]), path[:-1], rates[::-1])


def no_jacobians(gradient, hessian, query_gradient, theta, rates):
    return query_gradient(walk(gradient, theta, rates)[-1])


def query_gradient_at_theta(gradient, hessian, query_gradient, theta, rates):
    return walk_back(hessian, query_gradient(theta), walk(gradient, theta, rates)[:-1], rates)


def one_jacobian(gradient, hessian, query_gradient, theta, rates):
    vector = query_gradient(walk(gradient, theta, rates)[-1])
    return walk_back(hessian, vector, [theta], rates[:1])


def one_step(gradient, hessian, query_gradient, theta, rates):
    return k_step_meta_gradient(gradient, hessian, query_gradient, theta, rates[:1])


def one_rate_for_all_steps(gradient, hessian, query_gradient, theta, rates):
    return k_step_meta_gradient(gradient, hessian, query_gradient, theta, rates[:1] * len(rates))


def in_place(gradient, hessian, query_gradient, theta, rates):
    path = [theta]
    for rate in rates:
        theta -= rate * gradient(theta)
        path.append(theta)
    return walk_back(hessian, query_gradient(path[-1]), path[:-1], rates)


def plus_for_minus_in_each(gradient, hessian, query_gradient, theta, rates):
    path = walk(gradient, theta, rates)
    vector = first = query_gradient(path[-1])
    return 2 * first - walk_back(hessian, vector, path[:-1], rates)


def eats_the_rates(gradient, hessian, query_gradient, theta, rates):
    result = k_step_meta_gradient(gradient, hessian, query_gradient, theta, rates)
    rates.clear()
    return result


# --- fool_first_order -----------------------------------------------------------------------


def fool_first_order():
    # L'' = 2 x² = 2, so 1 - α L'' = -0.4; and α L'' = 1.4 is below 2: the step still learns.
    points = {"support_x": 1.0, "support_y": 0.0, "query_x": 1.0, "query_y": 2.0}
    return {"theta": 3.0, "inner_lr": 0.7} | points


def from_the_curvature():
    x = np.array([-2.0, 0.5])
    curvature = 2 * x[0] ** 2
    case = {"theta": 0.5, "inner_lr": 1.5 / curvature, "support_x": x[0], "query_x": x[1]}
    return case | {"support_y": np.float64(3.0), "query_y": torch.tensor(4.0)}


def short_step():
    return fool_first_order() | {"inner_lr": 0.1}


def too_long_step():
    return fool_first_order() | {"inner_lr": 1.5}


def lands_on_the_query():
    return fool_first_order() | {"query_y": 3.0 * (1 - 2 * 0.7)}


def exactly_one():
    return fool_first_order() | {"inner_lr": 0.5}


def nothing_to_learn():
    return fool_first_order() | {"support_y": 3.0}


def uphill():
    return fool_first_order() | {"inner_lr": -0.7}


def support_at_zero():
    return fool_first_order() | {"support_x": 0.0}


def query_at_zero():
    return fool_first_order() | {"query_x": 0.0}


def only_some_of_it():
    return {"theta": 3.0, "inner_lr": 0.7}


def no_numbers():
    return fool_first_order() | {"inner_lr": float("nan")}


ANOTHER = "another case in which the step learns and the signs differ"

ANSWERS = {
    "03.quadratic": Answers(
        right=(bowl_meta_gradient, with_matrices_in_numpy),
        wrong={
            not_transposed: "wrong side of the Hessian",
            first_order: "first-order MAML",
            no_step: "as if no step",
            gradient_at_theta: "belongs to φ",
            plus_for_minus: "sign of the Hessian term",
            query_hessian_in_the_jacobian: "support's Hessian",
            jacobian_twice: "Jacobian twice",
            one_rate_for_all: "one rate for all weights",
            averaged_too_early: "too early",
            one_minimum_for_both: "minimum of its own",
            towards_the_query: "sees the support only",
            summed_over_tasks: "summed over tasks",
            one_for_each_task: "the answer is their mean",
        },
        equal={
            "with_matrices_in_numpy: line 9: minima -> hessians": "both count the tasks",
        },
    ),
    "03.k_steps": Answers(
        right=(k_step_meta_gradient, by_itself, forward_in_numpy),
        wrong={
            same_hessian_for_every_step: "Hessian at θ for every step",
            hessian_after_the_step: "after the step",
            hessian_at_the_end: "Hessian at φ, the end",
            from_first_to_last: "wrong order",
            rates_not_reversed: "the rate of another",
            no_jacobians: "Jacobians are missing",
            query_gradient_at_theta: "end of the path",
            one_jacobian: "Only the first step's Jacobian",
            one_step: "You took one step",
            one_rate_for_all_steps: "the first rate for every step",
            in_place: "in place",
            plus_for_minus_in_each: "sign of the Hessian terms",
            eats_the_rates: "the list of rates",
        },
    ),
    "03.fool_first_order": Answers(
        right=(fool_first_order, from_the_curvature),
        wrong={
            short_step: "same sign",
            too_long_step: "support loss worse",
            lands_on_the_query: "beside the query's answer",
            exactly_one: "exactly 0",
            nothing_to_learn: "nothing to learn",
            uphill: "above 0",
            support_at_zero: "nothing to go by",
            query_at_zero: "one θ from another",
            only_some_of_it: "dict with the keys",
            no_numbers: "finite number",
        },
        equal=dict.fromkeys(
            (
                "fool_first_order: line 3: 1.0 -> 0.5",
                "fool_first_order: line 3: 2.0 -> 1.0",
                "fool_first_order: line 3: 1.0 -> 2.0",
                "fool_first_order: line 3: 2.0 -> 3.0",
                "fool_first_order: line 3: 0.0 -> 0.0",
                "fool_first_order: line 4: 3.0 -> 1.5",
                "fool_first_order: line 3: 0.0 -> 1.0",
                "fool_first_order: line 4: 3.0 -> 4.0",
                "from_the_curvature: line 5: 4.0 -> 5.0",
                "from_the_curvature: line 4: 0.5 -> 1.5",
                "from_the_curvature: line 4: 0.5 -> 0.25",
                "from_the_curvature: line 2: -2.0 -> 2.0",
                "from_the_curvature: line 5: 3.0 -> 4.0",
                "from_the_curvature: line 2: 2.0 -> 1.0",
                "from_the_curvature: line 2: 0.5 -> 0.25",
                "from_the_curvature: line 5: 3.0 -> 1.5",
            ),
            ANOTHER,
        ),
    ),
}
