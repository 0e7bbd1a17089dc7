"""Throttle: calls a function, but not too often."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Throttle(QObject):
    """Calling it calls `function`; further calls within `interval` milliseconds become one, at the interval's end."""

    def __init__(self, function: Callable[[], None], interval: int, parent: QObject) -> None:
        super().__init__(parent)
        self._function, self._pending = function, False
        self._timer = QTimer(self, interval=interval, singleShot=True)
        self._timer.timeout.connect(self._after)

    def __call__(self) -> None:
        if self._timer.isActive():
            self._pending = True
        else:
            self._function()
            self._timer.start()

    def _after(self) -> None:
        if self._pending:
            self._pending = False
            self()
