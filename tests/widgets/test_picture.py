"""The shared picture: what it draws, what it sends, and where a pointer is."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from metalearn_lite.widgets.picture import Picture, Sentence, encode_png, new_figure, plain_axes
from metalearn_lite.widgets.play import Play


def sine_picture(**events):
    """A picture of one moving line over x in 0 … 10 and y in -1 … 1."""
    figure = new_figure(4, 3)
    axes = plain_axes(figure.subplots(), "x", "y")
    axes.set(xlim=(0, 10), ylim=(-1, 1))
    x = np.linspace(0, 10, 50)
    (line,) = axes.plot(x, np.sin(x))
    return Picture(figure, [line], "A sine.", **events), line, axes


def pixels(picture: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.png)))


def at(picture: Picture, axes, x: float, y: float) -> dict:
    """A message's place: ``x`` and ``y`` of the data as parts of the image."""
    width, height = picture.figure.canvas.get_width_height()
    across, up = axes.transData.transform((x, y))
    return {"x": across / width, "y": 1 - up / height}


def send(picture: Picture, **message) -> None:
    """As the browser does it."""
    picture._handle_custom_msg(message, [])


@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 2**32 - 1))
def test_png_holds_every_pixel(height, width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    decoded = Image.open(io.BytesIO(encode_png(image)))
    assert decoded.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(decoded), image)


def test_image_is_finer_than_the_screen():
    picture, _, _ = sine_picture()
    assert pixels(picture).shape == (1.5 * 3 * 96, 1.5 * 4 * 96, 4)
    assert (picture.css_width, picture.css_height) == (4 * 96, 3 * 96)


def test_refresh_draws_the_moving_artists_as_if_all_were_drawn_again():
    picture, line, _ = sine_picture()
    first = picture.png
    line.set_ydata(line.get_ydata() * -0.5)
    picture.refresh()
    moved = pixels(picture)
    assert picture.png != first
    picture.refresh(layout=True)
    np.testing.assert_array_equal(pixels(picture), moved)


def test_refresh_leaves_no_trace_of_where_an_artist_was():
    picture, line, _ = sine_picture()
    first, y = picture.png, line.get_ydata()
    line.set_ydata(y * 0.2)
    picture.refresh()
    line.set_ydata(y)
    picture.refresh()
    assert picture.png == first


def test_layout_is_drawn_again_only_on_request():
    picture, _, axes = sine_picture()
    first = picture.png
    axes.set_title("new")
    picture.refresh()
    assert picture.png == first
    picture.refresh(layout=True)
    assert picture.png != first


def test_moving_artists_lie_on_one_another_by_zorder():
    figure = new_figure(1, 1)
    axes = figure.subplots()
    low, high = (
        axes.axhspan(0, 1, color=color, zorder=zorder)
        for color, zorder in (("#ff0000", 1), ("#0000ff", 2))
    )
    picture = Picture(figure, [high, low])
    middle = pixels(picture)[len(pixels(picture)) // 2, -20]
    assert tuple(middle) == (0, 0, 255, 255)


def test_text_alternative_follows():
    picture, _, _ = sine_picture()
    assert picture.alt == "A sine."
    picture.refresh(alt="A flat sine.")
    assert picture.alt == "A flat sine."
    picture.refresh()
    assert picture.alt == "A flat sine."
    assert repr(picture) == "Picture('A flat sine.')"


def test_pyplot_does_not_know_the_figure():
    before = plt.get_fignums()
    sine_picture()
    assert plt.get_fignums() == before


def test_click_arrives_in_data_coordinates():
    clicks = []
    picture, _, axes = sine_picture(on_click=clicks.append)
    send(picture, kind="click", **at(picture, axes, 2.5, 0.5))
    (pointer,) = clicks
    assert (pointer.kind, pointer.axes) == ("click", axes)
    assert (pointer.x, pointer.y) == pytest.approx((2.5, 0.5))


def test_click_beside_the_axes_is_none():
    clicks = []
    picture, _, _ = sine_picture(on_click=clicks.append)
    send(picture, kind="click", x=0.001, y=0.5)
    assert clicks == []


def test_drag_stays_with_the_axes_it_was_pressed_in():
    seen = []
    picture, _, axes = sine_picture(on_drag=seen.append)
    send(picture, kind="press", **at(picture, axes, 1, 0))
    send(picture, kind="drag", **at(picture, axes, 20, 0))
    send(picture, kind="release", **at(picture, axes, 3, 0))
    send(picture, kind="drag", **at(picture, axes, 4, 0))
    assert [pointer.kind for pointer in seen] == ["press", "drag", "release"]
    assert [pointer.x for pointer in seen] == pytest.approx([1, 20, 3])


def test_drag_that_begins_beside_the_axes_is_none():
    seen = []
    picture, _, axes = sine_picture(on_drag=seen.append)
    send(picture, kind="press", x=0.001, y=0.001)
    send(picture, kind="drag", **at(picture, axes, 5, 0))
    send(picture, kind="release", **at(picture, axes, 5, 0))
    assert seen == []


def test_browser_hears_of_every_drag_even_of_one_that_failed():
    def fail(pointer):
        raise RuntimeError(pointer)

    picture, _, axes = sine_picture(on_drag=lambda pointer: None)
    send(picture, kind="press", **at(picture, axes, 5, 0))
    send(picture, kind="drag", **at(picture, axes, 6, 0))
    assert picture.num_drags == 1
    picture._on_drag = fail
    with pytest.raises(RuntimeError):
        picture._handle(picture, {"kind": "drag", **at(picture, axes, 7, 0)}, [])
    assert picture.num_drags == 2


def test_keys_arrive_by_name():
    keys = []
    picture, _, _ = sine_picture(on_key=keys.append, keys=("ArrowLeft", "Enter"))
    assert picture.watched_keys == ["ArrowLeft", "Enter"]
    send(picture, kind="key", key="Enter")
    assert keys == ["Enter"]


def test_only_what_is_listened_to_is_asked_of_the_browser():
    picture, _, _ = sine_picture()
    assert (picture.clickable, picture.draggable, picture.watched_keys) == (False, False, [])
    assert sine_picture(on_click=print)[0].clickable
    assert sine_picture(on_drag=print)[0].draggable


def test_small_parts_say_what_they_are():
    assert repr(Sentence(text="Hello.")) == "Sentence('Hello.')"
    assert repr(Play(value=3, max=10)) == "Play(3 of 10)"
