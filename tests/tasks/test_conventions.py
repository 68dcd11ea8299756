import pytest
import torch

from metalearn_lite.tasks.conventions import Conventions


def test_one_to_one_partners_use_every_action_once_and_every_convention_equally_often(generator):
    tasks = Conventions(3).sample_tasks(6000, generator())
    assert torch.equal(tasks.sum(1), torch.ones(6000, 3))
    assert torch.equal(tasks.sum(2), torch.ones(6000, 3))
    kinds, often = tasks.argmax(2).unique(dim=0, return_counts=True)
    assert len(kinds) == 6
    assert often.min() > 850


def test_free_partners_may_do_the_same_at_two_signals(generator):
    tasks = Conventions(3, partners="free").sample_tasks(6000, generator())
    assert torch.equal(tasks.sum(2), torch.ones(6000, 3))
    assert len(tasks.argmax(2).unique(dim=0)) == 27


def test_a_slipping_partner_takes_any_action_in_that_share_of_rounds(generator):
    tasks = Conventions(4, slip=0.2).sample_tasks(5, generator())
    assert tasks.sum(2) == pytest.approx(torch.ones(5, 4))
    assert tasks.unique().tolist() == pytest.approx([0.05, 0.85])


@pytest.mark.parametrize("slip", [0.0, 0.4])
def test_payment_comes_as_often_as_the_partner_does_the_same(generator, slip):
    game = Conventions(4, slip=slip)
    tasks = game.sample_tasks(3, generator(1))
    state = game.start(tasks, 20_000, generator(2))
    signals = state[..., :4].argmax(-1)
    right = tasks.argmax(2).gather(1, signals)
    for wrong, chance in ((0, 1 - slip + slip / 4), (1, slip / 4)):
        _, rewards = game.step(tasks, state, (right + wrong) % 4, generator(3))
        assert rewards.mean(1) == pytest.approx(torch.full((3,), chance), abs=0.02)


def test_what_is_seen_is_the_signal_now_and_what_the_last_round_showed(generator):
    game = Conventions(2)
    tasks = torch.eye(2).expand(1, 2, 2)
    state = game.start(tasks, 50, generator())
    assert not state[..., 2:].any()
    signals = state[..., :2].argmax(-1)
    after, rewards = game.step(tasks, state, torch.ones(1, 50, dtype=torch.long), generator(1))
    assert torch.equal(rewards, (signals == 1).float())
    for signal, table in ((0, [0, -1, 0, 0]), (1, [0, 0, 0, 1])):
        shown = after[0, :, 2:][signals[0] == signal]
        assert (shown == torch.tensor(table)).all()
    assert torch.equal(after[..., :2].sum(-1), torch.ones(1, 50))
    assert 10 < after[..., 0].sum() < 40


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_signals": 1}, "num_signals=1: choose 2 or more"),
        ({"num_rounds": 0}, "num_rounds=0: choose 1 or more"),
        ({"partners": "kind"}, "one-to-one"),
        ({"slip": 1.5}, "slip=1.5"),
    ],
)
def test_impossible_games_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Conventions(**settings)
