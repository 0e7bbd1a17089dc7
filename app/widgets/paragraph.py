"""Paragraph: a text that is broken into lines in the room that it has."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent, QTextLayout
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import theme

WRAPPED = int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap)


class Paragraph(QWidget):
    """Takes the room that it is given, and shows whole lines only; what has no room is in its tooltip.

    Another text is painted without asking the layout, as in `Elided`.
    """

    def __init__(self, least: int) -> None:
        """`least`: pixels that it needs at least in width."""
        super().__init__()
        self._least = least
        self.words = ""
        """The whole text."""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        theme().changed.connect(self.update)

    def show_words(self, words: str) -> None:
        """Show a text in place of the one before."""
        if words != self.words:
            self.words = words
            self.setAccessibleName(words)
            self._tell_rest()
            self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._least, self.fontMetrics().lineSpacing())

    sizeHint = minimumSizeHint

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._tell_rest()

    def _room(self) -> QRect:
        """The part of the widget that holds whole lines."""
        line = self.fontMetrics().lineSpacing()
        return QRect(0, 0, self.width(), max(self.height() // line, 1) * line)

    def _tell_rest(self) -> None:
        needed = self.fontMetrics().boundingRect(QRect(0, 0, max(self.width(), 1), 1_000_000), WRAPPED, self.words).height()
        tip = self.words if needed > self._room().height() else ""
        if tip != self.toolTip():
            self.setToolTip(tip)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, room, metrics = QPainter(self), self._room(), self.fontMetrics()
        painter.setPen(QColor(theme().colors.dim))
        lines = [line for words in self.words.split("\n") for line in self._lines(words)]
        shown = lines[: room.height() // metrics.lineSpacing()]
        if len(shown) < len(lines):
            shown[-1] = metrics.elidedText(f"{shown[-1]} …", Qt.TextElideMode.ElideRight, room.width())
        for number, line in enumerate(shown):
            painter.drawText(0, number * metrics.lineSpacing() + metrics.ascent(), line)

    def _lines(self, words: str) -> list[str]:
        """Words, broken where the width ends."""
        layout, found = QTextLayout(words, self.font()), []
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(self.width(), 1))
            found.append(words[line.textStart() : line.textStart() + line.textLength()].rstrip())
        layout.endLayout()
        return found
