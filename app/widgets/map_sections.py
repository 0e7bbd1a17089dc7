"""Sections of a sheet that show weights: maps of them in tiles, and how they are spread."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.theme import font, theme
from app.widgets.sheet import Target
from app.widgets.tiles import Tiles, packed, picture, ramp
from nncore.arrays import Array

TITLE, FOOT, SCALE = 16, 16, 60
"""Pixels of a title, of the scale of colours below, and the length of that."""
LARGEST = 14
"""Most pixels of a value's side."""
HEIGHT, EDGE = 64, 2
"""Height of a histogram in pixels, and pixels around tiles for the frame of the chosen one."""


@dataclass(frozen=True, eq=False)
class Maps:
    """Tiles that can be chosen, and below them the scale of their colours."""

    title: str
    maps: Array
    """(count, rows, columns)"""
    table: Array
    """The colours, uint8 (256, 3): the first is −`top`, the last `top`."""
    top: float
    keys: Sequence[Hashable]
    words: Sequence[str]
    chosen: int | None = None
    side: int = 44
    """Pixels of a tile's longer side, or one pixel a value where that is more."""
    per_row: int = 0
    """Tiles in a row are a multiple of this; 0: as many as fit."""

    def _tiles(self, width: float) -> Tiles:
        count, rows, columns = self.maps.shape
        scale = max(1, min(self.side // max(rows, columns), LARGEST))
        gap = Tiles(count, rows, columns, 1, scale).gap
        fits = max(1, int((width - 2 * EDGE + gap) // (columns * scale + gap)))
        if self.per_row and fits >= self.per_row:
            fits -= fits % self.per_row
        return Tiles(count, rows, columns, min(fits, count), scale, EDGE, TITLE + EDGE)

    def size(self, width: float) -> tuple[float, float]:
        return width, TITLE + 2 * EDGE + self._tiles(width).size[1] + FOOT

    def paint(self, painter: QPainter, width: float) -> None:
        colors, tiles, ratio = theme().colors, self._tiles(width), painter.device().devicePixelRatioF()
        painter.setFont(font(11))
        painter.setPen(QColor(colors.dim))
        painter.drawText(QRectF(0, 0, width, TITLE), Qt.AlignmentFlag.AlignLeft, self.title)
        painter.drawImage(QPointF(EDGE, TITLE + EDGE), picture(self.maps, packed(self.table), -self.top, self.top, tiles, ratio))
        if self.chosen is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colors.accent), 2))
            painter.drawRect(tiles.rect(self.chosen).adjusted(-1, -1, 1, 1))
        foot = TITLE + 2 * EDGE + tiles.size[1] + 4
        painter.drawImage(QRectF(40, foot, SCALE, 7), ramp(self.table, SCALE))
        painter.setFont(font(10))
        painter.setPen(QColor(colors.dim))
        ends = f"{self.top:.2f}"
        painter.drawText(QRectF(0, foot - 4, 36, 14), Qt.AlignmentFlag.AlignRight, f"−{ends}")
        painter.drawText(QRectF(44 + SCALE, foot - 4, 60, 14), Qt.AlignmentFlag.AlignLeft, ends)

    def targets(self, width: float) -> Sequence[Target]:
        tiles = self._tiles(width)
        return [Target(tiles.rect(n), key, words) for n, (key, words) in enumerate(zip(self.keys, self.words, strict=True))]


@dataclass(frozen=True, eq=False)
class Histogram:
    """How values are spread: bars of equal width from the smallest to the largest."""

    title: str
    counts: Array
    """(bins)"""
    low: float
    high: float
    color: str = "accent"
    """The name of one of the theme's colours."""

    def size(self, width: float) -> tuple[float, float]:
        return width, TITLE + HEIGHT + FOOT

    def paint(self, painter: QPainter, width: float) -> None:
        colors, flags = theme().colors, Qt.AlignmentFlag
        painter.setFont(font(11))
        painter.setPen(QColor(colors.dim))
        painter.drawText(QRectF(0, 0, width, TITLE), flags.AlignLeft, self.title)
        base, most = TITLE + HEIGHT, max(int(self.counts.max(initial=0)), 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(colors, self.color)))
        for bar in self._bars(width, most):
            painter.drawRect(bar)
        painter.setPen(QPen(QColor(colors.line), 1))
        painter.drawLine(QPointF(0, base), QPointF(width, base))
        if self.low < 0 < self.high:
            zero = width * -self.low / (self.high - self.low)
            painter.drawLine(QPointF(zero, TITLE), QPointF(zero, base + 3))
        painter.setFont(font(10))
        painter.setPen(QColor(colors.dim))
        foot = QRectF(0, base + 2, width, FOOT - 2)
        painter.drawText(foot, flags.AlignLeft, f"{self.low:.3g}".replace("-", "−"))
        painter.drawText(foot, flags.AlignRight, f"{self.high:.3g}".replace("-", "−"))

    def _bars(self, width: float, most: int) -> list[QRectF]:
        step = width / len(self.counts)
        return [
            QRectF(n * step, TITLE + HEIGHT * (1 - count / most), max(step - 1, 1), HEIGHT * count / most)
            for n, count in enumerate(self.counts.tolist())
        ]

    def targets(self, width: float) -> Sequence[Target]:
        step, span = width / len(self.counts), (self.high - self.low) / len(self.counts)
        return [
            Target(
                QRectF(n * step, TITLE, step, HEIGHT),
                None,
                f"{count:,} from {self.low + n * span:.3g} to {self.low + (n + 1) * span:.3g}".replace("-", "−"),
            )
            for n, count in enumerate(self.counts.tolist())
        ]
