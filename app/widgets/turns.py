"""Turns: lets functions be called one after the other, with time to paint in between."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

BETWEEN = 0.012
"""Seconds from one call to the next: Qt paints what has changed some 5 ms after it has."""
APART = 0.05
"""Seconds from one call to the next of those that do not go first, so that these can be called often."""


class Turns(QObject):
    """Several widgets that draw the same news would together hold the interface up for as long as all of them take."""

    def __init__(self, parent: QObject, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` tells the time in seconds."""
        super().__init__(parent)
        self._clock = clock
        self._firsts: list[Callable[[], None]] = []
        self._others: list[Callable[[], None]] = []
        self._last = self._last_other = clock() - APART
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._call)

    def ask(self, function: Callable[[], None], is_first: bool = False) -> None:
        """Call a function when it is its turn: in the order in which they have asked, each once, however often it has.

        Those that are `is_first` go before the others.
        """
        waiting = self._firsts if is_first else self._others
        if function not in waiting:
            waiting.append(function)
            self._await_next()

    def _await_next(self) -> None:
        if self._firsts or self._others:
            due = self._last + BETWEEN
            if not self._firsts:
                due = max(due, self._last_other + APART)
            self._timer.start(max(round(1000 * (due - self._clock())), 0))

    def _call(self) -> None:
        is_other = not self._firsts
        function = (self._firsts or self._others).pop(0)
        self._last = self._clock()
        if is_other:
            self._last_other = self._last
        self._await_next()
        function()
