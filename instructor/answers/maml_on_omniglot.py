"""Notebook 08: right answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch
from torch.nn import functional as F

from instructor.answers import Answers

# --- leak -----------------------------------------------------------------------------------


def _together_and_alone(predict, x):
    alone = torch.cat([predict(x[:, [query]]) for query in range(x.shape[1])], 1)
    return predict(x), alone


def leak(predict, x):
    together = predict(x).softmax(-1)
    alone = torch.cat([predict(x[:, [query]]) for query in range(x.shape[1])], 1)
    return (together - alone.softmax(-1)).abs().amax(-1)


def _numpy_softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def leak_in_numpy(predict, x):
    together = _numpy_softmax(np.asarray(predict(x), dtype=np.float64))
    found = np.zeros(together.shape[:2])
    for query in range(together.shape[1]):
        alone = _numpy_softmax(np.asarray(predict(x[:, query : query + 1]), dtype=np.float64))
        found[:, query] = np.abs(together[:, query] - alone[:, 0]).max(1)
    return found


def asked_in_another_order(predict, x):
    back = predict(x.flip(1)).flip(1)
    return (predict(x).softmax(-1) - back.softmax(-1)).abs().amax(-1)


def asked_one_task_at_a_time(predict, x):
    alone = torch.cat([predict(x[[task]]) for task in range(len(x))])
    return (predict(x).softmax(-1) - alone.softmax(-1)).abs().amax(-1)


def made_every_query_a_task(predict, x):
    alone = predict(x.flatten(0, 1).unsqueeze(1)).unflatten(0, x.shape[:2])[:, :, 0]
    return (predict(x).softmax(-1) - alone.softmax(-1)).abs().amax(-1)


def dropped_the_axis(predict, x):
    alone = torch.stack([predict(x[:, query]) for query in range(x.shape[1])], 1)
    return (predict(x).softmax(-1) - alone.softmax(-1)).abs().amax(-1)


def changes_of_logits(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together - alone).abs().amax(-1)


def changes_of_log_probabilities(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.log_softmax(-1) - alone.log_softmax(-1)).abs().amax(-1)


def flipped_answers(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.argmax(-1) != alone.argmax(-1)).float()


def rising_probabilities_only(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.softmax(-1) - alone.softmax(-1)).amax(-1)


def change_of_the_confidence(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.softmax(-1).amax(-1) - alone.softmax(-1).amax(-1)).abs()


def change_of_the_answered_class(predict, x):
    together, alone = _together_and_alone(predict, x)
    change = (together.softmax(-1) - alone.softmax(-1)).abs()
    return change.gather(-1, together.argmax(-1, keepdim=True))[..., 0]


def summed_over_classes(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.softmax(-1) - alone.softmax(-1)).abs().sum(-1)


def softmax_over_queries(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.softmax(1) - alone.softmax(1)).abs().amax(-1)


def softmax_that_overflows(predict, x):
    together, alone = (logits.exp() for logits in _together_and_alone(predict, x))
    together, alone = (part / part.sum(-1, keepdim=True) for part in (together, alone))
    return (together - alone).abs().amax(-1)


def one_number_for_all(predict, x):
    return leak(predict, x).max()


def every_class(predict, x):
    together, alone = _together_and_alone(predict, x)
    return (together.softmax(-1) - alone.softmax(-1)).abs()


def suspects_everybody(predict, x):
    return leak(predict, x) + 0.01


# --- cka ------------------------------------------------------------------------------------


def _centred(rows):
    return rows - rows.mean(0)


def cka(first, second):
    first, second = first - first.mean(0), second - second.mean(0)
    first, second = first @ first.T, second @ second.T
    scale = first.norm() * second.norm()
    return (first * second).sum() / scale if scale > 0 else 0.0


def cka_in_numpy(first, second):
    products = []
    for rows in (first, second):
        rows = rows.detach().numpy().astype(np.float64)
        rows = rows - rows.mean(axis=0)
        products.append((rows @ rows.T).ravel())
    a, b = products
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale else 0.0


def cka_by_singular_values(first, second):
    sides = []
    for rows in (first, second):
        directions, sizes, _ = torch.linalg.svd(rows - rows.mean(0), full_matrices=False)
        sides.append((directions * sizes, sizes.square().norm()))
    (a, a_scale), (b, b_scale) = sides
    scale = a_scale * b_scale
    return (b.T @ a).square().sum() / scale if scale else 0.0


def _ratio(a, b):
    a, b = a @ a.T, b @ b.T
    scale = a.norm() * b.norm()
    return (a * b).sum() / scale if scale else 0.0


def as_on_the_page(first, second):
    a, b = _centred(first), _centred(second)
    scale = (a.T @ a).norm() * (b.T @ b).norm()
    return (b.T @ a).norm() ** 2 / scale if scale else 0.0


def as_on_the_page_in_numpy(first, second):
    a, b = (_centred(rows).double().numpy() for rows in (first, second))
    scale = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return np.linalg.norm(b.T @ a) ** 2 / scale if scale else 0.0


def not_centred(first, second):
    return _ratio(first, second)


def centred_over_features(first, second):
    return _ratio(_centred(first.T).T, _centred(second.T).T)


def one_mean_for_all(first, second):
    return _ratio(first - first.mean(), second - second.mean())


def centred_the_first_alone(first, second):
    return _ratio(_centred(first), second)


def standardised_columns(first, second):
    a, b = (_centred(rows) / rows.std(0) for rows in (first, second))
    return _ratio(a, b)


def not_scaled(first, second):
    a, b = _centred(first), _centred(second)
    return ((a @ a.T) * (b @ b.T)).sum()


def square_forgotten(first, second):
    return torch.as_tensor(cka(first, second)).sqrt()


def norms_of_the_layers(first, second):
    a, b = _centred(first), _centred(second)
    return not_scaled(first, second) / (a.norm() * b.norm()) ** 2


def divides_zero_by_zero(first, second):
    a, b = (_centred(rows) @ _centred(rows).T for rows in (first, second))
    return (a * b).sum() / (a.norm() * b.norm())


def layers_that_say_nothing_agree(first, second):
    value = cka(first, second)
    return value if value else 1.0


def one_number_per_example(first, second):
    a, b = _centred(first), _centred(second)
    return ((a @ a.T) * (b @ b.T)).sum(1)


def distances_without_centring(first, second):
    a, b = (torch.cdist(rows, rows).square() for rows in (first, second))
    return (a * b).sum() / (a.norm() * b.norm())


# --- adapt_head -----------------------------------------------------------------------------


def _gradient(features, y, weight, bias):
    error = (features @ weight + bias).softmax(-1) - F.one_hot(y, weight.shape[-1])
    return features.mT @ error / y.shape[1], error.mean(1, keepdim=True)


def _path(features, y, weight, bias, inner_lr, steps, gradient=_gradient):
    states = [(weight.expand(len(y), -1, -1), bias.expand(len(y), -1, -1))]
    for _ in range(steps):
        weight, bias = states[-1]
        by_weight, by_bias = gradient(features, y, weight, bias)
        states.append((weight - inner_lr * by_weight, bias - inner_lr * by_bias))
    weights, biases = zip(*states, strict=True)
    return torch.stack(weights), torch.stack(biases)


def adapt_head(features, y, weight, bias, inner_lr, steps):
    weights, biases = [weight.expand(len(y), -1, -1)], [bias.expand(len(y), -1, -1)]
    for _ in range(steps):
        logits = features @ weights[-1] + biases[-1]
        error = logits.softmax(-1) - F.one_hot(y, weight.shape[-1])
        weights.append(weights[-1] - inner_lr * features.mT @ error / y.shape[1])
        biases.append(biases[-1] - inner_lr * error.mean(1, keepdim=True))
    return torch.stack(weights), torch.stack(biases)


def adapt_head_in_numpy(features, y, weight, bias, inner_lr, steps):
    features, y, weight, bias = (part.numpy() for part in (features, y, weight, bias))
    num_tasks, num_examples, num_features = features.shape
    weights = np.zeros((steps + 1, num_tasks, num_features, weight.shape[1]))
    biases = np.zeros((steps + 1, num_tasks, 1, weight.shape[1]))
    for task in range(num_tasks):
        w, b = weight.astype(np.float64), bias[0].astype(np.float64)
        weights[0, task], biases[0, task, 0] = w, b
        for step in range(1, steps + 1):
            error = _numpy_softmax(features[task] @ w + b)
            error[np.arange(num_examples), y[task]] -= 1
            w = w - inner_lr * features[task].T @ error / num_examples
            b = b - inner_lr * error.mean(0)
            weights[step, task], biases[step, task, 0] = w, b
    return weights, biases


def by_autograd(features, y, weight, bias, inner_lr, steps):
    def gradient(features, y, weight, bias):
        with torch.enable_grad():
            weight, bias = (part.detach().requires_grad_() for part in (weight, bias))
            logits = features @ weight + bias
            loss = F.cross_entropy(logits.flatten(0, 1), y.flatten()) * len(y)
            return torch.autograd.grad(loss, (weight, bias))

    return _path(features, y, weight, bias, inner_lr, steps, gradient)


def uphill(features, y, weight, bias, inner_lr, steps):
    return _path(features, y, weight, bias, -inner_lr, steps)


def gradient_of_the_sum(features, y, weight, bias, inner_lr, steps):
    return _path(features, y, weight, bias, inner_lr * y.shape[1], steps)


def mean_over_the_tasks_too(features, y, weight, bias, inner_lr, steps):
    return _path(features, y, weight, bias, inner_lr / len(y), steps)


def one_head_for_all_tasks(features, y, weight, bias, inner_lr, steps):
    def shared(*tensors):
        return tuple(part.mean(0, keepdim=True).expand_as(part) for part in _gradient(*tensors))

    return _path(features, y, weight, bias, inner_lr, steps, shared)


def first_gradient_for_all_steps(features, y, weight, bias, inner_lr, steps):
    known = _gradient(features, y, weight, bias)
    return _path(features, y, weight, bias, inner_lr, steps, lambda *tensors: known)


def squared_error(features, y, weight, bias, inner_lr, steps):
    def gradient(features, y, weight, bias):
        error = features @ weight + bias - F.one_hot(y, weight.shape[-1])
        return features.mT @ error / y.shape[1], error.mean(1, keepdim=True)

    return _path(features, y, weight, bias, inner_lr, steps, gradient)


def sigmoid_for_softmax(features, y, weight, bias, inner_lr, steps):
    def gradient(features, y, weight, bias):
        error = (features @ weight + bias).sigmoid() - F.one_hot(y, weight.shape[-1])
        return features.mT @ error / y.shape[1], error.mean(1, keepdim=True)

    return _path(features, y, weight, bias, inner_lr, steps, gradient)


def softmax_that_is_infinite(features, y, weight, bias, inner_lr, steps):
    def gradient(features, y, weight, bias):
        powers = (features @ weight + bias).exp()
        error = powers / powers.sum(-1, keepdim=True) - F.one_hot(y, weight.shape[-1])
        return features.mT @ error / y.shape[1], error.mean(1, keepdim=True)

    return _path(features, y, weight, bias, inner_lr, steps, gradient)


def bias_forgotten(features, y, weight, bias, inner_lr, steps):
    def without(*tensors):
        return _gradient(*tensors)[0], 0.0

    return _path(features, y, weight, bias, inner_lr, steps, without)


def bias_first(features, y, weight, bias, inner_lr, steps):
    states = [(weight.expand(len(y), -1, -1), bias.expand(len(y), -1, -1))]
    for _ in range(steps):
        weight, bias = states[-1]
        bias = bias - inner_lr * _gradient(features, y, weight, bias)[1]
        states.append((weight - inner_lr * _gradient(features, y, weight, bias)[0], bias))
    weights, biases = zip(*states, strict=True)
    return torch.stack(weights), torch.stack(biases)


def changed_in_place(features, y, weight, bias, inner_lr, steps):
    weights, biases = adapt_head(features, y, weight, bias, inner_lr, steps)
    weight += weights[-1].mean(0) - weight
    return weights, biases


def one_tensor_kept_many_times(features, y, weight, bias, inner_lr, steps):
    weight, bias = weight.repeat(len(y), 1, 1), bias.repeat(len(y), 1, 1)
    weights, biases = [weight], [bias]
    for _ in range(steps):
        by_weight, by_bias = _gradient(features, y, weight, bias)
        weight -= inner_lr * by_weight
        bias -= inner_lr * by_bias
        weights.append(weight)
        biases.append(bias)
    return torch.stack(weights), torch.stack(biases)


def last_state_only(features, y, weight, bias, inner_lr, steps):
    weights, biases = adapt_head(features, y, weight, bias, inner_lr, steps)
    return weights[-1], biases[-1]


def without_the_start(features, y, weight, bias, inner_lr, steps):
    weights, biases = adapt_head(features, y, weight, bias, inner_lr, steps)
    return weights[1:], biases[1:]


def newest_first(features, y, weight, bias, inner_lr, steps):
    weights, biases = adapt_head(features, y, weight, bias, inner_lr, steps)
    return weights.flip(0), biases.flip(0)


def weight_only(features, y, weight, bias, inner_lr, steps):
    return adapt_head(features, y, weight, bias, inner_lr, steps)[0]


ANSWERS = {
    "08.leak": Answers(
        right=(leak, leak_in_numpy),
        wrong={
            asked_in_another_order: "You found nothing",
            asked_one_task_at_a_time: "called with 1 task(s)",
            made_every_query_a_task: "called with 15 task(s)",
            dropped_the_axis: "keeps the axis",
            changes_of_logits: "changes of logits",
            changes_of_log_probabilities: "changes of log-probabilities",
            flipped_answers: "only where the answer flips",
            rising_probabilities_only: "Take the absolute value",
            change_of_the_confidence: "change of the confidence",
            change_of_the_answered_class: "You followed one class",
            summed_over_classes: "You took all classes together",
            softmax_over_queries: "softmax runs over the queries",
            softmax_that_overflows: "exp() of them is infinite",
            one_number_for_all: "One number hides",
            every_class: "Expected shape",
            suspects_everybody: "for a learner that measures all queries",
        },
        equal={
            "leak: line 4: together - alone.softmax(-1) -> alone.softmax(-1) - together": (
                "abs() follows"
            ),
            "leak_in_numpy: line 2: np.asarray(predict(x), dtype=np.float64) -> "
            "np.asarray(predict(x))": "float32 is precise enough",
            "leak_in_numpy: line 5: np.asarray(predict(x[:, query:query + 1]), dtype=np.float64) "
            "-> np.asarray(predict(x[:, query:query + 1]))": "float32 is precise enough",
            "leak_in_numpy: line 6: 0 -> -1": "the only query is the first and the last",
            "leak_in_numpy: line 6: together[:, query] - alone[:, 0] -> "
            "alone[:, 0] - together[:, query]": "abs() follows",
        },
    ),
    "08.cka": Answers(
        right=(cka, cka_by_singular_values, cka_in_numpy),
        wrong={
            as_on_the_page: "You made a matrix of",
            as_on_the_page_in_numpy: "You made arrays of",
            not_centred: "Centre the columns",
            centred_over_features: "centred each example",
            one_mean_for_all: "one mean from all",
            centred_the_first_alone: "one of the two layers only",
            standardised_columns: "by its spread",
            not_scaled: "It is not scaled",
            square_forgotten: "to be squared",
            norms_of_the_layers: "not of A and B",
            divides_zero_by_zero: "0 / 0",
            layers_that_say_nothing_agree: "there is nothing to compare",
            one_number_per_example: "Return one number",
            distances_without_centring: "not linear CKA for two layers of unlike width",
        },
        equal={
            "cka: line 2: first - first.mean(0) -> first.mean(0) - first": "CKA sees no sign",
            "cka: line 2: second - second.mean(0) -> second.mean(0) - second": "CKA sees no sign",
            "cka: line 5: 0.0 -> 0.0": "half of 0 is 0",
            "cka_by_singular_values: line 4: rows - rows.mean(0) -> rows.mean(0) - rows": (
                "CKA sees no sign"
            ),
            "cka_by_singular_values: line 8: 0.0 -> 0.0": "half of 0 is 0",
            "cka_in_numpy: line 5: rows - rows.mean(axis=0) -> rows.mean(axis=0) - rows": (
                "CKA sees no sign"
            ),
            "cka_in_numpy: line 9: 0.0 -> 0.0": "half of 0 is 0",
        },
    ),
    "08.adapt_head": Answers(
        right=(adapt_head, adapt_head_in_numpy),
        wrong={
            by_autograd: "asks autograd",
            uphill: "This climbs",
            gradient_of_the_sum: "gradient of the sum",
            mean_over_the_tasks_too: "Your mean runs over the tasks",
            one_head_for_all_tasks: "Each task has its own head",
            first_gradient_for_all_steps: "Compute it anew",
            squared_error: "squared error",
            sigmoid_for_softmax: "not sigmoid",
            softmax_that_is_infinite: "NaN for features so large",
            bias_forgotten: "The bias has not moved",
            bias_first: "had moved already",
            changed_in_place: "what you were given in place",
            one_tensor_kept_many_times: "All states are the last one",
            last_state_only: "one state of the weight",
            without_the_start: "Keep where it starts",
            newest_first: "run backwards",
            weight_only: "Return two tensors",
        },
        equal={
            "adapt_head: line 5: -1 -> 1": "the bias has one row: 1 says the same",
            "adapt_head_in_numpy: line 14: 0 -> -1": "the bias has one row: it is the last, too",
        },
    ),
}
