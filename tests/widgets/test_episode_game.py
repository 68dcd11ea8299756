import numpy as np
import pytest
import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import Learner
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.widgets.episode_game import EpisodeGame, GameModel


def make_episodes(num_tasks=12, num_ways=5, num_queries=1, seed=0):
    """Support images are noise; a query is its class's image, so pixels are always right."""
    generator = torch.Generator().manual_seed(seed)
    support = torch.rand(num_tasks, num_ways, 1, 28, 28, generator=generator)
    labels = torch.rand(num_tasks, num_ways, generator=generator).argsort(1)
    order = torch.rand(num_tasks, num_ways, generator=generator).argsort(1)[:, :num_queries]
    tasks = torch.arange(num_tasks)[:, None]
    return Episodes(
        Examples(support, labels), Examples(support[tasks, order], labels[tasks, order])
    )


class AlwaysA(Learner):
    """Says A whatever it is shown."""

    def __init__(self):
        self.params = {}

    def adapt(self, support):
        return int(support.y.max()) + 1

    def predict(self, adapted, x):
        return torch.eye(adapted)[0].expand(*x.shape[:2], adapted)

    def trace(self, support):
        raise NotImplementedError


def make_model(num_rounds=10, **sizes):
    learners = {"Pixels": PixelNearestNeighbour(), "AlwaysA": AlwaysA()}
    return GameModel(make_episodes(**sizes), learners, num_rounds)


def make_game(num_rounds=10):
    model = make_model(num_rounds)
    learners = {"Pixels": PixelNearestNeighbour(), "AlwaysA": AlwaysA()}
    return model, EpisodeGame(make_episodes(), learners, num_rounds)


def truth(model):
    """What only the test may know before an answer is given: pixels are always right here."""
    return model._choices["Pixels"][model.first + model.round]


# The model


def test_the_answer_is_not_in_the_frame_before_it_is_given():
    model = make_model()
    frame = model.frame()
    assert frame.truth is None
    assert frame.choices == {}
    right = truth(model)
    model.answer(right)
    assert model.frame().truth == right
    assert model.frame().choices["You"] == model.frame().choices["Pixels"] == right


def test_cards_are_in_the_order_of_their_letters():
    model, episodes = make_model(), make_episodes()
    for way in range(5):
        image = episodes.support.x[0, episodes.support.y[0] == way][0, 0]
        np.testing.assert_array_equal(model.frame().support[way], image)


def test_the_query_is_the_character_of_the_right_card():
    model = make_model()
    frame = model.frame()
    np.testing.assert_array_equal(frame.query, frame.support[truth(model)])


def test_a_whole_game_is_scored_for_everybody_on_the_same_rounds():
    model = make_model()
    rights = {"You": 0, "Pixels": 10, "AlwaysA": 0}
    for round in range(10):
        right = truth(model)
        mine = right if round % 3 else (right + 1) % 5
        assert model.answer(mine) == (mine == right)
        rights["You"] += mine == right
        rights["AlwaysA"] += right == 0
        if round < 9:
            model.next_round()
    assert model.is_over
    assert model.result() == rights
    assert model.sentence().startswith("Round 10 of 10: ")
    assert f"You: {rights['You']} of 10. Pixels 10, AlwaysA" in model.sentence()
    assert "one more or less right moves a score by 10 points" in model.sentence()


def test_the_sentence_says_what_everybody_said():
    model = make_model()
    right = truth(model)
    wrong = (right + 1) % 5
    model.answer(wrong)
    assert f"it is {'ABCDE'[right]}, not {'ABCDE'[wrong]}." in model.sentence()
    assert f"Pixels says {'ABCDE'[right]}, right" in model.sentence()


@pytest.mark.parametrize("way", [-1, 5, "B", None, 1.5])
def test_an_answer_that_does_not_exist_is_refused(way):
    model = make_model()
    with pytest.raises(ValueError, match=r"There is no answer .*: choose 0 to 4, which are A to E"):
        model.answer(way)
    assert model.result()["You"] == 0
    assert not model.is_answered


def test_moves_out_of_turn_are_refused_with_the_move_to_make():
    model = make_model(num_rounds=1)
    with pytest.raises(ValueError, match="Answer round 1 first"):
        model.next_round()
    with pytest.raises(ValueError, match="No round is played yet"):
        model.result_sentence()
    model.answer(0)
    for move in (lambda: model.answer(0), model.next_round, model.play_by_chance):
        with pytest.raises(ValueError, match="play again"):
            move()


def test_chance_plays_what_isboard():
    model = make_model()
    model.play_by_chance()
    assert model.is_over
    assert "Chance" in model.result()
    assert "You" not in model.result()

    model.play_again()
    model.answer(truth(model))
    model.play_by_chance()
    assert model.result()["You + chance"] >= 1


def test_chance_is_right_about_one_time_in_five():
    model = make_model(num_rounds=1000, num_tasks=1000)
    model.play_by_chance()
    assert 150 < model.result()["Chance"] < 250


def test_the_next_game_has_new_questions_until_they_run_out():
    model = make_model(num_rounds=5)
    first = model.frame().query
    model.play_by_chance()
    model.play_again()
    assert model.result() == {"You": 0, "Pixels": 0, "AlwaysA": 0}
    assert not np.array_equal(model.frame().query, first)
    model.play_by_chance()
    model.play_again()  # 2 of 12 tasks are left, too few
    np.testing.assert_array_equal(model.frame().query, first)


def test_learners_are_scored_over_all_tasks():
    model = make_model(num_rounds=5, num_queries=3)
    assert model.overall["Pixels"].mean == 1
    assert len(model.overall["AlwaysA"].scores) == 12
    assert "Over all 12 tasks, one question each: Pixels 100% ± 0" in model.overall_sentence()
    assert "chance 20%" in model.overall_sentence()


def test_the_telling_task_is_one_on_which_learners_disagree():
    model = make_model()
    assert len(set(model.learners_frame(model.telling_task()).choices.values())) == 2


def test_episodes_that_make_no_game_are_refused():
    learners = {"Pixels": PixelNearestNeighbour()}
    episodes = make_episodes()
    two_shots = Episodes(
        Examples(*(torch.cat([part, part], 1) for part in episodes.support)), episodes.query
    )
    for arguments, complaint in [
        ((two_shots, learners), "num_shots=1"),
        ((make_episodes(num_ways=6), learners), "num_ways=6"),
        ((episodes, learners, 13), "num_rounds=13 but there are 12 tasks"),
        ((episodes, {}), "learners is empty"),
        ((episodes, {"You": PixelNearestNeighbour()}), "cannot be called You"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            GameModel(*arguments)


def test_a_game_can_begin_at_any_task_that_leaves_enough():
    later = GameModel(make_episodes(), {"Pixels": PixelNearestNeighbour()}, 5, first=7)
    model = make_model(num_rounds=12)
    model.round = 7
    np.testing.assert_array_equal(later.frame().query, model.frame().query)
    with pytest.raises(ValueError, match="first=8: choose 0 to 7"):
        GameModel(make_episodes(), {"Pixels": PixelNearestNeighbour()}, 5, first=8)


@pytest.mark.parametrize("num_rounds", [3, 5, 12])
def test_chance_plays_up_to_the_question_that_divides(num_rounds):
    model = make_model(num_rounds=num_rounds)
    model.answer(0)
    model.play_to_telling_task()
    task = model.telling_task()
    assert model.first + model.round == task
    assert len(model.answers) == model.round
    assert not model.is_answered
    np.testing.assert_array_equal(model.frame().query, model.learners_frame(task).query)
    model.answer(truth(model))
    assert model.player == ("You + chance" if model.round else "You")


# The view, without a browser


def gesture(game, kind, **said):
    game._receive(None, {"kind": kind, "id": game.ack + 1, **said}, [])


def press(game, name):
    gesture(game, "press", name=name)


def pick(game, way):
    gesture(game, "pick", key="cards", index=way)


def marks(game):
    return {mark.key: mark for mark in game.scene().marks()}


def said(game):
    return game.state["sentence"]


def test_answering_by_a_card_then_going_on():
    model, game = make_game()
    right = truth(model)
    before = marks(game)
    assert game.state["off"] == ["go_on"]
    assert set(before["cards"].edges) == {"gray"}
    assert not len(before["verdict"].texts)
    assert not len(before["names"].texts)
    pick(game, right)
    assert game.model.result()["You"] == 1
    assert "right, it is" in said(game)
    assert game.state["off"] == []
    after = marks(game)
    assert list(after["verdict"].texts) == ["✔ right"]
    assert [edge == "green" for edge in after["cards"].edges] == [w == right for w in range(5)]
    assert list(after["played"].markers) == ["s", "s", "s" if right == 0 else "x"]
    press(game, "go_on")
    assert said(game).startswith("Round 2 of 10")
    assert game.state["off"] == ["go_on"]


def test_right_and_wrong_differ_without_colour():
    model, game = make_game()
    right = truth(model)
    wrong = (right + 1) % 5
    pick(game, wrong)
    drawn = marks(game)
    assert list(drawn["verdict"].texts) == [f"✘ it is {'ABCDE'[right]}"]
    assert [way for way in range(5) if drawn["cards"].dashed[way]] == [wrong]
    assert drawn["cards"].edges[wrong] == "red"
    assert drawn["cards"].edges[right] == "green"


def test_names_stand_below_the_card_they_chose():
    model, game = make_game()
    right = truth(model)
    pick(game, 0)
    drawn = marks(game)
    for x, name in zip(drawn["names"].x, drawn["names"].texts, strict=True):
        chosen = right if name == "Pixels" else 0
        assert x == pytest.approx(drawn["cards"].x[chosen])
    assert len(set(zip(drawn["names"].x, drawn["names"].y, strict=True))) == 3


def test_a_second_answer_and_a_step_too_far_are_sentences():
    _, game = make_game()
    press(game, "go_on")
    assert said(game).startswith("Answer round 1 first. Round 1 of 10")
    pick(game, 0)
    pick(game, 1)
    assert said(game).startswith("Round 1 is answered already: go to the next round.")
    assert game.model.answers == [0]


def test_the_demo_plays_to_the_end_and_another_game_can_follow():
    _, game = make_game()
    assert game.demo() is game
    assert "Chance: " in said(game)
    assert game.state["off"] == ["play_by_chance"]
    assert game.look["controls"][0]["label"] == "Play again"
    press(game, "go_on")
    assert said(game).startswith("Round 1 of 10")
    assert game.look["controls"][0]["label"] == "Next round"


def test_demo_after_the_end_changes_nothing():
    _, game = make_game()
    text = said(game.demo())
    assert said(game.demo()) == text


def test_what_travels_does_not_give_the_answer_away():
    one, other = make_game()[1], make_game()[1]
    other.model._truths = (other.model._truths + 1) % 5
    other.show()
    assert (one.look, one.moving, one.fixed, one.state) == (
        *(other.look, other.moving, other.fixed, other.state),
    )


def test_scores_stand_in_whole_numbers_and_labels_have_room():
    _, game = make_game()
    pick(game, 0)
    press(game, "play_by_chance")
    scores = game.scene().panels[1]
    assert scores.x.ticks == (0, 2, 4, 6, 8, 10)
    assert scores.y.names == ("You + chance", "Pixels", "AlwaysA")
    bars = marks(game)["rights"]
    result = game.model.result()
    assert list(bars.x) == list(result.values())
    assert list(bars.texts) == [str(score) for score in result.values()]
    played = marks(game)["played"]
    for row, score in zip(scores.y.ticks, result.values(), strict=True):
        mine = [m for y, m in zip(played.y, played.markers, strict=True) if abs(y - row) < 0.5]
        assert (len(mine), mine.count("s")) == (10, score)


def test_suggestions_show_what_they_ask():
    _, game = make_game(num_rounds=5)
    gesture(game, "try", index=0)
    assert game.model.is_over
    assert "Chance: " in said(game)
    first = game.model.first
    gesture(game, "try", index=0)
    assert game.model.first != first
    gesture(game, "try", index=1)
    assert not game.model.is_answered
    pick(game, 0)
    assert len(set(list(game.model.frame().choices.values())[1:])) == 2


def test_the_filmstrip_shows_the_learners_on_all_tasks():
    _, game = make_game()
    figure = game.filmstrip()
    labels = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert labels == ["Pixels", "AlwaysA"]
    assert "Pixels says" in game.description()
    with pytest.raises(ValueError, match="There is no task 12 of 12"):
        game.filmstrip(12)


def test_the_code_makes_the_same_game():
    _, game = make_game(num_rounds=5)
    gesture(game, "try", index=0)
    press(game, "go_on")
    learners = {"Pixels": PixelNearestNeighbour(), "AlwaysA": AlwaysA()}
    names = {"EpisodeGame": EpisodeGame, "episodes": make_episodes(), "learners": learners}
    other = eval(game.state["code"], names)
    assert (other.moving, other.state) == (game.moving, game.state)
