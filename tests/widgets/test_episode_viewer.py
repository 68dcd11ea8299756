import numpy as np
import pytest
import torch

from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.tasks.characters import Glyphs, join
from metalearn_lite.widgets.episode_viewer import MIXED, ONE_ALPHABET, EpisodeViewer, ViewerModel

POOL = join(Glyphs(1, 24, 8, seed=1), Glyphs(1, 10, 8, seed=2))
SMALL = "only Glyphs2_01 (10)"


class AlwaysA(Learner):
    """Says A whatever it is shown, three times as likely as any other."""

    def __init__(self):
        self.params = {}

    def adapt(self, support):
        return int(support.y.max()) + 1

    def predict(self, adapted, x):
        logits = torch.zeros(*x.shape[:2], adapted)
        logits[..., 0] = np.log(3)
        return logits

    def trace(self, support):
        raise NotImplementedError


def make_learners():
    return {"Pixels": PixelNearestNeighbour(), "AlwaysA": AlwaysA()}


def make_model():
    return ViewerModel(POOL, make_learners())


def make_viewer():
    return EpisodeViewer(POOL, make_learners())


def gesture(viewer, kind, **said):
    viewer._receive(None, {"kind": kind, "id": viewer.ack + 1, **said}, [])


def choose(viewer, **values):
    for name, value in values.items():
        gesture(viewer, "set", name=name, value=value)


def shown(viewer):
    return viewer.moving, viewer.fixed, viewer.state["sentence"]


def marks(viewer):
    return {mark.key: mark for mark in viewer.scene().marks()}


class FiveOnly(AlwaysA):
    def adapt(self, support):
        if support.y.max() != 4:
            raise ValueError("I know five classes")
        return super().adapt(support)


# The model


def test_an_image_stands_in_the_column_of_its_class():
    model = make_model()
    model.show(3, 4, 2, MIXED, "Pixels")
    episodes = POOL.sample(1, 4, 2, 2, torch.Generator().manual_seed(3))
    frame = model.frame()
    for images, half in ((frame.support, episodes.support), (frame.queries, episodes.query)):
        for way in range(4):
            members = half.x[0, half.y[0] == way][:, 0]
            np.testing.assert_array_equal(images[:, way], members)


def test_answers_and_confidences_are_the_learners():
    model = make_model()
    model.show(0, 5, 1, MIXED, "Pixels")
    support, query = model._episodes
    learner = PixelNearestNeighbour()
    probabilities = learner.predict(support, query.x)[0].softmax(1)
    frame = model.frame()
    for way in range(5):
        for number in range(2):
            of_query = probabilities[query.y[0] == way][number]
            assert frame.answers[number, way] == of_query.argmax()
            assert frame.confidences[number, way] == pytest.approx(of_query.max().item())
    assert frame.right.sum() == (probabilities.argmax(1) == query.y[0]).sum()


def test_an_episode_depends_on_its_number_not_on_the_learner():
    model = make_model()
    first = model.frame()
    model.show(1, 5, 1, MIXED, "Pixels")
    assert not np.array_equal(model.frame().queries, first.queries)
    model.show(0, 5, 1, MIXED, "AlwaysA")
    np.testing.assert_array_equal(model.frame().queries, first.queries)
    assert (model.frame().answers == 0).all()
    np.testing.assert_array_equal(model.frame("Pixels").answers, first.answers)


def test_an_episode_keeps_to_the_alphabet_asked_for():
    model = make_model()
    alphabets = {alphabet: POOL.select([alphabet]).images for alphabet in POOL.alphabet_sizes}

    def holds(alphabet, image):
        drawings = alphabets[alphabet].float().div(255).flatten(0, 1)
        return bool((drawings == torch.from_numpy(image)).flatten(1).all(1).any())

    model.show(0, 10, 1, SMALL, "Pixels")
    assert all(holds("Glyphs2_01", image) for image in model.frame().support[0])
    for number in range(4):
        model.show(number, 8, 1, ONE_ALPHABET, "Pixels")
        drawings = model.frame().support[0]
        assert any(all(holds(name, image) for image in drawings) for name in alphabets)


def test_the_sentence_counts_and_names_the_mistakes():
    model = make_model()
    model.show(0, 2, 1, MIXED, "AlwaysA")
    assert model.sentence(model.frame()) == (
        "AlwaysA: 2 of 4 queries right, where guessing would get about 2. "
        "Wrong: B taken for A (75%), B taken for A (75%)."
    )
    model.show(0, 8, 1, MIXED, "AlwaysA")
    assert model.sentence(model.frame()).endswith(" and 10 more.")


IMPOSSIBLE = {
    "first episode": (-1, 5, 1, MIXED, "Pixels"),
    "num_ways=21": (0, 21, 1, MIXED, "Pixels"),
    "num_shots=0": (0, 5, 0, MIXED, "Pixels"),
    "120 drawings, .* room for 60. Choose at most 2 shots": (0, 20, 5, MIXED, "Pixels"),
    "num_ways=11 but this split has 10 characters; choose at most 10": (0, 11, 1, SMALL, "Pixels"),
    "no 'only Klingon'": (0, 5, 1, "only Klingon", "Pixels"),
    "no 'an oracle'.*Pixels, AlwaysA": (0, 5, 1, MIXED, "an oracle"),
}


@pytest.mark.parametrize("words", IMPOSSIBLE)
def test_what_cannot_be_is_refused_and_changes_nothing(words):
    model = make_model()
    before = model.episode_in_words(), model.frame()
    with pytest.raises(ValueError, match=words):
        model.show(*IMPOSSIBLE[words])
    assert model.episode_in_words() == before[0]
    np.testing.assert_array_equal(model.frame().queries, before[1].queries)


def test_the_largest_alphabet_bounds_the_ways_within_one():
    model = ViewerModel(Glyphs(2, 10, 8), make_learners())
    with pytest.raises(ValueError, match="the largest alphabet of this split has 10 characters"):
        model.show(0, 11, 1, ONE_ALPHABET, "Pixels")


@pytest.mark.parametrize(("ways", "shots", "queries"), [(5, 5, 2), (20, 1, 2), (20, 2, 1)])
def test_many_drawings_leave_room_for_one_query_of_each_class(ways, shots, queries):
    model = make_model()
    model.show(0, ways, shots, MIXED, "Pixels")
    assert model.frame().queries.shape[:2] == (queries, ways)


def test_no_learner_is_refused():
    with pytest.raises(ValueError, match="learners is empty"):
        ViewerModel(POOL, {})


# The view, without a browser


def test_every_control_changes_what_is_drawn_and_said():
    viewer = make_viewer()
    for act in (
        lambda: choose(viewer, num_ways=8),
        lambda: choose(viewer, num_shots=3),
        lambda: choose(viewer, learner="AlwaysA"),
        lambda: choose(viewer, source=SMALL),
        lambda: gesture(viewer, "press", name="next"),
        lambda: gesture(viewer, "press", name="previous"),
    ):
        before = shown(viewer)
        act()
        after = shown(viewer)
        assert before[:2] != after[:2]
        assert before[2] != after[2]
    said = viewer.state["sentence"]
    assert said.startswith(f"Episode 1, 8-way 3-shot, {SMALL}. AlwaysA: 2 of 16")


def test_one_walks_through_the_episodes_and_back():
    viewer = make_viewer()
    first = shown(viewer)
    assert viewer.state["off"] == ["previous"]
    gesture(viewer, "press", name="next")
    assert viewer.state["sentence"].startswith("Episode 2,")
    assert viewer.state["off"] == []
    gesture(viewer, "press", name="previous")
    assert shown(viewer) == first


def test_another_learner_needs_no_drawing_again():
    viewer = make_viewer()
    before = viewer.fixed
    gesture(viewer, "try", index=2)
    assert "AlwaysA" in viewer.state["sentence"]
    assert viewer.fixed == before
    gesture(viewer, "try", index=2)
    assert "Pixels" in viewer.state["sentence"]


def test_an_impossible_request_is_a_sentence_and_what_was_shown_stays():
    viewer = make_viewer()
    choose(viewer, source=SMALL)
    before = viewer.moving
    choose(viewer, num_ways=11)
    assert viewer.state["sentence"].startswith(
        "num_ways=11 but this split has 10 characters; choose at most 10. Episode 1, 5-way"
    )
    assert viewer.moving == before
    assert viewer.state["values"]["num_ways"] == 5
    choose(viewer, source=MIXED, num_ways=11)
    assert viewer.state["sentence"].startswith("Episode 1, 11-way 1-shot, all alphabets")
    gesture(viewer, "press", name="previous")
    assert viewer.state["sentence"].startswith("This is the first episode")


def test_what_a_learner_refuses_is_a_sentence_too():
    viewer = EpisodeViewer(POOL, {"five": FiveOnly(), "all": AlwaysA()})
    choose(viewer, num_ways=6)
    assert viewer.state["sentence"].startswith("I know five classes. Episode 1, 5-way")
    choose(viewer, learner="all", num_ways=6)
    choose(viewer, learner="five")
    assert viewer.state["sentence"].startswith("I know five classes. Episode 1, 6-way")
    assert viewer.state["values"]["learner"] == "all"


def test_suggestions_show_what_they_ask():
    viewer = make_viewer()
    choose(viewer, source=SMALL, num_shots=2)
    gesture(viewer, "try", index=0)
    assert viewer.state["sentence"].startswith("Episode 1, 20-way 1-shot, all alphabets")
    gesture(viewer, "try", index=1)
    assert viewer.state["sentence"].startswith("Episode 1, 5-way 5-shot")
    small = EpisodeViewer(Glyphs(1, 8, 8), make_learners())
    gesture(small, "try", index=0)
    assert small.state["sentence"].startswith("Episode 1, 8-way 1-shot")


def test_right_and_wrong_differ_without_colour():
    viewer = make_viewer()
    choose(viewer, learner="AlwaysA")
    drawn = marks(viewer)
    for row in range(2):
        queries = drawn[f"queries {row}"]
        assert list(queries.edges) == ["green", "red", "red", "red", "red"]
        assert list(queries.dashed) == [False, True, True, True, True]
        assert list(drawn[f"answers {row}"].texts) == ["✔ A", *["✘ A"] * 4]
        assert queries.texts[1].startswith("B, taken for A (")


def test_a_column_lights_up_together():
    viewer = make_viewer()
    choose(viewer, num_ways=6, num_shots=3)
    linked = [mark for mark in marks(viewer).values() if mark.link]
    assert len(linked) == 3 + 2
    for mark in linked:
        assert list(mark.x) == list(linked[0].x)


@pytest.mark.parametrize(("ways", "shots"), [(2, 1), (2, 5), (20, 1), (20, 2), (10, 5)])
def test_everything_fits_into_the_picture(ways, shots):
    viewer = make_viewer()
    choose(viewer, num_shots=1, num_ways=ways)
    choose(viewer, num_shots=shots)
    (board,) = viewer.scene().panels
    for mark in board.marks:
        x, y = np.asarray(mark.x), np.asarray(mark.y)
        tall = mark.size if mark.key.startswith(("letters", "parts", "answers", "chances")) else (
            mark.tall
        )  # fmt: skip
        assert (y - tall / 2 >= 0).all()
        assert (y + tall / 2 <= board.height).all()
        wide = getattr(mark, "wide", 0)
        assert (x - wide / 2 >= 0).all()
        assert (x + wide / 2 <= board.width).all()
        if len(x) > 2:
            assert (np.diff(x) > max(wide, 18)).all()


def test_the_filmstrip_has_a_panel_per_learner_and_says_so():
    viewer = make_viewer()
    figure = viewer.filmstrip()
    assert [axes.get_title().split(":")[0] for axes in figure.axes] == ["Pixels", "AlwaysA"]
    assert figure.axes[1].get_title() == "AlwaysA: 2 of 10 right"
    assert viewer.description().startswith("Episode 1, 5-way 1-shot, all alphabets")
    assert viewer.description(["AlwaysA"]).count("queries right") == 1


def test_the_code_makes_the_same_picture():
    viewer = make_viewer()
    choose(viewer, num_ways=4, source=ONE_ALPHABET, learner="AlwaysA")
    gesture(viewer, "press", name="next")
    names = {"EpisodeViewer": EpisodeViewer, "pool": POOL, "learners": make_learners()}
    other = eval(viewer.state["code"], names)
    assert shown(other) == shown(viewer)
    assert other.state == viewer.state
