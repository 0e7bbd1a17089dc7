"""Ink that hangs together: pieces, each with its box, from which digits are put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array

PIECE = 0.4
"""Ink above this hangs together."""
REACH = 2
"""Half-tones this many pixels around a piece belong to it."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """The pieces of an ink map, numbered from 1."""

    ink: Array
    """float32 (height, width), 0 to 1"""
    numbers: Array
    """int32 (height, width): the piece that each pixel belongs to, 0 where there is none"""
    boxes: Array
    """int64 (pieces + 1, 4): first row, first column, and one past the last row and column of each; row 0 is zero"""

    def __len__(self) -> int:
        """How many pieces there are."""
        return len(self.boxes) - 1

    @property
    def heights(self) -> Array:
        """int64 (pieces + 1)"""
        return self.boxes[:, 2] - self.boxes[:, 0]

    @property
    def widths(self) -> Array:
        """int64 (pieces + 1)"""
        return self.boxes[:, 3] - self.boxes[:, 1]

    def box(self, chosen: Sequence[int]) -> tuple[int, int, int, int]:
        """The box around the chosen pieces, as in `boxes`."""
        boxes = self.boxes[list(chosen)]
        top, left = boxes[:, :2].min(axis=0)
        bottom, right = boxes[:, 2:].max(axis=0)
        return int(top), int(left), int(bottom), int(right)

    def crop(self, chosen: Sequence[int]) -> Array:
        """The ink of the chosen pieces and the half-tones around them, within their box and REACH pixels around it."""
        top, left, bottom, right = self.box(chosen)
        place = slice(max(top - REACH, 0), bottom + REACH), slice(max(left - REACH, 0), right + REACH)
        return self.ink[place] * _theirs(self.numbers[place], chosen)

    def only(self, chosen: Iterable[int]) -> Array:
        """The ink map with these pieces alone."""
        return self.ink * _theirs(self.numbers, [*chosen])


def _theirs(numbers: Array, chosen: Sequence[int]) -> Array:
    """Which pixels belong to the chosen pieces: their own, and those of no piece within REACH of them."""
    own = numbers == chosen[0] if len(chosen) == 1 else np.isin(numbers, chosen)
    return own | ((numbers == 0) & _reached(_reached(own).T).T)


def _reached(there: Array) -> Array:
    """Pixels (rows, columns) of which one is there that is at most REACH rows away."""
    # Or-ing shifted rows takes a fifth of the time of SciPy's filters, which are made for any window.
    reached = there.copy()
    for rows in range(1, REACH + 1):
        reached[rows:] |= there[:-rows]
        reached[:-rows] |= there[rows:]
    return reached


def find_pieces(ink: Array) -> Pieces:
    """The pieces of ink (height, width), 0 to 1; pixels that touch at a corner hang together."""
    from scipy.ndimage import label

    numbers, count = label(ink > PIECE, np.ones((3, 3), bool))
    return Pieces(ink, numbers, boxes_of(numbers, count))


def boxes_of(numbers: Array, count: int) -> Array:
    """The boxes, as in `Pieces.boxes`, of `count` pieces whose pixels are numbered from 1 (height, width); zero of one that has no
    pixel.
    """
    from scipy.ndimage import find_objects

    boxes = np.zeros((count + 1, 4), np.int64)
    for number, place in enumerate(find_objects(numbers, count), start=1):
        if place is not None:
            boxes[number] = place[0].start, place[1].start, place[0].stop, place[1].stop
    return boxes
