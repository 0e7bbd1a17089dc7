"""Turns: lets functions be called one after the other, with time to paint in between."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

BETWEEN = 12
"""Milliseconds from one call to the next: Qt paints what has changed some 5 ms after it has."""


class Turns(QObject):
    """Several widgets that draw the same news would together hold the interface up for as long as all of them take."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: list[Callable[[], None]] = []
        self._first: Callable[[], None] | None = None
        self._last: Callable[[], None] | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._call)

    def ask(self, function: Callable[[], None], is_first: bool = False) -> None:
        """Call a function when it is its turn: in the order in which they have asked, each once, however often it has.

        One that `is_first` goes before the others, but lets one of them pass between two calls of its own.
        """
        if is_first:
            self._first = function
        if function not in self._waiting:
            self._waiting.append(function)
        if not self._timer.isActive():
            self._timer.start(0)

    def _call(self) -> None:
        if not self._waiting:
            return
        others = [function for function in self._waiting if function != self._first]
        goes_first = self._first in self._waiting and (self._last != self._first or not others)
        function = self._first if goes_first and self._first is not None else others[0]
        self._waiting.remove(function)
        self._last = function
        self._timer.start(BETWEEN)
        function()
