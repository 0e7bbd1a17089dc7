"""Sections of a sheet that tell what adds up to a number: slices to choose from, and rows with bars."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.theme import font, theme
from app.widgets.sections import TITLE, signed
from app.widgets.sheet import Target
from app.widgets.tiles import Tiles, packed, picture
from nncore.arrays import Array

THUMB = 30
"""Side of a slice's picture in pixels."""
PART, LEAST_BAR = 16, 60
"""Height of a row of contributions, and least width of its bar, in pixels."""


@dataclass(frozen=True, eq=False)
class Slices:
    """Small pictures to choose from, each with what it adds; those that do not fit are told in one number."""

    title: str
    maps: Array
    """(count, rows, columns), the strongest first"""
    amounts: Array
    """What each adds (count)."""
    keys: Sequence[Hashable]
    words: Sequence[str]
    table: Array
    top: float
    """The value with the last colour; its negative has the first."""
    chosen: int = 0

    def _step(self) -> float:
        return THUMB + 16

    def _count(self, width: float) -> int:
        """How many are shown."""
        fits = max(int(width // self._step()), 1)
        return len(self.maps) if len(self.maps) <= fits else max(fits - 2, 1)

    def size(self, width: float) -> tuple[float, float]:
        return width, TITLE + THUMB + 16

    def paint(self, painter: QPainter, width: float) -> None:
        colors, count = theme().colors, self._count(width)
        painter.setFont(font(11))
        painter.setPen(QColor(colors.dim))
        painter.drawText(QRectF(0, 0, width, TITLE), Qt.AlignmentFlag.AlignLeft, self.title)
        scale = max(1, THUMB // max(self.maps.shape[1:]))
        tiles = Tiles(1, *self.maps.shape[1:], 1, scale)
        table, ratio = packed(self.table), painter.device().devicePixelRatioF()
        for number_, rect in enumerate(self._rects(count)):
            painter.drawImage(rect.topLeft(), picture(self.maps[number_][None], table, -self.top, self.top, tiles, ratio))
            painter.setPen(QColor(colors.text))
            below = QRectF(rect.left() - 8, rect.bottom() + 2, THUMB + 16, 14)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, f"{self.amounts[number_]:+.2f}".replace("-", "−"))
            if number_ == self.chosen:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(colors.accent), 2))
                painter.drawRect(rect.adjusted(-2, -2, 2, 2))
        if count < len(self.maps):
            rest = float(self.amounts[count:].sum())
            painter.setPen(QColor(colors.dim))
            place = QRectF(count * self._step() + 4, TITLE, width - count * self._step() - 4, THUMB)
            words = f"{len(self.maps) - count} more: {rest:+.2f}".replace("-", "−")
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)

    def _rects(self, count: int) -> list[QRectF]:
        return [QRectF(8 + number_ * self._step(), TITLE, THUMB, THUMB) for number_ in range(count)]

    def targets(self, width: float) -> Sequence[Target]:
        rects = self._rects(self._count(width))
        return [Target(rect, key, words) for rect, key, words in zip(rects, self.keys, self.words, strict=False)]


@dataclass(frozen=True, eq=False)
class Contributions:
    """Rows of what adds up: where it comes from, how it is made, and a bar to the right of the middle or to the left."""

    title: str
    names: Sequence[str]
    sums: Sequence[str]
    """How each is made: `2.31 × 0.42`."""
    amounts: Array
    """(count)"""
    keys: Sequence[Hashable]
    rest: str = ""
    """What the others add."""

    def size(self, width: float) -> tuple[float, float]:
        return width, TITLE + PART * (len(self.names) + bool(self.rest))

    def paint(self, painter: QPainter, width: float) -> None:
        colors, flags = theme().colors, Qt.AlignmentFlag
        painter.setFont(font(11))
        painter.setPen(QColor(colors.dim))
        painter.drawText(QRectF(0, 0, width, TITLE), flags.AlignLeft, self.title)
        top = float(np.abs(self.amounts).max(initial=0.0)) or 1.0
        metrics = painter.fontMetrics()
        made = max(map(metrics.horizontalAdvance, self.sums), default=0) + 10
        written = [signed(amount) for amount in self.amounts.tolist()]
        value = max(map(metrics.horizontalAdvance, written), default=0) + 8
        name = min(max(map(metrics.horizontalAdvance, self.names), default=0) + 12, max(width - made - value - LEAST_BAR, 60))
        middle, half = name + made + (width - name - made - value) / 2, (width - name - made - value) / 2 - 2
        for number_, amount in enumerate(self.amounts.tolist()):
            row = QRectF(0, TITLE + PART * number_, width, PART)
            painter.setPen(QColor(colors.text))
            shown = metrics.elidedText(self.names[number_], Qt.TextElideMode.ElideRight, round(name - 6))
            painter.drawText(row, flags.AlignVCenter, shown)
            painter.setPen(QColor(colors.dim))
            painter.drawText(QRectF(name, row.top(), made, PART), flags.AlignVCenter, self.sums[number_])
            painter.setPen(Qt.PenStyle.NoPen)
            length = half * abs(amount) / top
            painter.setBrush(QColor("#5a96d6" if amount < 0 else "#dd8236"))
            painter.drawRect(QRectF(middle - (length if amount < 0 else 0), row.top() + 3, max(length, 1), PART - 6))
            painter.setPen(QColor(colors.text))
            painter.drawText(row, flags.AlignVCenter | flags.AlignRight, written[number_])
        painter.setPen(QPen(QColor(colors.line), 1))
        painter.drawLine(round(middle), TITLE, round(middle), TITLE + PART * len(self.names))
        if self.rest:
            painter.setPen(QColor(colors.dim))
            painter.drawText(QRectF(0, TITLE + PART * len(self.names), width, PART), flags.AlignVCenter, self.rest)

    def targets(self, width: float) -> Sequence[Target]:
        return [
            Target(QRectF(0, TITLE + PART * number_, width, PART), key, f"{name}: {made} = {signed(float(amount))}")
            for number_, (key, name, made, amount) in enumerate(zip(self.keys, self.names, self.sums, self.amounts, strict=True))
        ]
