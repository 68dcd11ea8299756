import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from metalearn_lite.widgets.old_drawings import (
    CLASS_COLOURS,
    Captions,
    Drawings,
    ink_on,
    pale,
    tinted,
)


def axes_of_100_pixels():
    figure = Figure(figsize=(1, 1), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 100), ylim=(0, 100))
    axes.axis("off")
    return axes


def pixels_of(axes):
    axes.figure.canvas.draw()
    return np.asarray(axes.figure.canvas.buffer_rgba())[..., :3]


def test_a_drawing_lies_upright_around_its_point():
    axes = axes_of_100_pixels()
    drawings = Drawings(axes, size=14.4)  # 20 pixels
    image = np.zeros((20, 20))
    image[:5] = 1  # ink along its upper edge
    drawings.set_images(image[None])
    drawings.set_points(np.array([[50, 30]]))

    rows, columns = np.nonzero(pixels_of(axes).sum(2) < 300)

    assert (columns.min(), columns.max()) == (40, 59)
    assert (rows.min(), rows.max()) == (60, 64)  # counted from the top of the picture


def test_drawings_keep_their_size_when_the_resolution_changes():
    axes = axes_of_100_pixels()
    drawings = Drawings(axes, size=14.4)
    drawings.set_images(np.ones((1, 28, 28)))
    drawings.set_points(np.array([[50, 50]]))
    share = (pixels_of(axes).sum(2) < 300).mean()
    axes.figure.set_dpi(300)
    assert (pixels_of(axes).sum(2) < 300).mean() == pytest.approx(share)


def test_as_many_points_as_drawings_or_it_says_so():
    axes = axes_of_100_pixels()
    drawings = Drawings(axes, size=10)
    drawings.set_images(np.ones((2, 28, 28)))
    drawings.set_points(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="2 drawings need 2 points, not 1"):
        pixels_of(axes)


def test_a_caption_hangs_under_the_middle_of_its_point():
    axes = axes_of_100_pixels()
    captions = Captions(axes, size=14.4)  # 20 pixels
    captions.set_texts(["HOH", "H"], np.array([[50, 90], [20, 30]]))
    rows, columns = np.nonzero(pixels_of(axes).sum(2) < 300)
    above, below = rows < 50, rows > 50
    assert 10 <= rows[above].min() < rows[above].max() <= 30  # counted from the top
    assert 70 <= rows[below].min() < rows[below].max() <= 90
    assert columns[above].min() + columns[above].max() == pytest.approx(100, abs=3)
    assert columns[below].min() + columns[below].max() == pytest.approx(40, abs=3)


def test_as_many_points_as_captions_or_it_says_so():
    with pytest.raises(ValueError, match="1 texts need 1 points, not 2"):
        Captions(axes_of_100_pixels(), size=10).set_texts(["A"], np.zeros((2, 2)))


def test_ink_is_opaque_and_paper_is_clear():
    image = tinted(np.array([[0.0, 0.5, 1.0]]), "#ffffff")
    assert image[0, :, 3].tolist() == [0, 128, 255]


def test_letters_and_drawings_can_be_read_on_every_class_colour():
    for colour in CLASS_COLOURS:
        assert contrast(luminance(colour), luminance(ink_on(colour))) >= 4.5
        ink = tinted(np.ones((1, 1)), colour)[0, 0, :3] / 255
        assert contrast(luminance(pale(colour)), luminance(ink)) >= 3


def luminance(colour):
    """The relative luminance of the Web Content Accessibility Guidelines, 2.1."""
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(first, second):
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)
