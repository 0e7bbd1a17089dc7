"""Latest: computes the latest of what is asked for, in the background, and leaves a training its cores."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.pace import SHARE
from app.errors import Problem
from app.lab import Lab
from app.threads.priority import lower_priority
from app.threads.task import Task


class Latest(QObject):
    """One computation at a time. While a network trains, all of them together take SHARE of a core."""

    found = Signal(object)
    """What the latest has returned; not emitted for one that has been replaced meanwhile."""

    def __init__(self, lab: Lab, parent: QObject) -> None:
        super().__init__(parent)
        self._lab = lab
        self._next: Callable[[], Any] | None = None
        self._wanted: object = None
        """What is being computed, unless it has been forgotten."""
        self._is_busy = False
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self._begin)

    def ask(self, compute: Callable[[], Any]) -> None:
        """Compute something in place of what was asked for before; `found` follows."""
        self._next = compute
        if not self._is_busy and not self._soon.isActive():
            self._soon.start(0)

    def forget(self) -> None:
        """Compute nothing any more: `found` does not follow."""
        self._next = self._wanted = None

    def _begin(self) -> None:
        if self._next is None:
            return
        compute, self._next, self._is_busy = self._next, None, True
        self._wanted = compute

        def run() -> tuple[Any, float]:
            lower_priority()
            began = time.thread_time()
            return compute(), time.thread_time() - began

        Task(run, lambda made: self._take(compute, *made), self._miss).begin()

    def _take(self, compute: object, made: Any, used: float) -> None:
        self._is_busy = False
        self._soon.start(round(1000 * used / SHARE) if self._lab.training.is_active else 0)
        if self._next is None and self._wanted is compute:
            self.found.emit(made)

    def _miss(self, problem: Problem) -> None:
        self._is_busy = False
        self._lab.problem.emit(problem)
        self._soon.start(0)
