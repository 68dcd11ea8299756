"""The recipes of learned rules, but short; and what ships."""

import pytest
import torch

from metalearn_lite import checkpoints
from metalearn_lite.evaluation import Evaluation
from metalearn_lite.recipes import rules
from metalearn_lite.rl.learned_rule import lived
from metalearn_lite.rl.rules import Reinforce


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(rules, "NUM_TEST_TASKS", {"bandits": 20, "walks": 5})
    monkeypatch.setattr(rules, "NUM_CHOSEN_ON", {"bandits": 20, "walks": 5})


def test_bandits_train_and_are_judged(few, generator):
    rule = rules.train(rules.bandits(3), 8, 2, 3.0, generator())
    result = rules.judge_bandits(rule)
    assert len(result) == 12
    assert "20 tasks" in result["learned, 100 pulls"]
    assert "learned - REINFORCE, 20 arms, 10 pulls" in result
    assert rule.num_arms == 5


def test_walks_train_and_are_judged(few, generator):
    rule = rules.train(rules.walks(1), 2, 1, 1.0, generator())
    result = rules.judge_walks(rule)
    assert len(result) == 3 + 2 * (rules.NUM_UPDATES + 1)
    assert "5 tasks" in result["learned, after 5 updates"]
    # Before the first update all rules are alike.
    assert result["learned, after 0 updates"] == result["REINFORCE, after 0 updates"]


def test_walks_begin_with_a_policy_that_means_to_stay():
    start = rules.walks().start
    assert not start["weight1"].any()
    assert not start["bias1"].any()
    assert start["log_std"].exp().tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("world", [rules.bandits(4), rules.walks(1)], ids=rules.kind_of)
def test_all_rules_are_judged_on_the_same_tasks(world):
    first, second = rules.judged_on(world, 4), rules.judged_on(world, 4)
    assert first.seed == second.seed
    assert torch.equal(first.tasks, second.tasks)
    others = rules.draw(world, 4, torch.Generator().manual_seed(1992))
    assert not torch.equal(first.tasks, others.tasks)


def test_a_rate_is_chosen_by_what_it_earns(few, monkeypatch):
    monkeypatch.setattr(rules, "RATES", {"bandits": (0, 5)})
    monkeypatch.setattr(rules, "FADINGS", (0.0,))
    monkeypatch.setattr(rules, "NUM_CHOSEN_ON", {"bandits": 1000})
    assert rules.choose.__wrapped__("bandits", 8) == (5, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "length"), rules.CHOSEN)
def test_what_is_written_down_is_what_is_chosen(kind, length):
    assert rules.choose(kind, length) == rules.CHOSEN[kind, length]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "world"), [("bandits", rules.bandits(10)), ("walks", rules.walks())]
)
def test_what_ships_earns_more_than_reinforce_where_it_was_trained(name, world):
    lives = rules.judged_on(world)
    by_hand = Reinforce(*rules.CHOSEN[name, 10 if name == "bandits" else rules.NUM_UPDATES])
    lead = Evaluation(lived(checkpoints.load(f"rule-{name}"), lives) - lived(by_hand, lives))
    assert lead.mean > 2 * lead.interval
