"""Figure: what widgets that draw a figure have alike: keys of their own, words for what lies under the pointer, and their menu."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import ClassVar

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QKeyEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.theme import theme
from app.widgets.figure_menu import figure_menu
from app.widgets.tips import tip

FADED = 0.35
"""Opacity while other values are awaited."""


class Figure(QWidget):
    """Takes the keyboard; Qt draws it anew when that comes or goes. A subclass paints, and says what lies where."""

    OWN_KEYS: ClassVar[Collection[int]] = ()
    """Keys of the window that are the figure's own while it has the keyboard."""

    def __init__(self, name: str, file: str) -> None:
        """`name` is the accessible name, `file` that proposed for the figure's file."""
        super().__init__()
        self._file = file
        self.notion = ""
        """What the figure shows, for where nothing in particular is pointed at: a tooltip of the widget would hide the others."""
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.update)

    def words_at(self, point: QPoint) -> str:
        """What to say of a point."""
        return self.notion

    def table(self) -> Iterator[Sequence[object]]:
        """The rows of the table behind the figure, that of the names first."""
        return iter(())

    def event(self, event: QEvent) -> bool:
        return keeps_key(event, self.OWN_KEYS) or shows_tip(self, event, self.words_at) or super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        figure_menu(self, event.globalPos(), self._file, self.table)


def keeps_key(event: QEvent, keys: Collection[int]) -> bool:
    """Whether a widget is asked if a key belongs to it rather than to the window, and it does: one of `keys`, alone."""
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    if event.modifiers() or event.key() not in keys:
        return False
    event.accept()
    return True


def shows_tip(widget: QWidget, event: QEvent, words_at: Callable[[QPoint], str]) -> bool:
    """Whether the pointer has come to rest; then a tooltip shows what `words_at` says of the point, if anything."""
    if event.type() != QEvent.Type.ToolTip or not isinstance(event, QHelpEvent):
        return False
    QToolTip.showText(event.globalPos(), tip(words_at(event.pos())), widget)
    return True
