"""The diversity dial's model: its curves are the record's, and its sentence says what they say."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalearn_lite.recipes import diversity
from metalearn_lite.widgets.diversity_dial import NAMES, DiversityDialModel


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


def test_the_shipped_record_turns_from_memory_to_learning():
    model = DiversityDialModel(diversity.load())
    assert model.counts == diversity.COUNTS
    assert model.most_read == diversity.LONGEST
    leaning = model.frame().leaning
    assert leaning[0] < 0.2
    assert leaning[-1] > 0.5
    assert model.frame(0).sentence.endswith("it knows its list.")
    assert model.frame(11).sentence.endswith("it learns the task.")
