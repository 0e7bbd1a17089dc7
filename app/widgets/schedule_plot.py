"""SchedulePlot: a small drawing of the learning rate over the steps of a training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import font, theme
from nncore.arrays import Array

HEIGHT = 56
ROW = 14
"""Height of the row of rates above the line, and of that of steps below it."""
GAP = 8
"""Least space between two texts in a row."""


class SchedulePlot(QWidget):
    """Draws rates over steps as one line, with the first, the largest and the last of them in figures. It is empty at first."""

    def __init__(self, text: Callable[[float], str]) -> None:
        """`text` writes a learning rate in figures."""
        super().__init__()
        self._text = text
        self._steps, self._rates = np.zeros(0, np.int64), np.zeros(0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("learning rate over the steps")
        self.setToolTip("Learning rate: how large it will be at each step of this training, from the first to the last")
        theme().changed.connect(self.update)

    def set_rates(self, steps: Array, rates: Array) -> None:
        """Draw `rates`, float64 (N), at `steps`, int64 (N), rising; none: draw nothing."""
        self._steps, self._rates = steps, rates
        self.setAccessibleDescription(self._words())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, HEIGHT)

    minimumSizeHint = sizeHint

    def _words(self) -> str:
        if not len(self._rates):
            return "nothing to draw yet"
        parts = [f"{self._text(self._rates[place])} at step {self._steps[place]:,}" for place in self._marked()]
        if np.ptp(self._rates) == 0:
            return f"{self._text(self._rates[0])} at every step up to {self._steps[-1]:,}"
        return ", then ".join(parts)

    def _marked(self) -> list[int]:
        """Places of the first, the largest and the last rate; two where the largest is one of the others, or as large."""
        last, largest = len(self._rates) - 1, int(self._rates.argmax())
        between = [largest] if self._rates[largest] > max(self._rates[0], self._rates[-1]) else []
        return [0, *between, last]

    def points(self) -> list[QPointF]:
        """Where each rate lies in the widget: the height is the rate, from 0 to the largest."""
        if not len(self._rates):
            return []
        across = (self._steps - self._steps[0]) / max(int(self._steps[-1] - self._steps[0]), 1) * (self.width() - 2) + 1
        down = HEIGHT - ROW - 2 - self._rates / self._rates.max() * (HEIGHT - 2 * ROW - 4)
        return [QPointF(x, y) for x, y in zip(across.tolist(), down.tolist(), strict=True)]

    def paintEvent(self, event: QPaintEvent) -> None:
        points = self.points()
        if not points:
            return
        colors, painter = theme().colors, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(colors.line))
        painter.drawLine(QPointF(0, HEIGHT - ROW - 1.5), QPointF(self.width(), HEIGHT - ROW - 1.5))
        painter.setPen(QPen(QColor(colors.accent), 1.5))
        painter.drawPolyline(QPolygonF(points if len(points) > 1 else [*points, QPointF(self.width(), points[0].y())]))
        painter.setPen(QColor(colors.dim))
        painter.setFont(font(11))
        marked = self._marked() if len(points) > 1 else [0]
        self._write(painter, 0, [(self._text(self._rates[place]), points[place].x()) for place in marked])
        self._write(painter, HEIGHT - ROW, [(f"{self._steps[place]:,}", points[place].x()) for place in marked])

    def _write(self, painter: QPainter, top: int, texts: list[tuple[str, float]]) -> None:
        """Write up to three texts in a row: the first and the last at its ends, one between them near its place."""
        width = QFontMetrics(painter.font()).horizontalAdvance
        free, end = 0.0, float(self.width())
        for text, x in (texts[0], *texts[:0:-1]):  # the one between the ends comes last
            wide = width(text) + 2.0
            left = min(max(x - wide / 2, free), end - wide)
            if left < free:
                return
            painter.drawText(QRectF(left, top, wide, ROW), Qt.AlignmentFlag.AlignCenter, text)
            free, end = (left + wide + GAP, end) if not free else (free, left - GAP)
