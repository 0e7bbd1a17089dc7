"""ProbabilityBars: a bar for each digit, quick to draw."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import font, theme
from nncore.arrays import Array

ROW = 18
"""Height of a row in pixels."""
LEFT, RIGHT = 22, 58
"""Pixels beside the bars: for the digit, and for the percentage."""
LEAST = 0.002
"""A smaller probability has no bar."""


class ProbabilityBars(QWidget):
    """Shows the probability of each class, the largest in the theme's accent."""

    def __init__(self) -> None:
        super().__init__()
        self._values: Array = np.zeros(10, np.float32)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("probability of each digit")
        theme().changed.connect(self.update)

    @property
    def values(self) -> Array:
        return self._values

    def set_values(self, values: Array) -> None:
        """Show probabilities (classes). Where all are zero, the bars are empty."""
        before = self._looks()
        if len(values) != len(self._values):
            self.updateGeometry()
        self._values = values
        self.setAccessibleDescription(", ".join(f"{digit}: {value:.1%}" for digit, value in enumerate(values)))
        for digit, (old, new) in enumerate(zip_longest(before, self._looks())):
            if old != new:
                self.update(0, digit * ROW, self.width(), ROW)

    def _looks(self) -> list[tuple[int, str, bool]]:
        """Of each row the length of its bar in pixels, what is written beside it, and whether it is the largest."""
        best = int(self._values.argmax()) if self._values.any() else -1
        length = self.width() - LEFT - RIGHT
        return [
            (max(round(length * value), 2) if value > LEAST else 0, f"{value * 100:.1f} %" if best >= 0 else "–", digit == best)
            for digit, value in enumerate(self._values.tolist())
        ]

    def sizeHint(self) -> QSize:
        return QSize(220, ROW * len(self._values))

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme().colors, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(12))
        right = self.width() - RIGHT
        for digit, (length, words, is_best) in enumerate(self._looks()):
            row = QRect(0, digit * ROW, self.width(), ROW)
            if not event.region().intersects(row):
                continue
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.raised))
            painter.drawRoundedRect(QRectF(LEFT, row.top() + 4, right - LEFT, ROW - 8), 3, 3)
            if length:
                painter.setBrush(QColor(colors.accent if is_best else colors.dim))
                painter.drawRoundedRect(QRectF(LEFT, row.top() + 4, length, ROW - 8), 3, 3)
            painter.setPen(QColor(colors.text if is_best else colors.dim))
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(row.adjusted(0, 0, LEFT - 6 - self.width(), 0), middle | Qt.AlignmentFlag.AlignLeft, str(digit))
            painter.drawText(row.adjusted(right + 4, 0, 0, 0), middle | Qt.AlignmentFlag.AlignRight, words)
