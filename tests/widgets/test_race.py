"""The race: its model against the record, its view without a screen."""

import copy
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page

from metalearn_lite import checkpoints
from metalearn_lite.figures import looks
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import MLP
from metalearn_lite.recipes import race as recipe
from metalearn_lite.widgets.race import MAX_METHODS, WORST, Race, RaceModel

START = MLP(1, 40, 40, 1).init(torch.Generator().manual_seed(0))
RECORD = {
    "slow": {
        "seconds": [0.0, 1.0, 2.1],
        "iterations": [0, 10, 20],
        "error": [4.0, 2.0, 0.50],
        "interval": [0.4, 0.2, 0.05],
    },
    "fast": {
        "seconds": [0.0, 1.1, 2.0],
        "iterations": [0, 30, 60],
        "error": [4.0, 1.0, 0.55],
        "interval": [0.4, 0.1, 0.03],
    },
    "lost": {
        "seconds": [0.0, 1.0, 2.0],
        "iterations": [0, 20, 40],
        "error": [4.0, 3.0, math.inf],
        "interval": [0.4, 0.3, math.nan],
    },
}


def changed(method: str, **numbers) -> dict:
    record = copy.deepcopy(RECORD)
    record[method] |= numbers
    return record


# --- the model


def test_curves_are_the_record_up_to_the_stop():
    model = RaceModel(RECORD)
    for model.stop in range(3):
        for model.across in ("seconds", "iterations"):
            frame = model.frame()
            for method, (x, errors) in frame.curves.items():
                np.testing.assert_array_equal(x, RECORD[method][model.across][: model.stop + 1])
                np.testing.assert_array_equal(errors, RECORD[method]["error"][: model.stop + 1])


def test_the_table_has_the_smallest_error_first():
    model = RaceModel(RECORD)
    assert [place.method for place in model.frame(1).places] == ["fast", "slow", "lost"]
    assert [place.method for place in model.frame(2).places] == ["slow", "fast", "lost"]
    assert [place.iterations for place in model.frame(2).places] == [20, 60, 40]


def test_level_are_those_whose_intervals_overlap():
    assert [place.tied for place in RaceModel(RECORD).frame(2).places] == [False, True, False]
    apart = RaceModel(changed("fast", interval=[0.4, 0.1, 0.0]) | {})
    apart.record["slow"]["interval"][2] = 0.02
    assert [place.tied for place in apart.frame(2).places] == [False, False, False]


def test_the_sentence_says_who_leads_who_is_level_and_who_is_lost():
    model = RaceModel(RECORD)
    assert model.frame(0).sentence.endswith("Press Play.")
    assert model.frame(1).sentence == (
        "After 1.1 s fast leads with 1.00 ± 0.10. Last is lost with 3.00 ± 0.30."
    )
    assert model.frame(2).sentence == (
        "After 2.1 s slow leads with 0.50 ± 0.05, within the intervals of fast. "
        "Last is lost with an error off the chart. Off the chart: lost."
    )


def test_a_stop_beyond_the_end_is_the_end():
    model = RaceModel(RECORD)
    assert model.frame(99).seconds == 2.1
    assert model.frame(-3).seconds == 0


def test_the_record_is_left_as_it_is():
    record = copy.deepcopy(RECORD)
    RaceModel(record).frame(2)
    assert str(record) == str(RECORD)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({}, "0 methods: choose 1 to 8"),
        ({str(i): RECORD["slow"] for i in range(9)}, "9 methods"),
        (changed("fast", error=[1.0, 2.0]), "'fast' has 2 numbers for 'error'"),
        ({"one": {"seconds": [0.0]}}, "'one' has 1 numbers for 'seconds'.* 2 stops"),
        ({"none": {}}, "'none' has 0 numbers for 'seconds'"),
    ],
)
def test_what_is_no_race_is_refused(record, message):
    with pytest.raises(ValueError, match=message):
        RaceModel(record)


def test_an_unknown_axis_is_refused():
    with pytest.raises(ValueError, match="across='hours': choose 'seconds' or 'iterations'"):
        RaceModel(RECORD).frame(across="hours")


@settings(max_examples=40)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=3, max_size=3))
def test_no_record_ends_in_an_error(errors):
    model = RaceModel(changed("fast", error=errors))
    for stop in range(3):
        frame = model.frame(stop)
        assert frame.sentence.endswith(".")
        assert len(frame.places) == 3


# --- the recipe that records it


def test_a_recorded_race_can_be_shown(tmp_path):
    network = MLP(1, 40, 40, 1)
    methods = {
        "MAML, constant outer rate": lambda start: MAML(network, start),
        "first-order MAML": lambda start: MAML(network, start, order=1),
    }
    runners = recipe.race(methods, budget=0.02, num_stops=2)
    record = {method: runner.record for method, runner in runners.items()}
    recipe.save(record, tmp_path / "race.json")
    model = RaceModel(recipe.load(tmp_path / "race.json"))
    assert list(model.record) == list(methods)
    assert model.num_stops == 3
    for numbers in model.record.values():
        assert numbers["seconds"][0] == numbers["iterations"][0] == 0
        assert numbers["seconds"][2] >= 0.02
        assert (np.diff(numbers["iterations"]) >= 0).all()
    first, second = (runner.record["error"][0] for runner in runners.values())
    assert first == second, "all start from the same parameters"


@pytest.mark.slow
def test_the_recipe_writes_both_records_and_two_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr("metalearn_lite.paths.data_folder", lambda: tmp_path)
    recipe.main(budget=0.02, num_stops=2)
    assert list(recipe.load("race")) == list(recipe.METHODS)
    tricks = recipe.load("tricks")
    assert list(tricks) == list(recipe.TRICKS)
    assert {len(row["ends"]) for row in tricks.values()} == {3}
    for method, name in recipe.KEPT.items():
        assert type(checkpoints.load(name)) is type(recipe.METHODS[method](START))


def test_methods_of_the_race_train_as_meta_train_does():
    from metalearn_lite.tasks.sinusoids import Sinusoids
    from metalearn_lite.training import meta_train

    start = recipe.NETWORK.init(torch.Generator().manual_seed(1))
    runner = recipe.Runner(recipe.METHODS["MAML"](start), lambda progress: 1.0, seed=7)
    while runner.iterations < 3:
        runner.run_until(runner.seconds + 1e-9, 1.0)
    learner = recipe.METHODS["MAML"](start)

    def sample(generator):
        return Sinusoids().sample(25, num_shots=5, generator=generator)

    meta_train(learner, sample, 3, torch.Generator().manual_seed(7))
    for name, value in learner.params.items():
        torch.testing.assert_close(runner.learner.params[name], value)


def test_runs_are_averaged_and_the_interval_is_students():
    scipy = pytest.importorskip("scipy.stats")
    errors = [[4.0, 1.0], [4.0, 1.5], [4.0, 2.6]]
    runs = [
        {"MAML": {key: [0.0, number] for key in recipe.COLUMNS} | {"error": error}}
        for number, error in enumerate(errors)
    ]
    row = recipe.together(runs)["MAML"]
    assert row["seconds"] == [0.0, 1.0]
    assert row["error"] == [4.0, 1.7]
    assert row["ends"] == [1.0, 1.5, 2.6]
    low, high = scipy.t.interval(0.95, 2, 1.7, np.std([1, 1.5, 2.6], ddof=1) / math.sqrt(3))
    assert row["interval"] == pytest.approx([0.0, (high - low) / 2], rel=1e-3)


@pytest.mark.parametrize("name", ["race", "tricks"])
def test_the_shipped_records_can_be_shown(name):
    model = RaceModel(recipe.load(name))
    assert model.num_stops == 41
    assert {"MAML++", "all: MAML++"} & set(model.record)


# --- the view


@pytest.fixture
def page():
    return Page(Race(RaceModel(RECORD)))


def test_time_and_axis_change_what_is_drawn(page):
    for stop in (1, 2):
        page.set(stop=stop)
        for method, (x, errors) in page.widget.model.frame().curves.items():
            columns = page.columns(method)
            assert columns["x"] == list(x)
            assert columns["y"] == [min(error, WORST) for error in errors]
    assert page.sentence == page.widget.model.frame().sentence
    page.set(across="iterations")
    assert page.columns("fast")["x"] == [0, 30, 60]


def test_walking_through_time_needs_no_kernel(page):
    assert [*page.widget.recorded["at"]] == ["[0]", "[1]", "[2]"]
    sent = page.widget.moving
    page.set(stop=2)
    assert page.widget.moving == sent
    assert page.columns("leaders")["rows"][0][0] == "1. slow"


def test_the_axis_is_drawn_for_what_it_counts(page):
    for across, furthest in (("seconds", 2.1), ("iterations", 60)):
        page.set(across=across)
        axis = page.widget.look["panels"][0]["x"]
        assert (axis["low"], axis["high"]) == (0, pytest.approx(1.03 * furthest))
        assert across in axis["label"]


def test_the_table_is_text(page):
    page.set(stop=2)
    rows = page.columns("leaders")["rows"]
    assert [row[0] for row in rows] == ["1. slow", "=2. fast", "3. lost"]
    assert [row[2] for row in rows] == ["20", "60", "40"]
    assert rows[0][1] == "0.50 ± 0.05"
    assert rows[2][1] == "an error off the chart"
    colors = [page.marks[f"look {method}"]["color"] for method in ("slow", "fast", "lost")]
    assert page.columns("leaders")["swatches"] == colors


def test_play_walks_through_all_stops(page):
    slider = page.widget.look["controls"][0]
    assert (slider["low"], slider["high"], slider["step"]) == (0, 2, 1)
    assert slider["play"]
    assert slider["texts"] == ("0.0 s", "1.1 s", "2.1 s")


def test_what_is_off_the_chart_is_drawn_on_its_edge(page):
    page.set(stop=2)
    assert page.columns("lost")["y"][-1] == WORST
    assert page.columns("heads")["y"] == [0.5, 0.55, WORST]
    assert page.columns("intervals")["low"] == [0.45, 0.52, WORST]
    assert "NaN" not in json.dumps(page.widget.recorded)


def test_methods_differ_in_colour_and_in_marker(page):
    for part in ("color", "marker"):
        assert (
            len({style[part] for style in looks(recipe.METHODS).values()})
            == len(recipe.METHODS)
            == MAX_METHODS
        )
    looked = [page.marks[f"look {method}"] for method in RECORD]
    assert page.columns("heads")["colors"] == [look["color"] for look in looked]
    assert page.columns("heads")["markers"] == [look["marker"] for look in looked]


@pytest.mark.parametrize("index", range(3))
def test_suggestions_lead_to_what_they_ask(index):
    page = Page(Race(RaceModel(recipe.load("race"))))
    page.do("try", index=index)
    assert page.widget.model.across == ("iterations" if index == 1 else "seconds")
    assert ("After 20." in page.sentence) == (index == 1)
    ends = [columns["x"][-1] for columns in map(page.columns, page.widget.model.record)]
    if index == 1:
        assert min(ends) < max(ends) / 3
    if index == 2:
        assert "within the intervals of" in page.sentence
        assert page.columns("leaders")["rows"][1][0].startswith("=2.")
        for stop in range(page.widget.model.stop + 1, page.widget.model.num_stops):
            assert "within" not in page.widget.model.frame(stop).sentence


def test_its_line_of_code_makes_it_again(page):
    page.set(stop=2, across="iterations")
    again = eval(page.widget.state["code"], globals() | {"record": RECORD})
    assert again.state == page.widget.state
    assert again.look == page.widget.look


def test_filmstrip_stays_as_it_is_when_the_widget_moves_on(page):
    page.set(stop=1, across="iterations")
    figure = page.widget.filmstrip((1,))
    assert [axes.get_title() for axes in figure.axes] == ["1 s", "2 s", "2 s, by iterations"]
    assert (page.widget.model.stop, page.widget.model.across) == (1, "iterations")


def test_description_has_a_line_for_each_moment_and_the_table(page):
    first, last, empty, *rows = page.widget.description((1,)).split("\n")
    assert first == page.widget.model.frame(1).sentence
    assert last == page.widget.model.frame(2).sentence
    assert empty == ""
    assert [row.split()[1] for row in rows] == ["slow", "fast", "lost"]
    assert "level with the first" in rows[1]
