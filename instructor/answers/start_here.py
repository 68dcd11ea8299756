"""Notebook 00: the practice exercise."""

import numpy as np

from instructor.answers import Answers


def square(x):
    return x * x


def in_numpy(x):
    return np.square(np.float64(x))


def doubled(x):
    return 2 * x


def kept_the_sign(x):
    return x * abs(x)


def cubed(x):
    return abs(x) ** 3


def power_of_two(x):
    return 2.0**x


def whole_number(x):
    return int(x * x)


ANSWERS = {
    "00.square": Answers(
        right=(square, in_numpy),
        wrong={
            doubled: "doubled",
            kept_the_sign: "never negative",
            cubed: "cube",
            power_of_two: "2 to the power of x",
            whole_number: "behind the point",
        },
    ),
}
