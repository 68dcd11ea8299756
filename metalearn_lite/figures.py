"""How every figure of the course looks: colours that colour-blind readers can tell apart."""

from __future__ import annotations

COLORS = {  # the palette of Okabe & Ito (2008)
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "pink": "#CC79A7",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "black": "#222222",
    "gray": "#777777",
}


def use_course_style() -> None:
    """Sets matplotlib's defaults for this session: palette, sizes, light grid, no box."""
    import matplotlib as mpl

    palette = [COLORS[name] for name in ("blue", "orange", "green", "red", "pink", "sky")]
    mpl.rcParams.update(
        {
            "axes.prop_cycle": mpl.cycler(color=palette),
            "axes.grid": True,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "font.size": 11,
            "grid.alpha": 0.3,
            "legend.frameon": False,
            "lines.linewidth": 2,
        }
    )
