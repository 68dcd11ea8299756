"""Notebook 00: the practice exercise."""

from instructor.answers import Answers


def square(x):
    return x * x


def doubled(x):
    return 2 * x


def kept_the_sign(x):
    return x * abs(x)


def cubed(x):
    return abs(x) ** 3


ANSWERS = {
    "00.square": Answers(
        right=(square,),
        wrong={doubled: "doubled", kept_the_sign: "never negative", cubed: "cube"},
    ),
}
