"""KeyLine: which line of a plot is which, in a row of words, each in its line's colour."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

BETWEEN = 12
"""Pixels between two parts."""


class KeyLine(QWidget):
    """Takes the width that the layout has left; parts without room are left out, the last ones first.

    Other parts are painted without asking the layout, as in `Elided`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._parts: tuple[tuple[str, str], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    @property
    def words(self) -> str:
        """All parts, whether or not there is room for them."""
        return "  ".join(words for _, words in self._parts)

    def show_parts(self, parts: Sequence[tuple[str, str]]) -> None:
        """Show parts (colour, words) in place of those before."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.setAccessibleName(self.words)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(0, self.fontMetrics().height())

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, left = QPainter(self), 0
        for color, words in self._parts:
            width = painter.fontMetrics().horizontalAdvance(words)
            if left and left + width > self.width():
                break
            painter.setPen(QColor(color))
            painter.drawText(QRect(left, 0, self.width() - left, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
            left += width + BETWEEN
