"""Hints and checks for notebook 02.

What the package runs where a reader has not answered yet stands here, too: `sample_task`,
`pulled_step`, `leaks`. The checks take their truth from the last two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite.images import turned
from metalearn_lite.learners.mean_of_networks import MeanOfNetworks
from metalearn_lite.networks import Params
from metalearn_lite.tasks.characters import Characters, Glyphs
from metalearn_lite.tasks.characters.choosing import choose
from metalearn_lite.teaching.comparing import a_or_an, refuse, same
from metalearn_lite.teaching.draws import seeded
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

# --- sample_task ----------------------------------------------------------------------------


def sample_task(
    images: Tensor, num_ways: int, num_shots: int, num_queries: int, generator: torch.Generator
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """One task of ``Characters.sample``, from bare ``images``: support and query, ``(x, y)`` each.

    ``x`` is ``(num_ways * num_shots, 28, 28)``, or ``num_queries`` for ``num_shots``.
    """
    classes = choose(1, 1, len(images), num_ways, generator).flatten()
    drawers = choose(1, num_ways, images.shape[1], num_shots + num_queries, generator).squeeze(0)
    halves = images[classes[:, None], drawers].split([num_shots, num_queries], dim=1)
    labels = (torch.arange(num_ways).repeat_interleave(half.shape[1]) for half in halves)
    support, query = (
        (half.flatten(0, 1), label) for half, label in zip(halves, labels, strict=True)
    )
    return support, query


NUM_CHARACTERS, NUM_DRAWERS = 9, 7


class Request(NamedTuple):
    """What a task is asked for with."""

    num_ways: int
    num_shots: int
    num_queries: int


USUAL = Request(4, 2, 3)
EVERYTHING_THERE_IS = Request(NUM_CHARACTERS, 3, NUM_DRAWERS - 3)
UNUSUAL = (EVERYTHING_THERE_IS, Request(1, 1, 1), Request(3, 4, 1))


class Task(NamedTuple):
    """What was drawn, by label: the character, and its drawers in the support and the query."""

    characters: tuple[int, ...]
    support: tuple[frozenset[int], ...]
    query: tuple[frozenset[int], ...]


def check_sample_task(answer: Callable) -> None:
    # An image's pixels all hold one number, which tells where the image comes from.
    numbers = torch.arange(NUM_CHARACTERS * NUM_DRAWERS, dtype=torch.uint8)
    images = numbers.view(NUM_CHARACTERS, NUM_DRAWERS, 1, 1).repeat(1, 1, 28, 28)

    def drawn(request: Request, generator: torch.Generator) -> Task:
        return _task(attempted(answer(images.clone(), *request, generator)), request)

    def with_seed(seed: int, request: Request = USUAL) -> Task:
        return drawn(request, seeded(seed))

    tasks = [with_seed(seed) for seed in range(40)]
    if any(with_seed(seed) != tasks[seed] for seed in range(3)):
        raise Mistake(
            "The same seed gave two different tasks: hand generator to every random draw."
        )
    _require_any_characters(tasks)
    _require_any_drawers(tasks)
    generator = seeded(0)
    if len({drawn(USUAL, generator) for _ in range(5)}) == 1:
        raise Mistake(
            "Called again with the same generator you return the same task: draw from generator "
            "itself, and do not start another one with its seed."
        )
    for request in UNUSUAL:
        for seed in range(3):
            with_seed(seed, request)


def _task(task: tuple, request: Request) -> Task:
    """The task by label, after a look at its shapes and its rules."""
    try:
        (support_x, support_y), (query_x, query_y) = task
    except (TypeError, ValueError):
        raise Mistake("Return (support_x, support_y), (query_x, query_y): two pairs.") from None
    support = _half("support", support_x, support_y, request.num_ways, request.num_shots)
    query = _half("query", query_x, query_y, request.num_ways, request.num_queries)
    _check_task(support, query, request.num_ways)
    characters = {label: drawing // NUM_DRAWERS for drawing, label in support.items()}
    drawers = [
        tuple(
            frozenset(drawing % NUM_DRAWERS for drawing, its in half.items() if its == label)
            for label in range(request.num_ways)
        )
        for half in (support, query)
    ]
    return Task(tuple(characters[label] for label in range(request.num_ways)), *drawers)


def _half(half: str, x: Tensor, y: Tensor, num_ways: int, per_class: int) -> dict[int, int]:
    """Each drawing's label."""
    count = num_ways * per_class
    for name, value in (("x", x), ("y", y)):
        if not isinstance(value, Tensor):
            raise Mistake(
                f"The {half}'s {name} is {a_or_an(value)}: make one tensor of it, by torch.stack "
                "or torch.tensor."
            )
    if tuple(x.shape) != (count, 28, 28) or tuple(y.shape) != (count,):
        raise Mistake(
            f"With {num_ways} ways and {per_class} per class the {half} holds {count} images "
            f"and labels; yours has x {tuple(x.shape)} and y {tuple(y.shape)}."
        )
    drawings = [int(number) for number in x[:, 0, 0].tolist()]
    if len(set(drawings)) < count:
        raise Mistake(
            f"A drawing is in the {half} twice. Either a class was drawn twice (draw without "
            "replacement: torch.randperm), or a drawing of it was."
        )
    return dict(zip(drawings, map(int, y.tolist()), strict=True))


def _check_task(support: dict[int, int], query: dict[int, int], num_ways: int) -> None:
    labels, classes = set(support.values()), {drawing // NUM_DRAWERS for drawing in support}
    if len(classes) < num_ways:
        raise Mistake(
            "Two classes of a task are the same character: draw them without replacement."
        )
    if set(support) & set(query):
        raise Mistake(
            "A drawing is in both support and query: the learner has seen the answer. Draw "
            "num_shots + num_queries different drawings of a class, then split them."
        )
    if labels != set(range(num_ways)):
        raise Mistake(
            f"The support's labels are {sorted(labels)}. Number the classes of each task anew, "
            "0 to num_ways - 1: a learner must not know a character by its number."
        )
    names = {}
    for drawing, label in support.items():
        if names.setdefault(drawing // NUM_DRAWERS, label) != label:
            raise Mistake("Two drawings of one character have different labels in the support.")
    for drawing, label in query.items():
        character = drawing // NUM_DRAWERS
        if character not in names:
            raise Mistake("The query asks about a character that the support does not show.")
        if names[character] != label:
            raise Mistake(
                f"One character is {names[character]} in the support and {label} in the query: "
                "number the classes once, for both halves. As it is, nothing can be learned."
            )
    for half in (support, query):
        if any(list(half.values()).count(label) * num_ways != len(half) for label in labels):
            raise Mistake("Every class must have as many drawings as every other.")


def _in_a_row(numbers: frozenset[int], total: int) -> bool:
    """Whether they are neighbours, the last and the first being neighbours, too."""
    return any({(first + i) % total for i in range(len(numbers))} == numbers for first in numbers)


def _require_any_characters(tasks: list[Task]) -> None:
    """Right answers pass but for a chance below one in a million; the seeds are fixed besides."""
    sets = {frozenset(task.characters) for task in tasks}
    if len(sets) == 1:
        raise Mistake("Every call returns the same classes: draw them at random.")
    if all(_in_a_row(characters, NUM_CHARACTERS) for characters in sets):
        raise Mistake(
            "The classes of a task are always neighbours in images, so most tasks can never come. "
            "Any characters may meet in a task."
        )
    if len(frozenset().union(*sets)) < NUM_CHARACTERS:
        raise Mistake("Some characters never come: the first or the last, perhaps?")
    if len(sets) < 20:
        raise Mistake("The same few sets of classes come again and again.")
    if sum(list(task.characters) == sorted(task.characters) for task in tasks) > 20:
        raise Mistake(
            "The classes are numbered in the order in which they stand in images: so a label tells "
            "something about the character. Deal the numbers at random."
        )


def _require_any_drawers(tasks: list[Task]) -> None:
    support = [drawers for task in tasks for drawers in task.support]
    query = [drawers for task in tasks for drawers in task.query]
    both = [first | second for first, second in zip(support, query, strict=True)]
    if len(set(support)) == 1 and max(support[0]) < USUAL.num_shots:
        raise Mistake(
            "The support always holds the first drawings of a class: draw the drawings, too."
        )
    together = [[s | q for s, q in zip(task.support, task.query, strict=True)] for task in tasks]
    if all(len(set(task.support)) == 1 for task in tasks) or all(
        len(set(t)) == 1 for t in together
    ):
        raise Mistake(
            "All classes of a task get their drawings from the same drawers: whoever knows the "
            "hands gets a hint. Draw the drawers for each class anew."
        )
    order = [
        (max(first) < min(second)) - (min(first) > max(second))
        for first, second in zip(support, query, strict=True)
    ]
    if abs(sum(order)) > len(order) / 2:
        side = "earlier" if sum(order) > 0 else "later"
        raise Mistake(
            f"The support always comes from the {side} drawers and the query from the others: "
            "shuffle before you split, so that each drawing can be in either."
        )
    everyone = set(range(NUM_DRAWERS))
    if any(frozenset().union(*half) != everyone for half in (support, query)):
        raise Mistake(
            "Some drawers never come in the support, or never in the query: each drawing of a "
            "class may be in either half."
        )
    if len(set(both)) < 15 or len(set(support)) < 15:
        raise Mistake("The same few sets of drawers come again and again: draw them at random.")


# --- pulled_step ----------------------------------------------------------------------------


def pulled_step(params: Params, gradients: Params, lr: float, pull: float) -> Params:
    """One step on each network's own loss plus the pull of ``MeanOfNetworks``: a new dict."""
    networks = MeanOfNetworks(None, {n: v.detach() for n, v in params.items()}, pull=pull)
    with torch.enable_grad():
        penalty = pull * networks.distances().sum()
    pulls = torch.autograd.grad(penalty, list(networks.params.values()))
    return {
        name: params[name] - lr * (gradients[name] + slope)
        for name, slope in zip(params, pulls, strict=True)
    }


class Pull(NamedTuple):
    """One case of the check: networks, the gradients of their own losses, and the settings."""

    params: Params
    gradients: Params
    lr: float
    pull: float

    def answered(self, answer: Callable) -> Params:
        params = {name: value.clone() for name, value in self.params.items()}
        gradients = {name: value.clone() for name, value in self.gradients.items()}
        result = attempted(answer(params, gradients, self.lr, self.pull))
        if not isinstance(result, dict) or result.keys() != params.keys():
            raise Mistake("Return a new dict with the same names as params.")
        if not same(params, self.params) or not same(gradients, self.gradients):
            raise Mistake("You changed params or gradients in place. Build new tensors.")
        return result

    def right(self) -> Params:
        return pulled_step(self.params, self.gradients, self.lr, self.pull)

    def stepped(
        self, factor: float, own: float, target: Callable[[Tensor], Tensor]
    ) -> dict[str, Tensor]:
        """A step with another factor, another weight of the own loss, or another target."""
        pull = factor * self.pull
        return {
            name: value - self.lr * (own * self.gradients[name] + pull * (value - target(value)))
            for name, value in self.params.items()
        }


def _pull(shapes: dict[str, tuple[int, ...]], lr: float, pull: float, seed: int = 2) -> Pull:
    generator = seeded(seed)
    params, gradients = (
        {name: torch.randn(shape, generator=generator) + 0.5 for name, shape in shapes.items()}
        for _ in range(2)
    )
    return Pull(params, gradients, lr, pull)


def _mean(value: Tensor) -> Tensor:
    return value.mean(0, keepdim=True)


def check_pulled_step(answer: Callable) -> None:
    case = _pull({"weight": (3, 4, 2), "bias": (3, 1, 2)}, lr=0.1, pull=0.7)
    result = case.answered(answer)
    alone = case._replace(pull=0.0).right()
    lr, pull, count = case.lr, case.pull, 3
    mistakes = {
        "There is no pull: this is the plain gradient step.": alone,
        "You pushed the networks away from their mean: the distance must shrink.": case.stepped(
            -2, 1, _mean
        ),
        "The pull is half as strong as it should be: a square has a slope of its own.": (
            case.stepped(1, 1, _mean)
        ),
        "You pulled towards zero. That keeps the weights small; here the target is the mean.": (
            case.stepped(2, 1, torch.zeros_like)
        ),
        "Your mean is one number for a whole tensor. Average over the networks only, dim 0.": (
            case.stepped(2, 1, torch.mean)
        ),
        "You pulled towards the sum of the networks, not towards their mean.": (
            case.stepped(2, 1, lambda value: value.sum(0))
        ),
        "You pulled each network to the mean of the others. θ is the mean of them all.": (
            case.stepped(2, 1, lambda value: (value.sum(0) - value) / (count - 1))
        ),
        "You left out the networks' own gradients: they would agree and learn nothing.": (
            case.stepped(2, 0, _mean)
        ),
        "You pulled by the whole distance to the mean, without lr.": {
            name: value - lr * case.gradients[name] - 2 * pull * (value - _mean(value))
            for name, value in case.params.items()
        },
        "You went up the hill: subtract lr times the slope of the sum.": {
            name: 2 * case.params[name] - value for name, value in case.right().items()
        },
        "You took the mean after the networks had moved. Compute θ before the step.": {
            name: value - lr * 2 * pull * (value - _mean(value)) for name, value in alone.items()
        },
        "You divided by the number of networks. Each descends its own sum, not their average.": {
            name: case.params[name] + (value - case.params[name]) / count
            for name, value in case.right().items()
        },
    }
    refuse(result, ((values, message) for message, values in mistakes.items()))
    if not same(result, case.right()):
        raise Mistake("This is not one gradient step on loss + pull · squared distance to θ.")
    edges = {
        "with other settings. Is lr or pull written into your code?": _pull(
            {"one": (4, 3, 3), "two": (4, 1, 5)}, lr=0.02, pull=3.0, seed=3
        ),
        "with pull=0: what is left is the plain gradient step": _pull(
            {"weight": (5, 2, 2)}, lr=0.3, pull=0.0, seed=4
        ),
        "with one network, which is its own mean: nothing pulls it": _pull(
            {"weight": (1, 3, 2)}, lr=0.1, pull=0.5, seed=5
        ),
        "with lr=0, where nothing may move": _pull({"bias": (2, 1, 3)}, lr=0.0, pull=0.5, seed=6),
    }
    for where, edge in edges.items():
        if not same(edge.answered(answer), edge.right()):
            raise Mistake(f"Your step is wrong {where}.")


# --- leaks ----------------------------------------------------------------------------------


def leaks(train: Characters, test: Characters) -> bool:
    """Whether a character or a drawing of ``train`` is in ``test``, by any name, turned or not."""

    def names(part: Characters) -> set[tuple[str, str]]:
        bases = (alphabet.partition("@")[0] for alphabet in part.alphabets)
        return set(zip(bases, part.names, strict=True))

    def drawings(part: Characters, quarters: int) -> set[bytes]:
        images = turned(part.images, quarters).flatten(0, 1)
        return {image.numpy().tobytes() for image in images}

    known = drawings(test, 0)
    shared = any(drawings(train, quarters) & known for quarters in range(4))
    return bool(names(train) & names(test)) or shared


class Split(NamedTuple):
    """Two sets, and what to say to who judges them wrongly."""

    train: Characters
    test: Characters
    message: str


def check_leaks(answer: Callable) -> None:
    for train, test, message in _splits():
        found = attempted(answer(train, test))
        if not isinstance(found, bool):
            raise Mistake(f"Return True or False, not {type(found).__name__}.")
        if found != leaks(train, test):
            raise Mistake(message)


MISSED, HONEST = "You missed a leak: ", "You called an honest split a leak: "


def _splits() -> list[Split]:
    glyphs = Glyphs(num_alphabets=2, characters_per_alphabet=3, num_drawers=4, seed=2)
    first, second = (glyphs.select([alphabet]) for alphabet in glyphs.alphabet_sizes)
    some, other = first.take([0, 1]), first.take([2])
    early, late = _drawers(first, 0, 2), _drawers(first, 2, 4)
    quarter, half = _turned(late, 1), _turned(early, 2)
    base = first.alphabets[0]
    elsewhere = _called(first, "Atlantean")
    renamed_and_turned = _called(_turned(first, 3), "Atlantean")
    longer = _called(second, f"{base}ic")
    mirrored = Characters(first.images.flip(-1), ["Mirror"] * 3, first.names, "mirrored")
    images = second.images.clone()
    images[1, 3] = early.images[2, 0]
    one_drawing = Characters(images, ["Lemurian"] * 3, second.names, "one drawing")
    return [
        Split(first, first, "You did not see that a set and itself share everything."),
        Split(
            first,
            second,
            f"{HONEST}character01 of one alphabet is not character01 of another. A character is "
            "named by both.",
        ),
        Split(
            some, other, f"{HONEST}different characters of one alphabet may be in different splits."
        ),
        Split(
            early,
            late,
            f"{MISSED}the same characters, drawn by other people. No drawing is in both, and yet "
            "every class is.",
        ),
        Split(
            early,
            late.take([2, 0]),
            f"{MISSED}the same characters, in another order. Compare each with each.",
        ),
        Split(
            early,
            quarter,
            f"{MISSED}the test holds the training characters, turned by 90 degrees. Greek and "
            "Greek@90 are one alphabet.",
        ),
        Split(
            quarter,
            early,
            f"{MISSED}this time it is the training characters that are turned. Take the turn off "
            "the names on both sides.",
        ),
        Split(
            quarter,
            half,
            f"{MISSED}the training characters are turned by 90 degrees and the test's by 180. Both "
            "names have a turn to take off.",
        ),
        Split(
            first,
            elsewhere,
            f"{MISSED}the same drawings, under another alphabet's name. Names can lie; compare the "
            "images, too.",
        ),
        Split(
            early,
            one_drawing,
            f"{MISSED}a single drawing is in both, under another name. Compare drawing by drawing, "
            "not whole characters.",
        ),
        Split(
            first,
            renamed_and_turned,
            f"{MISSED}the same drawings, turned and renamed. A drawing stays what it is when the "
            "paper is turned.",
        ),
        Split(
            renamed_and_turned,
            first,
            f"{MISSED}the training drawings are those of the test, turned the other way round.",
        ),
        *_one_turned_drawing(early, second),
        Split(
            half,
            _called(early, "Lemurian"),
            f"{MISSED}the training drawings are those of the test, lying on their heads.",
        ),
        Split(quarter, second, f"{HONEST}turned characters of one alphabet, and another alphabet."),
        Split(
            first,
            longer,
            f"{HONEST}an alphabet whose name only begins like the other's is another alphabet.",
        ),
        Split(
            first,
            mirrored,
            f"{HONEST}a mirrored drawing has as much ink, but no turn makes it the same.",
        ),
    ]


def _one_turned_drawing(train: Characters, others: Characters) -> list[Split]:
    """``others``, but for one drawing of ``train``, turned: each turn, with several drawings."""
    splits = []
    for quarters in (1, 2, 3):
        for place in range(len(train)):
            images = others.images.clone()
            images[place, 1] = turned(train.images[place, 0], quarters)
            test = Characters(images, ["Lemurian"] * len(others), others.names, "one drawing")
            message = (
                f"{MISSED}a single drawing is in both, turned by {90 * quarters} degrees and under "
                "another name."
            )
            splits.append(Split(train, test, message))
    return splits


def _drawers(characters: Characters, start: int, stop: int) -> Characters:
    images = characters.images[:, start:stop]
    return Characters(images, characters.alphabets, characters.names, characters.source)


def _called(characters: Characters, alphabet: str) -> Characters:
    alphabets = [alphabet] * len(characters)
    return Characters(characters.images, alphabets, characters.names, characters.source)


def _turned(characters: Characters, quarters: int) -> Characters:
    """As ``with_rotations`` names and turns them."""
    images = turned(characters.images, quarters)
    alphabets = [f"{alphabet}@{90 * quarters}" for alphabet in characters.alphabets]
    return Characters(images, alphabets, characters.names, characters.source)


EXERCISES = {
    "sample_task": Exercise(
        hints=(
            "Draw the classes first, then the drawings of each class: enough for support and "
            "query together.",
            "torch.randperm(n, generator=generator)[:k] gives k different numbers below n, in "
            "random order. Who draws once for all classes gives them all the same drawers.",
            "With drawers of shape (num_ways, num_shots + num_queries), one row drawn for each "
            "class, images[classes[:, None], drawers] is (num_ways, …, 28, 28). Cut it into "
            "[:, :num_shots] and [:, num_shots:], flatten(0, 1) each, and label them with "
            "torch.arange(num_ways).repeat_interleave(how many per class).",
        ),
        check=check_sample_task,
        praise="Any classes, any drawers, numbered anew, and no drawing on both sides.",
    ),
    "pulled_step": Exercise(
        hints=(
            "Take the gradient of what each network now descends: its own loss, whose gradient "
            "you are given, plus the pull.",
            "The gradient of pull · |φ − θ|² with respect to φ is 2 · pull · (φ − θ).",
            "θ is value.mean(0): the mean over networks of each parameter. New value: "
            "value − lr · (gradient + 2 · pull · (value − θ)).",
        ),
        check=check_pulled_step,
        praise="Each network learns its own task, and all stay near their mean.",
    ),
    "leaks": Exercise(
        hints=(
            "Two questions, and one yes is enough. Is a test character also a training character, "
            "by what it is called? And is a test drawing also a training drawing, by its pixels?",
            'alphabet.partition("@")[0] is the alphabet without the turn; with the name it makes '
            "a pair. For the drawings: four turns of one side are enough, since turning both "
            "sides alike changes nothing.",
            "Build sets and see whether they meet. Of pairs: {(alphabet without turn, name), …}. "
            "Of drawings: {image.numpy().tobytes() for image in images.flatten(0, 1)}, once for "
            "each of images.rot90(quarters, dims=(2, 3)), quarters from 0 to 3.",
        ),
        check=check_leaks,
        praise="No shared character and no shared drawing goes past you, turned or renamed.",
    ),
}
