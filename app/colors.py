"""The colours of the two themes, and the colour tables of data, which are the same in both. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array


@dataclass(frozen=True)
class Colors:
    """One theme's colours, as `#rrggbb`."""

    background: str
    panel: str
    raised: str
    line: str
    text: str
    dim: str
    accent: str
    """The network's answer, training, and "go"."""
    second: str
    """Validation, and what is wrong."""
    on_accent: str
    """Text upon the accent."""


DARK = Colors("#15181c", "#1c2026", "#242a31", "#2f363f", "#e6e9ed", "#8f99a5", "#4cc2b0", "#f0a35e", "#0e1113")
LIGHT = Colors("#f3f4f6", "#ffffff", "#f7f8fa", "#dfe3e8", "#1d2329", "#66707c", "#0f8f7f", "#c4691a", "#ffffff")

SERIES_DARK = ("#7aa7f7", "#e884bd", "#d8c14a", "#b59cf2", "#f2796b", "#83c968", "#5cc3e6", "#b6a08c")
SERIES_LIGHT = ("#2f66d0", "#b8327f", "#8a7400", "#6d4fc4", "#c93c30", "#3d8532", "#187fa8", "#7d6650")
"""For the lines of one plot, in order, where none of them is training or validation."""


def series_colors(colors: Colors) -> tuple[str, ...]:
    """The colours of a theme for the lines of one plot."""
    return SERIES_DARK if colors == DARK else SERIES_LIGHT


PALETTE = ("accent", "second", "#5b8def", "#d65fa1", "#8a6fd1", "#b08d1a", "#3f9fc4", "#9a6b50")
"""Colours that tell runs apart: the theme's own two, then some that stand out on light and dark alike."""


def color_of(number: int) -> str:
    """The colour of the run at `number`, `#rrggbb` or the name of a field of Colors; after the last they begin again."""
    return PALETTE[number % len(PALETTE)]


def lookup(stops: list[str]) -> Array:
    """A table of 256 colours, uint8 (256, 3), running evenly through `stops` (`#rrggbb`)."""
    rgb = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops], float)
    at = np.linspace(0, len(stops) - 1, 256)
    return (
        np.stack([np.interp(at, np.arange(len(stops)), rgb[:, channel]) for channel in range(3)], axis=1).round().astype(np.uint8)
    )


MAGMA = lookup(
    ["#000004", "#140e36", "#3b0f70", "#641a80", "#8c2981", "#b73779", "#de4968", "#f7705c", "#fe9f6d", "#fecf92", "#fcfdbf"]
)
"""For activations, from zero: eleven samples of matplotlib's perceptually uniform magma (CC0)."""

DIVERGING = lookup(["#1a5fb4", "#6ba3dc", "#c3d9ee", "#f7f7f7", "#f6cfa6", "#e8934a", "#c4560a"])
"""For weights, centred at zero: blue is negative, white zero, orange positive."""

GREY = lookup(["#000000", "#ffffff"])
"""For images: black is 0, white 255."""
