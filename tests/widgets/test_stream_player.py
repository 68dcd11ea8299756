"""The stream player: its model against the streams as played, its view without a screen."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page

from metalearn_lite.learners.follow_the_meta_leader import FollowTheLeader, FollowTheMetaLeader
from metalearn_lite.learners.online import OnlineLearner, Recorder, play
from metalearn_lite.learners.transfer import draw_networks
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.streams import WaveStreams
from metalearn_lite.widgets.stream_player import StreamModel, StreamPlayer

NETWORK = MLP(1, 5, 1)
X = torch.linspace(-5, 5, 21)
LEARNERS = ("meta-leader", "meta-leader, detector", "fine-tuned for ever")


class Every:
    """An alarm at every fifth value."""

    def __init__(self):
        self.count = 0

    def update(self, value):
        self.count += 1
        return self.count % 5 == 0


def seeded(seed):
    return torch.Generator().manual_seed(seed)


STREAMS = WaveStreams(2, (4, 5)).draw(2, 12, seeded(0))
ROUNDS = STREAMS.rounds(3, 6, seeded(1))


def record(kind, **options):
    learner = kind(NETWORK, draw_networks(NETWORK, 2, seeded(2)), 0.02, 1)
    recorder = Recorder(OnlineLearner(learner, seeded(3), steps=1, **options), X)
    return recorder, play(recorder, ROUNDS)


RECORDS = dict(
    zip(
        LEARNERS,
        (
            record(FollowTheMetaLeader),
            record(FollowTheMetaLeader, watch=Every),
            record(FollowTheLeader, window=1),
        ),
        strict=True,
    )
)
BEST = 0.5 * RECORDS["meta-leader"][1]


def new_model() -> StreamModel:
    return StreamModel(STREAMS, ROUNDS, RECORDS, BEST, X)


# --- the model


def test_a_frame_holds_what_was_played():
    model = new_model()
    model.stream = 1
    for number in (1, 7, 12):
        frame = model.frame(number)
        for name, (recorder, losses) in RECORDS.items():
            assert frame.losses[name] == losses[1, number - 1].item()
            expected = (losses - BEST)[1, :number].cumsum(0)
            np.testing.assert_allclose(frame.regrets[name], expected, rtol=1e-5)
            np.testing.assert_array_equal(frame.curves[name], recorder.curves[1, number - 1])
        amplitude, phase = (part[1, number - 1] for part in STREAMS[:2])
        np.testing.assert_allclose(
            frame.wave, amplitude * torch.sin(X - phase), rtol=1e-4, atol=1e-5
        )
        np.testing.assert_array_equal(frame.support_y, ROUNDS[number - 1].support.y[1])
        assert ((frame.phases >= 0) & (frame.phases <= 2 * math.pi)).all()


def test_the_buffer_is_what_was_learned_from_before_the_round():
    model = new_model()
    held = [model.frame(number).in_buffer.tolist() for number in (1, 2, 4)]
    assert held == [[False], [True, False], [True, True, True, False]]
    model.buffer_of = "fine-tuned for ever"
    assert model.frame(4).in_buffer.tolist() == [False, False, True, False]
    model.buffer_of = "meta-leader, detector"
    assert model.frame(5).in_buffer.sum() == 4
    assert model.frame(6).in_buffer.tolist() == [False] * 4 + [True, False]
    assert model.frame(5).alarms.tolist() == []
    assert model.frame(12).alarms.tolist() == [5, 10]


def test_the_sentence_tells_buffer_loss_and_regret():
    model = new_model()
    model.buffer_of = "meta-leader, detector"
    said = model.frame(6).sentence
    assert said.startswith("Stream 1, round 6 of 12. The buffer of meta-leader, detector holds 1 ")
    assert "(last cut by an alarm after round 5)" in said
    assert "Regret so far: meta-leader " in said


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="0 learners: choose 1 to 5"):
        StreamModel(STREAMS, ROUNDS, {}, BEST, X)
    with pytest.raises(ValueError, match="11 rounds with points, but the streams have 12"):
        StreamModel(STREAMS, ROUNDS[:-1], RECORDS, BEST, X)
    with pytest.raises(ValueError, match=r"are \(2, 12\): give \(2, 12\)|are \(2, 12\)"):
        StreamModel(STREAMS, ROUNDS, RECORDS, BEST[:, :3], X)
    model = new_model()
    model.buffer_of = "nobody"
    with pytest.raises(ValueError, match="buffer_of='nobody'"):
        model.frame()


@settings(max_examples=30)
@given(st.integers(-5, 40), st.integers(-2, 9), st.sampled_from(LEARNERS))
def test_no_way_through_ends_in_an_error(number, stream, name):
    model = new_model()
    model.round, model.stream, model.buffer_of = number, stream, name
    frame = model.frame()
    assert 1 <= frame.round <= 12
    assert not frame.in_buffer[-1]
    assert frame.sentence.endswith(".")
    assert model.most_regret() >= 1


def test_a_learner_that_ran_away_is_told_and_drawn():
    recorder, losses = RECORDS["meta-leader"]
    gone = losses.clone()
    gone[0, 3:] = math.inf
    model = StreamModel(STREAMS, ROUNDS, {"meta-leader": (recorder, gone)}, BEST, X)
    model.round = 6
    assert "meta-leader off the chart" in StreamPlayer(model).state["sentence"]


# --- the view


@pytest.fixture
def page():
    return Page(StreamPlayer(new_model()))


def test_the_round_changes_all_panels(page):
    keys = ("now", "wave", "regret meta-leader")
    before = [page.columns(key) for key in keys]
    page.set(round=9)
    assert page.widget.model.round == 9
    assert all(page.columns(key) != old for key, old in zip(keys, before, strict=True))
    assert page.sentence == page.widget.model.frame().sentence


def test_another_stream_and_another_buffer(page):
    page.set(round=8)
    before = page.columns("waves")
    page.set(stream=2)
    assert page.widget.model.stream == 1
    assert page.columns("waves") != before
    page.set(buffer_of="fine-tuned for ever")
    assert page.columns("waves")["colors"] == ["paper"] * 6 + ["blue"]


def test_a_round_has_the_same_number_in_both_panels(page):
    page.set(round=9)
    linked = [key for key, mark in page.marks.items() if mark["link"] == "round"]
    assert len(linked) == 4
    for key in linked:
        assert page.columns(key)["x"][:8] == list(range(1, 9))


def test_learners_differ_in_marker_and_colour(page):
    lines = [mark for key, mark in page.marks.items() if key.startswith("regret ")]
    assert len({(line["color"], line["marker"]) for line in lines}) == len(lines) == 3


def test_suggestions_lead_to_what_they_ask(page):
    page.do("try", index=0)
    model = page.widget.model
    phases = model.frame(model.num_rounds).phases
    steps = abs(np.angle(np.exp(1j * np.diff(phases))))
    assert steps[model.round - 2] > 0.5 * steps.max()
    page.do("try", index=1)
    assert model.round == model.num_rounds


def test_filmstrip_stays_as_it_is_when_the_widget_moves_on(page):
    figure = page.widget.filmstrip((2, 5, 12))
    titles = {axes.get_title() for axes in figure.axes}
    assert {"round 2", "round 5", "round 12"} <= titles
    assert page.widget.model.round == 1


def test_description_has_a_line_for_each_picture(page):
    lines = page.widget.description((2, 12)).split("\n")
    assert [line.split(".")[0] for line in lines] == [
        "Stream 1, round 2 of 12",
        "Stream 1, round 12 of 12",
    ]
