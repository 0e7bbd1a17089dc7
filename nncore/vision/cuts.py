"""Where a piece of ink may be cut into digits that touch: along paths from its top to its bottom that cross little ink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.vision.centring import stroke_width

SPACING = 0.14
"""Cuts lie at least this share of a digit's height apart."""
SWAY = 0.25
"""A cut strays sideways by at most this share of a digit's height, since writing slants."""
BEND = 0.06
"""What a step sideways costs, in pixels of ink: a straight cut is better than a crooked one."""
MOST = 40
"""Cuts of one piece."""


@dataclass(frozen=True, eq=False)
class Cut:
    """One path."""

    columns: Array
    """int64 (rows): the first column right of the cut, in every row of the ink"""
    crossed: float
    """How much ink it goes through, in widths of the pen."""


def find_cuts(ink: Array, height: float) -> list[Cut]:
    """The cuts of a piece's ink (rows, columns) that cross least, from left to right; its digits are about `height` pixels high."""
    columns = ink.shape[1]
    spacing, sway = max(2, round(SPACING * height)), max(1, round(SWAY * height))
    pen = max(stroke_width(ink), 1.0)
    starts = np.arange(spacing, columns - spacing + 1, max(1, spacing // 2))
    paths, costs = _paths(ink, starts, sway)
    found = [Cut(path, cost / pen) for path, cost in zip(paths, costs.tolist(), strict=True)]
    chosen: list[Cut] = []
    for cut in sorted(found, key=lambda cut: cut.crossed):
        place = float(cut.columns.mean())
        if spacing * 0.8 <= place <= columns - spacing * 0.8 and all(
            abs(place - other.columns.mean()) >= spacing for other in chosen
        ):
            chosen.append(cut)
    return sorted(chosen[:MOST], key=lambda cut: float(cut.columns.mean()))


def _paths(ink: Array, starts: Array, sway: int) -> tuple[Array, Array]:
    """For each start, int64 (N), the way from the top to the bottom of the ink (rows, columns) through least of it.

    It stays within `sway` columns of its start, begins in any of them, and moves at most one to the side with each row. Returned
    are a column a row, int64 (N, rows), and the ink on the way, float64 (N).
    """
    rows, columns = ink.shape
    # All starts at once: one step a row for the lot of them. Columns that are not there, and the first, which nothing lies
    # before, are walled off.
    places = starts[:, None] + np.arange(-sway, sway + 1)
    there = (places >= 1) & (places < columns)
    window = np.where(there, ink[:, np.clip(places, 0, columns - 1)], np.inf)
    to_right, to_left = np.zeros(window.shape, bool), np.zeros(window.shape, bool)
    total = window[0].astype(np.float64)
    best, bent = np.empty_like(total), np.full((len(starts), places.shape[1] + 2), np.inf)
    left, right = bent[:, :-2], bent[:, 2:]
    for row in range(1, rows):  # a step goes straight down where it can
        np.add(total, BEND, out=bent[:, 1:-1])
        np.less(left, total, out=to_left[row])
        np.minimum(total, left, out=best)
        np.less(right, best, out=to_right[row])
        np.minimum(best, right, out=best)
        np.add(best, window[row], out=total)
    steps = to_right.astype(np.int8) - (to_left & ~to_right)
    # Of ways that cross the same, the one in the middle.
    cheap = total <= total.min(axis=1, keepdims=True) + 1e-6
    rank = np.cumsum(cheap, axis=1)
    at = np.argmax(rank > (rank[:, -1:] // 2), axis=1)
    which = np.arange(len(starts))
    paths = np.empty((len(starts), rows), np.int64)
    paths[:, -1] = at
    for row in range(rows - 1, 0, -1):
        at = at + steps[row, which, at]
        paths[:, row - 1] = at
    paths += places[:, :1]
    return paths, ink[np.arange(rows), paths].sum(axis=1, dtype=np.float64)


def sliced(ink: Array, cuts: list[Cut]) -> Array:
    """Which part of the ink (rows, columns) each pixel belongs to, int64 from 0: how many cuts lie left of it."""
    part = np.zeros(ink.shape, np.int64)
    edge = np.zeros(len(ink), np.int64)
    for cut in cuts:
        edge = np.maximum(edge, cut.columns)
        part += np.arange(ink.shape[1])[None] >= edge[:, None]
    return part
