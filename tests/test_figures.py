"""One learner, one name, one look, which can be seen on a white page and on a dark one."""

import ast
import itertools
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from metalearn_lite import figures
from metalearn_lite.figures import COLORS, LEARNERS, LINE_COLORS, look, looks, use_course_style
from metalearn_lite.recipes.race import METHODS

WHITE, DARK = "#FFFFFF", "#111111"
TOGETHER = (  # who meets in one figure
    tuple(METHODS),
    ("MAML", "joint training", "random start", "oracle", "LVC"),
    ("MAML", "first-order MAML", "ANIL", "prototypical", "pixels"),
    ("Siamese", "matching", "prototypical", "prototypical, cosine", "relation", "pixels"),
    ("MAML", "neural process", "recurrent", "transformer", "least squares"),
    ("random", "greedy", "ε-greedy", "Thompson", "UCB1", "Gittins", "RL²"),
    ("RL²", "ruling out", "deducing"),
    ("straight line", "random start", "MAML", "a rate for every weight", "transformer", "LinUCB"),
    ("LinUCB", "linear Thompson", "greedy LinUCB", "MAML", "random"),
    ("SGD", "Adam", "learned optimiser"),
    (
        "prior-fitted",
        "logistic regression",
        "random forest",
        "nearest neighbours",
        "gradient boosting",
        "commonest class",
    ),
    ("transformer", "best guess", "ridge"),
    ("MAML", "ANIL", "prototypical", "ridge head"),
    ("MAML", "ridge head", "pre-trained, ridge", "pre-trained, nearest mean"),
    ("nearest neighbour", "SimpleShot", "ridge head"),
    ("learned rule", "REINFORCE"),
)


def luminance(color):
    """Of a colour in sRGB, as the Web Content Accessibility Guidelines compute it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first, second):
    darker, lighter = sorted(map(luminance, (first, second)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast(COLORS["orange"], WHITE) == pytest.approx(2.3, abs=0.1)  # why it has a twin


def test_every_name_is_written_once_in_the_table():
    """A dict forgets a name that is written twice, so the source is read."""
    tree = ast.parse(Path(figures.__file__).read_text(encoding="utf-8"))
    (table,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LEARNERS"
    )
    names = [key.value for key in table.keys]
    assert len(names) == len(set(names)) == len(LEARNERS)
    assert len({name.casefold() for name in names}) == len(names)


@pytest.mark.parametrize("page", [WHITE, DARK])
@pytest.mark.parametrize("name", LINE_COLORS)
def test_what_is_thin_can_be_seen_on_both_pages(name, page):
    assert contrast(COLORS[name], page) >= 3


def test_learners_take_only_such_colours():
    assert {color for color, _, _ in LEARNERS.values()} <= set(LINE_COLORS)


def test_no_two_learners_share_colour_and_marker():
    assert len({(color, marker) for color, marker, _ in LEARNERS.values()}) == len(LEARNERS)


@pytest.mark.parametrize("names", TOGETHER, ids=lambda names: names[0] + "…")
def test_learners_that_meet_differ_in_colour_and_in_marker(names):
    for first, second in itertools.combinations(names, 2):
        one, other = LEARNERS[first], LEARNERS[second]
        assert one.color != other.color, f"{first} and {second}"
        assert one.marker != other.marker, f"{first} and {second}"


@pytest.mark.parametrize("name", LEARNERS)
def test_matplotlib_understands_every_look(name):
    Line2D([], [], **look(name))


def test_an_unknown_learner_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"no look for 'MALM': add it to LEARNERS"):
        look("MALM")


def test_a_readers_own_learner_gets_a_look_that_nobody_else_has():
    given = looks(("mine", "MAML", "yours", "Reptile"))
    assert list(given) == ["mine", "MAML", "yours", "Reptile"]
    assert given["MAML"] == look("MAML")
    for part in ("color", "marker"):
        assert len({style[part] for style in given.values()}) == 4


def test_twenty_unknown_learners_have_looks_too():
    assert len(looks(f"learner {number}" for number in range(20))) == 20


def test_the_course_style_cycles_through_what_can_be_seen():
    with mpl.rc_context():
        use_course_style()
        cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert cycle == [COLORS[name] for name in LINE_COLORS]
