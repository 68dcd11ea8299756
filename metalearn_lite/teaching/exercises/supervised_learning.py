"""Hints and checks for notebook 01, on examples small enough to be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from metalearn_lite.evaluation import Evaluation
from metalearn_lite.teaching.comparing import same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

RATE = 0.1


def _parameters() -> dict[str, Tensor]:
    values = {"slope": torch.tensor([2.0, -1.0]), "height": torch.tensor(3.0)}
    return {name: value.requires_grad_() for name, value in values.items()}


def _loss(params: dict[str, Tensor]) -> Tensor:
    """Its two parameters need each other: one's gradient depends on where the other is."""
    return (params["slope"] * params["height"] - torch.tensor([1.0, 2.0])).square().sum()


def check_gradient_step(gradient_step: Callable) -> None:
    params, start = _parameters(), _parameters()
    stepped = attempted(gradient_step(_loss, params, RATE))
    if not isinstance(stepped, dict) or stepped.keys() != params.keys():
        raise Mistake("Return a new dict with the same names as params.")
    if not same(params, start):
        raise Mistake("You changed params in place. Make new tensors: the old θ is still needed.")

    def moved(step: Callable[[str, Tensor], Tensor]) -> bool:
        gradients = torch.autograd.grad(_loss(start), list(start.values()))
        named = zip(start, gradients, strict=True)
        return same(stepped, {name: start[name] + step(name, g) for name, g in named})

    if same(stepped, start):
        raise Mistake("Nothing moved: return the stepped values, not params.")
    if moved(lambda _, g: RATE * g):
        raise Mistake("You went up the hill: the loss grows along +gradient, so subtract it.")
    if moved(lambda _, g: -g):
        raise Mistake("You left out learning_rate: the step is the gradient times the rate.")
    if moved(lambda _, g: -RATE * g.sign()):
        raise Mistake("You kept only the gradient's sign. Steep ground asks for a longer step.")
    if _in_turn(stepped, start):
        raise Mistake(
            "The parameters moved one after the other: the second gradient was taken where the "
            "first had already moved. Take all gradients at the old θ, then step."
        )
    if not moved(lambda _, g: -RATE * g):
        raise Mistake("The stepped values differ from θ - α · gradient. Print one of each.")
    again = gradient_step(_loss, params, RATE)
    if not same(again, {name: value.detach() for name, value in stepped.items()}):
        raise Mistake(
            "A second call from the same θ went further: .backward() adds to what is already in "
            ".grad. Clear it before each step, or use torch.autograd.grad, which keeps nothing."
        )


def _in_turn(stepped: dict[str, Tensor], start: dict[str, Tensor]) -> bool:
    """Whether one parameter's gradient was taken after another had moved, in either order."""
    for order in (list(start), list(start)[::-1]):
        moved = dict(start)
        for name in order:
            (gradient,) = torch.autograd.grad(_loss(moved), [start[name]])
            moved[name] = (start[name] - RATE * gradient).detach()
        if same(stepped, moved):
            return True
    return False


# Steps 4, 5 and 6 bring no new lowest loss, though step 6 falls. The lowest of all comes late.
VALIDATION = [5.0, 4.0, 4.5, 3.0, 3.4, 3.8, 3.2, 2.0, 2.5, 2.6, 2.7, 2.8, 1.0, 1.5]
WITH_A_TIE = [3.0, 2.0, 2.0, 2.5, 2.6, 2.7]


def check_early_stop(early_stop: Callable) -> None:
    def answer(validation: Sequence[float], patience: int) -> int:
        training = [6.0 - 0.4 * step for step in range(len(validation))]
        return int(attempted(early_stop(training, list(validation), patience)))

    found = answer(VALIDATION, 3)
    mistakes = {
        13: "You followed the training loss. It nearly always falls; it cannot say when to stop.",
        12: (
            "You looked at the whole curve. With patience=3 training ended at step 6, and nobody "
            "has seen step 12."
        ),
        7: (
            "You went on past step 6. Steps 4, 5 and 6 bring no new lowest loss, so a patience of "
            "3 is used up there, although step 6 is lower than step 5."
        ),
        6: (
            "That is the step where training stopped. The parameters to keep are those of the "
            "best step before it."
        ),
        1: (
            "You gave up too early, at the first rise. Patience counts the steps since the last "
            "new lowest loss."
        ),
    }
    if found in mistakes:
        raise Mistake(mistakes[found])
    if found != 3:
        raise Mistake(f"With patience=3 the best step is 3, not {found}: {VALIDATION}.")
    if (found := answer(VALIDATION, 4)) != 7:
        raise Mistake(
            f"With patience=4 you returned step {found}. There the rise at steps 4, 5 and 6 does "
            "not end the training yet, and step 7 is a new lowest. You stopped too early."
        )
    if answer(WITH_A_TIE, 2) == 2:
        raise Mistake("A tie is no new lowest loss: of two equal steps keep the earlier one.")
    if answer([3.0, 2.0, 1.0], 2) != 2:
        raise Mistake("When the loss falls to the end, the last step is the best: return it.")


SIZES = [5, 10, 20, 50, 100]


def _example_errors() -> Tensor:
    """Errors of nine seeds ``(5, 9)`` with a threshold of 1: each wrong reading ends elsewhere."""
    spread = torch.linspace(-1, 1, 9)
    means = torch.tensor([2.0, 1.3, 0.9, 0.6, 0.1])
    widths = torch.tensor([1.8, 1.0, 0.6, 0.5, 0.05])
    errors = means[:, None] + widths[:, None] * spread
    # At 10 points one seed is bad and eight are good: the median hides it.
    errors[1] = torch.tensor([0.5, 0.6, 0.7, 0.7, 0.8, 0.8, 0.9, 0.9, 5.8])
    return errors


def check_points_needed(points_needed: Callable) -> None:
    errors = _example_errors()
    found = attempted(points_needed(list(SIZES), errors.clone(), 1.0))
    readings = {
        "best": errors.min(1).values,
        "median": errors.median(1).values,
        "mean": errors.mean(1),
        "right": _upper_ends(errors),
        "spread": errors.mean(1) + 1.96 * errors.std(1),
    }
    first = {name: _first_below(values, 1.0) for name, values in readings.items()}
    mistakes = {
        SIZES.index(first["right"]): "That is an index. Return the number of points, sizes[index].",
        first["best"]: "You let the luckiest seed speak. Average over the seeds.",
        first["median"]: (
            "You took the median. It hides the seeds that fail; this question asks for the mean."
        ),
        first["mean"]: (
            "The mean is below the threshold there, but its interval is not: other seeds might "
            "have put it above. Ask for mean + interval."
        ),
        first["spread"]: (
            "You used the spread of single seeds. The mean of n seeds is surer than one of them: "
            "its standard error is std / √n."
        ),
    }
    if found in mistakes:
        raise Mistake(mistakes[found])
    if found != first["right"]:
        raise Mistake(f"Here {first['right']} points are enough for an error below 1, not {found}.")
    try:
        none = points_needed(list(SIZES), errors + 10, 1.0)
    except (IndexError, StopIteration, ValueError) as error:
        raise Mistake(
            f"Where no size is enough your code raises {type(error).__name__}. Return None then."
        ) from None
    if none is not None:
        raise Mistake(f"Here no size is enough, yet you returned {none}. Return None then.")


def _upper_ends(errors: Tensor) -> Tensor:
    rows = [Evaluation(row) for row in errors]
    return torch.tensor([row.mean + row.interval for row in rows])


def _first_below(values: Tensor, threshold: float) -> int:
    return SIZES[int((values < threshold).nonzero()[0])]


EXERCISES = {
    "gradient_step": Exercise(
        hints=(
            "Three lines: the loss at params, one gradient for each parameter, the new dict.",
            "torch.autograd.grad(loss(params), list(params.values())) gives the gradients in the "
            "order of the parameters.",
            "zip(params, gradients) pairs each name with its gradient: the new value is "
            "params[name] - learning_rate * gradient.",
        ),
        check=check_gradient_step,
        praise="Every parameter moves by -α times its own gradient, all from the same θ.",
    ),
    "early_stop": Exercise(
        hints=(
            "Walk along validation_losses with enumerate. Remember the best step so far.",
            "Training stops at the first step that lies patience or more after the best one.",
            "Two variables suffice: best (a step) and nothing else but the loop. "
            "If validation_losses[step] < validation_losses[best], then best = step; "
            "elif step - best >= patience, break. Return best after the loop.",
        ),
        check=check_early_stop,
        praise="You stop without looking into the future, and keep the best step seen.",
    ),
    "points_needed": Exercise(
        hints=(
            "Go through the sizes from the smallest. For each, ask whether the whole interval of "
            "the mean error lies below the threshold.",
            "Evaluation(errors[i]) has a .mean and an .interval. Compare their sum with the "
            "threshold.",
            "for size, row in zip(sizes, errors): return size at the first row whose mean + "
            "interval is below the threshold. After the loop return None.",
        ),
        check=check_points_needed,
        praise="A number of points that you can defend: the mean, with its interval.",
    ),
}
