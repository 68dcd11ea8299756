"""RL²: its gradient against the enumeration of all games, and its verbs against each other."""

from itertools import product

import pytest
import torch
from truths import generator

from metalearn_lite import checkpoints
from metalearn_lite.rl.bandit_players import play
from metalearn_lite.rl.rl2 import RL2, Games, RecurrentActorCritic, practice
from metalearn_lite.tasks.bandits import Bandits, seen
from metalearn_lite.tasks.conventions import Conventions
from metalearn_lite.training import meta_train


def small(num_arms=2, width=5, seed=1, **settings):
    network = RecurrentActorCritic(num_arms + 1, num_arms, num_arms, width)
    params = network.init(generator(seed))
    params["action.weight"] *= 30  # far from uniform: a gradient that forgets a term shows it
    return RL2(network, params, **settings)


def test_reading_a_game_at_once_is_reading_it_step_by_step():
    learner = small(3)
    observations = torch.randn(7, 4, 4, generator=generator())
    at_once = learner.network.read_all(learner.params, observations)
    memory = torch.zeros(4, 5)
    for observation, expected in zip(observations, at_once, strict=True):
        memory = learner.network.read(learner.params, memory, observation)
        torch.testing.assert_close(memory, expected)


def test_as_a_bandit_player_it_plays_the_same_games():
    learner, bandits = small(3), Bandits(3, 6)
    tasks = bandits.sample_tasks(4, generator())
    games = learner.play(bandits, tasks, 2, generator(5))
    same = play(learner, bandits, tasks, 2, generator(5))
    for ours, theirs in zip(games[:3], same[:3], strict=True):
        assert torch.equal(ours, theirs)
    assert games.returns.shape == (4, 2)


def test_it_chooses_as_often_as_its_probabilities_say():
    learner = small(3)
    memory = learner.start(1, 1).expand(1, 20_000, -1)
    chances = learner.probabilities(memory)[0, 0]
    often = learner.choose(memory, generator()).flatten().bincount(minlength=3) / 20_000
    assert often == pytest.approx(chances, abs=0.015)
    assert chances.max() > chances.min() + 0.05


def all_games(num_arms, num_pulls, task):
    """Every game there can be, as a batch: ``T`` = 1, ``N`` = (2 · num_arms) ** num_pulls."""
    pulls = list(product(range(num_arms), (0.0, 1.0)))
    games = list(product(pulls, repeat=num_pulls))
    actions = torch.tensor([[[arm for arm, _ in game] for game in games]])
    rewards = torch.tensor([[[paid for _, paid in game] for game in games]])
    shown = seen(actions, rewards, num_arms)
    observations = torch.cat([torch.zeros_like(shown[:, :, :1]), shown[:, :, :-1]], 2)
    return Games(observations, actions, rewards, task[None])


def log_chances_of_actions(learner, games):
    """Read step by step, without the code that trains: ``(N, H)``."""
    memory, log_chances = torch.zeros(games.actions.shape[1], learner.network.width), []
    for step in range(games.actions.shape[2]):
        memory = learner.network.read(learner.params, memory, games.observations[0, :, step])
        log_policy = learner.network.logits(learner.params, memory).log_softmax(-1)
        log_chances.append(log_policy.gather(1, games.actions[0, :, step, None]).squeeze(1))
    return torch.stack(log_chances, 1)


@pytest.mark.parametrize("num_pulls", [1, 2, 3])
def test_the_policy_gradient_is_that_of_the_expected_reward(num_pulls):
    """The mean over all games of what is descended = minus the gradient of the mean reward."""
    task = torch.tensor([0.2, 0.9])
    learner = small(discount=1.0, trace_decay=1.0, entropy_weight=0.0)
    games = all_games(2, num_pulls, task)
    chance = task[games.actions[0]]
    luck = torch.where(games.rewards[0] == 1, chance, 1 - chance).prod(1)
    likely = luck * log_chances_of_actions(learner, games).sum(1).exp()
    assert likely.sum().item() == pytest.approx(1)
    expected = torch.autograd.grad((likely * games.returns[0]).sum(), policy(learner).values())
    mean = [torch.zeros_like(value) for value in expected]
    for number, weight in enumerate(likely.tolist()):
        one = Games(*(part[:, number : number + 1] for part in games[:3]), games.tasks)
        _, gradient = learner.meta_gradient(one)
        for total, name in zip(mean, policy(learner), strict=True):
            total += weight * gradient[name] * num_pulls
    for ours, truth in zip(mean, expected, strict=True):
        assert -ours == pytest.approx(truth, abs=1e-6)
    assert max(truth.abs().max() for truth in expected) > 0.01


def policy(learner):
    return {name: p for name, p in learner.params.items() if not name.startswith("critic")}


def test_the_critic_learns_what_the_player_will_be_paid():
    """With a policy that stays as it is, on one certain arm: 4, 3, 2, 1 payments are left."""
    learner = small(discount=1.0, trace_decay=1.0)
    bandits, tasks = Bandits(2, 4), torch.ones(64, 2)
    critic = [value for name, value in learner.params.items() if name.startswith("critic")]
    optimizer = torch.optim.Adam(critic, lr=0.02)
    for step in range(150):
        games = learner.play(bandits, tasks, generator=generator(step))
        _, gradient = learner.meta_gradient(games)
        for name, value in learner.params.items():
            value.grad = gradient[name]
        optimizer.step()
    memories = learner.network.read_all(learner.params, games.observations[:, 0].transpose(0, 1))
    values = learner.network.values(learner.params, memories, tasks).mean(1).tolist()
    assert values == pytest.approx([4, 3, 2, 1], abs=0.1)


def test_entropy_is_rewarded_at_first_and_less_and_less():
    bandits = Bandits(3, 4)
    plain, curious = small(3, entropy_weight=0.0), small(3, entropy_weight=0.5)
    games = plain.play(bandits, bandits.sample_tasks(6, generator()), 1, generator(1))
    memory, entropies = plain.empty_memory(6, 1), []
    for step in range(4):
        memory = plain.read(memory, games.observations[:, :, step])
        chances = plain.probabilities(memory)
        entropies.append(-(chances * chances.log()).sum(-1).mean().item())
    for progress, weight in ((0.0, 0.5), (0.8, 0.1), (1.0, 0.0)):
        curious.advance(progress)
        gain = (plain.meta_loss(games) - curious.meta_loss(games)).item()
        assert gain == pytest.approx(weight * sum(entropies) / 4, abs=1e-5)


def test_the_player_is_not_told_what_the_critic_sees():
    learner, bandits = small(3), Bandits(3, 5)
    games = learner.play(bandits, bandits.sample_tasks(4, generator()), 1, generator(1))
    other = games._replace(tasks=1 - games.tasks)
    assert not torch.equal(learner.meta_loss(games), learner.meta_loss(other))
    _, gradient = learner.meta_gradient(games)
    assert gradient["input.weight"].shape == (3 * 5, 4)  # one-hot arm and reward, nothing else


def test_lessons_follow_each_other():
    learner = small()
    sample = practice(learner, {0: Bandits(2, 3), 0.5: Bandits(2, 6)}, 4)
    for progress, length in ((0.0, 3), (0.49, 3), (0.5, 6), (0.9, 6)):
        learner.advance(progress)
        assert sample(generator=generator()).rewards.shape == (4, 1, length)


def test_two_arms_are_learned_in_seconds():
    bandits = Bandits(2, 5)
    network = RecurrentActorCritic(3, 2, 2, 16)
    learner = RL2(network, network.init(generator()))
    tasks = bandits.sample_tasks(4000, generator(9))
    before = learner.play(bandits, tasks, 1, generator(9)).returns.mean()
    meta_train(learner, practice(learner, {0: bandits}, 256), 120, generator(1), outer_lr=2e-2)
    after = learner.play(bandits, tasks, 1, generator(9)).returns.mean()
    assert before == pytest.approx(2.5, abs=0.1)
    assert after > 2.75


def test_other_games_are_played_too():
    game = Conventions(3, 6)
    network = RecurrentActorCritic(game.observation_size, 3, 9, 8)
    learner = RL2(network, network.init(generator()))
    history = meta_train(learner, practice(learner, {0: game}, 8), 2, generator())
    assert len(history.losses) == 2


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(tmp_path):
    def run(stop_at=None):
        learner = small()
        play_on = practice(learner, {0: Bandits(2, 3), 0.5: Bandits(2, 6)}, 8)

        def sample(generator):
            if stop_at is not None and learner.progress >= stop_at:
                raise InterruptedError
            return play_on(generator)

        return learner, sample

    whole, sample = run()
    meta_train(whole, sample, 6, generator(3))
    state = tmp_path / "run.safetensors"
    stopped, sample = run(0.6)
    with pytest.raises(InterruptedError):
        meta_train(stopped, sample, 6, generator(3), save_to=state, save_every=2)
    resumed, sample = run()
    meta_train(resumed, sample, 6, generator(99), save_to=state)
    for name, value in whole.params.items():
        assert torch.equal(value, resumed.params[name])


def test_what_is_saved_comes_back(tmp_path):
    learner = small(3, discount=0.95, trace_decay=0.5, entropy_weight=0.2)
    checkpoints.save(learner, "mine", {}, tmp_path)
    back = checkpoints.load("mine", tmp_path)
    assert (back.discount, back.trace_decay, back.entropy_weight) == (0.95, 0.5, 0.2)
    for name, value in learner.params.items():
        assert torch.equal(value, back.params[name])
