"""Notebook 17: the reference answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch

from instructor.answers import Answers

# --- prior_of_your_own ----------------------------------------------------------------------


def tree_classes(x, columns, cuts, leaves):
    node = torch.zeros(x.shape[:2], dtype=torch.int64)
    while (node < columns.shape[1]).any():
        asked = columns.gather(1, node)
        number = x.gather(2, asked.unsqueeze(2)).squeeze(2)
        node = 2 * node + 1 + (number > cuts.gather(1, node)).long()
    return leaves.gather(1, node - columns.shape[1])


def tree_classes_row_by_row(x, columns, cuts, leaves):
    x, cuts = x.double().numpy(), cuts.double().numpy()
    columns, leaves = columns.numpy(), leaves.numpy()
    found = np.zeros(x.shape[:2], dtype=int)
    for task, table in enumerate(x):
        for place, row in enumerate(table):
            node = 0
            while node < columns.shape[1]:
                node = 2 * node + (2 if row[columns[task, node]] > cuts[task, node] else 1)
            found[task, place] = leaves[task, node - columns.shape[1]]
    return found


def _walk(
    x, columns, cuts, leaves, above=torch.gt, left_first=True, ask=None, number=False, stop=0
):
    num_nodes = columns.shape[1]
    node, level = torch.zeros(x.shape[:2], dtype=torch.int64), 0
    while num_nodes > stop and (node < (num_nodes - stop) // (1 + (stop > 0))).any():
        asks = node if ask is None else torch.full_like(node, ask(level))
        asked = columns.gather(1, asks).unsqueeze(2)
        right = above(x.gather(2, asked).squeeze(2), cuts.gather(1, asks)).long()
        node, level = 2 * node + 1 + (right if left_first else 1 - right), level + 1
    return node - num_nodes if number else leaves.gather(1, node - num_nodes)


def right_on_the_cut(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, above=torch.ge)


def left_and_right_swapped(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, left_first=False)


def right_below_the_cut(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, above=torch.lt)


def one_question_a_level(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, ask=lambda level: 2**level - 1)


def one_tree_for_all(x, columns, cuts, leaves):
    return _walk(x, columns[:1].expand_as(columns), cuts[:1].expand_as(cuts), leaves)


def leaves_of_the_first_tree(x, columns, cuts, leaves):
    return leaves[0][_walk(x, columns, cuts, leaves, number=True)]


def the_number_of_the_leaf(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, number=True)


def the_number_of_the_node(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves, number=True) + columns.shape[1]


def leaves_from_the_right(x, columns, cuts, leaves):
    return _walk(x, columns, cuts, leaves.flip(1))


def the_leaf_before(x, columns, cuts, leaves):
    leaf = _walk(x, columns, cuts, leaves, number=True)
    return leaves.gather(1, (leaf - 1) % leaves.shape[1])


def one_level_too_few(x, columns, cuts, leaves):
    num_nodes = columns.shape[1]
    node = torch.zeros(x.shape[:2], dtype=torch.int64)
    while (2 * node + 1 < num_nodes).any():
        asked = columns.gather(1, node).unsqueeze(2)
        right = x.gather(2, asked).squeeze(2) > cuts.gather(1, node)
        node = 2 * node + 1 + right.long()
    return leaves.gather(1, (node - num_nodes) % leaves.shape[1])


def children_counted_from_one(x, columns, cuts, leaves):
    node = torch.zeros(x.shape[:2], dtype=torch.int64)
    for _ in range(int(np.log2(leaves.shape[1]))):
        right = x.gather(2, columns.gather(1, node).unsqueeze(2)).squeeze(2) > cuts.gather(1, node)
        node = 2 * node + right.long()
    return leaves.gather(1, node)


def floats(x, columns, cuts, leaves):
    return tree_classes(x, columns, cuts, leaves).float()


ANSWERS = {
    "17.prior_of_your_own": Answers(
        right=(tree_classes, tree_classes_row_by_row),
        wrong={
            right_on_the_cut: "A row whose number equals the cut goes left",
            left_and_right_swapped: "Left and right are swapped: above the cut is right.",
            right_below_the_cut: "at the cut or below it is left",
            one_question_a_level: "All nodes of a level asked the same question",
            one_tree_for_all: "by the first table's tree",
            leaves_of_the_first_tree: "from the first table's leaves",
            the_number_of_the_leaf: "This is the number of the leaf",
            the_number_of_the_node: "a node below the last one that asks",
            leaves_from_the_right: "counted from right to left",
            the_leaf_before: "the class of the leaf beside it",
            one_level_too_few: "The walk ends one level too early",
            children_counted_from_one: "as where the top is number 1",
            floats: "Classes are whole numbers",
        },
        equal={},
    ),
}
