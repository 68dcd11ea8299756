"""Notebook 16: the reference answers, and known wrong ones with what the check says to them."""

from itertools import pairwise

import numpy as np
import torch

from instructor.answers import Answers

# --- split_classes --------------------------------------------------------------------------


def split_classes(groups, num_ways, generator):
    names = list(dict.fromkeys(groups))
    parts = [[], [], []]
    part = 0
    for place in torch.randperm(len(names), generator=generator).tolist():
        if part < 2 and len(parts[part]) >= num_ways:
            part += 1
        parts[part] += [number for number, group in enumerate(groups) if group == names[place]]
    if min(len(found) for found in parts) < num_ways:
        raise ValueError(f"too few classes for {num_ways} ways in each part")
    return parts[2], parts[1], parts[0]


def split_in_numpy(groups, num_ways, generator):
    named = {}
    owner = np.array([named.setdefault(group, len(named)) for group in groups])
    order = torch.randperm(len(named), generator=generator).numpy()
    reached = np.cumsum(np.bincount(owner)[order])
    tested = int(np.searchsorted(reached, num_ways)) + 1
    if tested >= len(order):
        raise ValueError("meta-test takes all groups")
    chosen = int(np.searchsorted(reached, reached[tested - 1] + num_ways)) + 1
    if chosen >= len(order) or len(groups) - reached[chosen - 1] < num_ways:
        raise ValueError("not enough groups are left")
    ends = np.split(order, [tested, chosen])
    test, validation, train = (np.flatnonzero(np.isin(owner, taken)) for taken in ends)
    return train, validation, test


def classes_shuffled(groups, num_ways, generator):
    order = torch.randperm(len(groups), generator=generator).tolist()
    if len(order) < 3 * num_ways:
        raise ValueError("too few")
    return order[2 * num_ways :], order[num_ways : 2 * num_ways], order[:num_ways]


def _filled(groups, num_ways, order, full):
    parts = [[], [], []]
    part = 0
    for name in order:
        if part < 2 and full(len(parts[part])):
            part += 1
        parts[part] += [number for number, group in enumerate(groups) if group == name]
    if min(map(len, parts)) < num_ways:
        raise ValueError("too few")
    return parts


def _drawn(names, generator):
    return [names[place] for place in torch.randperm(len(names), generator=generator).tolist()]


def not_shuffled(groups, num_ways, generator):
    names = list(dict.fromkeys(groups))
    return tuple(reversed(_filled(groups, num_ways, names, lambda size: size >= num_ways)))


def alphabetical(groups, num_ways, generator):
    order = _drawn(sorted(set(groups)), generator)
    return tuple(reversed(_filled(groups, num_ways, order, lambda size: size >= num_ways)))


def one_more_than_needed(groups, num_ways, generator):
    order = _drawn(list(dict.fromkeys(groups)), generator)
    parts = [[], [], []]
    part = 0
    for name in order:
        if part < 2 and len(parts[part]) > num_ways:
            part += 1
        parts[part] += [number for number, group in enumerate(groups) if group == name]
    return parts[2], parts[1], parts[0]


def training_first(groups, num_ways, generator):
    order = _drawn(list(dict.fromkeys(groups)), generator)
    return tuple(_filled(groups, num_ways, order, lambda size: size >= num_ways))


def test_in_front(groups, num_ways, generator):
    train, validation, test = split_classes(groups, num_ways, generator)
    return test, train, validation


def never_refuses(groups, num_ways, generator):
    names = list(dict.fromkeys(groups))
    parts = [[], [], []]
    part = 0
    for name in _drawn(names, generator):
        if part < 2 and len(parts[part]) >= num_ways:
            part += 1
        parts[part] += [number for number, group in enumerate(groups) if group == name]
    return parts[2], parts[1], parts[0]


def refuses_exactly_enough(groups, num_ways, generator):
    parts = split_classes(groups, num_ways, generator)
    if min(map(len, parts)) <= num_ways:
        raise ValueError("too few classes")
    return parts


def names_of_groups(groups, num_ways, generator):
    parts = split_classes([str(group) for group in groups], num_ways, generator)
    return tuple([str(groups[number]) for number in part] for part in parts)


def any_generator(groups, num_ways, generator):
    drawn_by_chance = torch.Generator()
    drawn_by_chance.seed()
    return split_classes(groups, num_ways, drawn_by_chance)


def cut_to_size(groups, num_ways, generator):
    train, validation, test = split_classes(groups, num_ways, generator)
    return train, validation[:num_ways], test[:num_ways]


def tested_twice(groups, num_ways, generator):
    train, validation, test = split_classes(groups, num_ways, generator)
    return train + test, validation, test


def groups_counted(groups, num_ways, generator):
    order = _drawn(list(dict.fromkeys(groups)), generator)
    test, validation, train = (
        order[:num_ways],
        order[num_ways : 2 * num_ways],
        order[2 * num_ways :],
    )
    return tuple(
        [number for number, group in enumerate(groups) if group in part]
        for part in (train, validation, test)
    )


def runs_of_neighbours(groups, num_ways, generator):
    runs = [0]
    for before, group in pairwise(groups):
        runs.append(runs[-1] + (group != before))
    return split_classes(runs, num_ways, generator)


ANSWERS = {
    "16.split_classes": Answers(
        right=(split_classes, split_in_numpy),
        wrong={
            classes_shuffled: "shuffled classes, not groups",
            not_shuffled: "in the order in which they first appear",
            alphabetical: "in alphabetical order",
            one_more_than_needed: "go on when they already have",
            training_first: "fill meta-training first",
            test_in_front: "come in the wrong order",
            never_refuses: "raises no ValueError",
            refuses_exactly_enough: "With exactly `num_ways` classes",
            names_of_groups: "hold names of groups",
            any_generator: "gives another split the next time",
            cut_to_size: "cut a part down",
            tested_twice: "A class is in two parts",
            groups_counted: "You count groups",
            runs_of_neighbours: "torn apart",
        },
        equal={
            "split_in_numpy: line 7: tested >= len(order) -> tested > len(order)": "where "
            "meta-test takes all groups, too few are left for the others, which the next lines see",
            "split_in_numpy: line 10: chosen >= len(order) -> chosen > len(order)": "where no "
            "group is left, no class is, which the other half of the line sees",
        },
    ),
}
