"""RunAnswers: a line for each of several runs: its colour, its name, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import font, theme
from app.widgets.swatch import HEIGHT, WIDTH, swatch

ROW = 18
"""Pixels of a line."""


class AnswerLine(NamedTuple):
    """What one run says."""

    color: str
    """`#rrggbb`, or the name of a colour of the theme."""
    name: str
    words: str
    """Its answer; empty while it is not known."""
    is_dim: bool = False
    """Whether it is no answer, but why there is none."""


class RunAnswers(QWidget):
    """As many lines as there is room for; those that have none are counted in the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("answers of the ticked runs")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.lines: tuple[AnswerLine, ...] = ()
        self.uncounted = 0
        """How many more runs there are besides those of `lines`."""
        theme().changed.connect(self.update)

    def set_lines(self, lines: Sequence[AnswerLine], more: int = 0) -> None:
        """Show lines; `more` runs are only counted."""
        self.lines, self.uncounted = tuple(lines), more
        self.setAccessibleDescription(", ".join(f"{line.name}: {line.words or 'not known yet'}" for line in lines))
        self.setToolTip("\n".join(f"{line.name}: {line.words or '…'}" for line in lines))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(220, ROW * (len(self.lines) + bool(self.uncounted)))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, ROW * min(2, len(self.lines) + bool(self.uncounted)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme().colors
        painter.setFont(font(12))
        room = self.height() // ROW
        shown = len(self.lines) if room >= len(self.lines) + bool(self.uncounted) else max(room - 1, 0)
        for row, line in enumerate(self.lines[:shown]):
            top = row * ROW
            painter.drawPixmap(QPoint(0, top + (ROW - HEIGHT) // 2), swatch(line.color, self.devicePixelRatioF()))
            width = painter.fontMetrics().horizontalAdvance(line.words) + 4
            left, right = WIDTH + 8, max(self.width() - width, self.width() // 2)
            painter.setPen(QColor(colors.text))
            name = painter.fontMetrics().elidedText(line.name, Qt.TextElideMode.ElideRight, right - left - 8)
            painter.drawText(QRect(left, top, right - left, ROW), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
            painter.setPen(QColor(colors.dim if line.is_dim else colors.text))
            words = painter.fontMetrics().elidedText(line.words, Qt.TextElideMode.ElideRight, self.width() - right)
            place = QRect(right, top, self.width() - right, ROW)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words)
        if hidden := len(self.lines) - shown + self.uncounted:
            painter.setPen(QColor(colors.dim))
            place = QRect(WIDTH + 8, shown * ROW, self.width(), ROW)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, f"and {hidden} more")
