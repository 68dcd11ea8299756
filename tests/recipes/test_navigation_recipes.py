import pytest
from truths import generator

from metalearn_lite import checkpoints
from metalearn_lite.recipes import navigation
from metalearn_lite.training import constant


@pytest.fixture(autouse=True)
def short(monkeypatch):
    for environment in (navigation.NAVIGATE, navigation.DRIVE, navigation.WITH_GOAL):
        monkeypatch.setattr(environment, "horizon", 5)
    monkeypatch.setattr(navigation, "NUM_JUDGED", 4)
    monkeypatch.setattr(navigation, "NUM_TASKS", 2)


@pytest.mark.parametrize("environment", [navigation.NAVIGATE, navigation.DRIVE], ids=repr)
def test_a_policy_is_trained_judged_and_kept(environment, tmp_path):
    learner = navigation.train(environment, navigation.MAML_SETTINGS, 2, generator())
    result = navigation.judge(environment, learner)
    assert list(result) == [f"return after {updates} updates" for updates in range(4)]
    assert "4 tasks" in result["return after 1 updates"]
    checkpoints.save(learner, "kept", {}, tmp_path)
    loaded = checkpoints.load("kept", tmp_path)
    assert navigation.judge(environment, loaded) == result


def test_the_oracle_is_judged_before_any_update():
    learner = navigation.train(
        navigation.WITH_GOAL, {"inner_steps": 0}, 2, generator(), schedule=constant
    )
    assert list(navigation.judge(navigation.WITH_GOAL, learner, updates=0)) == [
        "return after 0 updates"
    ]


def test_joint_training_gets_the_rate_that_suits_it():
    learner = navigation.train_joint(navigation.NAVIGATE, navigation.JOINT_SETTINGS, 2, generator())
    assert learner.inner_steps == 0
    assert learner.inner_lr in (0.1, 0.05, 0.02, 0.01)


def test_imitation_is_trained_and_judged():
    learner = navigation.train_imitation(2, generator())
    result = navigation.judge_imitation(learner)
    assert list(result) == [f"return after {steps} steps" for steps in range(4)]
