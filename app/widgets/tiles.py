"""Tiles: where the maps of a layer lie, side by side in rows, and the picture of all of them. Lengths are logical pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from nncore.arrays import Array, Shape

GAP, CELL_GAP = 2, 1
"""Pixels between two maps, and between two cells of single numbers."""
LARGEST_MAP, LARGEST_CELL = 112, 16
"""Pixels of a map's longer side, and of a cell, at most where several layers lie side by side."""
MAIN, SMALL_MAIN, MAIN_SHARE, MOST_SHARE = 44, 24, 0.45, 0.66
"""Pixels of a side that the maps of the main layer have at least, and where that would take more than MOST_SHARE of the width, or
leave no room for the others; and the share of the width up to which they grow."""


@dataclass(frozen=True)
class Least:
    """The least sizes of layers side by side, in pixels."""

    map: int
    """Of a map's longer side."""
    cell: int
    width: int
    """Of a layer."""
    spacing: int
    """Between two layers."""


LEAST = Least(12, 6, 58, 12), Least(8, 5, 48, 10), Least(6, 4, 42, 8), Least(6, 4, 34, 4)
"""What is tried, until a network fits into the width."""


@dataclass(frozen=True)
class Tiles:
    """`count` maps of `height` × `width` values, `columns` in a row, `scale` pixels a value, from (left, top) on."""

    count: int
    height: int
    width: int
    columns: int
    scale: float
    left: float = 0.0
    top: float = 0.0

    @property
    def gap(self) -> int:
        """Pixels between two maps."""
        return CELL_GAP if self.height * self.width == 1 else GAP

    @property
    def rows(self) -> int:
        return math.ceil(self.count / self.columns)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of all maps together in pixels."""
        across, down = self.width * self.scale + self.gap, self.height * self.scale + self.gap
        return min(self.columns, self.count) * across - self.gap, self.rows * down - self.gap

    def rect(self, index: int) -> QRectF:
        """Where the map at `index` lies."""
        row, column = divmod(index, self.columns)
        width, height = self.width * self.scale, self.height * self.scale
        return QRectF(self.left + column * (width + self.gap), self.top + row * (height + self.gap), width, height)

    def value_rect(self, index: int, row: int, column: int) -> QRectF:
        """Where one value of a map lies."""
        whole = self.rect(index)
        return QRectF(whole.x() + column * self.scale, whole.y() + row * self.scale, self.scale, self.scale)

    def at(self, x: float, y: float) -> tuple[int, int, int] | None:
        """The map at a point, and the row and column in it; None where there is none."""
        across, down = self.width * self.scale + self.gap, self.height * self.scale + self.gap
        column, dx = divmod(x - self.left, across)
        row, dy = divmod(y - self.top, down)
        index = int(row) * self.columns + int(column)
        if not (0 <= column < self.columns and row >= 0 and index < self.count):
            return None
        place = int(dy / self.scale), int(dx / self.scale)
        return (index, *place) if place[0] < self.height and place[1] < self.width else None


def stacked(shape: Shape, scale: float, height: float) -> Tiles | None:
    """Maps (count, height, width) at a scale in the fewest columns that stand within `height` pixels; None where none does."""
    count, tall, wide = shape
    gap = CELL_GAP if tall * wide == 1 else GAP
    rows = int((height + gap) // (tall * scale + gap))
    return Tiles(count, tall, wide, max(1, math.ceil(count / rows)), scale) if rows else None


@dataclass(frozen=True)
class Row:
    """Layers side by side."""

    tiles: list[Tiles]
    widths: list[float]
    """Pixels of each layer."""
    spacing: float
    """Pixels between two layers."""

    @property
    def width(self) -> float:
        """Pixels of all together."""
        return max((tiles.left + width for tiles, width in zip(self.tiles, self.widths, strict=True)), default=0.0)


def arrange(
    shapes: Sequence[Shape],
    width: float,
    height: float,
    main: int,
    step: float = 1.0,
    fixed: Mapping[int, tuple[Tiles, float]] | None = None,
) -> Row:
    """Layers of maps (count, height, width) side by side in `width` × `height` pixels, those of the layer `main` the largest.

    Scales are multiples of `step`, one pixel of the screen. First the main layer grows, then the other maps, the smallest first,
    then cells of single numbers. Where there is no room for the least sizes, the row is wider than `width`. `fixed` are layers
    with a size of their own: how they lie, and their width.
    """
    fixed = fixed or {}
    for side, least in product((MAIN, SMALL_MAIN), LEAST):
        sides = [side if n == main else min(SMALL_MAIN, side) if n == 0 else 0 for n in range(len(shapes))]
        found = [fixed[n][0] if n in fixed else _least(shape, height, step, least, sides[n]) for n, shape in enumerate(shapes)]
        widths = {n: wide for n, (_, wide) in fixed.items()}
        is_narrow = side == SMALL_MAIN or found[main].size[0] <= MOST_SHARE * width
        if is_narrow and _total(found, least, widths) <= width:
            break

    def fits(at: int, larger: Tiles) -> bool:
        return _total([*found[:at], larger, *found[at + 1 :]], least, widths) <= width

    while main not in fixed and (larger := _larger(found, main, height, step)) and larger.size[0] <= MAIN_SHARE * width:
        if not fits(main, larger):
            break
        found[main] = larger
    growing = set(range(len(shapes))) - {main} - fixed.keys()
    while growing:
        smallest = min(growing, key=lambda n: (found[n].height * found[n].width == 1, _side(found[n])))
        larger = _larger(found, smallest, height, step)
        is_small = larger is not None and (_side(larger) <= _side(found[main]) or found[main].height * found[main].width == 1)
        if larger is None or not is_small or not fits(smallest, larger):
            growing.discard(smallest)
        else:
            found[smallest] = larger
    left, placed, taken = 0.0, [], []
    for n, tiles in enumerate(found):
        placed.append(replace(tiles, left=left))
        taken.append(math.ceil(_width(tiles, least, widths.get(n)) / step) * step)
        left += taken[-1] + least.spacing
    return Row(placed, taken, least.spacing)


def alone(shape: Shape, width: float, height: float, step: float = 1.0) -> Tiles:
    """The maps of one layer (count, height, width), as large as they fit into `width` × `height` pixels, or higher than that."""
    count, tall, wide = shape
    gap, cell = (CELL_GAP, LEAST[0].cell) if tall * wide == 1 else (GAP, LEAST[0].map)
    least = math.ceil(cell / max(tall, wide) / step) * step
    scale, best = least, least
    while True:
        columns = int((width + gap) // (wide * scale + gap))
        if not columns or math.ceil(count / columns) * (tall * scale + gap) - gap > height:
            break
        best, scale = scale, scale + step
    columns = max(1, int((width + gap) // (wide * best + gap)))
    return Tiles(count, tall, wide, min(columns, count), best)


def _least(shape: Shape, height: float, step: float, least: Least, side: float = 0) -> Tiles:
    """Maps at the least scale that is allowed."""
    count, tall, wide = shape
    wanted = least.cell if tall * wide == 1 else max(side, least.map)
    scale = math.ceil(wanted / max(tall, wide) / step) * step
    return stacked(shape, scale, height) or Tiles(count, tall, wide, count, scale)


def _larger(found: Sequence[Tiles], at: int, height: float, step: float) -> Tiles | None:
    """The layer's maps a step larger; None where they would be too large, or do not stand within `height`."""
    tiles = found[at]
    shape, scale = (tiles.count, tiles.height, tiles.width), tiles.scale + step
    most = LARGEST_CELL if tiles.height * tiles.width == 1 else LARGEST_MAP
    return None if scale * max(shape[1:]) > most else stacked(shape, scale, height)


def _side(tiles: Tiles) -> float:
    return max(tiles.height, tiles.width) * tiles.scale


def _width(tiles: Tiles, least: Least, own: float | None) -> float:
    """Pixels of a layer: its own where it has one."""
    return max(least.width, tiles.size[0]) if own is None else own


def _total(found: Sequence[Tiles], least: Least, widths: Mapping[int, float]) -> float:
    return sum(_width(tiles, least, widths.get(n)) + least.spacing for n, tiles in enumerate(found)) - least.spacing


_packed: dict[int, tuple[Array, Array]] = {}
"""Tables that have been packed, by identity; a table is kept, so that no other one can have its identity."""


def packed(table: Array) -> Array:
    """A colour table, uint8 (256, 3), as pixels of a QImage: uint32 (256). It must not be changed afterwards."""
    if id(table) not in _packed:
        _packed[id(table)] = table, _pack(table)
    return _packed[id(table)][1]


def _pack(colors: Array) -> Array:
    red, green, blue = (colors[..., channel].astype(np.uint32) for channel in range(3))
    return np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue


def tinted(maps: Array) -> Array:
    """The three channels of a picture, uint8 (3, height, width), each in its own colour: uint32 (3, height, width)."""
    colors = np.zeros((*maps.shape, 3), np.uint8)
    for channel in range(3):
        colors[channel, ..., channel] = maps[channel]
    return _pack(colors)


@cache
def _ramp(key: int, length: int) -> QImage:
    table = _packed[key][1]
    row = table[np.linspace(0, 255, length).astype(np.uint8)]
    return QImage(row.data, length, 1, 4 * length, QImage.Format.Format_ARGB32).copy()


def ramp(table: Array, length: int) -> QImage:
    """The colours of a table, uint8 (256, 3), in a row of `length` pixels."""
    packed(table)
    return _ramp(id(table), length)


def picture(maps: Array, table: Array, low: float, high: float, tiles: Tiles, ratio: float = 1.0) -> QImage:
    """All maps (count, height, width) in one image, transparent between them, for a screen of `ratio` pixels a logical one.

    `table` is a packed table of 256 colours: `low` is its first, `high` its last.
    """
    factor = 255 / (high - low) if high > low else 0.0
    # Of what is no number at all it does not matter what colour it has.
    with np.errstate(invalid="ignore"):
        return tiled(table[np.clip((maps - low) * factor, 0, 255).astype(np.uint8)], tiles, ratio)


def tiled(colors: Array, tiles: Tiles, ratio: float = 1.0) -> QImage:
    """Maps that are colours already, uint32 (count, height, width), in one image as `picture` makes it."""
    scale, gap = round(tiles.scale * ratio), round(tiles.gap * ratio)
    tall, wide = tiles.height * scale + gap, tiles.width * scale + gap
    sheet = np.zeros((tiles.rows * tiles.columns, tall, wide), np.uint32)
    sheet[: tiles.count, : tall - gap, : wide - gap] = colors.repeat(scale, axis=1).repeat(scale, axis=2)
    whole = sheet.reshape(tiles.rows, tiles.columns, tall, wide).swapaxes(1, 2).reshape(tiles.rows * tall, tiles.columns * wide)
    image = QImage(whole.data, whole.shape[1], whole.shape[0], 4 * whole.shape[1], QImage.Format.Format_ARGB32).copy()
    image.setDevicePixelRatio(ratio)
    return image
