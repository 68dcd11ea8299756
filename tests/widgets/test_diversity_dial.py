"""The diversity dial: its curves are the record's, its sentence says what they say; its view."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import Page

from metalearn_lite.recipes import diversity
from metalearn_lite.widgets.diversity_dial import (
    ERRORS,
    LINES,
    NAMES,
    OWN,
    DiversityDial,
    DiversityDialModel,
)


def new_model(**options) -> DiversityDialModel:
    """Of what the recipe recorded."""
    return DiversityDialModel(diversity.load(), **options)


def run(learner, guess, ridge, to_ridge, to_guess):
    columns = ("learner", "best guess", "ridge", "to ridge", "to best guess")
    return {
        row: {name: [*values] for name, values in zip(columns, of_row, strict=True)}
        for row, of_row in zip(
            ("seen", "unseen"),
            zip(learner, guess, ridge, to_ridge, to_guess, strict=True),
            strict=True,
        )
    }


# --- the model


# Three lengths: 0, 1 and 2 examples read. Of each pair the first is on the list's tasks.
KNOWS = run(
    learner=([1.5, 0.2, 0.1], [6.0, 5.0, 4.0]),
    guess=([1.5, 0.1, 0.0], [6.0, 5.5, 5.0]),
    ridge=([1.8, 0.9, 0.5], [5.0, 2.0, 0.5]),
    to_ridge=([1.0, 0.9, 0.5], [1.0, 3.0, 3.5]),
    to_guess=([0.0, 0.1, 0.1], [0.0, 0.5, 0.5]),
)
LEARNS = run(
    learner=([5.0, 2.0, 0.6], [5.0, 2.1, 0.7]),
    guess=([5.0, 1.5, 0.2], [5.0, 2.5, 1.2]),
    ridge=([5.0, 1.9, 0.5], [5.0, 2.0, 0.5]),
    to_ridge=([0.0, 0.1, 0.1], [0.005, 0.1, 0.2]),
    to_guess=([0.0, 0.5, 0.4], [0.005, 0.6, 0.6]),
)
RECORD = {"2/0": KNOWS, "64/0": LEARNS, "fresh/0": {"seen": {}, "unseen": {}}}


def with_second_run():
    record = copy.deepcopy(RECORD)
    record["64/1"] = copy.deepcopy(LEARNS)
    record["64/1"]["unseen"]["learner"] = [5.0, 2.5, 0.9]
    return record


def test_curves_are_the_record_over_counts_and_over_examples():
    model = DiversityDialModel(RECORD)
    assert model.counts == (2, 64)
    assert model.most_read == 2
    frame = model.frame(place=1, read=1)
    assert frame.count == 64
    assert frame.curves["learner, list"].mean.tolist() == [0.2, 2.0]
    assert frame.curves["best guess, new"].mean.tolist() == [5.5, 2.5]
    assert frame.curves["ridge, new"].mean.tolist() == [2.0, 2.0]
    assert frame.reading["learner, new"].mean.tolist() == [5.0, 2.1, 0.7]
    assert frame.error("best guess, list") == 1.5
    assert set(frame.curves) == set(frame.reading) == set(NAMES)


def test_bands_run_from_the_lowest_to_the_highest_run():
    frame = DiversityDialModel(with_second_run()).frame(place=1, read=2)
    curve = frame.reading["learner, new"]
    np.testing.assert_allclose(curve.low, [5.0, 2.1, 0.7])
    np.testing.assert_allclose(curve.mean, [5.0, 2.3, 0.8])
    np.testing.assert_allclose(curve.high, [5.0, 2.5, 0.9])
    assert frame.num_runs == 2
    assert frame.curves["learner, new"].low.tolist() == [4.0, 0.7]


def test_a_count_with_fewer_runs_is_the_mean_of_those_it_has():
    frame = DiversityDialModel(with_second_run()).frame(place=0)
    assert frame.num_runs == 1
    assert frame.error("learner, new") == 4.0


def test_leaning_says_whose_answers_are_nearer():
    leaning = DiversityDialModel(RECORD).frame(read=2).leaning
    np.testing.assert_allclose(leaning, [0.5 / 4.0, 0.6 / 0.8])
    nothing_read = DiversityDialModel(RECORD).frame(read=0).leaning
    assert nothing_read[0] == 0
    assert math.isnan(nothing_read[1])


def test_the_sentence_says_errors_ceilings_and_what_the_learner_is():
    model = DiversityDialModel(RECORD)
    assert model.frame().sentence == (
        "Trained on 2 tasks. After 2 examples, error on these tasks 0.10 (best guess 0.00), on new "
        "ones 4.00 (best guess 5.00, ridge 0.50). On new tasks it answers more like the best "
        "guess: it knows its list."
    )
    model.place, model.read = 1, 1
    assert model.frame().sentence.startswith("Trained on 64 tasks. After 1 example, error")
    assert model.frame().sentence.endswith("more like ridge: it learns the task.")
    assert model.frame(read=0).sentence.endswith("Best guess and ridge say nearly the same here.")


@given(st.integers(-9, 99), st.integers(-9, 99))
def test_any_place_and_length_give_a_whole_frame(place, read):
    frame = DiversityDialModel(RECORD).frame(place, read)
    assert frame.place in (0, 1)
    assert frame.read in (0, 1, 2)
    assert "nan" not in frame.sentence


def test_a_frame_leaves_the_state_alone():
    model = DiversityDialModel(RECORD)
    model.frame(1, 0)
    assert (model.place, model.read) == (0, 2)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({}, "holds no run"),
        ({"fresh/0": LEARNS}, "holds no run"),
        ({"many": LEARNS}, "'many': name it COUNT/SEED"),
        ({"2/0": {"seen": {}, "unseen": {}}}, "one number for each"),
        ({"2/0": KNOWS, "4/0": {"seen": KNOWS["seen"]}}, "one number for each"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(record, said):
    with pytest.raises(ValueError, match=said):
        DiversityDialModel(record)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"count": 3}, "nothing was trained on 3 tasks: choose 2, 64"),
        ({"read": 3}, "read=3: choose 0 to 2"),
        ({"read": -1}, "read=-1: choose 0 to 2"),
    ],
)
def test_there_is_nothing_to_see_where_nothing_was_recorded(options, said):
    with pytest.raises(ValueError, match=said):
        DiversityDialModel(RECORD, **options)


def test_one_may_begin_at_any_place():
    model = DiversityDialModel(RECORD, count=64, read=0)
    assert (model.place, model.read) == (1, 0)
    model.turn_to(2)
    assert model.frame().count == 2


def test_it_turns_where_answers_are_first_more_like_ridges():
    assert DiversityDialModel(RECORD).turn == 1
    assert DiversityDialModel({"2/0": KNOWS}).turn is None
    assert DiversityDialModel({"64/0": LEARNS}).turn == 0


def test_the_shipped_record_turns_from_memory_to_learning():
    model = new_model()
    assert model.counts == diversity.COUNTS
    assert model.most_read == diversity.LONGEST
    leaning = model.frame().leaning
    assert leaning[0] < 0.2
    assert leaning[-1] > 0.5
    assert model.frame(0).sentence.endswith("it knows its list.")
    assert model.frame(11).sentence.endswith("it learns the task.")
    assert model.counts[model.turn] == 16


# --- the view


@pytest.fixture
def page():
    return Page(DiversityDial(new_model()))


def on_chart(values) -> np.ndarray:
    return np.clip(values, *ERRORS)


def test_turning_the_dial_needs_no_kernel(page):
    sent = page.widget.moving
    page.set(count=64)
    model = page.widget.model
    assert model.counts[model.place] == 64
    assert page.widget.moving == sent
    assert page.sentence == model.frame().sentence
    assert page.sentence.startswith("Trained on 64 tasks.")
    for name, curve in model.frame().reading.items():
        drawn = page.columns(f"reading {name}")
        assert drawn["x"] == list(range(diversity.LONGEST + 1))
        np.testing.assert_allclose(drawn["y"], on_chart(curve.mean), rtol=1e-3)
    for key in ("counts now", "leaning now"):
        assert page.columns(key)["at"] == [64]


def test_the_curves_over_tasks_stay_where_they_are_while_the_dial_turns(page):
    moved = {
        key for frame in page.widget.recorded["at"].values()
        for part in ("moving", "fixed") for key in frame.get(part, {})
    }  # fmt: skip
    assert not {f"counts {name}" for name in NAMES} & moved
    assert {f"reading {name}" for name in NAMES if name != "ridge, new"} <= moved


def test_reading_fewer_examples_moves_the_curves_over_tasks(page):
    page.set(read=3)
    frame = page.widget.model.frame()
    assert frame.read == 3
    for name, curve in frame.curves.items():
        drawn = page.columns(f"counts {name}")
        assert drawn["x"] == list(diversity.COUNTS)
        np.testing.assert_allclose(drawn["y"], on_chart(curve.mean), rtol=1e-3)
    assert page.columns("reading now")["at"] == [3]
    np.testing.assert_allclose(page.columns("leaning learner")["y"], frame.leaning, rtol=1e-4)


def test_bands_are_drawn_from_the_lowest_run_to_the_highest(page):
    frame = page.widget.model.frame()
    for panel, curves in (("counts", frame.curves), ("reading", frame.reading)):
        for name in OWN:
            drawn, curve = page.columns(f"{panel} {name}, runs"), curves[name]
            np.testing.assert_allclose(drawn["low"], on_chart(curve.low), rtol=1e-3)
            np.testing.assert_allclose(drawn["high"], on_chart(curve.high), rtol=1e-3)
    assert "the mean of 3 runs" in page.widget.state["note"]


def test_what_is_picked_is_where_the_dial_goes(page):
    model = page.widget.model
    page.do("pick", key="counts learner, list", index=5)
    assert model.counts[model.place] == page.widget.state["values"]["count"] == 64
    page.do("pick", key="leaning learner", index=11)
    assert model.counts[model.place] == 4096
    page.do("pick", key="reading learner, new", index=4)
    assert model.read == page.widget.state["values"]["read"] == 4
    assert page.sentence.startswith("Trained on 4,096 tasks. After 4 examples, error")


def test_the_large_marks_stand_on_the_learners_curves(page):
    page.set(count=16, read=2)
    frame = page.widget.model.frame()
    for name in OWN:
        error = pytest.approx(frame.error(name), rel=1e-3)
        assert page.columns(f"counts {name}, now") == {"x": [16], "y": [error]}
        assert page.columns(f"reading {name}, now") == {"x": [2], "y": [error]}
    here = frame.leaning[frame.place]
    assert page.columns("leaning here")["y"] == [pytest.approx(here, rel=1e-3)]


def test_where_both_ceilings_say_the_same_there_is_no_mark(page):
    page.set(count=4096, read=0)
    assert page.columns("leaning here") == {}
    assert page.columns("leaning learner")["y"][-1] is None
    assert page.sentence.endswith("say nearly the same here.")


def test_panels_over_tasks_are_linked_and_every_one_has_its_look(page):
    marks = page.marks
    assert {marks[f"counts {name}"]["link"] for name in NAMES} == {"count"}
    assert marks["leaning learner"]["link"] == "count"
    assert {marks[f"reading {name}"]["link"] for name in NAMES} == {"read"}
    assert set(LINES) == set(NAMES)
    looks = {marks[f"counts {n}"]["color"] + marks[f"counts {n}"]["dash"] for n in NAMES}
    assert len(looks) == len(NAMES)
    for name in NAMES:
        for part in ("color", "marker", "dash"):
            assert marks[f"counts {name}"][part] == marks[f"reading {name}"][part]


def test_each_line_is_listed_once_in_the_page(page):
    names = [mark["label"] for mark in page.marks.values() if mark.get("label") and mark["listed"]]
    assert names == [label for _, label, _ in LINES.values()]


def test_a_count_that_was_not_trained_on_is_answered_in_words(page):
    page.set(count=3)
    assert page.sentence.startswith("nothing was trained on 3 tasks: choose 2, 4, 8")
    assert page.widget.model.place == 0


def test_the_shortest_list_is_known_by_heart_as_it_is_suggested(page):
    page.do("try", index=0)
    frame = page.widget.model.frame()
    assert (frame.count, frame.read) == (2, 10)
    assert frame.error("learner, list") < 0.05
    assert frame.error("learner, new") > 5
    assert frame.leaning[frame.place] < 0.2


def test_one_stop_further_is_beyond_halfway_as_it_is_suggested(page):
    page.do("try", index=1)
    model = page.widget.model
    assert model.counts[model.place] == 8
    leaning = model.frame().leaning
    assert leaning[model.place] < 0.4
    assert leaning[model.place + 1] > 0.6


def test_the_longest_list_costs_what_new_tasks_cost_as_it_is_suggested(page):
    page.do("try", index=2)
    frame = page.widget.model.frame()
    assert (frame.count, frame.read) == (4096, 10)
    own, new = frame.error("learner, list"), frame.error("learner, new")
    assert own == pytest.approx(new, rel=0.05)
    assert frame.error("best guess, list") < 0.5 * own
    assert frame.error("ridge, new") < 0.7 * new < new < frame.error("best guess, new")


def test_with_nothing_read_it_answers_its_lists_mean_as_it_is_suggested(page):
    page.do("try", index=3)
    model = page.widget.model
    frame = model.frame()
    assert (frame.count, frame.read) == (2, 0)
    # Ridge answers 0, and the best guess the mean of the list's tasks.
    assert frame.error("learner, new") > frame.error("ridge, new") + 0.5
    assert frame.leaning[frame.place] < 0.02
    runs = [run for name, run in diversity.load().items() if name.startswith("2/")]
    assert frame.error("learner, list") < np.mean([run["seen"]["ridge"][0] for run in runs]) - 0.5


def test_without_a_turn_it_is_not_suggested():
    labels = [one.label for one in DiversityDial(DiversityDialModel({"2/0": KNOWS})).scene().tries]
    assert labels == ["The shortest list", "The longest list", "Nothing read"]


def test_its_line_of_code_makes_it_again(page):
    page.set(count=128, read=4)
    again = eval(page.widget.state["code"])
    assert again.state == page.widget.state
    assert again.scene().sentence == page.widget.scene().sentence


def test_filmstrip_and_description_leave_it_as_it_was(page):
    figure = page.widget.filmstrip((2, 4096))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["2 training tasks", "4,096 training tasks", "whose answers?"]
    first, last = page.widget.description((2, 4096)).split("\n")
    assert first.endswith("it knows its list.")
    assert last.endswith("it learns the task.")
    assert page.widget.model.place == 0
    with pytest.raises(ValueError, match="nothing was trained on 5 tasks"):
        page.widget.filmstrip((5,))


def test_it_can_be_recorded_without_a_kernel(page):
    assert page.widget.record(count=..., read=(0, 1, 2, 5, 10))
