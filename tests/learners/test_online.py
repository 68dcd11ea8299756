"""A stream by hand: what is predicted when, what the buffer holds, and what is lost."""

import pytest
import torch

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.follow_the_meta_leader import FollowTheLeader, FollowTheMetaLeader
from metalearn_lite.learners.online import OnlineLearner, Recorder, play, regret
from metalearn_lite.learners.transfer import draw_networks
from metalearn_lite.networks import MLP
from metalearn_lite.tasks.streams import WaveStreams

NETWORK = MLP(1, 5, 1)


def new(generator, kind=FollowTheMetaLeader, streams=2, **options):
    learner = kind(NETWORK, draw_networks(NETWORK, streams, generator(1)), 0.02, 1)
    return OnlineLearner(learner, generator(2), **options)


def rounds(generator, number=6, streams=2):
    return WaveStreams(2, (2, 3)).draw(streams, number, generator()).rounds(3, 4, generator(3))


def constant(value):
    """A round of two streams in which all answers are ``value`` and ``-value``."""
    y = torch.tensor([[value], [-value]])
    half = Examples(torch.zeros(2, 1, 1), y)
    return Episodes(half, half)


class Sum:
    """Answers with all it was ever told, added up; adapting adds the support."""

    def __init__(self):
        self.told, self.losses = torch.zeros(2), []

    def adapt(self, support):
        return self.told + support.y.mean(1)

    def predict(self, adapted, x):
        return adapted.unsqueeze(1).expand(x.shape[:2])

    def observe(self, task, losses):
        self.told = self.told + task.query.y.mean(1)
        self.losses.append(losses)


def test_play_against_a_stream_by_hand():
    """Rounds of 1, 2, 3: it answers 1, 1 + 2 and 3 + 3, so it loses 0, 1 and 9."""
    learner = Sum()
    losses = play(learner, [constant(value) for value in (1.0, 2.0, 3.0)])
    assert losses.tolist() == [[0.0, 1.0, 9.0]] * 2
    assert torch.stack(learner.losses, 1).tolist() == losses.tolist()


def test_regret_against_a_stream_by_hand():
    losses = torch.tensor([[3.0, 1.0, 0.5]])
    best = torch.tensor([[1.0, 1.0, 1.0]])
    assert regret(losses, best).tolist() == [[2.0, 2.0, 1.5]]
    with pytest.raises(ValueError, match="one shape"):
        regret(losses, best[:, :2])


def test_nothing_of_a_round_is_known_before_it_is_scored(generator):
    """A task changed from round 3 on changes no loss before it."""
    tasks = rounds(generator)
    others = tasks[:3] + [Episodes(*(Examples(h.x, -h.y) for h in task)) for task in tasks[3:]]
    one, other = (play(new(generator), some) for some in (tasks, others))
    assert torch.equal(one[:, :3], other[:, :3])
    assert not torch.allclose(one[:, 3:], other[:, 3:])


def test_without_steps_it_never_learns(generator):
    online = new(generator, steps=0)
    before = {name: value.clone() for name, value in online.learner.params.items()}
    play(online, rounds(generator))
    assert all(torch.equal(before[name], value) for name, value in online.learner.params.items())


def test_streams_do_not_touch_each_other(generator):
    """The second stream's tasks changed: the first loses what it lost before."""
    tasks = rounds(generator)

    def changed(half):
        return Examples(half.x, half.y * torch.tensor([[1.0], [-2.0]]))

    others = [Episodes(*map(changed, task)) for task in tasks]
    one, other = (play(new(generator), some) for some in (tasks, others))
    torch.testing.assert_close(one[0], other[0])
    assert not torch.allclose(one[1], other[1])


@pytest.mark.parametrize(
    ("window", "since"), [(None, [0, 0, 0, 0]), (2, [0, 0, 1, 2]), (1, [0, 1, 2, 3])]
)
def test_the_buffer_keeps_the_newest(window, since, generator):
    online, found = new(generator, window=window, steps=1), []
    for task in rounds(generator, 4):
        online.observe(task, torch.ones(2))
        found.append(online.since.tolist())
    assert found == [[number] * 2 for number in since]


def test_a_step_sees_tasks_of_the_buffer_and_of_its_own_stream_only(generator):
    online = new(generator, steps=0, batch=50, window=2)
    for value in (1.0, 2.0, 3.0, 4.0):
        online.observe(constant(value), torch.ones(2))
    some = online._some()
    assert some.num_tasks == 100
    assert set(some.query.y[:50].flatten().tolist()) == {3.0, 4.0}
    assert set(some.support.y[50:].flatten().tolist()) == {-3.0, -4.0}


def test_the_buffer_grows_beyond_its_first_size(generator):
    online = new(generator, steps=0, batch=400)
    for value in range(130):
        online.observe(constant(float(value)), torch.ones(2))
    values = online._some().query.y[:400].flatten()
    assert values.min() >= 0
    assert values.max() <= 129
    assert len(values.unique()) > 100


class At:
    """Gives an alarm at the values of ``log`` above 1."""

    def update(self, value):
        return value > 1


def test_an_alarm_cuts_the_buffer_of_its_stream_only(generator):
    online = new(generator, steps=0, watch=At, keep=2)
    for number, losses in enumerate(((1.0, 1.0), (1.0, 1.0), (9.0, 1.0), (1.0, 1.0), (1.0, 9.0))):
        online.observe(constant(float(number)), torch.tensor(losses))
    assert online.since.tolist() == [1, 3]
    alarms = torch.stack(online.alarms, 1)
    assert alarms.nonzero().tolist() == [[0, 2], [1, 4]]


@pytest.mark.parametrize("kind", [FollowTheMetaLeader, FollowTheLeader])
def test_it_learns_a_world_that_stays(kind, generator):
    tasks = WaveStreams(1, (9, 9), spread=0.1, drift=0).draw(4, 40, generator())
    tasks = tasks.rounds(5, 10, generator(3))
    losses = play(new(generator, kind, 4, outer_lr=1e-2, steps=20), tasks)
    still = play(new(generator, kind, 4, steps=0), tasks)
    assert losses[:, -10:].mean() < 0.5 * still[:, -10:].mean()


def test_a_recorder_changes_nothing_and_keeps_what_was_said(generator):
    tasks, x = rounds(generator), torch.linspace(-5, 5, 11)
    recorder = Recorder(new(generator, window=2), x)
    assert torch.equal(play(recorder, tasks), play(new(generator, window=2), tasks))
    assert recorder.curves.shape == (2, 6, 11)
    assert recorder.since[0].tolist() == [0, 0, 0, 1, 2, 3]
    again = new(generator, window=2)
    first = again.predict(again.adapt(tasks[0].support), x.view(1, -1, 1).expand(2, -1, 1))
    torch.testing.assert_close(recorder.curves[:, 0], first)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": -1}, "steps=-1"),
        ({"batch": 0}, "batch=0"),
        ({"window": 0}, "window=0"),
        ({"keep": 0}, "keep=0"),
        ({"outer_lr": -1.0}, "outer_lr=-1"),
    ],
)
def test_what_cannot_be_is_refused(options, said, generator):
    with pytest.raises(ValueError, match=said):
        new(generator, **options)


def test_each_stream_needs_its_task_and_its_loss(generator):
    with pytest.raises(ValueError, match="give each stream one task and one loss"):
        new(generator).observe(constant(1.0), torch.ones(3))
