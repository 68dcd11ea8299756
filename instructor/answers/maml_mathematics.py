"""Notebook 03: the reference answers, and known wrong ones with what the check says to them."""

from instructor.answers import Answers

# --- quadratic ------------------------------------------------------------------------------


def times(matrices, vectors):
    """Each task's matrix times its vector."""
    return (matrices @ vectors.unsqueeze(-1)).squeeze(-1)


def quadratic_meta_gradient(theta, hessians, minima, query_hessians, query_minima, inner_lr):
    adapted = theta - inner_lr * times(hessians, theta - minima)
    gradients = times(query_hessians, adapted - query_minima)
    return (gradients - inner_lr * times(hessians, gradients)).mean(0)


def first_order(theta, hessians, minima, query_hessians, query_minima, inner_lr):
    adapted = theta - inner_lr * times(hessians, theta - minima)
    return times(query_hessians, adapted - query_minima).mean(0)


def no_step(theta, hessians, minima, query_hessians, query_minima, inner_lr):
    return times(query_hessians, theta - query_minima).mean(0)


def gradient_at_theta(theta, hessians, minima, query_hessians, query_minima, inner_lr):
    gradients = times(query_hessians, theta - query_minima)
    return (gradients - inner_lr * times(hessians, gradients)).mean(0)


def plus_for_minus(theta, hessians, minima, query_hessians, query_minima, inner_lr):
    adapted = theta - inner_lr * times(hessians, theta - minima)
    gradients = times(query_hessians, adapted - query_minima)
    return (gradients + inner_lr * times(hessians, gradients)).mean(0)


def query_hessian_in_the_jacobian(theta, hessians, minima, query_hessians, query_minima, inner_lr):
    adapted = theta - inner_lr * times(hessians, theta - minima)
    gradients = times(query_hessians, adapted - query_minima)
    return (gradients - inner_lr * times(query_hessians, gradients)).mean(0)


def jacobian_twice(theta, hessians, minima, query_hessians, query_minima, inner_lr):
    adapted = theta - inner_lr * times(hessians, theta - minima)
    gradients = times(query_hessians, adapted - query_minima)
    for _ in range(2):
        gradients = gradients - inner_lr * times(hessians, gradients)
    return gradients.mean(0)


def summed_over_tasks(theta, hessians, minima, query_hessians, query_minima, inner_lr):
    given = (theta, hessians, minima, query_hessians, query_minima, inner_lr)
    return len(minima) * quadratic_meta_gradient(*given)


def one_for_each_task(theta, hessians, minima, query_hessians, query_minima, inner_lr):
    adapted = theta - inner_lr * times(hessians, theta - minima)
    gradients = times(query_hessians, adapted - query_minima)
    return gradients - inner_lr * times(hessians, gradients)


# --- k_steps --------------------------------------------------------------------------------


def walk(gradient, theta, inner_lr, inner_steps):
    """The points of the path, θ first."""
    path = [theta]
    for _ in range(inner_steps):
        path.append(path[-1] - inner_lr * gradient(path[-1]))
    return path


def k_step_meta_gradient(gradient, hessian, query_gradient, theta, inner_lr, inner_steps):
    *points, adapted = walk(gradient, theta, inner_lr, inner_steps)
    vector = query_gradient(adapted)
    for point in reversed(points):
        vector = vector - inner_lr * hessian(point) @ vector
    return vector


def same_hessian_for_every_step(gradient, hessian, query_gradient, theta, inner_lr, inner_steps):
    vector = query_gradient(walk(gradient, theta, inner_lr, inner_steps)[-1])
    for _ in range(inner_steps):
        vector = vector - inner_lr * hessian(theta) @ vector
    return vector


def hessian_after_the_step(gradient, hessian, query_gradient, theta, inner_lr, inner_steps):
    path = walk(gradient, theta, inner_lr, inner_steps)
    vector = query_gradient(path[-1])
    for point in reversed(path[1:]):
        vector = vector - inner_lr * hessian(point) @ vector
    return vector


def from_first_to_last(gradient, hessian, query_gradient, theta, inner_lr, inner_steps):
    *points, adapted = walk(gradient, theta, inner_lr, inner_steps)
    vector = query_gradient(adapted)
    for point in points:
        vector = vector - inner_lr * hessian(point) @ vector
    return vector


def no_jacobians(gradient, hessian, query_gradient, theta, inner_lr, inner_steps):
    return query_gradient(walk(gradient, theta, inner_lr, inner_steps)[-1])


def query_gradient_at_theta(gradient, hessian, query_gradient, theta, inner_lr, inner_steps):
    vector = query_gradient(theta)
    for point in reversed(walk(gradient, theta, inner_lr, inner_steps)[:-1]):
        vector = vector - inner_lr * hessian(point) @ vector
    return vector


def one_jacobian(gradient, hessian, query_gradient, theta, inner_lr, inner_steps):
    vector = query_gradient(walk(gradient, theta, inner_lr, inner_steps)[-1])
    return vector - inner_lr * hessian(theta) @ vector


def one_step(gradient, hessian, query_gradient, theta, inner_lr, inner_steps):
    return k_step_meta_gradient(gradient, hessian, query_gradient, theta, inner_lr, 1)


# --- fool_first_order -----------------------------------------------------------------------


def fool_first_order():
    # L'' = 2 x² = 2, so 1 - α L'' = -0.4; and α L'' = 1.4 is below 2: the step still learns.
    points = {"support_x": 1.0, "support_y": 0.0, "query_x": 1.0, "query_y": 2.0}
    return {"theta": 3.0, "inner_lr": 0.7} | points


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


def only_some_of_it():
    return {"theta": 3.0, "inner_lr": 0.7}


ANSWERS = {
    "03.quadratic": Answers(
        right=(quadratic_meta_gradient,),
        wrong={
            first_order: "first-order MAML",
            no_step: "as if no step",
            gradient_at_theta: "belongs to φ",
            plus_for_minus: "sign of the Hessian term",
            query_hessian_in_the_jacobian: "support's Hessian",
            jacobian_twice: "Jacobian twice",
            summed_over_tasks: "summed over tasks",
            one_for_each_task: "the answer is their mean",
        },
    ),
    "03.k_steps": Answers(
        right=(k_step_meta_gradient,),
        wrong={
            same_hessian_for_every_step: "Hessian at θ for every step",
            hessian_after_the_step: "after the step",
            from_first_to_last: "wrong order",
            no_jacobians: "Jacobians are missing",
            query_gradient_at_theta: "end of the path",
            one_jacobian: "Only one Jacobian",
            one_step: "You took one step",
        },
    ),
    "03.fool_first_order": Answers(
        right=(fool_first_order,),
        wrong={
            short_step: "same sign",
            too_long_step: "support loss worse",
            lands_on_the_query: "beside the query's answer",
            exactly_one: "exactly 0",
            nothing_to_learn: "nothing to learn",
            uphill: "above 0",
            only_some_of_it: "dict with the keys",
        },
    ),
}
