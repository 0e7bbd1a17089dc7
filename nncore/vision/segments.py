"""From the pieces of a line to its digits: pieces are joined and cut by trying, and a classifier says which way is surest.

Each way to part a line has a cost: how unsure the classifier is of every digit, and how odd the digit's shape, the joints and
the cuts are. The cheapest way is found as a shortest path (Viterbi's algorithm over a lattice of segments).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nncore.arrays import Array
from nncore.vision.centring import centre_digit, stroke_width
from nncore.vision.cuts import find_cuts, sliced
from nncore.vision.lines import Layout, Line
from nncore.vision.pieces import Pieces, measured

Classifier: TypeAlias = Callable[[Array], Array]
"""From uint8 images (N, 28, 28, 1) to the probabilities of the ten digits, float32 (N, 10)."""

MOST_PARTS = 7
"""A digit is put together from at most so many pieces."""
AT_ONCE = 500
"""Images shown to the classifier at a time: for more it might compile a faster way first."""
WIDEST = 1.7
"""Pieces are joined to what is at most so many heights of the line wide."""
LOWEST, HIGHEST = 0.6, 2.5
"""What is lower or higher than so many heights of its line is not cut: it is no row of digits."""
SMALLEST = 8
"""Pixels of height from which on a piece is cut."""
BAR = 0.5
"""A piece whose strokes are at least so many times as wide as it is high is a bar, as a 5 or 7 begins with, and not cut."""
LEAST_SURE = 0.02
"""The classifier is taken to be at least so sure; what it says below that means nothing."""
WEIGHT = 1.5
"""What doubt counts beside odd shapes, joints and cuts."""
_ROWS = np.arange(28)[:, None]
_SLANTED = [np.clip(np.arange(28) + np.round(slant * (_ROWS - 14)).astype(int), 0, 27) for slant in (-0.25, 0.25)]
"""The columns that a slanted image takes from its rows."""
DEAREST_JOINT = 4.0
"""Joints that cost more are not tried."""
WIDE, SURE = 0.8, 0.95
"""A piece is tried in parts where it is wider than WIDE of its line's height and the classifier less sure than SURE of it,"""
TOO_WIDE = 1.15
"""or wider than this, however sure the classifier is."""


@dataclass(frozen=True, eq=False)
class Segment:
    """What is taken for one digit."""

    pieces: tuple[int, ...]
    box: tuple[int, int, int, int]
    """First row, first column, and one past the last row and column."""
    image: Array
    """uint8 (28, 28)"""


@dataclass(frozen=True, eq=False)
class Parting:
    """How the lines of a page were parted into digits."""

    pieces: Pieces
    """Those of the page, cut where digits touch."""
    lines: tuple[tuple[Segment, ...], ...]
    joined: int
    """Digits that were put together from several pieces."""
    cut: int
    """Cuts between digits that touch."""


def part(pieces: Pieces, layout: Layout, classify: Classifier, centre: Callable[[Array], Array] = centre_digit) -> Parting:
    """The digits of every line, from left to right. Pieces are named in the layout by one less than their number.

    `centre` makes an image, uint8 (28, 28), of a digit's ink.
    """
    lattices = [_Lattice.of(pieces, line) for line in layout.lines]
    tried = _Tried(classify, centre)
    tried.look(pieces, [group for lattice in lattices if lattice.is_unclear for group in lattice.groups()])
    pieces, lattices = _cut(pieces, lattices, tried)
    tried.look(pieces, [group for lattice in lattices if lattice.is_unclear for group in lattice.groups()])
    tried.look_again([group for lattice in lattices if lattice.has_choice for group in lattice.groups()])
    lines, joined, cut = [], 0, 0
    for lattice in lattices:
        chosen = lattice.cheapest(tried)
        whole = [{lattice.origin[each] for each in group} for group in chosen]
        joined += sum(len(each) > 1 for each in whole)
        cut += sum(bool(one & other) for one, other in itertools.pairwise(whole))
        tried.centre(pieces, chosen)
        lines.append(tuple(Segment(group, pieces.box(group), tried.images[group]) for group in chosen))
    return Parting(pieces, tuple(lines), joined, cut)


class _Tried:
    """The groups of pieces that the classifier has seen."""

    def __init__(self, classify: Classifier, centre: Callable[[Array], Array]) -> None:
        self._classify, self._centre = classify, centre
        self.images: dict[tuple[int, ...], Array] = {}
        """uint8 (28, 28) of each"""
        self.sure: dict[tuple[int, ...], float] = {}
        """The highest probability of each that the classifier was asked about; where a line is plain it is not asked."""
        self._first: dict[tuple[int, ...], Array] = {}
        """The probabilities of each, before it was shown slanted too."""

    def centre(self, pieces: Pieces, groups: Sequence[tuple[int, ...]]) -> None:
        """Make the images of groups that have none."""
        self.images |= {group: self._centre(pieces.crop(group)) for group in groups if group not in self.images}

    def look(self, pieces: Pieces, groups: Sequence[tuple[int, ...]]) -> None:
        """Show the classifier, all at once, what it has not seen."""
        new = [group for group in dict.fromkeys(groups) if group not in self.sure]
        if new:
            self.centre(pieces, new)
            answers = self._ask(np.stack([self.images[group] for group in new]))
            self._first |= dict(zip(new, answers, strict=True))
            self.sure |= dict(zip(new, answers.max(axis=1).tolist(), strict=True))

    def look_again(self, groups: Sequence[tuple[int, ...]]) -> None:
        """Show groups that the classifier has seen once more, slanted: of what is no digit it is then seldom as sure as before."""
        if groups:
            images = np.stack([self.images[group] for group in groups])
            slanted = self._ask(np.concatenate([images[:, _ROWS, each] for each in _SLANTED]))
            answers = [np.stack([self._first[group] for group in groups]), *np.split(slanted, len(_SLANTED))]
            self.sure |= dict(zip(groups, np.mean(answers, axis=0).max(axis=1).tolist(), strict=True))

    def _ask(self, images: Array) -> Array:
        """The probabilities, float32 (N, 10), for uint8 images (N, 28, 28)."""
        parts = (images[start : start + AT_ONCE, ..., None] for start in range(0, len(images), AT_ONCE))
        return np.concatenate([self._classify(each) for each in parts])

    def doubt(self, group: tuple[int, ...]) -> float:
        """How unsure the classifier is of a group: the negative logarithm of its highest probability."""
        return -WEIGHT * float(np.log(max(self.sure.get(group, 1.0), LEAST_SURE)))


@dataclass(frozen=True, eq=False)
class _Lattice:
    """The pieces of a line from left to right, and what each way to part it costs besides the classifier's doubt."""

    numbers: tuple[int, ...]
    boxes: Array
    """float64 (pieces, 4)"""
    height: float
    """Of the line's digits."""
    origin: dict[int, int]
    """The piece that each is a part of; itself where nothing was cut."""
    crossed: dict[int, float]
    """How much ink the cut on the left of a part crosses, in widths of the pen."""

    @classmethod
    def of(cls, pieces: Pieces, line: Line) -> _Lattice:
        numbers = [each + 1 for each in (*line.bodies, *line.parts)]
        return cls._sorted(pieces, numbers, line.height, {each: each for each in numbers}, {})

    @classmethod
    def _sorted(
        cls, pieces: Pieces, numbers: list[int], height: float, origin: dict[int, int], crossed: dict[int, float]
    ) -> _Lattice:
        middle = {each: int(pieces.boxes[each, 1] + pieces.boxes[each, 3]) for each in numbers}
        # The parts of a piece stay beside each other.
        ends: dict[int, list[int]] = {}
        for each in numbers:
            ends.setdefault(origin[each], []).append(middle[each])
        numbers.sort(key=lambda each: (np.mean(ends[origin[each]]), origin[each], each))
        return cls(tuple(numbers), pieces.boxes[numbers].astype(float), height, origin, crossed)

    def cut(self, pieces: Pieces, parts: dict[int, list[int]], crossed: dict[int, float]) -> _Lattice:
        """The lattice with some of its pieces replaced by their parts."""
        numbers = [part for each in self.numbers for part in parts.get(each, [each])]
        origin = {part: each for each in self.numbers for part in parts.get(each, [each])}
        return self._sorted(pieces, numbers, self.height, origin, crossed)

    @property
    def has_choice(self) -> bool:
        """Whether there is more than one way to part the line."""
        return any(len(self._stops(start)) > 1 for start in range(len(self.numbers)))

    @property
    def is_unclear(self) -> bool:
        """Whether it matters what the classifier says: there is a choice, or something to be cut or left out."""
        wide = (self.boxes[:, 3] - self.boxes[:, 1] > WIDE * self.height).any()
        return bool(wide) or self.has_choice or any(self._left_out(place) is not None for place in range(len(self.numbers)))

    def groups(self) -> list[tuple[int, ...]]:
        """What is worth trying as a digit: neighbours that fit together."""
        return [self.numbers[start:stop] for start in range(len(self.numbers)) for stop in self._stops(start)]

    def _stops(self, start: int) -> list[int]:
        """Where a group that begins with the piece at `start` may end."""
        stops = [start + 1]
        joints, parts = 0.0, 1
        for stop in range(start + 2, len(self.numbers) + 1):
            joint = self._joint(stop - 2)
            joints += joint
            parts += self.origin[self.numbers[stop - 2]] != self.origin[self.numbers[stop - 1]]
            if parts > MOST_PARTS or joints > DEAREST_JOINT or self._extent(start, stop)[1] > WIDEST * self.height:
                break
            stops.append(stop)
        return stops

    def _extent(self, start: int, stop: int) -> tuple[float, float]:
        """Height and width of the pieces from `start` to before `stop`."""
        boxes = self.boxes[start:stop]
        return float(boxes[:, 2].max() - boxes[:, 0].min()), float(boxes[:, 3].max() - boxes[:, 1].min())

    def _overlap(self, place: int) -> float:
        """How much of the narrower of a piece and the next lies above or below the other, 0 to 1; negative across a gap."""
        one, other = self.boxes[place], self.boxes[place + 1]
        shared = min(one[3], other[3]) - max(one[1], other[1])
        return float(shared / max(min(one[3] - one[1], other[3] - other[1]), 1))

    def _joint(self, place: int) -> float:
        """What it costs that the piece at `place` and the next belong to one digit."""
        one, other = self.boxes[place], self.boxes[place + 1]
        if self.origin[self.numbers[place]] == self.origin[self.numbers[place + 1]]:
            return 0.0
        right = max(one[1], other[1]) - min(one[3], other[3])
        down = max(one[0], other[0]) - min(one[2], other[2])
        if self._overlap(place) >= 0.5:
            return 2.0 * max(down, 0.0) / self.height
        smaller = min(one[2] - one[0], other[2] - other[0]) / self.height
        base = 0.3 + 2.2 * min(max((smaller - 0.4) / 0.3, 0.0), 1.0)
        return base + 5.0 * max(right, down, 0.0) / self.height

    def _boundary(self, place: int) -> float:
        """What it costs that one digit ends with the piece at `place` and the next begins behind it."""
        number = self.numbers[place + 1]
        if self.origin[self.numbers[place]] == self.origin[number]:
            return 0.7 + 1.2 * max(self.crossed[number] - 0.8, 0.0)
        return 3.0 * max(self._overlap(place) - 0.3, 0.0)

    def _shape(self, start: int, stop: int) -> float:
        """What it costs that a digit has the size of these pieces."""
        high, wide = self._extent(start, stop)
        high, wide = high / self.height, wide / self.height
        return 6.0 * max(0.6 - high, 0.0) + (max(wide - 1.0, 0.0) / 0.2) ** 2

    def _left_out(self, place: int) -> float | None:
        """What it costs to take the piece at `place` for dirt; None where it is too large for that."""
        box = self.boxes[place]
        size = max(box[2] - box[0], box[3] - box[1]) / self.height
        return None if size > 0.5 else 0.7 + 8.0 * size**2

    def cheapest(self, tried: _Tried) -> list[tuple[int, ...]]:
        """The groups of the cheapest way to part the line."""
        count = len(self.numbers)
        best, before = [np.inf] * (count + 1), [0] * (count + 1)
        left_out = [False] * (count + 1)
        best[0] = 0.0
        for start in range(count):
            edge = self._boundary(start - 1) if start else 0.0
            for stop in self._stops(start):
                joints = sum(self._joint(place) for place in range(start, stop - 1))
                total = best[start] + edge + joints + self._shape(start, stop) + tried.doubt(self.numbers[start:stop])
                if total < best[stop]:
                    best[stop], before[stop], left_out[stop] = total, start, False
            cost = self._left_out(start)
            if cost is not None and best[start] + cost < best[start + 1]:
                best[start + 1], before[start + 1], left_out[start + 1] = best[start] + cost, start, True
        groups, stop = [], count
        while stop:
            if not left_out[stop]:
                groups.append(self.numbers[before[stop] : stop])
            stop = before[stop]
        return groups[::-1]


def _cut(pieces: Pieces, lattices: list[_Lattice], tried: _Tried) -> tuple[Pieces, list[_Lattice]]:
    """Cut what may be several digits that touch; a shortest path puts together again what belongs together."""
    numbers, parts, crossed = pieces.numbers.copy(), dict[int, list[int]](), dict[int, float]()
    last = len(pieces)
    for lattice in lattices:
        for number in lattice.numbers:
            wide, high = pieces.widths[number] / lattice.height, pieces.heights[number] / lattice.height
            sure = tried.sure.get((number,), 1.0)
            if (
                pieces.heights[number] < SMALLEST
                or not LOWEST <= high <= HIGHEST
                or not (wide > TOO_WIDE or (wide > WIDE and sure < SURE))
            ):
                continue
            top, left, bottom, right = pieces.boxes[number]
            place = slice(top, bottom), slice(left, right)
            mine = pieces.numbers[place] == number
            ink = pieces.ink[place] * mine
            cuts = find_cuts(ink, lattice.height) if stroke_width(ink) < BAR * pieces.heights[number] else []
            if not cuts:
                continue
            part = sliced(mine, cuts)
            numbers[place][mine] = last + 1 + part[mine]
            there = np.flatnonzero(np.bincount(part[mine], minlength=len(cuts) + 1))
            parts[number] = [last + 1 + int(each) for each in there]
            crossed |= {last + 1 + int(each): cuts[each - 1].crossed for each in there if each}
            last += len(cuts) + 1
    if not parts:
        return pieces, lattices
    pieces = measured(pieces.ink, numbers)
    return pieces, [lattice.cut(pieces, parts, crossed) for lattice in lattices]
