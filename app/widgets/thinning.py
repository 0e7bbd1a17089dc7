"""Which points of a long curve are drawn."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array

POINTS = 320
"""Most points of a curve that are drawn: about one every three pixels. Drawing time grows with their number."""


def thinned(steps: Array, values: Array, points: int = POINTS) -> tuple[Array, Array]:
    """About `points` of the points, evenly spaced, with the first and the last."""
    if len(steps) <= points:
        return steps, values
    chosen = np.linspace(0, len(steps) - 1, points).round().astype(np.int64)
    return steps[chosen], values[chosen]


def extremes(steps: Array, values: Array) -> tuple[Array, Array]:
    """The least and the largest value of each of POINTS / 2 equal stretches, so that no peak is lost."""
    size = -(-len(steps) // (POINTS // 2))
    whole = len(steps) // size * size if size > 1 else 0
    if not whole:
        return steps, values
    blocks = values[:whole].reshape(-1, size)
    low_high = np.stack([blocks.min(axis=1), blocks.max(axis=1)], axis=1).ravel()
    at = np.repeat(steps[:whole:size], 2)
    return np.concatenate([at, steps[whole:]]), np.concatenate([low_high, values[whole:]])


def in_sight(steps: Array, values: Array, low: float, high: float) -> tuple[Array, Array]:
    """The points from `low` to `high`, with the next one on either side, so that lines run on to the edges."""
    first = max(0, int(np.searchsorted(steps, low, side="left")) - 1)
    last = int(np.searchsorted(steps, high, side="right")) + 1
    return steps[first:last], values[first:last]
