"""ClassRows: a list with a row for each class, in which one is chosen by mouse or keys."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea

from app.theme import theme
from app.widgets.figure import keeps_key, shows_tip


class ClassRows(QAbstractScrollArea):
    """A subclass paints the rows, under a head that does not scroll, and says what each is. `chosen` carries the class that was
    chosen by a click or a key. Arrows move between the rows.
    """

    chosen = Signal(int)

    ROW_HEIGHT: int
    """Height of a row in pixels."""
    HEAD_HEIGHT: int = 0
    """Pixels above the first row."""
    CHOOSING: ClassVar[Collection[int]] = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
    """Keys that choose a class."""

    def __init__(self, name: str) -> None:
        """`name` is the accessible name."""
        super().__init__()
        self._cursor = self._classes = 0
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        theme().changed.connect(self.viewport().update)

    def words_for(self, row: int) -> str:
        """What is said of a class to whoever does not see it."""
        return ""

    def words_at(self, point: QPoint) -> str:
        """What is said of a point of the viewport; empty where there is nothing to say."""
        return ""

    def _set_classes(self, classes: int) -> None:
        """Have so many rows."""
        self._classes = classes
        self._cursor = min(self._cursor, max(0, classes - 1))
        self._layout()

    # -- geometry

    @property
    def _page(self) -> int:
        """Pixels for rows."""
        return self.viewport().height() - self.HEAD_HEIGHT

    def _layout(self) -> None:
        self.verticalScrollBar().setRange(0, max(0, self.ROW_HEIGHT * self._classes - self._page))
        self.verticalScrollBar().setPageStep(max(self.ROW_HEIGHT, self._page))
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._layout()

    def row_rect(self, row: int) -> QRect:
        """Where a class lies in the viewport."""
        top = self.HEAD_HEIGHT + row * self.ROW_HEIGHT - self.verticalScrollBar().value()
        return QRect(0, top, self.viewport().width(), self.ROW_HEIGHT)

    def row_at(self, point: QPoint) -> int:
        """The class at a point of the viewport, or −1."""
        row = (point.y() - self.HEAD_HEIGHT + self.verticalScrollBar().value()) // self.ROW_HEIGHT
        return row if point.y() >= self.HEAD_HEIGHT and 0 <= row < self._classes else -1

    def _in_sight(self) -> range:
        """The classes that are to be painted."""
        first = self.verticalScrollBar().value() // self.ROW_HEIGHT
        return range(first, min(self._classes, first + self._page // self.ROW_HEIGHT + 2))

    # -- choosing

    def choose(self, row: int) -> None:
        """Choose a class and emit `chosen`."""
        self._move_to(row)
        self.chosen.emit(row)

    def _move_to(self, row: int) -> None:
        """Bring a class into focus and into sight."""
        self._cursor = min(max(row, 0), self._classes - 1)
        place, bar = self.row_rect(self._cursor), self.verticalScrollBar()
        over, under = self.HEAD_HEIGHT - place.top(), place.bottom() + 1 - self.viewport().height()
        if over > 0 or under > 0:
            bar.setValue(bar.value() + (-over if over > 0 else under))
        if self._classes:
            self.setAccessibleDescription(self.words_for(self._cursor))
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(event.position().toPoint())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.choose(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, page = Qt.Key, max(1, self._page // self.ROW_HEIGHT)
        moves: dict[int, int] = {
            keys.Key_Up: -1,
            keys.Key_Down: 1,
            keys.Key_PageUp: -page,
            keys.Key_PageDown: page,
            keys.Key_Home: -self._classes,
            keys.Key_End: self._classes,
        }
        if event.key() in moves and self._classes:
            self._move_to(self._cursor + moves[event.key()])
        elif event.key() in self.CHOOSING and self._classes:
            self.choose(self._cursor)
        else:
            super().keyPressEvent(event)

    # -- explaining

    def event(self, event: QEvent) -> bool:
        return keeps_key(event, self.CHOOSING) or super().event(event)

    def viewportEvent(self, event: QEvent) -> bool:
        return shows_tip(self, event, self.words_at) or super().viewportEvent(event)
