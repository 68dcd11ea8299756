import numpy as np
import pytest

from metalearn_lite.figures import COLORS, DARK_COLORS, PAGE
from metalearn_lite.widgets.drawings import CLASS_COLORS, CLASS_MARKERS, TINT, class_marks, pixels
from metalearn_lite.widgets.kit.scene import MARKERS, TOKENS


def test_ink_is_255_and_paper_is_0():
    drawn = pixels(np.array([[0.0, 0.5, 1.0, 1.0001]]))
    assert drawn.dtype == np.uint8
    assert drawn.tolist() == [[0, 128, 255, 255]]


def test_a_class_differs_in_colour_and_shape():
    assert len(set(CLASS_COLORS)) == len(CLASS_COLORS) == 10
    assert len(set(CLASS_MARKERS)) == len(CLASS_MARKERS) == 10
    assert set(CLASS_COLORS) <= set(TOKENS)
    assert set(CLASS_MARKERS) <= set(MARKERS)


def test_a_mark_has_its_class_s_looks_and_letter():
    points, letters = class_marks("prototypes", [0, 1], [2, 3], ways=[1, 11])
    assert list(points.colors) == [CLASS_COLORS[1]] * 2
    assert list(points.markers) == ["s", "s"]
    assert list(letters.texts) == list(points.texts) == ["B", "L"]
    assert (letters.x, letters.y) == (points.x, points.y)


@pytest.mark.parametrize("page", [0, 1], ids=["light", "dark"])
def test_ink_of_every_class_can_be_read_on_the_page_and_on_its_tint(page):
    colors = (COLORS, DARK_COLORS)[page] | {name: pair[page] for name, pair in PAGE.items()}
    paper, ink = rgb(colors["paper"]), rgb(colors["ink"])
    for name in CLASS_COLORS:
        color = rgb(colors[name])
        tint = TINT * color + (1 - TINT) * paper
        assert contrast(color, paper) >= 3
        assert contrast(color, tint) >= 2.5
        assert contrast(ink, tint) >= 7  # its number and its letter


def rgb(code):
    return np.array([int(code[place : place + 2], 16) for place in (1, 3, 5)]) / 255


def contrast(one, other):
    """The contrast of the Web Content Accessibility Guidelines, 2.1."""
    low, high = sorted(luminance(color) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(color):
    linear = np.where(color <= 0.03928, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
