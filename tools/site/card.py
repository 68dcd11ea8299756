"""The picture that messengers show beside a link: the course's own experiment, drawn anew."""

from __future__ import annotations

from pathlib import Path

import torch

from metalearn_lite import checkpoints
from metalearn_lite.figures import COLORS, look, use_course_style
from metalearn_lite.tasks.sinusoids import Sinusoids

SIZE = 12, 6.3  # inches of 100 pixels: what messengers ask for


def draw(path: Path) -> None:
    """Five points of a wave, and what MAML and joint training make of them in ten steps."""
    import matplotlib.pyplot as plt

    use_course_style()
    wave = Sinusoids().sample(
        1, num_shots=5, num_queries=200, generator=torch.Generator().manual_seed(2)
    )
    grid = torch.linspace(-5, 5, 200)[None, :, None]
    figure, ax = plt.subplots(figsize=SIZE)
    for name, checkpoint in (("joint training", "sinusoid-joint"), ("MAML", "sinusoid-maml")):
        learner = checkpoints.load(checkpoint)
        adapted = learner.adapt(wave.support, inner_steps=10)
        style = look(name) | {"marker": ""}
        ax.plot(
            grid[0, :, 0], learner.predict(adapted, grid)[0].detach(), lw=5, label=name, **style
        )
    order = wave.query.x[0, :, 0].argsort()
    ax.plot(
        wave.query.x[0, order, 0],
        wave.query.y[0, order],
        color=COLORS["gray"],
        lw=2,
        label="the wave",
    )
    ax.plot(wave.support.x[0, :, 0], wave.support.y[0], "o", color=COLORS["black"], ms=16)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.legend(fontsize=20, loc="upper right", frameon=False)
    figure.suptitle(
        "metalearn-lite: learn meta-learning by running it", fontsize=30, fontweight="bold"
    )
    figure.savefig(path, dpi=100)
    plt.close(figure)
