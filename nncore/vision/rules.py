"""The printed lines of ruled and squared paper: found as long, thin, nearly straight runs of ink, and taken away."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array

SMALLEST = 64
"""Smaller pictures, in pixels of the shorter side, are not looked at: a stroke of the pen may be as long and thin as a rule."""
FAINTEST = 0.2
"""Ink above this may be a rule: they are often paler than the pen."""
STEEPEST = 0.15
"""Slope up to which lines are looked for."""
COVERED = 0.6
"""Share of the picture's width that a rule covers at least, where there are more than one;"""
COVERED_ALONE = 0.85
"""and where there is only one, which runs from border to border besides."""
SHORTEST = 0.15
"""Share of the width that a line which leaves the picture goes through at least."""
GRID = 400
"""Places along the longer side in which the share is counted."""


def without_rules(ink: Array) -> tuple[Array, int]:
    """The ink (height, width) without the lines of ruled or squared paper, and how many lines there were.

    Where a stroke crosses a line, the stroke stays.
    """
    if min(ink.shape) < SMALLEST:
        return ink, 0
    left, across = _without_level(ink, alone=True)
    # Strokes are as often upright as lines are: those across count only where there are many or others level.
    turned, down = _without_level(left.T, alone=False)
    if down and (across >= 2 or down >= 3):
        return turned.T, across + down
    return left, across


def _without_level(ink: Array, alone: bool) -> tuple[Array, int]:
    """The ink without level lines, and how many there were; a single one only where `alone` says so."""
    from scipy.ndimage import label

    there = ink > FAINTEST
    # Pixels above each other are a run, numbered from 1.
    runs, count = label(there, np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0]]))
    if not count:
        return ink, 0
    length = np.bincount(runs.ravel())
    length[0] = np.iinfo(np.int32).max
    thin = length <= max(6, max(ink.shape) // 100)
    rows, columns = np.nonzero(thin[runs])
    if not len(rows):
        return ink, 0
    gone: list[Array] = []
    curves = _curves(rows, columns, ink.shape)
    for curve in curves:
        mine = _runs_along(curve, runs, thin)
        share, reaches = _coverage(mine[1], np.flatnonzero((curve > -0.5) & (curve < len(ink) - 0.5)))
        if share >= COVERED if len(curves) > 1 else alone and share >= COVERED_ALONE and reaches:
            found = runs[mine[0], mine[1]]
            thickest = 1.5 * float(np.median(length[found])) + 1
            gone.append(np.unique(found[length[found] <= thickest]))
    if not gone or (len(gone) == 1 and not alone):
        return ink, 0
    removed = np.isin(runs, np.concatenate(gone))
    left = np.where(removed, 0, ink)
    # The half-tones along a line's edges go with it, those of strokes stay.
    kept = there & ~removed
    for shift in (1, -1):
        for _ in range(2):
            beside = np.roll(removed, shift, axis=0)
            left[beside & ~there & ~np.roll(kept, 1, axis=0) & ~np.roll(kept, -1, axis=0)] = 0
    edge = np.concatenate([left[0], left[-1], left[:, 0], left[:, -1]])
    # A digit that fills its picture may have such a line of its own.
    return (ink, 0) if len(gone) == 1 and edge.max() >= 2 * FAINTEST else (left, len(gone))


def _curves(rows: Array, columns: Array, shape: tuple[int, ...]) -> list[Array]:
    """Where rules may lie among thin runs (their rows and columns): a row for every column of each, float64 (width)."""
    height, width = shape
    step = max(1, max(shape) // GRID)
    places = -(-width // step)
    best, found, slope_found = 0.0, np.zeros(0), 0.0
    for slope in np.arange(-STEEPEST, STEEPEST + 1e-9, 1.5 * step / width):
        share = _shares(rows, columns, slope, shape, step, places)
        score = float((np.maximum(share - 0.35, 0) ** 2).sum())
        if score > best:
            best, found, slope_found = score, share, float(slope)
    curves, along = list[Array](), np.arange(width)
    middles = (np.arange(len(found)) + 0.5) * 2 * step - STEEPEST * width
    # A line that leaves the picture through its upper or lower side covers less.
    levels = middles[:, None] + slope_found * step * (np.arange(places) + 0.5)
    inside = ((levels >= 0) & (levels < height)).mean(axis=1)
    found = np.where(inside >= SHORTEST, found / np.maximum(inside, SHORTEST), 0)
    taken = np.zeros(len(found), bool)
    for place in np.argsort(-found):
        if found[place] < 0.4:
            break
        if taken[max(place - 2, 0) : place + 3].any():
            continue
        taken[place] = True
        middle = middles[place]
        near = np.flatnonzero(np.abs(rows - slope_found * columns - middle) <= 3 * step)
        curve = slope_found * along + middle
        # Paper is seldom flat: a parabola, fitted twice, the second time without what lies beside it.
        for reach in (3 * step, step + 1.5):
            close = near[np.abs(rows[near] - curve[columns[near]]) <= reach]
            if len(close) >= 10:
                curve = np.polyval(np.polyfit(columns[close] / width, rows[close], 2), along / width)
        curves.append(curve)
    return curves


def _shares(rows: Array, columns: Array, slope: float, shape: tuple[int, ...], step: int, places: int) -> Array:
    """For every strip of that slope, which share of the picture's width the pixels in it cover."""
    height, width = shape
    strips = int((height + 2 * STEEPEST * width) / (2 * step)) + 2
    strip = ((rows - slope * columns + STEEPEST * width) / (2 * step)).astype(np.int64)
    there = np.zeros(strips * places, bool)
    there[np.clip(strip, 0, strips - 1) * places + columns // step] = True
    return there.reshape(strips, places).mean(axis=1)


def _runs_along(curve: Array, runs: Array, thin: Array) -> tuple[Array, Array]:
    """Rows and columns of pixels of thin runs that lie on a curve, one at most in each column."""
    columns = np.arange(len(curve))
    found = np.full(len(curve), -1)
    for away in (2, -2, 1, -1, 0):
        row = np.round(curve).astype(np.int64) + away
        inside = (row >= 0) & (row < len(runs))
        found = np.where(inside & thin[runs[np.where(inside, row, 0), columns]], row, found)
    there = np.flatnonzero(found >= 0)
    return found[there], there


def _coverage(covered: Array, columns: Array) -> tuple[float, bool]:
    """Which share of the columns are covered, and whether the first and the last are, nearly."""
    if not len(covered) or not len(columns):
        return 0.0, False
    near = 0.05 * len(columns)
    return len(covered) / len(columns), bool(covered[0] <= columns[0] + near and covered[-1] >= columns[-1] - near)
