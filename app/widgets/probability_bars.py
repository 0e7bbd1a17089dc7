"""ProbabilityBars: a bar for each digit, quick to draw."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import font, theme
from nncore.arrays import Array

ROW = 18


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
        self._values = values
        self.setAccessibleDescription(", ".join(f"{digit}: {value:.1%}" for digit, value in enumerate(values)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(220, ROW * len(self._values))

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme().colors, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(12))
        painter.setPen(Qt.PenStyle.NoPen)
        best = int(self._values.argmax()) if self._values.any() else -1
        left, right = 22, self.width() - 58
        for digit, value in enumerate(self._values):
            top = digit * ROW
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.raised))
            painter.drawRoundedRect(QRectF(left, top + 4, right - left, ROW - 8), 3, 3)
            painter.setBrush(QColor(colors.accent if digit == best else colors.dim))
            if value > 0.002:
                painter.drawRoundedRect(QRectF(left, top + 4, max((right - left) * float(value), 2), ROW - 8), 3, 3)
            painter.setPen(QColor(colors.text if digit == best else colors.dim))
            painter.drawText(QRect(0, top, left - 6, ROW), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, str(digit))
            text = f"{value * 100:.1f} %" if best >= 0 else "–"
            painter.drawText(QRect(right + 4, top, 54, ROW), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
