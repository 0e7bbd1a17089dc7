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
    found = []
    for start in range(spacing, columns - spacing + 1, max(1, spacing // 2)):
        left, right = max(start - sway, 1), min(start + sway + 1, columns)
        path, cost = _path(ink[:, left:right])
        found.append(Cut(path + left, cost / pen))
    chosen: list[Cut] = []
    for cut in sorted(found, key=lambda cut: cut.crossed):
        place = float(cut.columns.mean())
        if spacing * 0.8 <= place <= columns - spacing * 0.8 and all(
            abs(place - other.columns.mean()) >= spacing for other in chosen
        ):
            chosen.append(cut)
    return sorted(chosen[:MOST], key=lambda cut: float(cut.columns.mean()))


def _path(ink: Array) -> tuple[Array, float]:
    """The way from the top to the bottom of the ink (rows, columns) through least of it: a column a row, and the ink on the way.

    It begins in any column and moves at most one to the side with each row.
    """
    rows, columns = ink.shape
    total = ink[0].astype(np.float64)
    steps = np.zeros((rows, columns), np.int8)
    walled = np.full(columns + 2, np.inf)
    for row in range(1, rows):
        walled[1:-1] = total
        ways = np.stack([walled[1:-1], walled[:-2] + BEND, walled[2:] + BEND])
        best = ways.argmin(axis=0)
        steps[row] = np.array([0, -1, 1], np.int8)[best]
        total = ways[best, np.arange(columns)] + ink[row]
    # Of ways that cross the same, the one in the middle.
    ends = np.flatnonzero(total <= total.min() + 1e-6)
    path = np.empty(rows, np.int64)
    path[-1] = ends[len(ends) // 2]
    for row in range(rows - 1, 0, -1):
        path[row - 1] = path[row] + steps[row, path[row]]
    return path, float(ink[np.arange(rows), path].sum())


def sliced(ink: Array, cuts: list[Cut]) -> Array:
    """Which part of the ink (rows, columns) each pixel belongs to, int64 from 0: how many cuts lie left of it."""
    part = np.zeros(ink.shape, np.int64)
    edge = np.zeros(len(ink), np.int64)
    for cut in cuts:
        edge = np.maximum(edge, cut.columns)
        part += np.arange(ink.shape[1])[None] >= edge[:, None]
    return part
