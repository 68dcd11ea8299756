"""Bandit players beside the published table (Duan et al., 2016, table 1), and their variants.

python benchmarks/bandit_players.py [NUM_BANDITS]
"""

import sys

import torch

from metalearn_lite import checkpoints
from metalearn_lite.evaluation import Evaluation
from metalearn_lite.rl.bandit_planning import best_reward
from metalearn_lite.rl.bandit_players import (
    UCB1,
    EpsilonGreedy,
    Gittins,
    Greedy,
    RandomPlayer,
    Thompson,
    play,
)
from metalearn_lite.tasks.bandits import Bandits

LENGTHS = (10, 100, 500)
PLAYERS = {
    "random": (lambda _: RandomPlayer(), (5.0, 49.9, 249.8)),
    "greedy": (lambda _: Greedy(), None),
    "ε-greedy, ε = 0.05": (lambda _: EpsilonGreedy(), (6.6, 75.4, 388.2)),
    "Thompson, uniform prior": (lambda _: Thompson(), (5.7, 74.7, 402.0)),
    "Thompson, optimistic": (lambda _: Thompson(optimistic=True), None),
    "UCB1, 0.2, two imagined pulls": (lambda _: UCB1(), (6.7, 78.0, 405.8)),
    "UCB1, 0.2": (lambda _: UCB1(imagined_pulls=0), None),
    "UCB1 as stated by its authors": (lambda _: UCB1(exploration=1, imagined_pulls=0), None),
    "Gittins, discount 1 - 1 / pulls": (lambda pulls: Gittins(5, pulls), (6.6, 78.3, 405.8)),
    "Gittins, discount 0.99": (lambda pulls: Gittins(5, pulls, 0.99), None),
    "RL², trained on 10 pulls": (lambda _: checkpoints.load("bandits-rl2-10"), (6.7, None, None)),
    "RL², trained up to 100 pulls": (
        lambda _: checkpoints.load("bandits-rl2-100"),
        (None, 78.7, None),
    ),
}


def main(num_bandits: int) -> None:
    torch.set_num_threads(1)
    print(f"total reward, 5 arms, {num_bandits:,} bandits; in brackets what is published")
    print(f"{'pulls':32}" + "".join(f"{length:>26}" for length in LENGTHS))
    print(f"{'the best possible':32}{best_reward(5, 10):>26.3f}")
    for name, (make, published) in PLAYERS.items():
        print(f"{name:32}", end="")
        for length, figure in zip(LENGTHS, published or (None,) * 3, strict=True):
            generator = torch.Generator().manual_seed(1)
            bandits = Bandits(5, length)
            tasks = bandits.sample_tasks(num_bandits, generator)
            returns = play(make(length), bandits, tasks, generator=generator).returns
            ours = Evaluation(returns.squeeze(1))
            beside = "" if figure is None else f"({figure})"
            print(f"{ours.mean:>9.2f} ± {ours.interval:.2f} {beside:>9}", end="", flush=True)
        print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
