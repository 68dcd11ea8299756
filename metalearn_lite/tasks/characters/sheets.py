"""A contact sheet: characters in rows, their drawers in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_sheet(images: Tensor, title: str) -> Figure:
    """A figure of `images` (rows, columns, S, S) uint8, ink 255, drawn dark on white paper."""
    import matplotlib.pyplot as plt

    rows, columns, size, _ = images.shape
    figure, axes = plt.subplots(figsize=(0.4 * columns, 0.4 * rows + 0.4))
    sheet = images.permute(0, 2, 1, 3).reshape(rows * size, columns * size)
    axes.imshow(255 - sheet.numpy(), cmap="gray", vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title)
    axes.grid(False)
    plt.close(figure)  # shown where it is displayed, not once more by itself
    return figure
