"""A scene as a picture: each mark is drawn, where its numbers say, and strips are laid out."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from scene_checks import check

from metalearn_lite.figures import COLORS
from metalearn_lite.widgets.kit import (
    Arrows,
    Axis,
    Band,
    Bars,
    Boxes,
    Heat,
    Images,
    Line,
    Pad,
    Panel,
    Points,
    Rules,
    Scene,
    Spans,
    Table,
    Texts,
    still,
)

UNIT = Axis(0, 1)
BLUE = np.array(to_rgb(COLORS["blue"]))
X = [0.25, 0.75]


def scene(*marks, **fields) -> Scene:
    fields = {"x": UNIT, "y": UNIT, "alt": "a chart", "bare": True} | fields
    return Scene((Panel("panel", marks=marks, **fields),), sentence="Said.")


def laid_out(figure):
    FigureCanvasAgg(figure).draw()  # a closed figure has no canvas that can
    return figure


def pixels(figure) -> np.ndarray:
    """``(height, width, 3)``, 0 … 1."""
    laid_out(figure)
    return np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255


def seen(shown: Scene, color=BLUE) -> np.ndarray:
    """Where in the only panel there is about this colour: ``x, y`` of the axes, by pixel."""
    figure = still.draw(shown)
    (axes,) = figure.axes
    rows, columns = (np.abs(pixels(figure) - color).max(-1) < 0.08).nonzero()
    height = figure.canvas.get_width_height()[1]
    return axes.transData.inverted().transform(np.stack([columns + 0.5, height - rows - 0.5], 1))


def near(places: np.ndarray, x: float, y: float, within: float = 0.02) -> bool:
    return bool((np.abs(places - (x, y)).max(1) < within).any())


B = {"color": "blue"}
MARKS = {
    "a line": (Line("m", [0, 1], [0.25, 0.75], **B), [(0.5, 0.5)], [(0.5, 0.6)]),
    "a gap": (Line("m", [0, 0.3, 0.5, 0.7, 1], [0.5, 0.5, np.nan, 0.5, 0.5], **B), [(0.2, 0.5)],
              [(0.5, 0.5)]),
    "markers of a line": (Line("m", np.linspace(0, 1, 11), [0.5] * 11, width=0.1, marker="o",
                               every=(2, 5), **B), [(0.2, 0.5), (0.7, 0.5)], [(0.3, 0.5)]),
    "a filled line": (Line("m", [0.2, 0.8, 0.8, 0.2], [0.2, 0.2, 0.8, 0.8], fill=1, **B),
                      [(0.5, 0.5)], [(0.1, 0.5)]),
    "points": (Points("m", X, X, **B), [(0.25, 0.25), (0.75, 0.75)], [(0.5, 0.5)]),
    "points of colours": (Points("m", X, X, colors=["red", "blue"]), [(0.75, 0.75)],
                          [(0.25, 0.25)]),
    "points of shapes": (Points("m", X, X, markers=["x", "s"], size=30, **B), [(0.78, 0.78)],
                         [(0.25, 0.31)]),
    "hollow points": (Points("m", [0.5], [0.5], hollow=True, size=60, **B), [(0.5, 0.59)],
                      [(0.5, 0.5)]),
    "points of an edge": (Points("m", [0.5], [0.5], edge="blue", color="yellow", size=60),
                          [(0.5, 0.59)], [(0.5, 0.5)]),
    "bars": (Bars("m", X, [0.5, 0.9], thick=0.2, **B), [(0.2, 0.4), (0.7, 0.8)],
             [(0.2, 0.6), (0.5, 0.1)]),
    "lying bars": (Bars("m", [0.5, 0.9], X, thick=0.2, base=0.3, flat=True, **B), [(0.4, 0.2)],
                   [(0.2, 0.2)]),
    "spans": (Spans("m", X, [0.2, 0.3], [0.4, 0.9], **B), [(0.25, 0.3), (0.75, 0.8)],
              [(0.25, 0.5)]),
    "lying spans": (Spans("m", X, [0.2, 0.3], [0.4, 0.9], flat=True, **B),
                    [(0.3, 0.25), (0.8, 0.75)], [(0.5, 0.25)]),
    "a band": (Band("m", [0, 1], [0.2, 0.4], [0.4, 0.6], opacity=1, **B), [(0.5, 0.4)],
               [(0.5, 0.6)]),
    "arrows": (Arrows("m", [0.1], [0.1], [0.4], [0.4], **B), [(0.3, 0.3)], [(0.7, 0.7)]),
    "rules": (Rules("m", X, width=3, **B), [(0.25, 0.9), (0.75, 0.1)], [(0.5, 0.5)]),
    "lying rules": (Rules("m", X, width=3, flat=True, **B), [(0.9, 0.25)], [(0.9, 0.5)]),
    "a heat map": (Heat("m", np.array([[0, 1.0, 0, 0], [0] * 4]), smooth=False, opacity=1, **B),
                   [(0.3, 0.25), (0.45, 0.25)], [(0.2, 0.25), (0.3, 0.75)]),
    "a blended heat map": (Heat("m", np.array([[0, 1.0], [0, 1.0]]), opacity=1, **B),
                           [(0.99, 0.5)], [(0.7, 0.5)]),
    "bands of a heat map": (Heat("m", np.array([[0, 1.0], [0, 1.0]]), steps=(0.5,), opacity=1, **B),
                            [(0.6, 0.5), (0.9, 0.5)], [(0.4, 0.5)]),
    "images": (Images("m", X, X, np.full((2, 4, 4), [[[0]], [[255]]], np.uint8), wide=0.2, tall=0.2,
                      **B), [(0.75, 0.75), (0.68, 0.82)], [(0.25, 0.25), (0.75, 0.6)]),
    "frames of images": (Images("m", X, X, np.zeros((2, 4, 4), np.uint8), edges=["", "blue"],
                                wide=0.2, tall=0.2), [(0.65, 0.75)], [(0.15, 0.25)]),
    "boxes": (Boxes("m", X, X, fills=["", "blue"], wide=0.3, tall=0.2), [(0.75, 0.75)],
              [(0.25, 0.25), (0.75, 0.6)]),
    "edges of boxes": (Boxes("m", X, X, edges=["", "blue"], wide=0.3, tall=0.2), [(0.6, 0.75)],
                       [(0.1, 0.25), (0.75, 0.75)]),
    "texts": (Texts("m", [0.5], [0.5], ["■"], size=40, **B), [(0.5, 0.5)], [(0.3, 0.5)]),
    "a text that begins": (Texts("m", [0.5], [0.5], ["■"], size=60, anchor="start", **B),
                           [(0.55, 0.5)], [(0.45, 0.5)]),
}  # fmt: skip


@pytest.mark.parametrize("name", MARKS)
def test_a_mark_lies_where_its_numbers_say(name):
    mark, there, not_there = MARKS[name]
    shown = scene(mark)
    check(shown)
    places = seen(shown)
    for place in there:
        assert near(places, *place), place
    for place in not_there:
        assert not near(places, *place), place


def test_every_kind_of_mark_is_among_them():
    assert {type(mark) for mark, _, _ in MARKS.values()} == set(still.DRAWN)


def test_a_mark_without_columns_is_no_trouble():
    for kind in still.DRAWN:
        assert not len(seen(scene(kind("m", color="blue"))))


def test_marks_lie_upon_those_before_them():
    heat = Heat("h", np.ones((2, 2)), opacity=1, color="red")
    box = Boxes("b", [0.5], [0.5], fills=["blue"], wide=0.5, tall=0.5)
    assert near(seen(scene(heat, box)), 0.5, 0.5)
    assert not len(seen(scene(box, heat)))


def test_what_is_outside_is_not_drawn_and_what_is_on_the_edge_is_whole():
    def size(x):
        return len(seen(scene(Points("m", [x], [0.5], size=12, **B))))

    assert size(1.05) == 0
    assert size(1) == pytest.approx(size(0.5), rel=0.05)


def test_drawings_stand_upright_on_any_axes():
    ink = np.zeros((1, 4, 4), np.uint8)
    ink[:, 0] = 255  # along its upper edge
    image = Images("m", [0.5], [0.5], ink, wide=0.4, tall=0.4, **B)
    top = seen(scene(image))
    assert top[:, 1].min() > 0.5
    assert seen(scene(image, y=Axis(1, 0)))[:, 1].max() < 0.5


def test_a_fade_makes_ink_paler():
    ink = np.full((2, 4, 4), 255, np.uint8)
    image = Images("m", X, X, ink, fades=[0.3, 1], wide=0.2, tall=0.2, **B)
    places = seen(scene(image))
    assert near(places, 0.75, 0.75)
    assert not near(places, 0.25, 0.25)


def test_words_of_bars_stand_behind_their_intervals():
    bars = Bars("b", [0.2, 0.6], X, texts=["one", "two"], thick=0.2, flat=True)
    spans = Spans("s", X, [0.1, 0.4], [0.5, 0.8], flat=True)
    (axes,) = still.draw(scene(bars, spans)).axes
    assert {text.get_text(): text.xy for text in axes.texts} == {
        "one": (0.5, 0.25),
        "two": (0.8, 0.75),
    }


def test_bars_on_a_logarithmic_axis_begin_at_its_end():
    places = seen(scene(Bars("m", [0.5], [1], thick=0.5, **B), y=Axis(0.01, 10, log=True)))
    assert places[:, 1].min() == pytest.approx(0.01, rel=0.1)
    assert places[:, 1].max() == pytest.approx(1, rel=0.1)


# --- axes


def ticks(axes, name: str) -> list[str]:
    laid_out(axes.figure)
    labels = getattr(axes, f"get_{name}ticklabels")()
    return [label.get_text() for label in labels if label.get_visible()]


def test_ticks_and_their_names():
    named = Axis(0, 1, "x", ticks=(0, 0.5), names=("none", "half"))
    (axes,) = still.draw(scene(x=named, y=Axis(0, 1, "y", ticks=()), bare=False)).axes
    assert ticks(axes, "x") == ["none", "half"]
    assert ticks(axes, "y") == []
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (Axis(0.01, 100, log=True), ["0.01", "0.1", "1", "10", "100"]),
        (Axis(1, 5, log=True), ["1", "2", "5"]),
        (Axis(0.4, 6, log=True, ticks=(0.5, 2)), ["0.5", "2"]),
        (Axis(-1, 1, ticks=(-0.5, 0, 1)), ["−0.5", "0", "1"]),
    ],
)
def test_numbers_of_ticks_are_plain(axis, expected):
    figure = still.draw(scene(y=axis, bare=False))
    axes = figure.axes[0]
    laid_out(figure)
    low, high = sorted(axes.get_ylim())
    shown = [tick.get_text() for tick, at in zip(axes.get_yticklabels(), axes.get_yticks(),
             strict=True) if low <= at <= high]  # fmt: skip
    assert shown == expected


@pytest.mark.parametrize("axis", [Axis(0, 1), Axis(1, 0), Axis(-3, 7)])
def test_marks_do_not_move_the_ends_of_axes(axis):
    far = [Line("a", [-9, 9], [-9, 9]), Bars("b", [0.5], [99]), Points("c", [99], [99])]
    (axes,) = still.draw(scene(*far, x=axis, y=axis, bare=False)).axes
    assert axes.get_xlim() == axes.get_ylim() == (axis.low, axis.high)


def test_a_square_panel_has_units_of_one_length():
    (axes,) = still.draw(scene(x=Axis(0, 2), square=True, bare=False)).axes
    laid_out(axes.figure)
    corners = axes.transData.transform([(0, 0), (1, 0), (0, 1)])
    assert corners[1, 0] - corners[0, 0] == pytest.approx(corners[2, 1] - corners[0, 1])


# --- tables and pads


def test_a_table_shows_its_cells_and_swatches():
    table = Table(
        "t", ("who", "error"), [("MAML", "0.1"), ("other", "2")], swatches=["blue", "red"]
    )
    figure = still.draw(Scene((table,), sentence="Said."))
    (drawn,) = figure.axes[0].tables
    words = {place: cell.get_text().get_text() for place, cell in drawn.get_celld().items()}
    assert [words[0, 1], words[0, 2], words[1, 1], words[2, 2]] == ["who", "error", "MAML", "2"]
    assert (np.abs(pixels(figure) - BLUE).max(-1) < 0.05).any()


def test_a_pad_shows_strokes_or_its_example():
    strokes = Pad("p", "A", color="blue", strokes=[[(0.2, 0.2), (0.8, 0.2)], [(0.5, 0.7)]])
    places = seen(Scene((strokes,), sentence="Said."))
    assert near(places, 0.5, 0.2)  # counted from the top
    assert near(places, 0.5, 0.7)
    assert not near(places, 0.5, 0.45)
    paler = 0.5 + 0.5 * BLUE
    example = Pad("p", "A", color="blue", example=np.full((4, 4), 255, np.uint8))
    assert near(seen(Scene((example,), sentence="Said."), paler), 0.5, 0.5)


# --- strips


def film(step: int, **fields) -> Scene:
    def chart(key, title, *marks, **more):
        return Panel(
            key, Axis(0, 4, "x"), Axis(0, 1, "y"), marks, alt="a chart", title=title, **more
        )

    line = Line("line", range(step + 1), [0.5] * (step + 1), label="the line", **B)
    dots = Points("dots", [step], [0.5], label="a point", color="red")
    more = Line("other", [0, 4], [0, 1], label="the line", **B)
    hidden = Line("hidden", [0, 4], [0, 1], label="not listed", listed=False)
    alone = Line("alone", label="in the legend alone", dash=":")
    return Scene(
        (
            chart("top", "above", line, hidden),
            chart("low", "below", dots, more, alone),
            chart("run", f"until {step}", more_line()),
        ),
        sentence="Said.",
        **fields,
    )


def more_line() -> Line:
    return Line("run line", [0, 4], [1, 0], label="a run", color="green")


FILM, TITLES = [film(step) for step in (0, 1, 4)], ["none", "one", "four"]


def titles(figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


def legend(figure) -> list[str]:
    return [text.get_text() for artist in figure.artists for text in artist.get_texts()]


def test_a_column_for_each_scene_with_its_title_above():
    figure = still.strip(FILM, TITLES, ("top",))
    assert titles(figure) == TITLES
    assert [axes.get_ylabel() for axes in figure.axes] == ["y", "", ""]
    assert [axes.get_xlabel() for axes in figure.axes] == ["x"] * 3
    assert [axes.lines[0].get_xdata().max() for axes in figure.axes] == [0, 1, 4]
    assert ticks(figure.axes[0], "y")
    laid_out(figure)
    tops = {round(axes.get_position().y1, 2) for axes in figure.axes}
    assert len(tops) == 1


def test_rows_have_their_titles_at_the_left_and_share_axes():
    figure = still.strip(FILM, TITLES, ("top", "low"))
    assert titles(figure) == [*TITLES, "", "", ""]
    assert [axes.get_ylabel() for axes in figure.axes] == ["above\ny", "", "", "below\ny", "", ""]
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "", "", "x", "x", "x"]


def test_titles_that_differ_stand_above():
    figure = still.strip(FILM, TITLES, ("top", "run"))
    assert titles(figure)[:3] == ["none\nabove", "one\nabove", "four\nabove"]
    assert titles(figure)[3:] == ["until 0", "until 1", "until 4"]


def test_the_last_scene_s_panels_at_the_end():
    figure = laid_out(still.strip(FILM, TITLES, ("top", "low"), end=("run",)))
    assert titles(figure)[-1] == "until 4"
    last, first = figure.axes[-1].get_position(), figure.axes[0].get_position()
    assert last.x0 > first.x1
    assert last.height > 1.5 * first.height
    assert len(still.strip(FILM, TITLES, end=("run",)).axes) == 2 * 3 + 1


def test_rows_of_scenes():
    figure = laid_out(still.strip(FILM, TITLES, ("top", "run"), down=True))
    assert titles(figure) == ["none", "until 0", "one", "", "four", ""]
    places = [axes.get_position() for axes in figure.axes]
    assert places[0].y0 > places[2].y1


def test_scenes_folded_into_two_columns():
    figure = laid_out(still.strip(FILM, TITLES, ("top",), columns=2))
    assert titles(figure) == TITLES
    places = [axes.get_position() for axes in figure.axes]
    assert places[2].y1 < places[0].y0
    assert places[2].x0 == pytest.approx(places[0].x0, abs=0.02)


def test_one_legend_with_each_label_once():
    figure = still.strip(FILM, TITLES, ("top", "low"))
    assert legend(figure) == ["the line", "a point", "in the legend alone"]
    assert legend(still.draw(FILM[0], "run")) == ["a run"]
    assert legend(still.draw(scene(more_line()))) == ["a run"]


def test_a_long_legend_is_as_wide_as_the_figure():
    marks = [Line(f"line {n}", X, X, label=f"a label of some length, {n}") for n in range(12)]
    figure = still.draw(scene(*marks))
    laid_out(figure)
    boxes = [artist.get_window_extent() for artist in figure.artists]
    assert len(legend(figure)) == 12
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert boxes[-1].y0 >= 0
    assert all(one.y0 >= other.y1 - 1 for one, other in itertools.pairwise(boxes))
    assert figure.axes[0].get_tightbbox().y0 > boxes[0].y1


def test_shades_of_a_heat_map_in_the_legend():
    heat = Heat("h", np.eye(2), label="loss", steps=(0.5,), names=("half",))
    assert legend(still.draw(scene(heat))) == ["loss half"]
    smooth = Heat("h", np.eye(2), label="loss", names=("0", "1"))
    assert legend(still.draw(scene(smooth))) == ["loss 0 to 1"]


def test_no_panel_of_that_name():
    with pytest.raises(ValueError, match=r"no panel 'bottom': there are \['top', 'low', 'run'\]"):
        still.strip(FILM, TITLES, ("bottom",))


def test_it_fits_a_page_and_is_as_large_as_asked():
    assert still.strip(FILM, TITLES).get_figwidth() <= still.WIDEST + 0.01
    small = still.strip(FILM, TITLES, ("top",), size=(2, 1.5))
    assert small.get_figwidth() == 6


def test_a_figure_is_closed_that_it_is_shown_once():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    still.draw(FILM[0])
    assert plt.get_fignums() == before


def test_matplotlib_is_imported_only_to_draw():
    code = "import sys, metalearn_lite.widgets.kit.still; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
