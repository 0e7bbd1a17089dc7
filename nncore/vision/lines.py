"""Which pieces stand in a line, and the order in which lines are read. Plain geometry of boxes; no pixel is looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nncore.arrays import Array

FARTHEST = 3.0
"""Neighbours of a line stand at most so many heights apart; what is farther away may be another column."""
STEEPEST = 0.36
"""Slope of a line (20°) beyond which it is none."""
LEVEL = 0.45
"""Lines whose middles differ by less than this share of a height stand level."""


@dataclass(frozen=True)
class Line:
    """One line of digits."""

    bodies: tuple[int, ...]
    """Its large pieces from left to right."""
    parts: tuple[int, ...]
    """Its small pieces: parts of broken digits, dots, dirt."""
    height: float
    """The height of its digits, in pixels."""


@dataclass(frozen=True)
class Layout:
    """The lines of a page in reading order."""

    lines: tuple[Line, ...]
    slope: float
    """How far a line sinks over one pixel to the right: its skew."""
    columns: int
    """How many columns the lines stand in."""


def find_lines(boxes: Array) -> Layout:
    """The lines of pieces with these boxes, int64 (N, 4) as in `Pieces.boxes`: pieces are named by their row in it.

    Lines are read from the top to the bottom, column by column where lines stand in columns; the lines of a table, which
    stand level with each other, are read across.
    """
    if not len(boxes):
        return Layout((), 0.0, 0)
    heights, middles = (boxes[:, 2] - boxes[:, 0]).astype(float), (boxes[:, 0] + boxes[:, 2]) / 2
    is_small = _small(boxes)
    bodies = np.flatnonzero(~is_small)
    chains = _chains(boxes, bodies)
    slope = _slope(boxes, chains)
    across = (boxes[:, 1] + boxes[:, 3]) / 2
    level = middles - slope * across
    ordered, columns = _in_order(chains, boxes, level)
    lines = [(chain, _quantile(heights[chain], 0.7), _quantile(level[chain], 0.5)) for chain in ordered]
    parts: list[list[int]] = [[] for _ in lines]
    for piece in np.flatnonzero(is_small).tolist():
        nearest = _line_of(piece, boxes, level, lines)
        if nearest is not None:
            parts[nearest].append(piece)
    return Layout(
        tuple(Line(tuple(chain), tuple(small), height) for (chain, height, _), small in zip(lines, parts, strict=True)),
        slope,
        columns,
    )


def _quantile(values: Array, share: float) -> float:
    """The value (of N) below which a share of them lies, linear between two; NumPy's takes longer than all else here."""
    ordered = sorted(values.tolist())
    place = share * (len(ordered) - 1)
    low = int(place)
    below, above = float(ordered[low]), float(ordered[min(low + 1, len(ordered) - 1)])
    return below + (above - below) * (place - low)


def _small(boxes: Array) -> Array:
    """Which pieces are parts of others or dirt: far smaller than their neighbours, or than most of the ink on the page."""
    heights, widths = (boxes[:, 2] - boxes[:, 0]).astype(float), (boxes[:, 3] - boxes[:, 1]).astype(float)
    order = np.argsort(heights)
    share = np.cumsum((heights * widths)[order])
    typical = float(heights[order][np.searchsorted(share, share[-1] / 2)])
    down = np.maximum(boxes[:, None, 0] - boxes[None, :, 2], boxes[None, :, 0] - boxes[:, None, 2])
    right = np.maximum(boxes[:, None, 1] - boxes[None, :, 3], boxes[None, :, 1] - boxes[:, None, 3])
    near = np.maximum(down, right) < 0.6 * heights[None]
    dwarfed = ((heights[None] > 2.0 * heights[:, None]) & near).any(axis=1)
    return (dwarfed | (heights < 0.3 * typical)) & (heights < typical)


def _chains(boxes: Array, bodies: Array) -> list[list[int]]:
    """Bodies joined to their neighbours on the right, the nearest first: each chain from left to right."""
    top, left, bottom, right = boxes[bodies].T
    height, middle, centre = bottom - top, (top + bottom) / 2, (left + right) / 2
    overlap = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    gap = np.maximum(left[None] - right[:, None], 0)
    away, largest = np.abs(middle[:, None] - middle), np.maximum(height[:, None], height)
    fits = (
        (overlap >= 0.4 * np.minimum(height[:, None], height))
        & (centre[None] > centre[:, None])
        & (gap <= FARTHEST * largest)
        & (away <= 0.5 * largest)
    )
    first, second = np.nonzero(fits)
    order = np.argsort(gap[first, second] + 1.5 * away[first, second] + 0.1 * (centre[second] - centre[first]), kind="stable")
    after, before = dict[int, int](), dict[int, int]()
    for one, other in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if one not in after and other not in before:
            after[one], before[other] = other, one
    chains = []
    for start in range(len(bodies)):
        if start not in before:
            chain = [start]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            chains.append([int(bodies[each]) for each in chain])
    return chains


def _slope(boxes: Array, chains: Sequence[Sequence[int]]) -> float:
    """The slope of most lines: the weighted median of the slopes of chains, each fitted to its middles."""
    slopes, weights = [], []
    for chain in chains:
        if len(chain) >= 3:
            along, down = (boxes[chain, 1] + boxes[chain, 3]) / 2, (boxes[chain, 0] + boxes[chain, 2]) / 2
            away = along - along.sum() / len(chain)
            slope = float(away @ down) / float(away @ away)  # of the straight line that fits best; np.polyfit takes longer
            slopes.append(min(max(slope, -STEEPEST), STEEPEST))
            weights.append(float(np.ptp(along)))
    if not slopes:
        return 0.0
    order = np.argsort(slopes)
    share = np.cumsum(np.array(weights)[order])
    return slopes[order[np.searchsorted(share, share[-1] / 2)]]


def _in_order(chains: Sequence[list[int]], boxes: Array, level: Array) -> tuple[list[list[int]], int]:
    """The chains in reading order, those of one row of a table joined, and how many columns there are."""
    heights = boxes[:, 2] - boxes[:, 0]
    rows = [_Row(chain, _quantile(level[chain], 0.5), _quantile(heights[chain], 0.5)) for chain in chains]
    columns = _columns(sorted(rows, key=lambda row: int(boxes[row.pieces, 1].min())), boxes)
    return [row.pieces for column in columns for row in _joined(column, boxes)], len(columns)


@dataclass(frozen=True)
class _Row:
    """Pieces that stand in a row."""

    pieces: list[int]
    middle: float
    """Where they stand, the page's slope taken out."""
    height: float

    def is_level(self, other: _Row) -> bool:
        """Whether the other stands in the same line."""
        return abs(self.middle - other.middle) < LEVEL * min(self.height, other.height)


def _joined(rows: Sequence[_Row], boxes: Array) -> list[_Row]:
    """The rows from top to bottom, those that stand level and beside each other joined."""
    lines: list[_Row] = []
    for row in sorted(rows, key=lambda each: each.middle):
        mates = [line for line in lines if line.is_level(row) and _are_apart(line.pieces, row.pieces, boxes)]
        if mates:
            nearest = min(mates, key=lambda line: abs(line.middle - row.middle))
            nearest.pieces.extend(row.pieces)
            nearest.pieces.sort(key=lambda piece: boxes[piece, 1] + boxes[piece, 3])
        else:
            lines.append(_Row(list(row.pieces), row.middle, row.height))
    return lines


def _are_apart(line: Sequence[int], row: Sequence[int], boxes: Array) -> bool:
    """Whether no piece of the one lies over the other."""
    both = sorted((*line, *row), key=lambda piece: boxes[piece, 1])
    mine = set(line)
    return all((one in mine) == (other in mine) or boxes[one, 3] <= boxes[other, 1] for one, other in pairwise(both))


def _columns(rows: Sequence[_Row], boxes: Array) -> list[Sequence[_Row]]:
    """The rows, sorted by their left ends, by the columns that they stand in.

    Columns lie on both sides of an empty strip from top to bottom, and their rows do not stand level with each other.
    """
    end = -math.inf
    for place, row in enumerate(rows):
        if end < boxes[row.pieces, 1].min() and min(place, len(rows) - place) >= 2 and not _is_table(rows[:place], rows[place:]):
            return [*_columns(rows[:place], boxes), *_columns(rows[place:], boxes)]
        end = max(end, float(boxes[row.pieces, 3].max()))
    return [rows]


def _is_table(left: Sequence[_Row], right: Sequence[_Row]) -> bool:
    """Whether most rows of the side that has fewer stand level with one of the other side."""
    few, many = sorted((left, right), key=len)
    return sum(any(row.is_level(other) for other in many) for row in few) >= 0.7 * len(few)


def _line_of(piece: int, boxes: Array, level: Array, lines: Sequence[tuple[list[int], float, float]]) -> int | None:
    """The line that a small piece stands in, by its place; None where it stands in none."""
    best, found = 0.75, None
    for number, (chain, height, _) in enumerate(lines):
        nearest = min(chain, key=lambda body: abs(boxes[body, 1] + boxes[body, 3] - boxes[piece, 1] - boxes[piece, 3]))
        gap = max(boxes[nearest, 1] - boxes[piece, 3], boxes[piece, 1] - boxes[nearest, 3])
        away = abs(level[piece] - level[nearest]) / height
        if gap < 0.6 * height and away < best:
            best, found = away, number
    return found
