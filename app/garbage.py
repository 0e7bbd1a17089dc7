"""Python's garbage collector, run by a timer in the interface thread.

By default it runs in whichever thread allocates memory. There it can destroy Qt objects, which only their own thread may
touch; and a full collection goes through all objects of the libraries, which takes a tenth of a second.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY = 1000
"""Milliseconds between two collections."""


class GarbageCollector(QObject):
    """Switches the automatic collection off and collects from a timer, until `stop`."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=EVERY)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def settle(self) -> None:
        """Collect everything, and leave what remains out of later collections. For use after much has been loaded or freed."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def stop(self) -> None:
        """Switch the automatic collection on again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    @staticmethod
    def _collect() -> None:
        gc.collect(
            1
        )  # young objects only: a full collection would delay a frame or two, and `settle` makes one where that does no harm
