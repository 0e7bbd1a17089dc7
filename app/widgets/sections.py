"""Sections of a sheet: grids of numbers with signs between them, and lines of a formula; more in contributions.py."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from app.theme import font, theme
from app.widgets.sheet import GAP, Section, Target
from app.widgets.tiles import Tiles, packed, picture
from nncore.arrays import Array

LARGEST, WRITTEN = 42, 24
"""Largest side of a cell in pixels, and that from which on its number is written into it."""
TITLE, SIGN = 16, 22
"""Pixels of a grid's title, and of a sign between two."""
HIGHEST = 150
"""Pixels that a grid may be high where nothing else is said."""
ROW = 18
"""Height of a line in pixels."""
DEEP = 110
"""Brightness, 0 to 255, of a colour below which white stands out on it."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Numbers in rows and columns, each in a cell of its colour."""

    title: str
    values: Array
    """(rows, columns)"""
    table: Array
    """The colours, uint8 (256, 3): the first is `low`, the last `high`."""
    low: float
    high: float
    key_of: Callable[[int, int], Hashable] = lambda row, column: None
    """What the cell at a row and column stands for when it is clicked; None where it cannot be."""
    words: str = "{value}"
    """What a tooltip says of a cell: {row}, {column} and {value} are put in."""
    outside: Array | None = None
    """Which cells are no numbers of the layer before, but zeros around them: bool (rows, columns)."""
    marked: tuple[int, int] | None = None
    """A cell with a frame."""


def number(value: float) -> str:
    """A number as it is written into formulas: three decimals, or its first digits where it is very large or small."""
    value += 0.0  # so that nothing is written as −0
    if value != 0 and (abs(value) < 0.0005 or abs(value) >= 10000):
        return f"{value:.2e}".replace("-", "−")
    return (f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}").replace("-", "−")


@dataclass(frozen=True, eq=False)
class Grids:
    """Grids side by side, with a sign between each two."""

    grids: Sequence[Grid]
    signs: Sequence[str] = ()
    highest: float = HIGHEST
    """Pixels that they may be high."""
    beside: float = 0.0
    """Pixels of the width that are left to what stands beside them."""

    def _cell(self, width: float) -> tuple[float, float]:
        """Width and height of a cell in whole pixels; they differ only where numbers are written into it."""
        columns = sum(grid.values.shape[1] for grid in self.grids)
        rows = max(grid.values.shape[0] for grid in self.grids)
        room = width - self.beside - SIGN * (len(self.grids) - 1)
        wide = max(1, min(room // columns, LARGEST))
        tall = max(1, min(wide, self.highest // rows))
        return (wide if tall >= WRITTEN else tall), tall

    def _rects(self, width: float) -> list[QRectF]:
        """Where each grid lies, without its title."""
        (wide, tall), left, found = self._cell(width), 0.0, []
        for grid in self.grids:
            rows, columns = grid.values.shape
            found.append(QRectF(left, TITLE, columns * wide, rows * tall))
            left += max(columns * wide, 40) + SIGN
        return found

    def size(self, width: float) -> tuple[float, float]:
        rects = self._rects(width)
        return rects[-1].right(), max(rect.bottom() for rect in rects)

    def paint(self, painter: QPainter, width: float) -> None:
        colors, rects = theme().colors, self._rects(width)
        for grid, rect in zip(self.grids, rects, strict=True):
            painter.setFont(font(11))
            painter.setPen(QColor(colors.dim))
            room = max(rect.width() + SIGN - 4, 40) if rect is not rects[-1] else width - self.beside - rect.left()
            shown = painter.fontMetrics().elidedText(grid.title, Qt.TextElideMode.ElideRight, round(room))
            painter.drawText(QRectF(rect.left(), 0, room, TITLE), Qt.AlignmentFlag.AlignLeft, shown)
            _paint_cells(painter, grid, rect)
        painter.setFont(font(15))
        painter.setPen(QColor(colors.text))
        for sign, rect in zip(self.signs, rects, strict=False):
            place = QRectF(max(rect.right(), rect.left() + 40), rect.top(), SIGN, rect.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, sign)

    def targets(self, width: float) -> Sequence[Target]:
        (wide, tall), found = self._cell(width), []
        for grid, rect in zip(self.grids, self._rects(width), strict=True):
            for row, column in np.ndindex(grid.values.shape):
                cell = QRectF(rect.left() + column * wide, rect.top() + row * tall, wide, tall)
                value = float(grid.values[row, column])
                words = grid.words.format(row=row, column=column, value=number(value))
                if grid.outside is not None and grid.outside[row, column]:
                    words = "padding: outside of the image all numbers are 0"
                found.append(Target(cell, grid.key_of(row, column), words))
        return found


def _paint_cells(painter: QPainter, grid: Grid, rect: QRectF) -> None:
    rows, columns = grid.values.shape
    wide, tall = rect.width() / columns, rect.height() / rows
    gap = 1 if tall >= 8 else 0
    cells = [
        [QRectF(rect.left() + column * wide, rect.top() + row * tall, wide - gap, tall - gap) for column in range(columns)]
        for row in range(rows)
    ]
    if gap:
        factor = 255 / (grid.high - grid.low) if grid.high > grid.low else 0.0
        shades = grid.table[np.clip((grid.values - grid.low) * factor, 0, 255).astype(np.uint8)]
        for row, line in enumerate(shades.tolist()):
            for column, shade in enumerate(line):
                painter.fillRect(cells[row][column], QColor(*shade))
        if tall >= WRITTEN:
            _write_numbers(painter, grid, cells, shades @ np.array([0.299, 0.587, 0.114]))
    else:
        tiles, ratio = Tiles(1, rows, columns, 1, tall), painter.device().devicePixelRatioF()
        image = picture(grid.values[None], packed(grid.table), grid.low, grid.high, tiles, ratio)
        painter.drawImage(rect.topLeft(), image)
    if grid.outside is not None and gap:
        painter.setPen(QPen(QColor(theme().colors.dim), 1))
        for row, column in np.argwhere(grid.outside).tolist():
            painter.drawLine(cells[row][column].bottomLeft(), cells[row][column].topRight())
    if grid.marked is not None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme().colors.accent), 2))
        painter.drawRect(cells[grid.marked[0]][grid.marked[1]])


def _write_numbers(painter: QPainter, grid: Grid, cells: Sequence[Sequence[QRectF]], brightness: Array) -> None:
    """The numbers in their cells, all in one size; `brightness` (rows, columns) is that of the cells, from 0 to 255."""
    texts = [[_short(value) for value in row] for row in grid.values.tolist()]
    longest, room = max((text for row in texts for text in row), key=len), cells[0][0].width() - 2
    fits = (pixels for pixels in (12, 11, 10, 9, 8) if QFontMetricsF(font(pixels)).horizontalAdvance(longest) <= room)
    size = next(fits, None)
    if size is None:
        return
    painter.setFont(font(size))
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            if grid.outside is None or not grid.outside[row, column]:
                painter.setPen(Qt.GlobalColor.white if brightness[row, column] < DEEP else Qt.GlobalColor.black)
                painter.drawText(cells[row][column], Qt.AlignmentFlag.AlignCenter, text)


def _short(value: float) -> str:
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: float) -> str:
    """A number with its sign, as what is added to others."""
    return ("+" if value >= 0 else "") + number(value)


@dataclass(frozen=True)
class Line:
    """A line of a formula: a word, and what it is; or the formula itself where `value` is empty."""

    words: str
    value: str = ""
    is_result: bool = False
    key: Hashable = None
    tip: str = ""


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines of a formula, their values under each other."""

    lines: Sequence[Line]

    @cached_property
    def _known(self) -> dict[float, tuple[int, float, float]]:
        """The columns by the width: measuring words takes longer than painting them."""
        return {}

    @cached_property
    def _placed(self) -> dict[float, list[QRectF]]:
        """Where the lines lie by the width that there is."""
        return {}

    def _columns(self, width: float) -> tuple[int, float, float]:
        """Size of the letters, and widths of the words beside a value, and of the values."""
        if width not in self._known:
            for size in (13, 12, 11, 10):
                plain, bold = QFontMetricsF(font(size)), QFontMetricsF(font(13, bold=True))
                words = max((plain.horizontalAdvance(line.words) for line in self.lines if line.value), default=0.0) + 16
                value = max((bold.horizontalAdvance(line.value) for line in self.lines), default=0.0)
                self._known[width] = size, words, value
                if words + value <= width:
                    break
        return self._known[width]

    def _rects(self, width: float) -> list[QRectF]:
        if width in self._placed:
            return self._placed[width]
        metrics, found, top = QFontMetricsF(font(12)), list[QRectF](), 0.0
        for line in self.lines:
            rows = 1.0
            if not line.value:
                box = metrics.boundingRect(QRectF(0, 0, width, 1000), int(Qt.TextFlag.TextWordWrap), line.words)
                rows = max(1.0, round(box.height() / metrics.height()))
            found.append(QRectF(0, top, width, ROW + (rows - 1) * metrics.height()))
            top += found[-1].height() + 2
        self._placed[width] = found
        return found

    def size(self, width: float) -> tuple[float, float]:
        rects = self._rects(width)
        has_formula = any(not line.value for line in self.lines)
        return (width if has_formula else sum(self._columns(width)[1:])), rects[-1].bottom() if rects else 0.0

    def paint(self, painter: QPainter, width: float) -> None:
        colors, flags = theme().colors, Qt.AlignmentFlag
        size, words, value = self._columns(width)
        for line, rect in zip(self.lines, self._rects(width), strict=True):
            painter.setFont(font(size if line.value else 12))
            painter.setPen(QColor(colors.text if line.value else colors.dim))
            wrap = 0 if line.value else int(Qt.TextFlag.TextWordWrap)
            painter.drawText(rect, int(flags.AlignLeft | flags.AlignTop) | wrap, line.words)
            if line.value:
                painter.setFont(font(13, bold=True))
                painter.setPen(QColor(colors.accent if line.is_result else colors.text))
                painter.drawText(QRectF(words, rect.top(), value, rect.height()), flags.AlignRight | flags.AlignTop, line.value)

    def targets(self, width: float) -> Sequence[Target]:
        return [
            Target(rect, line.key, line.tip or line.words)
            for line, rect in zip(self.lines, self._rects(width), strict=True)
            if line.key is not None or line.tip
        ]


@dataclass(frozen=True, eq=False)
class Beside:
    """Two sections side by side where there is room, or one below the other."""

    left: Section
    right: Section
    gap: float = 20
    top: float | None = None
    """Where the second begins; None: so that it stands in the middle."""

    def _second(self, width: float) -> tuple[float, float] | None:
        """Where the second begins beside the first; None where it stands below."""
        first, second = self.left.size(width), self.right.size(width)
        if first[0] + self.gap + second[0] > width:
            return None
        return first[0] + self.gap, max((first[1] + TITLE - second[1]) / 2, 0.0) if self.top is None else self.top

    def size(self, width: float) -> tuple[float, float]:
        first, second, at = self.left.size(width), self.right.size(width), self._second(width)
        return (width, first[1] + GAP + second[1]) if at is None else (width, max(first[1], at[1] + second[1]))

    def paint(self, painter: QPainter, width: float) -> None:
        at = self._second(width) or (0.0, self.left.size(width)[1] + GAP)
        self.left.paint(painter, width)
        painter.translate(*at)
        self.right.paint(painter, width - at[0])

    def targets(self, width: float) -> Sequence[Target]:
        x, y = self._second(width) or (0.0, self.left.size(width)[1] + GAP)
        moved = [Target(each.rect.translated(x, y), each.key, each.words) for each in self.right.targets(width - x)]
        return [*self.left.targets(width), *moved]
