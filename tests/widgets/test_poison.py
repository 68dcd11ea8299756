"""The poison slider: its model against the learners themselves, its view without a screen."""

import matplotlib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from walks import do

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.robust_prototypes import RobustPrototypes
from metalearn_lite.networks import ConvNet
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.poison import KINDS, PLACES
from metalearn_lite.widgets.poison import LETTERS, SHARES, PoisonModel, PoisonSlider

NETWORK = ConvNet((8, 8, 8, 8))
PARAMS = NETWORK.init(torch.Generator().manual_seed(0))
POOL = Glyphs(2, 8, seed=4)


def new_model(learners=None) -> PoisonModel:
    learners = learners or {
        "prototypical": PrototypicalNetwork(NETWORK, PARAMS),
        "medoid": RobustPrototypes(NETWORK, PARAMS, "medoid"),
        "reweighted": RobustPrototypes(NETWORK, PARAMS, "reweighted"),
    }
    return PoisonModel(learners, POOL, torch.Generator().manual_seed(3))


# --- the model


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", SHARES)
def test_a_frame_shows_what_the_learners_do_with_these_labels(share, kind):
    model = new_model()
    model.share, model.kind = share, kind
    frame = model.frame()
    assert (frame.wrong.sum(1) == share / 10).all()
    support = Examples(
        torch.tensor(frame.images).view(1, 50, 1, 28, 28), torch.tensor(frame.said).view(1, 50)
    )
    queries = torch.tensor(frame.queries).view(1, 25, 1, 28, 28)
    with torch.no_grad():
        for name, learner in model.learners.items():
            expected = learner.predict(learner.adapt(support), queries).argmax(-1)[0].numpy()
            np.testing.assert_array_equal(frame.decisions[name], expected)
            assert frame.right[name] == (expected == frame.truth).sum()
            assert f"{name} {frame.right[name]}" in frame.sentence
        learner = model.learners["reweighted"]
        weights = learner.weights(learner.embed(support.x), support.y)[0]
    np.testing.assert_allclose(frame.weights.flatten(), weights / weights.max(), rtol=1e-4)


def test_targeted_labels_say_the_next_class():
    model = new_model()
    model.kind = "targeted"
    frame = model.frame(40)
    ways, _ = frame.wrong.nonzero()
    assert (frame.said[frame.wrong] == (ways + 1) % 5).all()


def test_the_same_state_gives_the_same_frame_and_other_draws_other_places():
    model = new_model()
    first = model.frame(40)
    model.frame(0)
    assert model.frame(40) is first
    model.new_draw()
    second = model.frame(40)
    assert np.array_equal(first.images, second.images)
    assert not np.array_equal(first.wrong, second.wrong)
    model.new_task()
    assert not np.array_equal(first.images, model.frame(40).images)


def test_without_reweighted_prototypes_all_weights_are_one():
    frame = new_model({"pixels": PixelNearestNeighbour()}).frame(40)
    assert (frame.weights == 1).all()
    assert "Reweighting" not in frame.sentence


def test_the_sentence_says_what_is_wrong():
    model = new_model()
    assert model.frame().sentence.startswith("Every label is right. Of 25 queries")
    model.kind, model.place = "targeted", "edge"
    said = model.frame(30).sentence
    assert said.startswith("30 % of the labels are wrong, 3 of 10 in each class (the least typical")
    assert "all say the next class" in said
    assert "of 15 by less than half" in said


@pytest.mark.parametrize(
    ("learners", "message"),
    [
        (dict.fromkeys("abcdefg", PixelNearestNeighbour()), "7 learners: choose 1 to 6"),
    ],
)
def test_what_cannot_be_shown_is_refused(learners, message):
    with pytest.raises(ValueError, match=message):
        new_model(learners)
    with pytest.raises(ValueError, match="0 learners"):
        PoisonModel({}, POOL, torch.Generator())
    with pytest.raises(ValueError, match="share=35: choose 0 or 10"):
        new_model().frame(35)


ACTIONS = st.one_of(
    st.tuples(st.just("share"), st.sampled_from(SHARES)),
    st.tuples(st.just("kind"), st.sampled_from(KINDS)),
    st.tuples(st.just("place"), st.sampled_from(PLACES)),
    st.tuples(st.sampled_from(["new_task", "new_draw"])),
)


@settings(max_examples=10, deadline=None)
@given(st.lists(ACTIONS, max_size=6))
def test_no_way_through_ends_in_an_error(actions):
    model = new_model({"pixels": PixelNearestNeighbour()})
    for name, *values in actions:
        do(model, name, *values)
        assert model.frame().sentence.endswith(".")


# --- the view


@pytest.fixture(scope="module")
def slider():
    return PoisonSlider(new_model())


@pytest.mark.parametrize(
    ("control", "value"), [("share", 40), ("kind", "targeted"), ("place", "edge")]
)
def test_a_control_changes_both_pictures_and_the_sentence(slider, control, value):
    before = slider.support.png, slider.sentence.text
    getattr(slider, control).value = value
    assert getattr(slider.model, control) == value
    assert slider.support.png != before[0]
    assert slider.sentence.text != before[1]
    assert slider.sentence.text == slider.model.frame().sentence
    assert slider.sentence.text in slider.support.alt
    assert slider.sentence.text in slider.decisions.alt


def test_wrong_labels_are_framed_and_wrong_decisions_boxed(slider):
    slider.share.value = 30
    frame = slider.model.frame()
    shown = [[text.get_visible() for text in texts] for texts in slider._support.letters]
    np.testing.assert_array_equal(shown, frame.wrong)
    assert len(slider._support.frames.get_offsets()) == frame.wrong.sum()
    for line, name in enumerate(frame.decisions):
        for text, query in zip(slider._decisions.cells[line], slider._decisions.shown, strict=True):
            given = frame.decisions[name][query]
            assert text.get_text() == LETTERS[given]
            assert (text.get_bbox_patch() is not None) == (given != frame.truth[query])
        assert slider._decisions.totals[line].get_text() == str(frame.right[name])


def test_buttons_work_without_a_pointer(slider):
    press = {
        button.description: button.click
        for row in slider.children
        for button in getattr(row, "children", ())
        if hasattr(button, "click")
    }
    images = slider.model.frame().images
    press["Poison others"]()
    assert np.array_equal(slider.model.frame().images, images)
    press["New task"]()
    assert not np.array_equal(slider.model.frame().images, images)


def test_the_filmstrip_stays_and_has_a_line_for_each_picture(slider):
    figure = slider.filmstrip((0, 40))
    assert isinstance(figure, matplotlib.figure.Figure)
    assert [axes.get_title() for axes in figure.axes[:2]] == [
        f"{share} % wrong, {slider.model.kind}" for share in (0, 40)
    ]
    assert len(slider.description((0, 40)).split("\n")) == 2
    assert repr(slider) == f"PoisonSlider({slider.sentence.text!r})"
