import math

import pytest
import torch
from truths import generator

from metalearn_lite.tasks.vehicle import Vehicle


def driven(task, torques, heading=0.0):
    """The headings, turning rates and rewards of one vehicle."""
    environment, tasks = Vehicle(), torch.tensor([task], dtype=torch.float64)
    state, steps = torch.tensor([[[heading, 0.0]]], dtype=torch.float64), []
    for torque in torques:
        action = torch.tensor([[[torque]]], dtype=torch.float64)
        state, reward = environment.step(tasks, state, action)
        steps.append((*state.flatten().tolist(), reward.item()))
    return steps


def test_tasks_and_starts_are_in_range():
    environment = Vehicle()
    tasks = environment.sample_tasks(2000, generator())
    inertia, friction = tasks.unbind(1)
    assert inertia.min() >= 0.1
    assert inertia.max() <= 5.0
    assert inertia.median() == pytest.approx(math.sqrt(0.1 * 5.0), rel=0.1)
    assert friction.min() >= 0.05
    assert friction.max() <= 0.2
    start = environment.start(tasks, 3, generator())
    assert start[..., 0].abs().max() <= math.pi
    assert (start[..., 1] == 0).all()


def test_a_step_by_hand():
    # A second of torque 1 turns an inertia of 5 at 0.2 rad/s; in a second that is 0.2.
    ((heading, rate, reward),) = driven([5.0, 0.0], [1.0], heading=-0.3)
    assert rate == pytest.approx(0.2)
    assert heading == pytest.approx(-0.1)
    assert reward == pytest.approx(-(0.1**2))


def test_a_torque_is_at_most_one():
    assert driven([0.5, 0.2], [7.0, -7.0]) == driven([0.5, 0.2], [1.0, -1.0])


def test_friction_ends_a_turn_and_inertia_keeps_it():
    torques = [1.0] + [0.0] * 4
    *_, (_, free, _) = driven([1.0, 0.0], torques)
    *_, (_, braked, _) = driven([1.0, 0.25], torques)
    assert free == pytest.approx(1.0)
    assert braked == pytest.approx(1 / 1.25**5)


@pytest.mark.parametrize("inertia", [0.1, 5.0])
def test_friction_bounds_the_turning_rate(inertia):
    rates = [rate for _, rate, _ in driven([inertia, 0.5], [1.0] * 200)]
    assert rates == sorted(rates)
    assert 1.99 < rates[-1] < 2.0 + 1e-9


def test_a_heavy_vehicle_answers_less():
    (_, light, _), (_, heavy, _) = driven([0.1, 0.0], [1.0])[0], driven([5.0, 0.0], [1.0])[0]
    assert light == pytest.approx(50 * heavy)


def test_a_heading_is_an_angle():
    headings = [heading for heading, _, _ in driven([1.0, 0.1], [1.0] * 40)]
    assert max(headings) <= math.pi
    assert min(headings) < 0  # it went past π
