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
    return model._choices["Pixels"][model._first + model.round]


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


# The view, without a browser


def test_answering_by_button_then_going_on():
    model, game = make_game()
    right = truth(model)
    before = game.board.png, game.scores.png
    game.answers[right].click()
    assert game.model.result()["You"] == 1
    assert game.board.png != before[0]
    assert game.scores.png != before[1]
    assert "right, it is" in game.sentence.text
    assert all(button.disabled for button in game.answers)
    game.next.click()
    assert game.sentence.text.startswith("Round 2 of 10")
    assert not any(button.disabled for button in game.answers)


def test_answering_by_a_click_on_a_card():
    model, game = make_game()
    right = truth(model)
    click(game, right + 0.5, 1.4)
    assert game.model.result()["You"] == 1


def test_a_click_beside_the_cards_does_nothing_and_a_second_answer_is_a_sentence():
    _, game = make_game()
    click(game, 0.5, 3.5)
    assert not game.model.is_answered
    click(game, 0.5, 1.4)
    click(game, 1.5, 1.4)
    assert game.sentence.text == "Round 1 is answered already: go to the next round."


def click(game, x, y):
    axes = game.board.figure.axes[0]
    x, y = axes.figure.transFigure.inverted().transform(axes.transData.transform((x, y)))
    game.board._handle(None, {"kind": "click", "x": x, "y": 1 - y}, [])


def test_the_demo_plays_to_the_end_and_another_game_can_follow():
    _, game = make_game()
    assert game.demo() is game
    assert "Chance: " in game.sentence.text
    assert "points" in game.scores.alt
    assert game.chance.disabled
    assert game.next.description == "Play again"
    game.next.click()
    assert game.sentence.text.startswith("Round 1 of 10")
    assert game.next.description == "Next round"


def test_demo_after_the_end_changes_nothing():
    _, game = make_game()
    text = game.demo().sentence.text
    assert game.demo().sentence.text == text


def test_the_text_alternative_does_not_give_the_answer_away():
    _, game = make_game()
    assert "it is" not in game.board.alt
    assert "None yet" in game.scores.alt


def test_the_filmstrip_shows_the_learners_on_all_tasks():
    _, game = make_game()
    figure = game.filmstrip()
    labels = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert labels == ["Pixels", "AlwaysA"]
    assert "Pixels says" in game.description()
    with pytest.raises(ValueError, match="There is no task 12 of 12"):
        game.filmstrip(12)
