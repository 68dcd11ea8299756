"""Implicit MAML: its gradient against algebra, against a long unrolled path, and its solver."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from truths import Linear, linear_tasks, quadratics, relative_error, small_network, waves

from metalearn_lite.learners.implicit_maml import ImplicitMAML, conjugate_gradients
from metalearn_lite.learners.regularised import RegularisedMAML


def implicit_gradient(theta, episodes, strength):
    """(I + H/λ)⁻¹ ∇L_query(φ), with φ the minimum of the regularised support loss."""
    identity, total = torch.eye(len(theta), dtype=theta.dtype), torch.zeros_like(theta)
    for support, query in zip(*map(quadratics, episodes), strict=True):
        regularised = support.hessian + strength * identity
        end = torch.linalg.solve(regularised, support.b + strength * theta)
        total += torch.linalg.solve(identity + support.hessian / strength, query.gradient(end))
    return {"w": total / episodes.num_tasks}


@pytest.mark.slow
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), strength=st.floats(0.5, 5.0))
def test_closed_form_on_quadratics(generator, seed, strength):
    episodes = linear_tasks(seed)
    theta = torch.randn(5, generator=generator(seed + 1), dtype=torch.float64)
    learner = ImplicitMAML(Linear(), {"w": theta}, 0.05, 1500, strength, solver_steps=5)
    _, gradient = learner.meta_gradient(episodes)
    assert relative_error(gradient, implicit_gradient(theta, episodes, strength)) <= 1e-6


def test_equals_the_gradient_through_a_long_path(generator):
    """No algebra: both methods on the same quadratics, one unrolled until nothing moves."""
    episodes = linear_tasks(7)
    start = {"w": torch.randn(5, generator=generator(1), dtype=torch.float64)}
    implicit = ImplicitMAML(Linear(), start, 0.1, 400, 1.5).meta_gradient(episodes)
    unrolled = RegularisedMAML(Linear(), start, 0.1, 400, 1.5).meta_gradient(episodes)
    torch.testing.assert_close(implicit[0], unrolled[0])
    assert relative_error(implicit[1], unrolled[1]) <= 1e-6


def test_on_a_network_it_comes_near_the_gradient_through_the_path():
    """Also where the loss is no quadratic. Leaving the solve out is another direction.

    Of these tasks none has its minimum where a ReLU switches: there is no gradient.
    """
    episodes, settings = waves(seed=3), (0.02, 300, 10.0)
    implicit = ImplicitMAML(*small_network(), *settings, solver_steps=30).meta_gradient(episodes)
    unrolled = RegularisedMAML(*small_network(), *settings).meta_gradient(episodes)
    assert relative_error(implicit[1], unrolled[1]) <= 1e-6
    no_solve = RegularisedMAML(*small_network(), *settings, order=1)
    adapted = {n: v.detach().requires_grad_() for n, v in no_solve.adapt(episodes.support).items()}
    query_loss = (no_solve.predict(adapted, episodes.query.x) - episodes.query.y).square()
    ends = torch.autograd.grad(query_loss.mean(1).sum(), list(adapted.values()))
    plain = {name: end.mean(0) for name, end in zip(adapted, ends, strict=True)}
    assert relative_error(plain, unrolled[1]) > 0.1


def test_nothing_is_remembered_of_the_path(monkeypatch):
    """One graph at the end, for the products with the Hessian; none for the inner steps."""
    learner, kept = ImplicitMAML(*small_network(), 0.02, 5), []
    inner_step = learner.inner_step

    def watched(*args):
        kept.append(inner_step(*args))
        return kept[-1]

    monkeypatch.setattr(learner, "inner_step", watched)
    loss, gradient = learner.meta_gradient(waves())
    assert len(kept) == 5
    assert all(value.grad_fn is None for adapted in kept for value in adapted.values())
    assert not loss.requires_grad
    assert not any(value.requires_grad for value in gradient.values())


def test_tasks_are_solved_alone():
    learner, episodes = ImplicitMAML(*small_network(), 0.02, 5), waves()
    together = learner.meta_gradient(episodes)[1]
    alone = [learner.meta_gradient(episodes.tasks(task))[1] for task in range(4)]
    for name, value in together.items():
        torch.testing.assert_close(value, torch.stack([one[name] for one in alone]).mean(0))


def test_conjugate_gradients_solve_a_batch_of_systems(generator):
    """Exact after as many steps as there are unknowns; shapes and scales differ."""
    parts = torch.randn(3, 6, 8, generator=generator(), dtype=torch.float64)
    systems = parts @ parts.transpose(1, 2) + torch.eye(6, dtype=torch.float64)
    right = torch.randn(3, 6, generator=generator(1), dtype=torch.float64)
    right *= torch.tensor([[1e-6], [1.0], [1e6]])
    right[1] = 0  # already solved: 0/0 must not spread

    def times(vector):
        flat = torch.cat([part.flatten(1) for part in vector], 1)
        product = (systems @ flat.unsqueeze(2)).squeeze(2)
        return [product[:, :4].unflatten(1, (2, 2)), product[:, 4:]]

    solved = conjugate_gradients(times, [right[:, :4].unflatten(1, (2, 2)), right[:, 4:]], 6)
    found = torch.cat([part.flatten(1) for part in solved], 1)
    torch.testing.assert_close(found, torch.linalg.solve(systems, right))
    more = conjugate_gradients(times, [right[:, :4].unflatten(1, (2, 2)), right[:, 4:]], 20)
    torch.testing.assert_close(more, solved)


def test_a_task_that_curves_downwards_stops_and_harms_no_other():
    def times(vector):
        return [vector[0] * torch.tensor([[-1.0, -2.0], [2.0, 4.0]])]

    (solved,) = conjugate_gradients(times, [torch.ones(2, 2)], 2)
    assert solved[0].tolist() == [0, 0]
    torch.testing.assert_close(solved[1], torch.tensor([0.5, 0.25]))


def test_without_a_pull_there_is_no_implicit_gradient():
    with pytest.raises(ValueError, match="strength=0"):
        ImplicitMAML(*small_network(), strength=0)
