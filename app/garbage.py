"""Python's garbage collector, tamed for a window: it runs in the interface thread alone, between two frames.

Left to itself it runs in whichever thread happens to allocate. There it may destroy Qt's objects, which only their own
thread may touch; and it goes through all that the libraries have made, which takes a tenth of a second.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY = 1000
"""Milliseconds between two collections."""


class GarbageCollector(QObject):
    """Collects from a timer while it lives, instead of whenever Python likes."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=EVERY)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def settle(self) -> None:
        """Collect everything, and take what is left for immortal: after loading much, and when a training has ended."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def stop(self) -> None:
        """Hand collecting back to Python."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    @staticmethod
    def _collect() -> None:
        gc.collect(1)  # the young: going through the old takes a frame or two, and `settle` does it when that does no harm
