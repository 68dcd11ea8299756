"""Hints and checks for notebook 01, on examples small enough to be worked out by hand.

What the package runs where a reader has not answered yet stands here, too: `gradient_step`,
`early_stop`, `points_needed`. The checks take their truth from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from metalearn_lite.evaluation import Evaluation
from metalearn_lite.learners.base import trainable
from metalearn_lite.networks import Params
from metalearn_lite.teaching.comparing import kind_of, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

# --- gradient_step --------------------------------------------------------------------------


def gradient_step(loss: Callable[[Params], Tensor], params: Params, learning_rate: float) -> Params:
    """θ - α ∇L(θ), for every parameter at once: a new dict, ``params`` stays as it is."""
    moved = trainable(params)
    optimizer = torch.optim.SGD(moved.values(), lr=learning_rate)
    loss(moved).backward()
    optimizer.step()
    return {name: value.detach() for name, value in moved.items()}


class Descent(NamedTuple):
    """One case of the check: a step to be taken."""

    loss: Callable[[Params], Tensor]
    start: Params
    rate: float

    def params(self) -> Params:
        """θ as an answer gets it: copies, so that the case stays as it is."""
        return trainable(self.start)

    def gradients(self, at: Params | None = None) -> Params:
        params = self.params() if at is None else trainable(at)
        values = torch.autograd.grad(self.loss(params), list(params.values()))
        return dict(zip(params, values, strict=True))


def _descents() -> list[Descent]:
    """Other names, shapes and rates each time; last a θ at the bottom, and a rate of zero."""
    generator = seeded(1)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    # Its two parameters need each other: one's gradient depends on where the other is.
    together = {"slope": torch.tensor([2.0, -1.0]), "height": torch.tensor(3.0)}
    x, y = drawn(6, 3), drawn(6, 2)
    layer = {"weight": drawn(3, 2), "bias": drawn(2)}

    def layer_loss(params: Params) -> Tensor:
        return (x @ params["weight"] + params["bias"] - y).square().mean()

    def bowl(params: Params) -> Tensor:
        return (params["theta"] - 4).square().sum()

    return [
        Descent(
            lambda params: (
                (params["slope"] * params["height"] - torch.tensor([1.0, 2.0])).square().sum()
            ),
            together,
            0.1,
        ),
        Descent(layer_loss, layer, 0.5),
        Descent(bowl, {"theta": torch.full((2, 1), 4.0)}, 0.3),
        Descent(layer_loss, layer, 0.0),
    ]


def check_gradient_step(answer: Callable) -> None:
    for case in _descents():
        params = case.params()
        stepped = attempted(answer(case.loss, params, case.rate))
        if not isinstance(stepped, dict) or stepped.keys() != params.keys():
            raise Mistake("Return a new dict with the same names as params.")
        if not same(params, case.start):
            raise Mistake("You changed params in place. Make new tensors: θ is still needed.")
        _name_wrong_step(stepped, case)
        again = answer(case.loss, params, case.rate)
        if not same(again, {name: value.detach() for name, value in stepped.items()}):
            raise Mistake(
                "A second call from the same θ went further: .backward() adds to what is already "
                "in .grad. Clear it before each step, or use torch.autograd.grad, which keeps "
                "nothing."
            )


def _name_wrong_step(stepped: Params, case: Descent) -> None:
    start, gradients, rate = case.start, case.gradients(), case.rate
    if same(stepped, gradient_step(case.loss, case.params(), rate)):
        return
    length = sum(gradient.square().sum() for gradient in gradients.values()).sqrt()

    def moved(step: Callable[[Tensor], Tensor]) -> Params:
        return {name: start[name] + step(gradient) for name, gradient in gradients.items()}

    if rate == 0:
        raise Mistake("A learning_rate of 0 is no step: the values stay, in a dict of their own.")
    if all(not gradient.any() for gradient in gradients.values()):
        raise Mistake("At the bottom of the bowl every slope is 0, so θ has to stay there.")
    mistakes = [
        (start, "Nothing moved: return the stepped values, not params."),
        (gradients, "You returned the gradients. They say how to move: return where that leads."),
        (
            {name: -rate * gradient for name, gradient in gradients.items()},
            "You returned the move alone. Add it to the old value: where does θ end?",
        ),
        (
            moved(lambda g: rate * g),
            "You went up the hill: the loss grows along +gradient, so subtract it.",
        ),
        (
            moved(lambda g: -g),
            "You left out learning_rate: the step is the gradient times the rate.",
        ),
        (
            moved(lambda g: -rate * g.sign()),
            "You kept only the gradient's sign. Steep ground asks for a longer step.",
        ),
        (
            moved(lambda g: -rate * g / length),
            "You made every step equally long. Dividing by the gradient's length throws away how "
            "steep the ground is.",
        ),
        *((values, IN_TURN) for values in _in_turn(case)),
    ]
    refuse(stepped, mistakes)
    if _is_another_rate(stepped, case):
        raise Mistake(
            "You step in the right direction, but not by learning_rate: your rate is another one, "
            "perhaps one written into the code."
        )
    raise Mistake("The stepped values differ from θ - α · gradient. Print one of each.")


IN_TURN = (
    "The parameters moved one after the other: the second gradient was taken where the first had "
    "already moved. Take all gradients at the old θ, then step."
)


def _in_turn(case: Descent) -> list[Params]:
    """Where it ends when one parameter's gradient is taken after another moved, in either order."""
    ends = []
    for order in (list(case.start), list(case.start)[::-1]):
        at = dict(case.start)
        for name in order:
            at[name] = at[name] - case.rate * case.gradients(at)[name]
        ends.append(at)
    return ends


def _is_another_rate(stepped: Params, case: Descent) -> bool:
    gradients = case.gradients()
    parts = [
        (case.start[name] - stepped[name].detach(), gradients[name])
        for name in gradients
        if isinstance(stepped[name], Tensor) and stepped[name].shape == gradients[name].shape
    ]
    if len(parts) < len(gradients):
        return False
    move, slope = (
        torch.cat([half.flatten() for half in halves]) for halves in zip(*parts, strict=True)
    )
    rate = (move @ slope) / (slope @ slope)
    return bool(rate > 0) and same(move, rate * slope, rtol=1e-3, atol=1e-4)


# --- early_stop -----------------------------------------------------------------------------


def early_stop(
    train_losses: Sequence[float], validation_losses: Sequence[float], patience: int
) -> int:
    """The best step seen when ``patience`` steps in a row brought no new lowest loss."""
    best = 0
    for step, loss in enumerate(validation_losses):
        if loss < validation_losses[best]:
            best = step
        if step - best == patience:
            break
    return best


# Steps 4, 5 and 6 bring no new lowest loss, though step 6 falls. The lowest of all comes late.
VALIDATION = [5.0, 4.0, 4.5, 3.0, 3.4, 3.8, 3.2, 2.0, 2.5, 2.6, 2.7, 2.8, 1.0, 1.5]
WITH_A_TIE = [3.0, 2.0, 2.0, 2.5, 2.6, 2.7]
FIRST_IS_BEST = [1.0, 2.0, 1.5, 1.7, 0.5, 0.6]
NEW_LOWEST_ON_THE_LAST_DAY = [3.0, 3.5, 2.0, 2.5, 1.0, 1.2, 1.4]


def check_early_stop(answer: Callable) -> None:
    def stopped(validation: Sequence[float], patience: int) -> int:
        training = [6.0 - 0.4 * step for step in range(len(validation))]
        step = attempted(answer(training, list(validation), patience))
        if isinstance(step, Tensor) and step.numel() != 1:
            raise Mistake(f"Return one step's number, not {kind_of(step)}.")
        if step != int(step):
            raise Mistake("Return the step's number, a whole one, not a loss.")
        return int(step)

    def wrong(validation: Sequence[float], patience: int) -> bool:
        return stopped(validation, patience) != early_stop([], validation, patience)

    found = stopped(VALIDATION, 3)
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
        5: "You stopped a step too early and kept the step you stopped at.",
        4: "Steps are numbered from 0, as validation_losses[0] is the first.",
        1: (
            "You gave up too early, at the first rise. Patience counts the steps since the last "
            "new lowest loss."
        ),
    }
    if found in mistakes:
        raise Mistake(mistakes[found])
    if wrong(VALIDATION, 3):
        raise Mistake(f"With patience=3 step {found} is not the one to keep, of {VALIDATION}.")
    _early_stop_at_the_edges(stopped, wrong)
    generator = seeded(2)
    for _ in range(60):
        length, patience = (
            int(torch.randint(1, most, (), generator=generator)) for most in (15, 6)
        )
        drawn = (torch.rand(length, generator=generator) * 8).round().tolist()  # so there are ties
        if wrong(drawn, patience):
            raise Mistake(
                f"On a curve drawn by chance, {drawn}, patience={patience}, step "
                f"{stopped(drawn, patience)} is not the one to keep. Go through it with a pencil."
            )


def _early_stop_at_the_edges(stopped: Callable, wrong: Callable) -> None:
    if stopped(NEW_LOWEST_ON_THE_LAST_DAY, 2) == 2:
        raise Mistake(
            "A new lowest loss gives back the whole patience: count the steps since it, not all "
            "the steps that ever rose."
        )
    if wrong(VALIDATION, 4):
        raise Mistake(
            f"With patience=4 you returned step {stopped(VALIDATION, 4)}. There the rise at steps "
            "4, 5 and 6 does not end the training yet, and step 7 is a new lowest. You stopped too "
            "early."
        )
    if wrong(FIRST_IS_BEST, 3):
        raise Mistake(
            "Where the very first step is the lowest, you lose it. Step 0 is a step like any "
            "other, but `if not best` and `best or …` take 0 for nothing."
        )
    if wrong(WITH_A_TIE, 2):
        raise Mistake("A tie is no new lowest loss: of two equal steps keep the earlier one.")
    if wrong([3.0, 2.0, 1.0], 2):
        raise Mistake("When the loss falls to the end, the last step is the best: return it.")
    if wrong([2.0], 1):
        raise Mistake("After one step alone there is only that one to keep.")
    if wrong([4.0, math.inf, 3.0, 3.5], 2):
        raise Mistake("A loss may be infinite for a step. That is no new lowest, and no more.")


# --- points_needed --------------------------------------------------------------------------


def points_needed(sizes: Sequence[int], errors: Tensor, threshold: float) -> float | None:
    """Where the upper edge of the mean's band falls to ``threshold`` for good, on log-log axes."""
    upper = _upper_ends(errors)
    above = [place for place, value in enumerate(upper) if value > threshold]
    if not above:
        return float(sizes[0])
    return _crossing(sizes, upper, above[-1], threshold)


def _upper_ends(errors: Tensor) -> list[float]:
    return [row.mean + row.interval for row in map(Evaluation, errors)]


def _crossing(
    sizes: Sequence[int], values: Sequence[float], place: int, threshold: float
) -> float | None:
    """Between ``sizes[place]`` and the next; None where there is no next."""
    if place + 1 == len(sizes):
        return None
    (left, right), (high, low) = sizes[place : place + 2], values[place : place + 2]
    return left * (right / left) ** (math.log(high / threshold) / math.log(high / low))


SIZES = [4, 10, 30, 60, 200, 1000]
THRESHOLD = 1.0


def _errors(means: Sequence[float], widths: Sequence[float], seeds: int = 9) -> Tensor:
    spread = torch.linspace(-1, 1, seeds) + 0.15 * torch.linspace(-1, 1, seeds).square()
    return torch.tensor(means)[:, None] + torch.tensor(widths)[:, None] * spread


def _example_errors() -> Tensor:
    """Errors of nine seeds ``(6, 9)``: with a threshold of 1 each wrong reading ends elsewhere.

    The band dips below 1 at 10 points, is above it at 30, and falls for good before 200.
    """
    return _errors([9.0, 0.7, 1.3, 1.2, 0.3, 0.1], [5.0, 0.2, 1.1, 1.15, 0.25, 0.05])


def _read(
    sizes: Sequence[int],
    values: Sequence[float],
    threshold: float,
    scales: tuple[bool, bool] = (True, True),
    first: bool = False,
) -> float:
    """``points_needed``, but of ``values``, or on other ``scales``, or at the first crossing."""
    values = [float(value) for value in values]
    above = [place for place, value in enumerate(values) if value > threshold]
    place = next(p for p, v in enumerate(values) if v <= threshold) - 1 if first else above[-1]
    if place < 0 or place + 1 == len(sizes):
        return math.nan
    log_x, log_y = scales
    high, low, level = (
        math.log(v) if log_y else v for v in (values[place], values[place + 1], threshold)
    )
    share = (high - level) / (high - low)
    left, right = sizes[place : place + 2]
    return left * (right / left) ** share if log_x else left + share * (right - left)


ROUNDED = "You rounded. Return the number as the line gives it, whole or not."


def _misreadings(errors: Tensor) -> list[tuple[float, str]]:
    """What other readings of the example give, and what to say to each."""
    upper, mean = torch.tensor(_upper_ends(errors)), errors.mean(1)
    place = max(i for i, value in enumerate(upper) if value > THRESHOLD)
    others = [
        (
            mean,
            "You read the mean itself. Its interval still reaches above the threshold there: other "
            "seeds might have put it above.",
        ),
        (
            2 * mean - upper,
            "You read the lower edge of the band: that is how good it may be. Ask how bad it may "
            "be.",
        ),
        (errors.median(1).values, "You took the median. The band is drawn around the mean."),
        (errors.min(1).values.clamp(min=0.01), "You let the luckiest seed speak for all."),
        (errors.max(1).values, "You let the unluckiest seed speak for all: the band is narrower."),
        (
            mean + 1.96 * errors.std(1),
            "You used the spread of single seeds. The mean of n seeds is surer than one of them.",
        ),
    ]
    scales = [
        (False, False, "You drew the line on plain axes. The figure's axes are both logarithmic."),
        (True, False, "Your errors are on a plain axis. In the figure that axis is logarithmic."),
        (False, True, "Your points are on a plain axis. In the figure that axis is logarithmic."),
    ]
    return [
        *((_read(SIZES, values, THRESHOLD), said) for values, said in others),
        *((_read(SIZES, upper, THRESHOLD, (x, y)), said) for x, y, said in scales),
        (
            _read(SIZES, upper, THRESHOLD, first=True),
            "You stopped where the edge first dips below the threshold. Further right it rises "
            "above it again: from which point on does it stay below?",
        ),
        (SIZES[place + 1], "That is the next measured size. The edge crosses before it."),
        (SIZES[place], "That is the last measured size that is not enough. Go on from there."),
        *(
            (rounded(points_needed(SIZES, errors, THRESHOLD)), ROUNDED)
            for rounded in (math.floor, math.ceil)
        ),
        (place, "That is an index. Return a number of points."),
        (place + 1, "That is an index. Return a number of points."),
    ]


def check_points_needed(answer: Callable) -> None:
    def found(sizes: list[int], errors: Tensor, threshold: float) -> Any:
        try:
            result = answer(list(sizes), errors.clone(), threshold)
        except (IndexError, StopIteration, ValueError, ZeroDivisionError) as error:
            if points_needed(sizes, errors, threshold) is not None:
                raise
            raise Mistake(
                f"Where no measured size is enough your code raises {type(error).__name__}. "
                "Return None then."
            ) from None
        if isinstance(result, Tensor) and result.numel() != 1:
            raise Mistake(f"Return one number of points, not {kind_of(result)}.")
        return result

    errors = _example_errors()
    result = attempted(found(SIZES, errors, THRESHOLD))
    refuse(result, _misreadings(errors), rtol=1e-3)
    _require(found, SIZES, errors, THRESHOLD, "between two measured sizes")
    if found(SIZES, errors + 10, THRESHOLD) is not None:
        raise Mistake("Where no size is enough you return a number all the same. Return None.")
    rising = _errors([3.0, 0.2, 0.1, 2.0], [1.0, 0.1, 0.1, 1.0])
    if found(SIZES[:4], rising, THRESHOLD) is not None:
        raise Mistake(
            "Where the edge ends above the threshold you return a number all the same: it was "
            "below before, but nobody measured that it stays below. Return None."
        )
    _require(found, SIZES, errors / 100, THRESHOLD, "where every size is enough: the smallest is")
    constant = torch.full((6, 4), 2.0) / torch.arange(1.0, 7.0)[:, None]
    _require(found, SIZES, constant, 0.5, "where the edge meets the threshold at a measured size")
    _require(
        found, SIZES[:4], constant[:4], 0.5, "where the edge ends at the threshold: that is enough"
    )
    _require(found, [7], constant[:1], 3.0, "with a single size, which is enough")
    _require(found, SIZES, errors, math.inf, "where any error is small enough")
    _require(found, SIZES[:2], errors[[0, 4], :2], 1.0, "with two seeds of two sizes")
    generator = seeded(3)
    for _ in range(20):
        falling = 20 / torch.arange(1.0, 7.0)[:, None] ** 3
        drawn = falling * torch.rand(6, 12, generator=generator).exp()
        level = float(10 ** (3 * torch.rand((), generator=generator) - 1.5))
        _require(found, SIZES, drawn, level, f"for errors drawn by chance and {level:.2f}")


def _require(
    found: Callable, sizes: list[int], errors: Tensor, threshold: float, where: str
) -> None:
    result, truth = found(sizes, errors, threshold), points_needed(sizes, errors, threshold)
    if truth is None and result is not None:
        raise Mistake(f"You return a number {where}, although the last size is not enough.")
    if truth is not None and result is None:
        raise Mistake(f"You return None {where}. The largest size is enough, so there is a number.")
    if truth is not None and not same(result, truth, rtol=1e-3):
        much = "many" if float(result) > truth else "few"
        raise Mistake(f"Too {much} points {where}. Look at the figure with a ruler.")


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
            "Three questions, one at a time. How high is the edge at each size? Which is the last "
            "size where it is too high? Where between that one and the next does it cross?",
            "The edge is Evaluation(row).mean + Evaluation(row).interval. On logarithmic axes a "
            "straight line is one in log(points) and log(error): find which share of the way down, "
            "in logs, the threshold is, and go the same share of the way right, in logs.",
            "share = log(high / threshold) / log(high / low), with high and low the edge at the "
            "last size above the threshold and at the next. Then left * (right / left) ** share. "
            "Nothing above: sizes[0]. The last size above: None.",
        ),
        check=check_points_needed,
        praise="A number of points that you can defend: the whole interval, and for good.",
    ),
}
