"""ConfusionMatrix: how often each class was taken for each class."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.theme import font, theme
from nncore.arrays import Array

MARGIN = 18
FADED = 0.35
"""Opacity while other counts are awaited."""


class ConfusionMatrix(QWidget):
    """Rows are what an image shows, columns what it was taken for. `cell_clicked` carries (shows, taken for)."""

    cell_clicked = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self._counts: Array = np.zeros((10, 10), np.int64)
        self.is_faded = False
        self.setAccessibleName("confusion matrix")
        self.setMinimumSize(190, 190)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.update)

    @property
    def counts(self) -> Array:
        """The counts that are shown, int64 (classes, classes)."""
        return self._counts

    def set_counts(self, counts: Array, faded: bool = False) -> None:
        """Show counts, int (classes, classes); faded where they are not those that are asked for."""
        self._counts, self.is_faded = counts, faded
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 240)

    def cell_rect(self, row: int, column: int) -> QRect:
        """Where a cell lies."""
        side = self._side
        return QRect(MARGIN + column * side, MARGIN + row * side, side - 2, side - 2)

    @property
    def _side(self) -> int:
        return max(1, (min(self.width(), self.height()) - MARGIN) // len(self._counts))

    def _cell_at(self, point: QPoint) -> tuple[int, int] | None:
        row, column = (point.y() - MARGIN) // self._side, (point.x() - MARGIN) // self._side
        return (row, column) if 0 <= row < len(self._counts) and 0 <= column < len(self._counts) else None

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme().colors, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(FADED if self.is_faded else 1.0)
        painter.setFont(font(11 if self._side >= 22 else 9))
        center = Qt.AlignmentFlag.AlignCenter
        # Shares of the row; the square root makes single mistakes among a thousand visible.
        strength = np.sqrt(self._counts / np.maximum(self._counts.sum(axis=1, keepdims=True), 1))
        for row in range(len(self._counts)):
            painter.setPen(QColor(colors.dim))
            painter.drawText(QRect(0, MARGIN + row * self._side, MARGIN - 4, self._side - 2), center, str(row))
            painter.drawText(QRect(MARGIN + row * self._side, 0, self._side - 2, MARGIN - 2), center, str(row))
            for column in range(len(self._counts)):
                self._paint_cell(painter, row, column, float(strength[row, column]))

    def _paint_cell(self, painter: QPainter, row: int, column: int, strength: float) -> None:
        colors, rect, count = theme().colors, self.cell_rect(row, column), int(self._counts[row, column])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.raised))
        painter.drawRoundedRect(rect, 2, 2)
        if not count:
            return
        fill = QColor(colors.accent if row == column else colors.second)
        fill.setAlphaF(strength if row == column else min(1.0, 0.25 + 2 * strength))
        painter.setBrush(fill)
        painter.drawRoundedRect(rect, 2, 2)
        text = f"{count:,}"
        if (
            painter.fontMetrics().horizontalAdvance(text) + 2 <= rect.width()
            and rect.height() >= painter.fontMetrics().height() - 2
        ):
            painter.setPen(QColor(colors.on_accent if fill.alphaF() > 0.55 else colors.text))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if cell := self._cell_at(event.position().toPoint()):
            self.cell_clicked.emit(*cell)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            if cell := self._cell_at(event.pos()):
                row, column = cell
                words = "recognised" if row == column else f"taken for {column}"
                QToolTip.showText(event.globalPos(), f"{row} {words}: {self._counts[cell]:,} times", self)
            return True
        return super().event(event)
