"""What a trajectory looks like: the pictures that ``rl.gym`` renders, one function for each task.

Each draws on ``ax`` where a trajectory stands after S steps. All are numpy arrays: ``task``
``(…)``, ``states`` ``(S + 1, …)``, ``actions`` ``(S, …)`` and ``rewards`` ``(S,)``.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np

from metalearn_lite.figures import COLORS
from metalearn_lite.tasks.bandits import Bandits
from metalearn_lite.tasks.conventions import Conventions
from metalearn_lite.tasks.environment import Environment
from metalearn_lite.tasks.navigation import Navigation
from metalearn_lite.tasks.vehicle import Vehicle


def picture(
    environment: Environment,
    task: np.ndarray,
    states: np.ndarray,
    actions: np.ndarray,
    rewards: np.ndarray,
) -> np.ndarray:
    """Red, green and blue from 0 to 255, ``(360, 360, 3)``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4.5), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    draw(environment, ax, task, states, actions, rewards)
    ax.set_title(f"step {len(rewards)} of {environment.horizon}, return {rewards.sum():.2f}")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


@singledispatch
def draw(
    environment: Environment,
    ax: Any,
    task: np.ndarray,
    states: np.ndarray,
    actions: np.ndarray,
    rewards: np.ndarray,
) -> None:
    """Of an environment without a picture of its own: the numbers of its state, as bars."""
    ax.bar(range(states[-1].size), states[-1].flatten(), color=COLORS["blue"])
    ax.set(xlabel="number in the state", ylabel="value")


@draw.register
def _(environment: Bandits, ax, task, states, actions, rewards):
    """How likely each arm pays, how often it was pulled and paid; the last pull is orange."""
    arms = range(environment.num_actions)
    colors = [COLORS["sky"]] * environment.num_actions
    if len(actions):
        colors[int(actions[-1])] = COLORS["orange"]
    ax.bar(arms, task, color=colors)
    for arm in arms:
        paid = rewards[actions == arm]
        ax.text(arm, 1.03, f"{paid.sum():.0f} of {len(paid)}", ha="center")
    ax.set(xlabel="arm", ylabel="chance to pay", ylim=(0, 1.1), xticks=arms)


@draw.register
def _(environment: Conventions, ax, task, states, actions, rewards):
    """The partner's convention in gray, this round's signal framed, what paid and what did not."""
    size = environment.num_actions
    ax.imshow(task, cmap="Greys", vmin=0, vmax=2)
    signals = states[:, :size].argmax(1)
    for paid, marker, color in ((1, "o", COLORS["blue"]), (0, "x", COLORS["red"])):
        seen = rewards == paid
        ax.plot(actions[seen], signals[:-1][seen], marker, color=color, markersize=12)
    ax.axhspan(signals[-1] - 0.5, signals[-1] + 0.5, fill=False, edgecolor=COLORS["orange"], lw=3)
    ax.set(xlabel="action", ylabel="signal", xticks=range(size), yticks=range(size))


@draw.register
def _(environment: Navigation, ax, task, states, actions, rewards):
    """The square in which goals lie, the goal as a star, the path and the place it has come to."""
    path = states[:, :2]
    ax.plot([-0.5, 0.5, 0.5, -0.5, -0.5], [-0.5, -0.5, 0.5, 0.5, -0.5], color=COLORS["gray"])
    ax.plot(*path.T, color=COLORS["blue"])
    ax.plot(*path[-1], "o", color=COLORS["blue"], markersize=9)
    ax.plot(*task, "*", color=COLORS["orange"], markersize=16)
    reach = max(0.6, 1.1 * float(np.abs(path).max()))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")


@draw.register
def _(environment: Vehicle, ax, task, states, actions, rewards):
    """From above: the heading as an arrow and its last five in gray, the dashed one to turn to."""
    for heading in states[-6:-1, 0].tolist():
        ax.plot([0, np.sin(heading)], [0, np.cos(heading)], color=COLORS["gray"], alpha=0.4)
    ax.plot([0, 0], [0, 1.1], "--", color=COLORS["orange"])
    heading, rate = states[-1].tolist()
    ax.annotate(
        "",
        (np.sin(heading), np.cos(heading)),
        (0, 0),
        arrowprops={"color": COLORS["blue"], "width": 3},
    )
    torque = actions[-1].item() if len(actions) else 0.0
    ax.set_xlabel(f"heading {heading:.2f}, turning {rate:.2f} a second, torque {torque:.2f}")
    ax.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal", xticks=(), yticks=())
