"""Hints, checks and stand-ins for notebook 16."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from metalearn_lite.teaching.exercises import Exercise, Mistake, attempted

__all__ = ["EXERCISES", "split_classes"]


def split_classes(
    groups: Sequence[Hashable], num_ways: int, generator: torch.Generator
) -> tuple[list[int], list[int], list[int]]:
    """The classes of meta-training, -validation and -test; those of a group stay together.

    Groups come in an order drawn from ``generator``. They go to meta-test until it has
    ``num_ways`` classes, then to meta-validation likewise, then to meta-training.

    Raises:
        ValueError: a part has fewer than ``num_ways`` classes.
    """
    names = list(dict.fromkeys(groups))
    parts: list[list[int]] = [[], [], []]
    part = 0
    for place in torch.randperm(len(names), generator=generator).tolist():
        if part < 2 and len(parts[part]) >= num_ways:
            part += 1
        parts[part] += [number for number, group in enumerate(groups) if group == names[place]]
    test, validation, train = map(sorted, parts)
    for what, found in (("test", test), ("validation", validation), ("training", train)):
        if len(found) < num_ways:
            raise ValueError(
                f"Meta-{what} has {len(found)} classes, too few for num_ways={num_ways}: choose "
                "fewer ways, or add classes."
            )
    return train, validation, test


# --- split_classes

PARTS = ("meta-training", "meta-validation", "meta-test")
Split = tuple[list[int], ...]

# Groups of the classes, and ways, which each part can have under every order of the groups.
CASES = (
    (list("abcdefghij"), 3),
    (["Greek"] * 3 + ["Latin"] * 4 + ["Cyrillic"] * 3 + ["Korean"] * 5 + ["Tifinagh"] * 3, 3),
    (list("bbacaadccdbd"), 2),
    ([3, 3, 1, 1, 1, 0, 0, 2, 2, 2, 2, 4, 4], 2),
    (["z", "y", "x"], 1),
    (list("zyxwvutsr"), 3),
    (["m", "k", "k", "m", "n", "o", "p", "n", "q", "o", "r", "s", "p", "t", "u", "q"], 4),
)
# The same, where under no order each part can: too few in all; enough in all, but not in each.
TOO_FEW = (
    (list("abcdefgh"), 3, "There are only 8 classes in all for three parts of 3 ways."),
    (["a"] * 5 + ["b"] * 4 + ["c"] * 1, 2, "One of its three alphabets has a single class."),
    (["a"] * 6 + ["b"] * 6, 3, "There are only two groups for three parts."),
    (["a"] * 9, 3, "All classes are of one group."),
    (list("ab"), 1, "There are two classes for three parts."),
)


def _twisted(groups: Sequence[Hashable], num_ways: int, seed: int, twist: str) -> Split:
    """The split with a likely mistake: training, validation, test."""
    names = list(dict.fromkeys(groups))
    if twist == "torn":
        names, groups = list(range(len(groups))), list(range(len(groups)))
    if twist == "sorted":
        names = sorted(names)
    order = torch.randperm(len(names), generator=_seeded(seed)).tolist()
    if twist == "not drawn":
        order = list(range(len(names)))
    parts: list[list[int]] = [[], [], []]
    part = count = 0
    for place in order:
        size = count if twist == "groups counted" else len(parts[part])
        enough = size > num_ways if twist == "one more" else size >= num_ways
        if part < 2 and enough:
            part, count = part + 1, 0
        parts[part] += [number for number, group in enumerate(groups) if group == names[place]]
        count += 1
    if twist == "training first":
        parts.reverse()
    if twist == "validation first":
        parts[0], parts[1] = parts[1], parts[0]
    if twist == "cut":
        parts[:2] = [sorted(one)[:num_ways] for one in parts[:2]]
    test, validation, train = map(sorted, parts)
    return train, validation, test


TWISTS = {
    "torn": "You shuffled classes, not groups: a group's classes end up in several parts.",
    "not drawn": "Your groups come in the order in which they first appear. Shuffle them first.",
    "sorted": "You number the groups in alphabetical order. Number them as they first appear, "
    "which does not hang on what they are called.",
    "one more": "Your parts go on when they already have `num_ways` classes. So many are enough.",
    "groups counted": "You count groups. A part is full when it has `num_ways` *classes*.",
    "training first": "Your groups fill meta-training first, and the rest goes to meta-test. The "
    "rest is for meta-training.",
    "validation first": "Meta-test is filled first; you begin with meta-validation.",
    "cut": "You cut a part down to `num_ways` classes. A group that goes into a part goes there "
    "whole, and no class is lost.",
}


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _three(result: Any) -> Split:
    """What came back as three lists of whole numbers."""
    if isinstance(result, dict):
        raise Mistake("You returned a dict: return three lists, meta-training first.")
    if isinstance(result, Tensor) and result.dim() == 2:
        result = list(result)
    if not isinstance(result, list | tuple) or len(result) != 3:
        raise Mistake("Return three lists: meta-training, meta-validation, meta-test.")
    parts = []
    for part in result:
        if isinstance(part, str) or not isinstance(part, Iterable):
            raise Mistake("Each of the three parts must be a list of class numbers.")
        if isinstance(part, Tensor):
            part = part.flatten().tolist()
        numbers = sorted(part, key=str)
        if any(isinstance(number, str) for number in numbers):
            raise Mistake("Your parts hold names of groups. Return the numbers of classes.")
        parts.append(sorted(int(number) for number in numbers))
    return tuple(parts)


def _broken(parts: Split, groups: Sequence[Hashable], num_ways: int) -> str:
    """Which promise of a split the parts do not keep, in words; empty if they keep all."""
    everything = sorted(number for part in parts for number in part)
    if len(set(everything)) < len(everything):
        return "A class is in two parts: what is tested was trained on."
    if set(everything) - set(range(len(groups))):
        return "There are numbers of no class: classes are numbered 0, 1, … as in `groups`."
    homes: dict[Hashable, set[int]] = {}
    for place, part in enumerate(parts):
        for number in part:
            homes.setdefault(groups[number], set()).add(place)
    if any(len(places) > 1 for places in homes.values()):
        return "A group's classes are torn apart: they are in more than one part."
    if len(everything) < len(groups):
        return "Some classes are in no part: what the other two do not take is for meta-training."
    small = [name for name, part in zip(PARTS, parts, strict=True) if len(part) < num_ways]
    return f"{small[0].capitalize()} has too few classes for `num_ways`." if small else ""


def check_split_classes(split: Callable) -> None:
    for groups, num_ways in CASES:
        answers = []
        for seed in range(3):
            right = split_classes(groups, num_ways, _seeded(seed))
            try:
                result = split(list(groups), num_ways, _seeded(seed))
            except ValueError as refusal:
                raise Mistake(
                    f"Your function raises ValueError ({refusal}) for {len(groups)} classes in "
                    f"{len(set(groups))} groups and {num_ways} way(s), where each part can have "
                    "enough. With exactly `num_ways` classes a part has enough."
                ) from None
            answers.append((seed, _three(attempted(result)), right))
        for seed, parts, right in answers:
            if parts == right:
                continue
            for twist, message in TWISTS.items():
                wrong = [_twisted(groups, num_ways, s, twist) for s, _, _ in answers]
                known = all(one == got for one, (_, got, _) in zip(wrong, answers, strict=True))
                if known:
                    raise Mistake(message)
            if broken := _broken(parts, groups, num_ways):
                raise Mistake(broken)
            if sorted(map(sorted, parts)) == sorted(map(sorted, right)):
                raise Mistake(
                    "The parts are right but come in the wrong order: return meta-training, "
                    "meta-validation, meta-test."
                )
            again = _three(split(list(groups), num_ways, _seeded(seed)))
            if again != parts:
                raise Mistake(
                    "The same generator gives another split the next time: draw the order of the "
                    "groups from `generator`, and keep them in no set, whose order changes."
                )
            raise Mistake(
                f"This is a split of {len(groups)} classes, but not the one described. Shuffle "
                "the groups once by `torch.randperm(…, generator=generator)`, then fill meta-test, "
                "meta-validation and meta-training one after the other."
            )
    for groups, num_ways, why in TOO_FEW:
        for seed in range(3):
            try:
                split(list(groups), num_ways, _seeded(seed))
            except ValueError:
                continue
            raise Mistake(
                f"{why} No split gives each part {num_ways} way(s), but your function raises no "
                "ValueError. Look at every part, meta-training too."
            )


EXERCISES = {
    "split_classes": Exercise(
        hints=(
            "Forget the classes at first. Which groups are there, in the order in which they first "
            "appear? A set forgets that order; a dict keeps it.",
            "Go through the groups in the drawn order and keep three lists. Before a group is "
            "put away, ask: has the list that is being filled enough classes already? Then the "
            "next list is filled from now on, but there is none after the third.",
            "names = list(dict.fromkeys(groups)); for each place of the permutation add all "
            "`number` with `groups[number] == names[place]` to `parts[part]`, where `part` goes "
            "up by one, to 2 at most, once `len(parts[part]) >= num_ways`. At the end: any part "
            "too short, ValueError; else the third, second and first, each sorted.",
        ),
        check=check_split_classes,
        praise="No class in two parts, no alphabet torn, and enough classes in each part.",
    ),
}
