"""The episode builder: its model against the sampler, its view without a screen."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from truths import generator

from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.widgets.episode_builder import (
    MAX_QUERIES,
    MAX_SHOTS,
    MAX_WAYS,
    WATCHERS,
    EpisodeBuilder,
    EpisodeModel,
    best_grid,
)

POOL = Glyphs(2, (12, 9), 8, seed=5)
SPLITS = {
    "meta-training": POOL,
    "meta-validation": POOL.take(range(6)),
    "meta-test": POOL.take(range(12, 21)),
}


def new_model(**request) -> EpisodeModel:
    model = EpisodeModel(SPLITS, generator())
    for name, value in request.items():
        setattr(model, name, value)
    return model


# --- the model


def test_the_episode_is_what_was_asked_for():
    frame = new_model(num_ways=4, num_shots=2, num_queries=3).frame()
    assert (frame.support.count, frame.query.count) == (8, 12)
    assert frame.support.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert sorted(frame.query.labels.tolist()) == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert frame.support.group == 2


def test_the_queries_are_mixed_and_keep_their_labels():
    model = new_model(num_ways=6, num_shots=1, num_queries=4)
    frame = model.frame()
    assert frame.query.labels.tolist() != sorted(frame.query.labels.tolist())
    drawings = POOL.images.float().div(255).numpy()
    for half in (frame.support, frame.query):
        for image, label in zip(half.images, half.labels, strict=True):
            ((character, _),) = np.argwhere((drawings == image).all((2, 3)))
            assert model.classes[label] == (
                f"{POOL.alphabets[character]} {POOL.names[character]}".replace(
                    "character", ""
                ).replace("_", " ")
            )


def test_each_watcher_sees_its_part_only():
    model = new_model()
    seen = {
        watcher: tuple(
            part is not None
            for half in model.frame(watcher)[:2]
            for part in (half.images, half.labels)
        )
        for watcher in WATCHERS
    }
    assert seen["all of it"] == (True, True, True, True)
    assert seen["adapt"] == (True, True, False, False)
    assert seen["predict"] == (False, False, True, False)
    assert seen["the score"] == (False, False, False, True)


def test_a_look_by_someone_else_does_not_change_the_episode():
    model = new_model()
    before = model.frame().query.images
    for model.watcher in WATCHERS:
        model.frame()
    np.testing.assert_array_equal(model.frame("all of it").query.images, before)
    model.draw_again()
    assert not np.array_equal(model.frame("all of it").query.images, before)


def test_the_same_generator_gives_the_same_episodes():
    first, second = new_model(), new_model()
    for _ in range(3):
        np.testing.assert_array_equal(first.frame().support.images, second.frame().support.images)
        first.draw_again()
        second.draw_again()


def test_an_episode_comes_from_its_split_and_from_one_alphabet_where_asked():
    model = new_model(split="meta-test", num_ways=5)
    assert "Glyphs5 02" in model.frame().small_print
    assert "Glyphs5 01" not in model.frame().small_print
    model = new_model(num_ways=9, within_alphabet=True)
    for _ in range(5):
        model.frame()
        assert len({name.rpartition(" ")[0] for name in model.classes}) == 1
        model.draw_again()


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"split": "meta-validation", "num_ways": 7}, "this split has 6 characters"),
        ({"num_ways": 13, "within_alphabet": True}, "the largest alphabet of this split has 12"),
        ({"num_shots": 5, "num_queries": 4}, "need 9 images of each character but there are 8"),
    ],
)
def test_an_impossible_request_gets_the_packages_sentence(request_, message):
    model = new_model(**request_)
    with pytest.raises(ValueError, match=message) as raised:
        model._sample()
    frame = model.frame()
    assert frame.sentence == f"Impossible: {raised.value}"
    assert frame.support.count == frame.query.count == 0


def test_tasks_are_counted():
    assert new_model(num_ways=5).num_tasks() == math.comb(21, 5)
    within = new_model(num_ways=5, within_alphabet=True)
    assert within.num_tasks() == math.comb(12, 5) + math.comb(9, 5)
    assert new_model(num_ways=22).num_tasks() == 0
    assert f"{math.comb(21, 5):,} different 5-way tasks" in new_model().frame().small_print


def test_the_sentence_says_who_sees_how_many():
    model = new_model(num_ways=5, num_shots=1, num_queries=2)
    assert model.frame().sentence == (
        "5-way 1-shot, meta-training: support 5 drawings, query 10 drawings, all with their labels."
    )
    assert "adapt sees 5 drawings with their labels" in model.frame("adapt").sentence
    assert "predict sees 10 drawings without labels" in model.frame("predict").sentence
    assert "the score sees 10 labels" in model.frame("the score").sentence


def test_each_split_says_what_it_is_for():
    uses = [new_model(split=split).frame().small_print.split("tasks. ")[1] for split in SPLITS]
    assert ["the start, so" in uses[0], "setting" in uses[1], "reported" in uses[2]] == [True] * 3


def test_splits_with_other_names_are_refused():
    with pytest.raises(ValueError, match="named train: choose one or more of"):
        EpisodeModel({"train": POOL}, generator())
    with pytest.raises(ValueError, match="named not at all"):
        EpisodeModel({}, generator())


def test_a_request_can_be_made_again():
    model = new_model(num_ways=4, split="meta-test", watcher="predict")
    other = EpisodeModel(
        SPLITS, generator(), num_ways=4, split="meta-test", watcher="predict", seed=model.seed
    )
    np.testing.assert_array_equal(model.frame().query.images, other.frame().query.images)
    assert model.frame().sentence == other.frame().sentence
    with pytest.raises(ValueError, match="watcher='everybody': choose 'all of it' or"):
        EpisodeModel(SPLITS, generator(), watcher="everybody")
    with pytest.raises(ValueError, match="split='train': choose 'meta-training' or"):
        EpisodeModel(SPLITS, generator(), split="train")


@settings(max_examples=30)
@given(
    st.sampled_from(list(SPLITS)),
    st.integers(2, MAX_WAYS),
    st.integers(1, MAX_SHOTS),
    st.integers(1, MAX_QUERIES),
    st.booleans(),
    st.sampled_from(list(WATCHERS)),
)
def test_no_request_ends_in_an_error(split, num_ways, num_shots, num_queries, within, watcher):
    frame = new_model(
        split=split,
        num_ways=num_ways,
        num_shots=num_shots,
        num_queries=num_queries,
        within_alphabet=within,
    ).frame(watcher)
    assert frame.sentence.endswith(".")
    possible = not frame.sentence.startswith("Impossible")
    assert frame.support.count == num_ways * num_shots * possible
    assert frame.query.count == num_ways * num_queries * possible


# --- the page


@settings(max_examples=50)
@given(st.integers(1, 30), st.integers(1, 10), st.integers(250, 700), st.integers(150, 700))
def test_the_page_fits_and_keeps_a_class_in_one_row(num_ways, num_shots, width, height):
    columns, side = best_grid(num_ways * num_shots, num_shots, width, height)
    num_rows = -(-num_ways * num_shots // columns)
    assert columns % num_shots == 0
    assert columns * side <= width
    assert num_rows * side <= height


# --- the view


@pytest.fixture
def builder():
    return EpisodeBuilder(SPLITS, generator())


def gesture(builder, kind, **said):
    builder._receive(None, {"kind": kind, "id": builder.ack + 1, **said}, [])


def choose(builder, **values):
    for name, value in values.items():
        gesture(builder, "set", name=name, value=value)


def marks(builder):
    return {mark.key: mark for mark in builder.scene().marks()}


def test_a_drawing_stands_with_its_number_and_colour(builder):
    choose(builder, num_ways=4, num_shots=2)
    half, drawn = builder.model.frame().query, marks(builder)
    number = [str(label) for label in half.labels]
    assert list(drawn["query numbers"].texts) == number
    assert [text.split(":")[0] for text in drawn["query cards"].texts] == [
        f"label {label}" for label in number
    ]
    np.testing.assert_array_equal(drawn["query drawings"].pixels, np.uint8(255 * half.images))
    of_class = dict(zip(number, drawn["query drawings"].colors, strict=True))
    assert len(set(of_class.values())) == 4
    assert list(drawn["query frames"].edges) == [of_class[label] for label in number]
    assert list(drawn["query cards"].fills) == [of_class[label] for label in number]
    assert list(drawn["support numbers"].texts) == ["0", "0", "1", "1", "2", "2", "3", "3"]


def test_a_watcher_gets_nothing_else_to_see(builder):
    choose(builder, watcher="adapt")
    assert {key for key in marks(builder) if key.startswith("query")} == {"query cards"}
    choose(builder, watcher="predict")
    drawn = marks(builder)
    assert {key for key in drawn if key.startswith("support")} == {"support cards"}
    assert "query frames" not in drawn
    assert set(drawn["query numbers"].texts) == {"?"}
    assert set(drawn["query cards"].fills) == {"gray"}
    assert not len(drawn["query drawings"].colors)  # ink, all of them
    choose(builder, watcher="the score")
    drawn = marks(builder)
    assert "query drawings" not in drawn
    assert set(drawn["query numbers"].texts) == set("01234")
    for watcher in ("adapt", "predict", "the score"):
        choose(builder, watcher=watcher)
        texts = [text for mark in marks(builder).values() for text in mark.texts]
        assert not any("Glyphs" in text for text in texts)


def test_all_thirty_classes_differ_even_where_colours_begin_again():
    pool = Glyphs(1, 30, 8, seed=1)
    builder = EpisodeBuilder({"meta-training": pool}, generator(), num_ways=30, watcher="adapt")
    drawn = marks(builder)
    frames = drawn["support frames"]
    looks = zip(drawn["support drawings"].colors, frames.edges, frames.dashed, strict=True)
    assert len(set(looks)) == 30


@pytest.mark.parametrize(("num_ways", "readable"), [(12, True), (20, True), (30, False)])
def test_numbers_are_never_tiny(num_ways, readable):
    builder = EpisodeBuilder(
        {"meta-training": Glyphs(1, 30, 20, seed=1)}, generator(), num_ways=num_ways, num_queries=5
    )
    drawn = marks(builder)
    assert ("query numbers" in drawn) == readable
    assert all("label" in text for text in drawn["query cards"].texts)
    if readable:
        assert drawn["query numbers"].size == 12
        assert drawn["query cards"].wide > 2 * drawn["query numbers"].size
    choose(builder, watcher="the score")
    assert "query numbers" in marks(builder)


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("num_ways", 6),
        ("num_shots", 2),
        ("num_queries", 5),
        ("watcher", "adapt"),
        ("watcher", "predict"),
        ("within_alphabet", True),
        ("split", "meta-test"),
    ],
)
def test_every_control_changes_what_is_drawn_and_said(builder, control, value):
    before = builder.moving, builder.state["sentence"]
    choose(builder, **{control: value})
    assert getattr(builder.model, control) == value
    assert builder.moving != before[0]
    assert builder.state["sentence"] != before[1]
    assert builder.state["values"][control] == value


def test_a_new_episode_and_an_impossible_one(builder):
    before = builder.moving
    gesture(builder, "press", name="draw_again")
    assert builder.moving != before
    choose(builder, num_ways=30)
    sentence = builder.state["sentence"]
    assert sentence.startswith("Impossible: num_ways=30 but this split has 21")
    assert builder.moving == {}
    choose(builder, num_ways=5)
    assert builder.state["sentence"].startswith("5-way")


def test_the_filmstrip_shows_every_watcher(builder):
    figure = builder.filmstrip()
    assert isinstance(figure, Figure)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[: len(WATCHERS)] == [
        "all of it",
        *(f"seen by {watcher}" for watcher in list(WATCHERS)[1:]),
    ]
    assert len(titles) == 2 * len(WATCHERS)
    assert builder.model.watcher == "all of it"


def test_the_description_has_a_line_for_each_watcher(builder):
    lines = builder.description().split("\n")
    assert len(lines) == 1 + len(WATCHERS)
    assert "different" in lines[0]


def test_the_code_makes_the_same_episode(builder):
    choose(builder, num_ways=3, watcher="predict")
    gesture(builder, "press", name="draw_again")
    names = {"EpisodeBuilder": EpisodeBuilder, "splits": SPLITS, "generator": generator()}
    other = eval(builder.state["code"], names)
    assert (other.look, other.moving, other.state) == (builder.look, builder.moving, builder.state)


def test_suggestions_show_what_they_ask(builder):
    said = []
    for place in range(3):
        gesture(builder, "try", index=place)
        said.append(builder.state["sentence"])
    assert "predict sees 15 drawings without labels" in said[0]
    assert said[1].startswith("12-way 1-shot, meta-training, one alphabet: adapt sees 12")
    assert said[2].startswith("Impossible")
