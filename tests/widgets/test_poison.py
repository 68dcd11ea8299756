"""The poison slider: its model against the learners themselves, its view without a screen."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page
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
    [(dict.fromkeys("abcdefg", PixelNearestNeighbour()), "7 learners: choose 1 to 6")],
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


@pytest.fixture
def page():
    return Page(PoisonSlider(new_model()))


@pytest.mark.parametrize(
    ("control", "value"), [("share", 40), ("kind", "targeted"), ("place", "edge")]
)
def test_a_control_changes_what_is_shown_and_the_sentence(page, control, value):
    page.set(share=20)
    before = page.columns("labels"), page.sentence
    page.set(**{control: value})
    assert getattr(page.widget.model, control) == value
    assert page.columns("labels") != before[0]
    assert page.sentence == page.widget.model.frame().sentence != before[1]


def test_wrong_labels_are_framed_and_wrong_decisions_boxed(page):
    page.set(share=30)
    frame = page.widget.model.frame()
    framed = np.array(page.columns("images")["edges"]).reshape(5, 10) == "red"
    np.testing.assert_array_equal(framed, frame.wrong)
    assert page.columns("labels")["texts"] == [LETTERS[said] for said in frame.said[frame.wrong]]
    given = page.columns("given")
    shown = [way * 5 + place for way in range(5) for place in range(2)]
    expected = np.stack([frame.decisions[name][shown] for name in frame.decisions])
    assert given["texts"] == [LETTERS[label] for label in expected.ravel()]
    boxed = {(x, y) for x, y in zip(*map(page.columns("wrong").get, "xy"), strict=True)}
    letters = zip(given["x"], given["y"], (expected != frame.truth[shown]).ravel(), strict=True)
    assert boxed == {(x, y) for x, y, wrong in letters if wrong}
    assert page.columns("right")["texts"] == [str(number) for number in frame.right.values()]


def test_images_travel_once_for_all_shares(page):
    frames = page.widget.recorded["at"].values()
    assert len(frames) == len(SHARES)
    assert not any("images" in frame.get("fixed", {}) for frame in frames)


def test_buttons(page):
    images = page.widget.model.frame().images
    page.press("new_draw")
    assert np.array_equal(page.widget.model.frame().images, images)
    page.press("new_task")
    assert not np.array_equal(page.widget.model.frame().images, images)


def test_suggestions_lead_to_what_they_ask(page):
    for index, share in enumerate((40, 20)):
        page.do("try", index=index)
        assert page.sentence.startswith(f"{share} % of the labels are wrong")


def test_the_filmstrip_stays_and_has_a_line_for_each_picture(page):
    figure = page.widget.filmstrip((0, 40))
    assert {f"{share} % wrong, random" for share in (0, 40)} <= {
        axes.get_title() for axes in figure.axes
    }
    assert len(page.widget.description((0, 40)).split("\n")) == 2
    assert page.widget.model.share == 0
    assert repr(page.widget) == f"PoisonSlider({page.sentence!r})"
