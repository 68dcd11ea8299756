"""Hints and checks for notebook 02."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from metalearn_lite.tasks.characters import Characters, Glyphs
from metalearn_lite.teaching.comparing import refuse, same
from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

# --- sample_task ----------------------------------------------------------------------------

NUM_CHARACTERS, NUM_DRAWERS = 9, 7
NUM_WAYS, NUM_SHOTS, NUM_QUERIES = 4, 2, 3


def check_sample_task(sample_task: Callable) -> None:
    # An image's pixels all hold one number, which tells where the image comes from.
    numbers = torch.arange(NUM_CHARACTERS * NUM_DRAWERS).view(NUM_CHARACTERS, NUM_DRAWERS)
    images = numbers[..., None, None].expand(-1, -1, 2, 2).float()

    def task(seed: int):
        generator = torch.Generator().manual_seed(seed)
        return sample_task(images.clone(), NUM_WAYS, NUM_SHOTS, NUM_QUERIES, generator)

    attempted(task(0))
    tasks = [_read_task(task(seed)) for seed in range(20)]
    for support, query in tasks:
        _check_task(support, query)
    if any(_read_task(task(seed)) != tasks[seed] for seed in range(3)):
        raise Mistake(
            "The same seed gave two different tasks: hand generator to every random draw."
        )
    if len({frozenset(d // NUM_DRAWERS for d in support) for support, _ in tasks}) == 1:
        raise Mistake("Every call returns the same classes: draw them at random.")
    if {number % NUM_DRAWERS for support, _ in tasks for number in support} <= set(
        range(NUM_SHOTS)
    ):
        raise Mistake(
            "The support always holds the first drawings of a class: draw the drawings, too."
        )


def _read_task(task) -> tuple[dict[int, int], dict[int, int]]:
    """The support's and the query's labels by drawing, after a look at their shapes."""
    try:
        (support_x, support_y), (query_x, query_y) = task
    except (TypeError, ValueError):
        raise Mistake("Return (support_x, support_y), (query_x, query_y): two pairs.") from None
    halves = []
    for half, x, y, per_class in (
        ("support", support_x, support_y, NUM_SHOTS),
        ("query", query_x, query_y, NUM_QUERIES),
    ):
        count = NUM_WAYS * per_class
        if tuple(x.shape) != (count, 2, 2) or tuple(y.shape) != (count,):
            raise Mistake(
                f"With {NUM_WAYS} ways and {per_class} per class the {half} holds {count} images "
                f"and labels; yours has x {tuple(x.shape)} and y {tuple(y.shape)}. "
                f"The check's images have 2 × 2 pixels."
            )
        drawings = [int(number) for number in x[:, 0, 0].tolist()]
        if len(set(drawings)) < count:
            raise Mistake(
                f"A drawing is in the {half} twice. Either a class was drawn twice (draw without "
                "replacement: torch.randperm), or a drawing of it was."
            )
        halves.append(dict(zip(drawings, map(int, y.tolist()), strict=True)))
    return halves[0], halves[1]


def _check_task(support: dict[int, int], query: dict[int, int]) -> None:
    if set(support) & set(query):
        raise Mistake(
            "A drawing is in both support and query: the learner has seen the answer. Draw "
            "num_shots + num_queries different drawings of a class, then split them."
        )
    labels, classes = set(support.values()), {drawing // NUM_DRAWERS for drawing in support}
    if len(classes) < NUM_WAYS:
        raise Mistake(
            "Two classes of a task are the same character: draw them without replacement."
        )
    if labels != set(range(NUM_WAYS)):
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
    if any(list(half.values()).count(0) * NUM_WAYS != len(half) for half in (support, query)):
        raise Mistake("Every class must have as many drawings as every other.")


# --- pulled_step ----------------------------------------------------------------------------


def check_pulled_step(pulled_step: Callable) -> None:
    generator = torch.Generator().manual_seed(2)
    shapes = {"weight": (3, 4, 2), "bias": (3, 1, 2)}
    before = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    gradients = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    params = {name: value.clone() for name, value in before.items()}
    lr, pull = 0.1, 0.7
    result = attempted(pulled_step(params, dict(gradients), lr, pull))

    if not isinstance(result, dict) or result.keys() != before.keys():
        raise Mistake("Return a new dict with the same names as params.")
    if not same(params, before):
        raise Mistake("You changed params in place. Build new tensors.")

    def stepped(factor: float, own: float, target: Callable[[Tensor], Tensor]) -> dict:
        return {
            name: value - lr * (own * gradients[name] + factor * pull * (value - target(value)))
            for name, value in before.items()
        }

    def mean(value: Tensor) -> Tensor:
        return value.mean(0, keepdim=True)

    mistakes = {
        "There is no pull: this is the plain gradient step.": stepped(0, 1, mean),
        "You pushed the networks away from their mean: the distance must shrink.": stepped(
            -2, 1, mean
        ),
        "The pull is half as strong as it should be: the gradient of a square has a factor 2.": (
            stepped(1, 1, mean)
        ),
        "You pulled towards zero. That is ℓ2 regularisation; here the target is the mean.": (
            stepped(2, 1, torch.zeros_like)
        ),
        "Your mean is one number for a whole tensor. Average over the networks only, dim 0.": (
            stepped(2, 1, torch.mean)
        ),
        "You left out the networks' own gradients: they would agree and learn nothing.": (
            stepped(2, 0, mean)
        ),
        "You pulled by the whole distance to the mean, without lr.": {
            name: value - lr * gradients[name] - 2 * pull * (value - mean(value))
            for name, value in before.items()
        },
    }
    refuse(result, ((values, message) for message, values in mistakes.items()))
    if not same(result, stepped(2, 1, mean)):
        raise Mistake("This is not one gradient step on loss + pull · squared distance to θ.")


# --- leaks ----------------------------------------------------------------------------------


def check_leaks(leaks: Callable) -> None:
    for train, test, truth, message in _splits():
        answer = attempted(leaks(train, test))
        if not isinstance(answer, bool):
            raise Mistake(f"Return True or False, not {type(answer).__name__}.")
        if answer != truth:
            raise Mistake(message)


def _splits() -> list[tuple[Characters, Characters, bool, str]]:
    """Pairs of sets, whether they leak, and what to say to who thinks otherwise."""
    glyphs = Glyphs(num_alphabets=2, characters_per_alphabet=3, num_drawers=4, seed=2)
    first, second = (glyphs.select([alphabet]) for alphabet in glyphs.alphabet_sizes)
    some, other = first.take([0, 1]), first.take([2])
    early, late = _drawers(first, 0, 2), _drawers(first, 2, 4)
    turned = _renamed(_drawers(first, 2, 4), lambda alphabet: f"{alphabet}@90")
    turned = Characters(turned.images.rot90(dims=(2, 3)), turned.alphabets, turned.names, "turned")
    elsewhere = _renamed(first, lambda alphabet: "Atlantean")
    return [
        (first, first, True, "You did not see that a set and itself share everything."),
        (
            first,
            second,
            False,
            "You called an honest split a leak: character01 of one alphabet is not character01 "
            "of another. A character is named by both.",
        ),
        (
            some,
            other,
            False,
            "You called an honest split a leak: different characters of one alphabet may be in "
            "different splits.",
        ),
        (
            early,
            late,
            True,
            "You missed a leak: the same characters, drawn by other people. No drawing is in "
            "both, and yet every class is.",
        ),
        (
            early,
            turned,
            True,
            "You missed a leak: the test holds the training characters, turned by 90 degrees. "
            "Greek and Greek@90 are one alphabet.",
        ),
        (
            first,
            elsewhere,
            True,
            "You missed a leak: the same drawings, under another alphabet's name. Names can "
            "lie; compare the images, too.",
        ),
        (
            turned,
            second,
            False,
            "You called an honest split a leak: turned characters of one alphabet, and another "
            "alphabet.",
        ),
    ]


def _drawers(characters: Characters, start: int, stop: int) -> Characters:
    images = characters.images[:, start:stop]
    return Characters(images, characters.alphabets, characters.names, characters.source)


def _renamed(characters: Characters, rename: Callable[[str], str]) -> Characters:
    alphabets = [rename(alphabet) for alphabet in characters.alphabets]
    return Characters(characters.images, alphabets, characters.names, characters.source)


EXERCISES = {
    "sample_task": Exercise(
        hints=(
            "Draw the classes first, then the drawings of each class: enough for support and "
            "query together.",
            "torch.randperm(n, generator=generator)[:k] gives k different numbers below n. "
            "images[classes[:, None], drawers] picks drawings (num_ways, k, 28, 28) when drawers "
            "is (num_ways, k).",
            "Cut the drawings into [:, :num_shots] and [:, num_shots:], flatten(0, 1) each, and "
            "label them with torch.arange(num_ways).repeat_interleave(how many per class).",
        ),
        check=check_sample_task,
        praise="Different classes, numbered anew, and no drawing on both sides.",
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
            "When is a test class one that training has seen? Think of its name first, then of "
            "its drawings.",
            'A character is named by alphabet and name together. alphabet.partition("@")[0] is '
            "the alphabet without the turn. Build a set of such pairs for each side.",
            "Two sets share something unless a.isdisjoint(b). A drawing can be put into a set, "
            "too: image.numpy().tobytes() for image in characters.images.flatten(0, 1).",
        ),
        check=check_leaks,
        praise="No shared class and no shared drawing goes past you, turned or renamed.",
    ),
}
