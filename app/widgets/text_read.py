"""TextRead: digits line by line, in large figures, to choose from by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import font, theme
from app.widgets.figure import FADED, keeps_key, shows_tip

SIZES = (24, 20, 16, 13)
"""Sizes of the figures in pixels: the largest in which every line has room, and at the smallest long lines are broken."""
ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


@dataclass(frozen=True)
class TextDigit:
    """A digit of the text."""

    digit: int
    index: int
    """Its place among all that was found, which is not its place in the text where something is no digit."""
    sure: bool
    """Whether it need not be looked at again; others have the second colour."""
    corrected: bool = False
    """Whether the user has said what it is: then it is underlined."""
    tip: str = field(default="", compare=False)


class TextRead(QWidget):
    """`chosen` carries the index of a digit that is clicked, or to which arrows went; `copy_wanted` tells of Ctrl+C, `laid_out` of
    another height.
    """

    chosen = Signal(int)
    copy_wanted = Signal()
    laid_out = Signal()

    def __init__(self, hint: str) -> None:
        super().__init__()
        self._hint = hint
        self._lines: list[list[TextDigit]] = []
        self._chosen = -1
        self._pale = False
        self._size = SIZES[0]
        self._cells: dict[int, QRect] = {}
        """By index where each digit is written."""
        self.setAccessibleName("text read")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        theme().changed.connect(self.update)

    # -- what is shown

    @property
    def lines(self) -> list[list[TextDigit]]:
        return self._lines

    @property
    def hint(self) -> str:
        """What is said where there are no digits."""
        return self._hint

    def set_lines(self, lines: Sequence[Sequence[TextDigit]], hint: str) -> None:
        """Show other digits, or the hint where there are none."""
        new, before = [list(line) for line in lines], (self._lines, self._hint)
        self._lines, self._hint = new, hint
        if (new, hint) != before:
            self.setAccessibleDescription(" / ".join("".join(str(each.digit) for each in line) for line in new) or hint)
            self._lay_out()

    def set_chosen(self, index: int) -> None:
        """Mark the digit that is looked at."""
        if index != self._chosen:
            self._chosen = index
            self.update()

    def set_pale(self, pale: bool) -> None:
        """Show the digits pale, as long as others are awaited."""
        if pale != self._pale:
            self._pale = pale
            self.update()

    def cell(self, index: int) -> QRect:
        """Where a digit is written."""
        return self._cells[index]

    @property
    def chosen_cell(self) -> QRect | None:
        """Where the digit that is looked at is written; None where it is not in the text."""
        return self._cells.get(self._chosen)

    # -- laying out

    def sizeHint(self) -> QSize:
        return QSize(200, max(self.minimumHeight(), 40))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        longest = max((len(line) for line in self._lines), default=1)
        self._size = next((size for size in SIZES if longest * _cell_of(size).width() <= self.width()), SIZES[-1])
        cell = _cell_of(self._size)
        across = max(self.width() // cell.width(), 1)
        self._cells, row = {}, 0
        for line in self._lines:
            for n, each in enumerate(line):
                place = QPoint(n % across * cell.width(), (row + n // across) * cell.height())
                self._cells[each.index] = QRect(place, cell)
            row += (len(line) + across - 1) // across
        height = max(row * cell.height(), 40)
        if height != self.minimumHeight():
            self.setMinimumHeight(height)
            self.laid_out.emit()
        self.update()

    # -- events

    def _index_at(self, point: QPoint) -> int:
        return next((index for index, cell in self._cells.items() if cell.contains(point)), -1)

    def _words_at(self, point: QPoint) -> str:
        index = self._index_at(point)
        return next((each.tip for line in self._lines for each in line if each.index == index), "")

    def event(self, event: QEvent) -> bool:
        keys = ARROWS if self._lines else ()
        return keeps_key(event, keys) or shows_tip(self, event, self._words_at) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_wanted.emit()
        elif event.key() in ARROWS and self._lines:
            self.chosen.emit(self._neighbour(Qt.Key(event.key())))
        else:
            super().keyPressEvent(event)

    def _neighbour(self, key: Qt.Key) -> int:
        """The index of the digit to which an arrow leads."""
        row, column = next(
            (
                (row, column)
                for row, line in enumerate(self._lines)
                for column, each in enumerate(line)
                if each.index == self._chosen
            ),
            (0, 0),
        )
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            line = self._lines[min(max(row + (1 if key == Qt.Key.Key_Down else -1), 0), len(self._lines) - 1)]
            return line[min(column, len(line) - 1)].index
        every = [each.index for line in self._lines for each in line]
        place = sum(len(line) for line in self._lines[:row]) + column + (1 if key == Qt.Key.Key_Right else -1)
        return every[min(max(place, 0), len(every) - 1)]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._index_at(event.position().toPoint())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        is_over = self._index_at(event.position().toPoint()) >= 0
        self.setCursor(Qt.CursorShape.PointingHandCursor if is_over else Qt.CursorShape.ArrowCursor)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme().colors
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._lines:
            painter.setFont(font())
            painter.setPen(QColor(colors.dim))
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), self._hint)
            return
        painter.setOpacity(FADED if self._pale else 1)
        painter.setFont(font(self._size))
        for line in self._lines:
            for each in line:
                cell = self._cells[each.index]
                if not cell.intersects(event.rect()):
                    continue
                if each.index == self._chosen:
                    painter.setPen(QPen(QColor(colors.accent if self.hasFocus() else colors.line), 1))
                    painter.setBrush(QColor(colors.raised))
                    painter.drawRoundedRect(cell.adjusted(0, 1, -1, -1), 4, 4)
                painter.setPen(QColor(colors.text if each.sure else colors.second))
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, str(each.digit))
                if each.corrected:
                    painter.drawLine(cell.left() + 4, cell.bottom() - 4, cell.right() - 4, cell.bottom() - 4)


def _cell_of(size: int) -> QSize:
    """Pixels that a digit takes at a size of the figures."""
    metrics = QFontMetrics(font(size))
    return QSize(metrics.horizontalAdvance("0") + size // 4 + 2, metrics.height() + 4)
