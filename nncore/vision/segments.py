"""From the pieces of a line to its digits: pieces are joined and cut by trying, and a classifier says which way is surest.

Each way to part a line has a cost: how unsure the classifier is of every digit, and how odd the digit's shape, the joints and
the cuts are. The cheapest way is found as a shortest path (Viterbi's algorithm over a lattice of segments).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from nncore.arrays import Array
from nncore.vision.centring import centre_digit, stroke_width
from nncore.vision.cuts import find_cuts, sliced
from nncore.vision.lines import Layout, Line
from nncore.vision.pieces import Pieces, boxes_of

Classifier: TypeAlias = Callable[[Array], Array]
"""From uint8 images (N, 28, 28, 1) to the probabilities of the ten digits, float32 (N, 10)."""

Group: TypeAlias = tuple[int, ...]
"""The numbers of pieces that may be one digit."""

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

    pieces: Group
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
    pieces, lattices = _cut(pieces, lattices, tried)
    lines, joined, cut = [], 0, 0
    for lattice, chosen in zip(lattices, _cheapest(pieces, lattices, tried), strict=True):
        whole = [{lattice.origin[each] for each in group} for group in chosen]
        joined += sum(len(each) > 1 for each in whole)
        cut += sum(bool(one & other) for one, other in itertools.pairwise(whole))
        tried.centre(pieces, chosen)
        lines.append(tuple(Segment(group, pieces.box(group), tried.images[group]) for group in chosen))
    return Parting(pieces, tuple(lines), joined, cut)


def _cheapest(pieces: Pieces, lattices: Sequence[_Lattice], tried: _Tried) -> list[list[Group]]:
    """The groups of the cheapest way to part each line.

    Doubt makes no way cheaper. So the classifier is asked only about groups of a way that would be the cheapest if it were sure
    of them, until it has been asked about all of the cheapest.
    """
    ways = [lattice.cheapest(tried) for lattice in lattices]
    unclear = [number for number, lattice in enumerate(lattices) if lattice.is_unclear]
    while new := {group: lattices[number].has_choice for number in unclear for group in ways[number] if group not in tried.doubts}:
        tried.look(pieces, new)
        unclear = [number for number in unclear if not new.keys().isdisjoint(ways[number])]
        for number in unclear:
            ways[number] = lattices[number].cheapest(tried)
    return ways


class _Tried:
    """The groups of pieces that the classifier has seen."""

    def __init__(self, classify: Classifier, centre: Callable[[Array], Array]) -> None:
        self._classify, self._centre = classify, centre
        self.images: dict[Group, Array] = {}
        """uint8 (28, 28) of each"""
        self.upright: dict[Group, Array] = {}
        """The probabilities of each as it stands, float32 (10)."""
        self.doubts: dict[Group, float] = {}
        """How unsure the classifier is of each that it has been asked about: the negative logarithm of its highest probability."""

    def centre(self, pieces: Pieces, groups: Iterable[Group]) -> None:
        """Make the images of groups that have none."""
        self.images |= {group: self._centre(pieces.crop(group)) for group in groups if group not in self.images}

    def look_upright(self, pieces: Pieces, groups: Sequence[Group]) -> None:
        """Show the classifier, all at once, groups that it has not seen."""
        if groups:
            self.centre(pieces, groups)
            self.upright |= zip(groups, self._ask(np.stack([self.images[group] for group in groups])), strict=True)

    def look(self, pieces: Pieces, groups: Mapping[Group, bool]) -> None:
        """Find the doubts of groups. With each is told whether it is shown slanted, too: of what is no digit the classifier is
        then seldom as sure as before.
        """
        new = [group for group in groups if group not in self.upright]
        slanted = [group for group, is_slanted in groups.items() if is_slanted]
        self.centre(pieces, new)
        images = [self.images[group] for group in new]
        images += [self.images[group][_ROWS, columns] for columns in _SLANTED for group in slanted]
        answers = self._ask(np.stack(images)) if images else np.zeros((0, 10), np.float32)
        self.upright |= zip(new, answers, strict=False)
        found = {group: self.upright[group] for group in groups}
        turned = answers[len(new) :]
        found |= {
            group: np.mean([self.upright[group], *turned[place :: len(slanted)]], axis=0) for place, group in enumerate(slanted)
        }
        self.doubts |= {group: -WEIGHT * math.log(max(float(each.max()), LEAST_SURE)) for group, each in found.items()}

    def _ask(self, images: Array) -> Array:
        """The probabilities, float32 (N, 10), for uint8 images (N, 28, 28)."""
        parts = (images[start : start + AT_ONCE, ..., None] for start in range(0, len(images), AT_ONCE))
        return np.concatenate([self._classify(each) for each in parts])


@dataclass(frozen=True, eq=False)
class _Lattice:
    """The pieces of a line from left to right, and what each way to part it costs besides the classifier's doubt."""

    numbers: tuple[int, ...]
    boxes: tuple[tuple[int, ...], ...]
    """First row, first column, and one past the last row and column of each."""
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
        boxes = dict(zip(numbers, pieces.boxes[numbers].tolist(), strict=True))
        # The parts of a piece stay beside each other.
        ends: dict[int, list[int]] = {}
        for each in numbers:
            ends.setdefault(origin[each], []).append(boxes[each][1] + boxes[each][3])
        middle = {each: sum(those) / len(those) for each, those in ends.items()}
        numbers.sort(key=lambda each: (middle[origin[each]], origin[each], each))
        return cls(tuple(numbers), tuple(tuple(boxes[each]) for each in numbers), height, origin, crossed)

    def cut(self, pieces: Pieces, parts: dict[int, list[int]], crossed: dict[int, float]) -> _Lattice:
        """The lattice with some of its pieces replaced by their parts."""
        numbers = [part for each in self.numbers for part in parts.get(each, [each])]
        origin = {part: each for each in self.numbers for part in parts.get(each, [each])}
        return self._sorted(pieces, numbers, self.height, origin, crossed)

    @cached_property
    def has_choice(self) -> bool:
        """Whether there is more than one way to part the line."""
        return any(len(steps) > 1 for steps in self._steps)

    @cached_property
    def is_unclear(self) -> bool:
        """Whether it matters what the classifier says: there is a choice, or something to be cut or left out."""
        wide = any(box[3] - box[1] > WIDE * self.height for box in self.boxes)
        return wide or self.has_choice or any(self._left_out(place) is not None for place in range(len(self.numbers)))

    @cached_property
    def _steps(self) -> list[list[tuple[int, float]]]:
        """For each piece that a group may begin with, where it may end, and what it costs besides doubt."""
        steps = []
        for start in range(len(self.numbers)):
            edge = self._boundary(start - 1) if start else 0.0
            steps.append([(stop, edge + joints + self._shape(start, stop)) for stop, joints in self._stops(start)])
        return steps

    def _stops(self, start: int) -> list[tuple[int, float]]:
        """Where a group that begins with the piece at `start` may end so that its pieces fit, and what their joints cost."""
        stops = [(start + 1, 0.0)]
        joints, parts = 0.0, 1
        for stop in range(start + 2, len(self.numbers) + 1):
            joints += self._joint(stop - 2)
            parts += self.origin[self.numbers[stop - 2]] != self.origin[self.numbers[stop - 1]]
            if parts > MOST_PARTS or joints > DEAREST_JOINT or self._extent(start, stop)[1] > WIDEST * self.height:
                break
            stops.append((stop, joints))
        return stops

    def _extent(self, start: int, stop: int) -> tuple[int, int]:
        """Height and width of the pieces from `start` to before `stop`."""
        top, left, bottom, right = zip(*self.boxes[start:stop], strict=True)
        return max(bottom) - min(top), max(right) - min(left)

    def _overlap(self, place: int) -> float:
        """How much of the narrower of a piece and the next lies above or below the other, 0 to 1; negative across a gap."""
        one, other = self.boxes[place], self.boxes[place + 1]
        shared = min(one[3], other[3]) - max(one[1], other[1])
        return shared / max(min(one[3] - one[1], other[3] - other[1]), 1)

    def _joint(self, place: int) -> float:
        """What it costs that the piece at `place` and the next belong to one digit."""
        one, other = self.boxes[place], self.boxes[place + 1]
        if self.origin[self.numbers[place]] == self.origin[self.numbers[place + 1]]:
            return 0.0
        right = max(one[1], other[1]) - min(one[3], other[3])
        down = max(one[0], other[0]) - min(one[2], other[2])
        if self._overlap(place) >= 0.5:
            return 2.0 * max(down, 0) / self.height
        smaller = min(one[2] - one[0], other[2] - other[0]) / self.height
        base = 0.3 + 2.2 * min(max((smaller - 0.4) / 0.3, 0.0), 1.0)
        return base + 5.0 * max(right, down, 0) / self.height

    def _boundary(self, place: int) -> float:
        """What it costs that one digit ends with the piece at `place` and the next begins behind it."""
        number = self.numbers[place + 1]
        if self.origin[self.numbers[place]] == self.origin[number]:
            return 0.7 + 1.2 * max(self.crossed[number] - 0.8, 0.0)
        return 3.0 * max(self._overlap(place) - 0.3, 0.0)

    def _shape(self, start: int, stop: int) -> float:
        """What it costs that a digit has the size of these pieces."""
        high, wide = (size / self.height for size in self._extent(start, stop))
        return 6.0 * max(0.6 - high, 0.0) + (max(wide - 1.0, 0.0) / 0.2) ** 2

    def _left_out(self, place: int) -> float | None:
        """What it costs to take the piece at `place` for dirt; None where it is too large for that."""
        box = self.boxes[place]
        size = max(box[2] - box[0], box[3] - box[1]) / self.height
        return None if size > 0.5 else 0.7 + 8.0 * size**2

    def cheapest(self, tried: _Tried) -> list[Group]:
        """The groups of the cheapest way to part the line. Of what the classifier has not been asked it is taken to be sure."""
        count = len(self.numbers)
        best, before = [math.inf] * (count + 1), [0] * (count + 1)
        left_out = [False] * (count + 1)
        best[0] = 0.0
        for start, steps in enumerate(self._steps):
            for stop, cost in steps:
                total = best[start] + cost + tried.doubts.get(self.numbers[start:stop], 0.0)
                if total < best[stop]:
                    best[stop], before[stop], left_out[stop] = total, start, False
            dirt = self._left_out(start)
            if dirt is not None and best[start] + dirt < best[start + 1]:
                best[start + 1], before[start + 1], left_out[start + 1] = best[start] + dirt, start, True
        groups, stop = [], count
        while stop:
            if not left_out[stop]:
                groups.append(self.numbers[before[stop] : stop])
            stop = before[stop]
        return groups[::-1]


def _cut(pieces: Pieces, lattices: list[_Lattice], tried: _Tried) -> tuple[Pieces, list[_Lattice]]:
    """Cut what may be several digits that touch; a shortest path puts together again what belongs together."""
    wide = [(lattice, number) for lattice in lattices for number in lattice.numbers if _may_be_cut(pieces, number, lattice.height)]
    tried.look_upright(pieces, [(number,) for lattice, number in wide if pieces.widths[number] / lattice.height <= TOO_WIDE])
    parts, crossed = dict[int, list[int]](), dict[int, float]()
    numbers, boxes = pieces.numbers, [pieces.boxes]
    last = len(pieces)
    for lattice, number in wide:
        if (number,) in tried.upright and tried.upright[(number,)].max() >= SURE:
            continue
        top, left, bottom, right = pieces.boxes[number]
        place = slice(top, bottom), slice(left, right)
        mine = pieces.numbers[place] == number
        ink = pieces.ink[place] * mine
        cuts = find_cuts(ink, lattice.height) if stroke_width(ink) < BAR * pieces.heights[number] else []
        if not cuts:
            continue
        part = np.where(mine, 1 + sliced(mine, cuts), 0)
        numbers = numbers.copy() if numbers is pieces.numbers else numbers
        numbers[place][mine] = last + part[mine]
        there = boxes_of(part, len(cuts) + 1)
        boxes.append(there[1:] + np.array([top, left, top, left]))
        parts[number] = [last + each for each in range(1, len(there)) if there[each].any()]
        crossed |= {last + each: cuts[each - 2].crossed for each in range(2, len(there)) if there[each].any()}
        last += len(cuts) + 1
    if not parts:
        return pieces, lattices
    pieces = Pieces(pieces.ink, numbers, np.concatenate(boxes))
    return pieces, [lattice.cut(pieces, parts, crossed) for lattice in lattices]


def _may_be_cut(pieces: Pieces, number: int, height: float) -> bool:
    """Whether a piece in a line of digits so high is wide enough for several, as far as its box tells."""
    top, left, bottom, right = pieces.boxes[number].tolist()
    high, wide = (bottom - top) / height, (right - left) / height
    return bottom - top >= SMALLEST and LOWEST <= high <= HIGHEST and wide > WIDE
