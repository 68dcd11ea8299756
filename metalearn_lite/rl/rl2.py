"""RL²: a recurrent policy whose memory does the learning (Duan et al., 2016; Wang et al., 2016)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.learners.base import trainable
from metalearn_lite.networks import Params
from metalearn_lite.rl.actor_critic import RecurrentActorCritic
from metalearn_lite.rl.returns import generalised_advantages
from metalearn_lite.rl.trajectories import stack_steps
from metalearn_lite.tasks.bandits import seen
from metalearn_lite.tasks.environment import Environment


class Games(NamedTuple):
    """What `RL2` learns from: the fields of `Trajectories`, and which task each was played in."""

    observations: Tensor
    """``(T, N, H, observation_size)``: what was seen before each action"""
    actions: Tensor
    """``(T, N, H)``"""
    rewards: Tensor
    """``(T, N, H)``"""
    tasks: Tensor
    """``(T, task_size)``"""

    @property
    def returns(self) -> Tensor:
        """Each game's sum of rewards, ``(T, N)``."""
        return self.rewards.sum(-1)


class RL2:
    """Learns to learn by reinforcement: its memory lives for a whole task, not for a moment.

    Nothing in it changes while it plays but the memory. Meta-training makes the weights such that
    reading "I pulled arm 3, it paid" changes the memory the way a good learner would.

    As a bandit player it has the verbs ``start``, ``choose``, ``learn`` of `bandit_players`. In
    other environments it reads observations instead, from an empty memory on: ``play``.

    The player reads what it last did and what it was paid, as in the paper. The paper's flag for
    the end of an episode is left out: here a task is one game.

    The meta-gradient is that of an actor-critic with generalised advantages. The paper used TRPO
    and a baseline that sees what the player sees; a critic that knows the task is this project's
    choice.

    Args:
        network: the recurrent policy and its critic.
        params: where its parameters start, ``network.init(generator)``.
        discount: how much less a reward counts when it comes one step later.
        trace_decay: the λ of generalised advantages.
        entropy_weight: what a unit of the policy's entropy is worth at the start of training.
            It falls to 0 along a line.
    """

    def __init__(
        self,
        network: RecurrentActorCritic,
        params: Params,
        discount: float = 0.99,
        trace_decay: float = 0.9,
        entropy_weight: float = 0.03,
    ):
        checks.chance(discount=discount, trace_decay=trace_decay)
        checks.rate(entropy_weight=entropy_weight)
        self.network = network
        self.params = trainable(params)
        self.discount = discount
        self.trace_decay = trace_decay
        self.entropy_weight = entropy_weight
        self.progress = 0.0

    def advance(self, progress: float) -> None:
        """``meta_train`` tells how much of it is done, 0 … 1."""
        self.progress = progress

    def empty_memory(self, num_tasks: int, num_games: int) -> Tensor:
        """The memory before anything was seen: ``(T, N, width)``."""
        checks.count(num_tasks=num_tasks, num_games=num_games)
        checks.fits(num_tasks=num_tasks, num_games=num_games, width=self.network.width)
        return torch.zeros(num_tasks, num_games, self.network.width)

    @torch.no_grad()
    def read(self, memory: Tensor, observation: Tensor) -> Tensor:
        """The memory ``(T, N, width)`` after an observation ``(T, N, observation_size)``."""
        flat = self.network.read(self.params, memory.flatten(0, 1), observation.flatten(0, 1))
        return flat.view(memory.shape)

    def start(self, num_tasks: int, num_games: int) -> Tensor:
        """The memory before the first pull of a bandit: it has read that nothing happened yet."""
        memory = self.empty_memory(num_tasks, num_games)
        nothing = torch.zeros(num_tasks, num_games, self.network.observation_size)
        return self.read(memory, nothing)

    @torch.no_grad()
    def probabilities(self, memory: Tensor) -> Tensor:
        """How likely it is to choose each action, ``(T, N, num_actions)``."""
        return self.network.logits(self.params, memory).softmax(-1)

    def choose(self, memory: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """An action for each game, ``(T, N)``."""
        chances = self.probabilities(memory)
        noise = torch.empty_like(chances).exponential_(generator=generator)
        return (chances / noise).argmax(-1)

    def learn(self, memory: Tensor, arms: Tensor, rewards: Tensor) -> Tensor:
        """The memory after pulling the arms ``(T, N)`` of a bandit for these rewards."""
        return self.read(memory, seen(arms, rewards, self.network.num_actions))

    @torch.no_grad()
    def play(
        self,
        environment: Environment,
        tasks: Tensor,
        num_games: int = 1,
        generator: torch.Generator | None = None,
    ) -> Games:
        """Plays ``num_games`` games in each task, in any environment of a few actions."""
        state = environment.start(tasks, num_games, generator)
        memory, steps = self.empty_memory(len(tasks), num_games), []
        for _ in range(environment.horizon):
            observation = environment.observe(state)
            memory = self.read(memory, observation)
            action = self.choose(memory, generator)
            state, reward = environment.step(tasks, state, action, generator)
            steps.append((observation, action, reward))
        return Games(*stack_steps(steps), tasks)

    def meta_loss(self, games: Games) -> Tensor:
        """What descending improves the policy and the critic; its size means little."""
        network, params = self.network, self.params
        num_games = games.actions.shape[1]
        observations, actions, rewards = (
            part.flatten(0, 1).transpose(0, 1) for part in games[:3]
        )  # (H, T·N, …)
        memories = network.read_all(params, observations)
        tasks = games.tasks.flatten(1).float().repeat_interleave(num_games, 0)
        # The critic looks at the memory but does not shape it.
        values = network.values(params, memories.detach(), tasks)
        advantages = generalised_advantages(
            rewards.T, values.detach().T, self.discount, self.trace_decay
        ).T
        log_policy = network.logits(params, memories).log_softmax(-1)
        log_prob = log_policy.gather(-1, actions.unsqueeze(-1)).squeeze(-1)
        entropy = -(log_policy.exp() * log_policy).sum(-1)
        weight = self.entropy_weight * (1 - self.progress)
        policy_loss = -(log_prob * advantages + weight * entropy).mean()
        critic_loss = (values - (values.detach() + advantages)).square().mean()
        return policy_loss + critic_loss / len(rewards)

    def meta_gradient(self, games: Games) -> tuple[Tensor, Params]:
        """Minus the games' mean reward, and the gradient of the loss."""
        gradients = torch.autograd.grad(self.meta_loss(games), list(self.params.values()))
        return -games.returns.mean(), dict(zip(self.params, gradients, strict=True))


def practice(
    learner: RL2, lessons: Mapping[float, Environment], num_tasks: int
) -> Callable[..., Games]:
    """What ``meta_train`` is to call for games: one in each of ``num_tasks`` new tasks.

    Args:
        lessons: the environment by the share of the training after which it is played, from 0 on.
            ``{0: Bandits(5, 10), 0.5: Bandits(5, 30)}`` begins with short games.
    """
    return partial(_play_lesson, learner, lessons, num_tasks)


def _play_lesson(
    learner: RL2,
    lessons: Mapping[float, Environment],
    num_tasks: int,
    generator: torch.Generator | None = None,
) -> Games:
    environment = lessons[max(begins for begins in lessons if begins <= learner.progress)]
    tasks = environment.sample_tasks(num_tasks, generator)
    return learner.play(environment, tasks, generator=generator)
