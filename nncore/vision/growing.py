"""The pieces of a drawing that changes: only where it has changed is it looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nncore.arrays import Array
from nncore.vision.pieces import PIECE, REACH, Pieces, boxes_of

MOST_CROPS = 200
"""Crops that are kept."""
Name: TypeAlias = tuple[tuple[int, int], ...]
"""The first pixels of pieces that are taken together."""


@dataclass(frozen=True, eq=False)
class KnownPieces(Pieces):
    """Pieces of which the same ones are not cropped again as long as nothing has changed near them."""

    firsts: Sequence[tuple[int, int]]
    """Row and column of the first pixel of each piece."""
    crops: dict[Name, Array]

    def crop(self, chosen: Sequence[int]) -> Array:
        name = tuple([self.firsts[each - 1] for each in chosen])
        if name not in self.crops:
            self.crops[name] = super().crop(chosen)
        return self.crops[name]


class GrowingPieces:
    """Finds the pieces of one state of a drawing after the other. For one thread.

    A piece that nothing was drawn on or beside stays as it is; what else there is around the change is numbered anew.
    """

    def __init__(self) -> None:
        self._take_size((0, 0))

    def _take_size(self, shape: tuple[int, ...]) -> None:
        """Begin with a blank drawing."""
        self._drawing, self._ink, self._numbers = np.zeros(shape, np.uint8), np.zeros(shape, np.float32), np.zeros(shape, np.int32)
        self._boxes = np.zeros((1, 4), np.int64)
        self._firsts: list[tuple[int, int]] = []
        """Row and column of the first pixel of each piece, by which pieces are numbered."""
        self._crops: dict[Name, Array] = {}
        """Crops of pieces near which nothing has changed since."""

    def find(self, drawing: Array) -> Pieces:
        """The pieces of a drawing, uint8 (height, width), ink 255 on 0, as `find_pieces` finds them in its ink.

        Their arrays hold until the next call, which writes into them.
        """
        if drawing.shape != self._drawing.shape:
            self._take_size(drawing.shape)
        differs = drawing != self._drawing
        rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
        if len(rows):
            place = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
            self._drawing[place] = drawing[place]
            self._ink[place] = drawing[place] * np.float32(1 / 255)
            self._forget_crops(*place)
            self._number(*place)
        return KnownPieces(self._ink, self._numbers, self._boxes, self._firsts, self._crops)

    def _forget_crops(self, rows: slice, columns: slice) -> None:
        """Forget the crops in which something lies that has changed: they reach a little beyond the boxes of their pieces."""
        top, left, bottom, right = rows.start - REACH, columns.start - REACH, rows.stop + REACH, columns.stop + REACH
        boxes = dict(zip(self._firsts, self._boxes[1:].tolist(), strict=True))
        touched = {first for first, box in boxes.items() if box[0] < bottom and box[2] > top and box[1] < right and box[3] > left}
        many = len(self._crops) > MOST_CROPS
        self._crops = {} if many else {name: crop for name, crop in self._crops.items() if touched.isdisjoint(name)}

    def _number(self, rows: slice, columns: slice) -> None:
        """Find the pieces of which something lies in these rows and columns, or beside them, anew."""
        from scipy.ndimage import label

        count = len(self._firsts)
        beside = self._numbers[max(rows.start - 1, 0) : rows.stop + 1, max(columns.start - 1, 0) : columns.stop + 1]
        is_free = np.bincount(beside.ravel(), minlength=count + 1) > 0
        is_free[0] = True
        boxes = np.concatenate([[(rows.start, columns.start, rows.stop, columns.stop)], self._boxes[1:][is_free[1:]]])
        (top, left), (bottom, right) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        place = slice(top, bottom), slice(left, right)
        free = is_free[self._numbers[place]]
        labels, found = label((self._ink[place] > PIECE) & free, np.ones((3, 3), bool))
        new = boxes_of(labels, found)[1:]
        firsts = [(int(top + box[0]), int(left + np.argmax(labels[box[0]] == number))) for number, box in enumerate(new, start=1)]
        kept = (np.flatnonzero(~is_free[1:])).tolist()
        firsts = [self._firsts[each] for each in kept] + firsts
        boxes = np.concatenate([self._boxes[1:][kept], new + np.array([top, left, top, left])])
        order = sorted(range(len(firsts)), key=firsts.__getitem__)
        numbers = np.empty(len(order), np.int32)
        numbers[order] = np.arange(1, len(order) + 1)
        self._renumber(kept, numbers[: len(kept)], count)
        np.copyto(self._numbers[place], np.concatenate([[0], numbers[len(kept) :]])[labels], where=free, casting="unsafe")
        self._firsts = [firsts[each] for each in order]
        self._boxes = np.concatenate([np.zeros((1, 4), np.int64), boxes[order]])

    def _renumber(self, kept: list[int], numbers: Array, count: int) -> None:
        """Give those of `count` pieces that are kept, named by one less than their old numbers, their new ones."""
        moved = [each for each, number in zip(kept, numbers.tolist(), strict=True) if number != each + 1]
        if moved:
            boxes = self._boxes[1:][moved]
            (top, left), (bottom, right) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
            renamed = np.zeros(count + 1, np.int32)
            renamed[np.array(kept) + 1] = numbers
            self._numbers[top:bottom, left:right] = renamed[self._numbers[top:bottom, left:right]]
