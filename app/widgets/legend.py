"""Legend: which line of a plot is which, right of the plot and part of its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QGraphicsSceneResizeEvent, QStyleOptionGraphicsItem, QWidget

from app.theme import font, theme

ROW = 15
"""Height of a line in pixels."""
SWATCH = 20
"""Pixels of a piece of the line, with the space behind it."""
WIDEST = 120
"""Pixels that a column takes at most."""
COLUMNS = 2
"""Most columns beside each other."""
MORE = "and {} more"
"""What is said of entries without room."""


@dataclass(frozen=True)
class Entry:
    """One line of a legend."""

    name: str
    color: str
    is_dashed: bool = False
    is_ring: bool = False
    """Drawn as a ring in place of a line."""


class Legend(pg.GraphicsWidget):  # type: ignore[misc]
    """Names beside pieces of their lines, in two columns where one is too low. What has no room is counted in the last line."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: tuple[Entry, ...] = ()
        self.hide()

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these entries in place of those before."""
        if tuple(entries) != self.entries:
            self.entries = tuple(entries)
            self._fit()
            self.update()

    def resizeEvent(self, event: QGraphicsSceneResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Take as much width as the columns need."""
        columns = min(COLUMNS, -(-len(self.entries) // self._rows))
        if (width := float(columns * self._column)) != self.minimumWidth():
            self.setMinimumWidth(width)
            self.setMaximumWidth(width)

    @property
    def _rows(self) -> int:
        """How many lines a column has room for."""
        return max(1, int(self.size().height() / ROW))

    @property
    def _column(self) -> int:
        """The width of a column in pixels."""
        metrics = QFontMetrics(font(11))
        words = max(metrics.horizontalAdvance(name) for name in (MORE.format(99), *(entry.name for entry in self.entries)))
        return min(WIDEST, SWATCH + 6 + words)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        colors, metrics, width = theme().colors, QFontMetrics(font(11)), self._column
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(11))
        room = COLUMNS * self._rows
        shown = self.entries if len(self.entries) <= room else self.entries[: room - 1]
        for place, entry in enumerate(shown):
            corner = self._corner(place)
            middle = corner.y() + ROW / 2
            painter.setPen(QPen(QColor(entry.color), 2, Qt.PenStyle.DashLine if entry.is_dashed else Qt.PenStyle.SolidLine))
            if entry.is_ring:
                painter.drawEllipse(QPointF(corner.x() + 11, middle), 3.5, 3.5)
            else:
                painter.drawLine(QPointF(corner.x() + 4, middle), QPointF(corner.x() + 17, middle))
            name = metrics.elidedText(entry.name, Qt.TextElideMode.ElideRight, width - SWATCH - 4)
            self._write(painter, corner, name, colors.text)
        if len(shown) < len(self.entries):
            self._write(painter, self._corner(len(shown)), MORE.format(len(self.entries) - len(shown)), colors.dim)

    def _corner(self, place: int) -> QPointF:
        """The upper left corner of an entry, by its place in the list."""
        return QPointF(place // self._rows * self._column, place % self._rows * ROW)

    def _write(self, painter: QPainter, corner: QPointF, words: str, color: str) -> None:
        painter.setPen(QColor(color))
        room = QRectF(corner.x() + SWATCH, corner.y(), self._column - SWATCH, ROW)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)
