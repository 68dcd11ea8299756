import pytest
import torch
from truths import generator

from metalearn_lite import checkpoints
from metalearn_lite.evaluation import evaluate_by_playing
from metalearn_lite.recipes import navigation
from metalearn_lite.rl.imitation import examples
from metalearn_lite.rl.trajectories import rollout


@pytest.fixture
def short(monkeypatch):
    for environment in (navigation.NAVIGATE, navigation.DRIVE, navigation.WITH_GOAL):
        monkeypatch.setattr(environment, "horizon", 5)
    monkeypatch.setattr(navigation, "NUM_JUDGED", 4)
    monkeypatch.setattr(navigation, "NUM_PUBLISHED", 3)
    monkeypatch.setattr(navigation, "NUM_TASKS", 2)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("environment", [navigation.NAVIGATE, navigation.DRIVE])
def test_a_policy_is_trained_judged_and_kept(environment, tmp_path):
    learner = navigation.train(environment, navigation.NAVIGATING, 2, generator())
    result = navigation.judge(environment, learner)
    assert list(result) == [f"return after {updates} updates" for updates in range(4)]
    assert "4 tasks" in result["return after 1 updates"]
    checkpoints.save(learner, "kept", {}, tmp_path)
    loaded = checkpoints.load("kept", tmp_path)
    assert navigation.judge(environment, loaded) == result


@pytest.mark.usefixtures("short")
def test_the_oracle_is_judged_before_any_update():
    learner = navigation.train(navigation.WITH_GOAL, navigation.JOINT, 2, generator())
    result = navigation.judge_as_published(navigation.WITH_GOAL, learner, updates=0)
    assert list(result) == ["return after 0 updates", "return after 0 updates, 3 goals"]
    assert "3 tasks" in result["return after 0 updates, 3 goals"]


@pytest.mark.usefixtures("short")
def test_joint_training_gets_the_rate_that_suits_it():
    learner = navigation.train_joint(
        navigation.NAVIGATE, navigation.JOINT, 2, generator(), rates=(0.3, 40.0)
    )
    assert learner.inner_steps == 0
    assert learner.inner_lr == 0.3  # the other one leads astray


@pytest.mark.usefixtures("short")
def test_imitation_is_trained_and_judged():
    learner = navigation.train_imitation(2, generator())
    result = navigation.judge_imitation(learner)
    assert list(result) == [f"return after {steps} steps" for steps in range(4)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "published"), [("maml", (-11.68, -3.33, -3.23)), ("joint", (-19.73, -11.72, -8.48))]
)
def test_the_shipped_policies_reach_what_is_published(name, published):
    """Within 20 %, after 1, 2 and 3 updates (Finn, Abbeel & Levine, 2017: see notebook 10)."""
    learner = checkpoints.load(f"navigation-{name}")
    found = evaluate_by_playing(learner, navigation.NAVIGATE, 100, 40, 3, generator(7))
    for each, theirs in zip(found[1:], published, strict=True):
        assert each.mean + each.interval > 1.2 * theirs


def test_the_shipped_imitator_needs_one_demonstration():
    maml = checkpoints.load("navigation-imitation")
    environment, shown = navigation.NAVIGATE, navigation.Demonstrations()
    tasks = environment.sample_tasks(50, generator(7))
    support = examples(shown.show(tasks, 1, generator(8)), 0)
    returns = []
    for steps in (0, 1):
        with torch.no_grad():
            adapted = maml.adapt(support, steps)
        returns.append(rollout(environment, maml.network, adapted, tasks, 1).returns.mean())
    assert returns[0] < -30
    assert returns[1] > -8
