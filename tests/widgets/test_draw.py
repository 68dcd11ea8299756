import numpy as np
import pytest
import torch
from pages import Page

from metalearn_lite.episodes import Examples
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import MLP, ConvClassifier, ConvNet
from metalearn_lite.tasks.characters import Characters, Glyphs
from metalearn_lite.widgets.draw import (
    EXAMPLE_CLASSES,
    EXAMPLE_QUERY,
    QUERY,
    DrawModel,
    DrawYourOwn,
    answers_in_words,
    caveat,
    ink_image,
)

BAR = [(0.5, 0.2), (0.5, 0.8)]
LEVEL = [(0.2, 0.5), (0.8, 0.5)]
RING = [(0.5 + 0.3 * np.cos(a), 0.5 + 0.3 * np.sin(a)) for a in np.linspace(0, 6.3, 30)]


def make_learners():
    generator = torch.Generator().manual_seed(0)
    network, flat = ConvNet((8, 8, 8, 8)), MLP(784, 32, 5)
    return {
        "ProtoNet": PrototypicalNetwork(network, network.init(generator), "cosine", framed=True),
        "MAML": MAML(flat, flat.init(generator), inner_lr=0.5, inner_steps=5),
    }


def make_examples():
    return {"characters": Glyphs(1, 8, 4), "more characters": Glyphs(1, 6, 3, seed=1)}


def make_model():
    return DrawModel(make_learners(), make_examples())


def drawn_model():
    """Class A is an upright bar, B a level one, C a ring; the query is a level bar."""
    model = make_model()
    for sheet, stroke in ((0, BAR), (1, LEVEL), (2, RING), (QUERY, [(0.1, 0.3), (0.7, 0.35)])):
        model.add_stroke(sheet, stroke)
    return model


# The ink


def extent(image):
    rows, columns = np.nonzero(image > 0.35)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def test_a_drawing_is_centred_and_as_large_as_a_character_of_omniglot():
    for scale, shift in ((1.0, 0.0), (0.5, 0.1), (0.4, 0.55)):
        image = ink_image([scale * np.array(stroke) + shift for stroke in EXAMPLE_CLASSES[2]])
        top, bottom, left, right = extent(image)
        assert 17 <= max(bottom - top, right - left) <= 19
        assert abs((top + bottom) / 2 - 14) <= 0.5
        assert abs((left + right) / 2 - 14) <= 0.5


def test_the_line_is_as_wide_as_omniglots_however_large_the_drawing_was():
    for scale in (1.0, 0.3):
        image = ink_image([scale * np.array(BAR)])
        assert image.dtype == np.float32
        assert image.shape == (28, 28)
        np.testing.assert_allclose(image[10:18].sum(1), 1.32, atol=0.05)


def test_ink_does_not_depend_on_how_many_points_the_browser_sent():
    few = ink_image([np.array(LEVEL)])
    many = ink_image([np.linspace(*LEVEL, 200)])
    np.testing.assert_allclose(few, many, atol=0.02)


def test_strokes_that_cross_make_no_blacker_black():
    image = ink_image([np.array(BAR), np.array(LEVEL), np.array(BAR)])
    assert 0.9 < image.max() <= 1
    assert image.min() >= 0


def test_a_dot_is_a_dot_in_the_middle():
    image = ink_image([np.array([(0.9, 0.1)])])
    top, bottom, left, right = extent(image)
    assert image.sum() == pytest.approx(1.32**2, rel=0.02)
    assert max(bottom - top, right - left) <= 3
    np.testing.assert_allclose(image, image[::-1, ::-1], atol=1e-5)


def test_a_dot_on_a_letter_is_there_too():
    bar = np.array([(0.5, 0.4), (0.5, 0.8)])
    dotted = ink_image([bar, np.array([(0.5, 0.2)])])
    assert dotted[5:7].sum() > 1
    assert dotted[8].sum() < 0.1


# The model


def test_what_is_missing_is_asked_for_in_turn():
    model = make_model()
    assert model.sentence(model.frame()) == "Draw class A first: it has no ink."
    model.add_stroke(0, BAR)
    model.add_stroke(2, RING)
    model.add_stroke(QUERY, BAR)
    assert model.sentence(model.frame()) == "Draw class B first: it has no ink."
    assert model.frame().answers == {}
    assert answers_in_words(model.frame()) == "No answers yet."
    model.add_stroke(1, LEVEL)
    assert set(model.frame().answers) == {"ProtoNet", "MAML"}
    model.clear(QUERY)
    assert model.sentence(model.frame()).startswith("Now draw the query: one of the 3 classes")


def test_both_answer_and_know_a_level_bar_again():
    frame = drawn_model().frame()
    assert frame.images.shape == (3, 28, 28)
    for answer in frame.answers.values():
        assert answer.choice == answer.nearest == 1
        assert answer.probabilities.shape == (3,)
        assert answer.probabilities.sum() == pytest.approx(1)


def test_answers_are_those_of_the_learners():
    model = drawn_model()
    frame = model.frame()
    support = Examples(torch.from_numpy(frame.images)[None, :, None], torch.arange(3)[None])
    query = torch.from_numpy(frame.query)[None, None, None]
    for name, learner in model.learners.items():
        outputs = learner.predict(learner.adapt(support), query)[0, 0, :3]
        np.testing.assert_allclose(
            frame.answers[name].probabilities, outputs.softmax(0).detach(), rtol=1e-4, atol=1e-6
        )


def test_every_stroke_of_a_class_is_adapted_to():
    model = drawn_model()
    before = model.frame().answers["MAML"].probabilities
    model.add_stroke(1, BAR)
    after = model.frame().answers["MAML"].probabilities
    model.undo(1)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(before, model.frame().answers["MAML"].probabilities)


def test_outputs_without_a_class_are_told_of():
    model = drawn_model()
    frame = model.frame()
    assert [answer.num_unused for answer in frame.answers.values()] == [0, 2]
    assert caveat(frame).startswith("MAML's network has 5 outputs. With 3 classes only the first 3")
    model.set_num_ways(5)
    model.add_stroke(3, [(0.2, 0.2), (0.8, 0.8)])
    model.add_stroke(4, [(0.2, 0.8), (0.8, 0.2)])
    assert caveat(model.frame()) == ""


def test_batch_normalisation_has_the_classes_drawings_to_measure_too():
    network = ConvClassifier(5, 8)
    params = network.init(torch.Generator().manual_seed(0))
    model = DrawModel({"MAML": MAML(network, params, 0.4, 3)}, make_examples())
    for sheet, stroke in ((0, BAR), (1, LEVEL), (2, RING), (QUERY, LEVEL)):
        model.add_stroke(sheet, stroke)
    assert model.frame().answers["MAML"].choice == model.frame().answers["MAML"].nearest == 1


def test_fewer_classes_keep_the_drawings_of_the_others():
    model = drawn_model()
    model.set_num_ways(2)
    assert model.frame().images.shape == (2, 28, 28)
    model.set_num_ways(3)
    assert not model.missing
    for num_ways in (1, 6):
        with pytest.raises(ValueError, match=f"{num_ways} classes: choose 2 to 5"):
            model.set_num_ways(num_ways)


def test_undo_takes_back_a_stroke_and_then_there_is_nothing():
    model = drawn_model()
    model.add_stroke(0, LEVEL)
    model.undo(0)
    assert len(model.sheets[0].strokes) == 1
    model.undo(0)
    assert model.missing == [0]
    with pytest.raises(ValueError, match="nothing to undo: class A has no ink"):
        model.undo(0)
    model.clear_all()
    assert model.missing == [0, 1, 2, QUERY]


@pytest.mark.parametrize("points", [[], [(float("nan"), 0)], [(1, 2, 3)], "ab", [[{}, 1]]])
def test_what_is_no_stroke_is_refused(points):
    model = drawn_model()
    with pytest.raises(ValueError, match="That stroke has no points"):
        model.add_stroke(0, points)
    assert len(model.sheets[0].strokes) == 1


@pytest.mark.parametrize("sheet", [-1, 6])
def test_a_sheet_that_is_not_there_is_refused(sheet):
    model = make_model()
    for deed in (model.undo, model.clear, model.draw_example):
        with pytest.raises(ValueError, match=f"no sheet {sheet}: choose 0 to 5"):
            deed(sheet)


def test_examples_are_different_characters_and_the_query_another_drawing_of_one():
    model = make_model()
    model.set_num_ways(5)
    for _ in range(20):
        model.draw_all_examples()
        classes = [sheet.example for sheet in model.sheets[:QUERY]]
        query = model.sheets[QUERY].example
        assert len({example.character for example in classes}) == 5
        truth = model.frame().truth
        assert classes[truth].character == query.character
        assert classes[truth].drawer != query.drawer
        assert model.sentence(model.frame()).endswith(f"It is class {'ABCDE'[truth]}.")


def test_examples_come_from_the_chosen_source_and_the_query_from_its_class():
    model = make_model()
    model.draw_example(0)
    model.source = "more characters"
    model.draw_example(1)
    sources = [model.sheets[way].example.source for way in range(2)]
    assert sources == ["characters", "more characters"]
    model.set_num_ways(2)
    for _ in range(10):
        model.draw_example(QUERY)
        query = model.sheets[QUERY].example
        assert query.source == sources[model.frame().truth]


def test_a_query_cannot_be_an_example_of_what_was_drawn():
    with pytest.raises(ValueError, match="needs a class that is an example"):
        drawn_model().draw_example(QUERY)


def test_drawing_on_an_example_begins_a_drawing_of_ones_own():
    model = make_model()
    model.draw_all_examples()
    model.add_stroke(0, BAR)
    assert model.sheets[0].example is None
    np.testing.assert_array_equal(model.frame().images[0], ink_image([np.array(BAR)]))
    model.draw_example(1)
    model.undo(1)
    assert not model.sheets[1].has_ink


def test_nobody_to_ask_and_nothing_to_show_are_refused():
    with pytest.raises(ValueError, match="at least one learner"):
        DrawModel({}, make_examples())
    with pytest.raises(ValueError, match="at least one learner to ask and one set of examples"):
        DrawModel(make_learners(), {})
    with pytest.raises(ValueError, match=r"The signs are 1 by 2 drawers: .* at least 2"):
        DrawModel(make_learners(), {"signs": Glyphs(1, 1, 2)})


# The reader's own images as the classes


def own_images(count=3):
    glyphs = Glyphs(1, count, 4)
    return Characters(glyphs.images, ["mine"] * count, ["sun", "<moon>", "star"][:count], "mine")


def test_filled_it_begins_with_three_classes_and_says_what_they_are_called():
    model = DrawModel(make_learners(), {"mine": own_images()}, filled=True)
    assert model.missing == [QUERY]
    names = [model.class_name(way) for way in range(3)]
    assert sorted(names) == ["<moon>", "star", "sun"]
    assert model.names() == f"Class A is {names[0]}, B is {names[1]}, C is {names[2]}."
    for way in range(3):
        model.draw_query_like(way)
        frame = model.frame()
        assert frame.truth == way
        own = model.sheets[way].example
        assert model.sheets[QUERY].example.drawer != own.drawer
        assert not np.array_equal(frame.query, frame.images[way])
    model.add_stroke(1, BAR)
    assert model.names() == f"Class A is {names[0]}, C is {names[2]}."
    with pytest.raises(ValueError, match="Class B is no example"):
        model.draw_query_like(1)
    assert make_model().names() == "" == drawn_model().names()


def test_names_that_two_alphabets_share_come_with_the_alphabet():
    images = Glyphs(1, 2, 4).images
    own = Characters(images, ["Greek", "Latin"], ["one", "one"], "mine")
    model = DrawModel(make_learners(), {"mine": own}, filled=True)
    assert {model.class_name(0), model.class_name(1)} == {"Greek one", "Latin one"}


def test_two_own_classes_are_enough_and_a_third_must_be_drawn():
    model = DrawModel(make_learners(), {"mine": own_images(2)}, filled=True)
    assert model.num_ways == 2
    assert model.missing == [QUERY]
    model.set_num_ways(3)
    with pytest.raises(ValueError, match="All 2 characters of mine are classes already"):
        model.draw_example(2)
    model.add_stroke(2, RING)
    model.draw_example(QUERY)
    assert set(model.frame().answers) == set(make_learners())


def test_the_filled_view_names_the_classes_and_its_filmstrip_shows_each():
    view = DrawYourOwn(make_learners(), {"mine": own_images()}, filled=True)
    assert "<moon>" in view.state["note"]
    titles = {axes.get_title() for axes in view.filmstrip().axes}
    assert titles >= {f"another {view.model.class_name(way)}" for way in range(3)}
    text = view.description()
    assert text.startswith(view.model.names())
    assert text.count("ProtoNet:") == text.count("MAML:") == 3


# The view, without a browser


def make_page():
    return Page(DrawYourOwn(make_learners(), make_examples()))


def pads(page):
    return [panel["key"] for panel in page.widget.look["panels"] if panel["kind"] == "Pad"]


def test_a_stroke_reaches_the_model_and_comes_back():
    page = make_page()
    page.do("draw", pad="pad 0", what="stroke", points=BAR)
    np.testing.assert_allclose(page.columns("pad 0")["strokes"], [BAR], atol=1e-4)
    assert page.columns("pad 0")["description"] == ["Class A: 1 stroke"]
    assert page.sentence == "Draw class B first: it has no ink."
    for way, strokes in enumerate(EXAMPLE_CLASSES):
        page.do("draw", pad=f"pad {way}", what="clear")
        for stroke in strokes:
            page.do("draw", pad=f"pad {way}", what="stroke", points=stroke)
    for stroke in EXAMPLE_QUERY:
        before = page.columns("ProtoNet bars")
        page.do("draw", pad=f"pad {QUERY}", what="stroke", points=stroke)
        assert page.columns("ProtoNet bars") != before
        assert page.sentence.startswith("The query: ProtoNet says")
    assert len(page.columns("MAML bars")["x"]) == 3
    assert "5 outputs" in page.widget.state["note"]


def test_what_cannot_be_done_is_a_sentence():
    page = make_page()
    page.do("draw", pad=f"pad {QUERY}", what="undo")
    assert page.sentence.startswith("There is nothing to undo: the query has no ink.")
    page.do("draw", pad=f"pad {QUERY}", what="example")
    assert "needs a class that is an example" in page.sentence


def test_it_works_without_drawing():
    page = make_page()
    for pad in pads(page):
        page.do("draw", pad=pad, what="example")
        assert page.columns(pad)["description"][0].endswith(": an example")
    assert "It is class" in page.sentence
    sent = page.columns("pad 0")["example"]
    shown = np.frombuffer(sent["bytes"], np.uint8).reshape(sent["shape"])
    np.testing.assert_allclose(shown, 255 * page.widget.model.frame().images[0], atol=0.6)
    page.press("clear_all")
    assert "example" not in page.columns("pad 0")
    assert page.sentence == "Draw class A first: it has no ink."


def test_as_many_pads_as_classes():
    page = make_page()
    page.set(source="more characters")
    page.press("draw_all_examples")
    assert page.widget.model.sheets[0].example.source == "more characters"
    for num_ways in (5, 2):
        page.set(num_ways=num_ways)
        assert pads(page) == [f"pad {way}" for way in (*range(num_ways), QUERY)]


def test_suggestions_lead_to_what_they_ask():
    page = make_page()
    page.do("try", index=0)
    assert page.widget.model.missing == []
    assert len(page.columns(f"pad {QUERY}")["strokes"]) == len(EXAMPLE_QUERY) - 1
    page.do("try", index=1)
    assert "It is class" in page.sentence


def test_the_filmstrip_has_a_column_per_stroke_and_says_so():
    view = make_page().widget
    figure = view.filmstrip()
    assert len(figure.axes) == 9
    assert "the query after 3 strokes" in {axes.get_title() for axes in figure.axes}
    words = view.description()
    assert words.count("ProtoNet: A") == words.count("MAML: A") == 3
