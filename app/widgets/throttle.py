"""Throttle: calls a function, but not too often."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Throttle(QObject):
    """Calling it calls `function`; further calls within `interval` milliseconds become one, at the interval's end.

    `interval` may be changed at any time; it holds from the next call on.
    """

    def __init__(self, function: Callable[[], None], interval: int, parent: QObject, lag: int = 0) -> None:
        """`lag`: milliseconds that a call waits before anything is done, for what should not share a frame with its cause."""
        super().__init__(parent)
        self.interval = interval
        self._function, self._lag, self._pending = function, lag, False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._call)

    def __call__(self) -> None:
        self._pending = True
        if not self._timer.isActive():
            if self._lag:
                self._timer.start(self._lag)
            else:
                self._call()

    def _call(self) -> None:
        if self._pending:
            self._pending = False
            self._function()
            self._timer.start(self.interval)
