"""The one filter of the application's events: each filter is a call into Python for every event of the program."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QHelpEvent, QKeyEvent

from app.keys import KeysOfFocus
from app.widgets.tips import WrappedTips


class EventFilter(QObject):
    """Hands keys and requests for tooltips to those that care for them."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._keys, self._tips = KeysOfFocus(self), WrappedTips(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent):  # quicker than its type
            return self._keys.eventFilter(watched, event)
        if isinstance(event, QHelpEvent):
            return self._tips.eventFilter(watched, event)
        return False
