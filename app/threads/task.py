"""Task and Feed: one call, or one iteration, in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from threading import Event
from typing import Any

from PySide6.QtCore import QThread, Signal

from app.errors import Problem

TOLD_A_SECOND = 10


class Task(QThread):
    """Calls `function` in a thread of its own, then, in the interface thread, `done` with its result or `failed` with a Problem."""

    _succeeded = Signal(object)
    _failed = Signal(object)
    _alive: set[Task] = set()  # noqa: RUF012 - shared by intent: a thread must not lose its last reference while it runs

    def __init__(self, function: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Problem], None]) -> None:
        super().__init__()
        self._function, self._done, self._on_failure = function, done, failed
        # To methods of this object, which lives in the interface thread: so they are called there, whatever Python's
        # functions would do.
        self._succeeded.connect(self._deliver)
        self._failed.connect(self._deliver_failure)
        self.finished.connect(self._forget)

    def begin(self) -> Task:
        """Start, and stay alive until the thread has ended."""
        Task._alive.add(self)
        self.start()
        return self

    def run(self) -> None:
        try:
            result = self._function()
        except BaseException as error:  # whatever it was must reach the window, or the thread would die unseen
            self._failed.emit(Problem.of(error))
        else:
            self._succeeded.emit(result)

    def _deliver(self, result: Any) -> None:
        self._done(result)

    def _deliver_failure(self, problem: Problem) -> None:
        self._on_failure(problem)

    def _forget(self) -> None:
        self.wait()  # `finished` comes from the thread's last moments; only after them may the object go
        Task._alive.discard(self)

    @classmethod
    def wait_for_all(cls) -> None:
        """Wait until no task runs any more; for the end of the program."""
        for task in tuple(cls._alive):
            task.wait()


class Feed(Task):
    """A Task whose function returns a generator: what that yields is told, ten times a second at most, and the last of it is
    the result. `leave` closes the generator before its end; the result is then None.
    """

    _yielded = Signal(object)

    def __init__(
        self,
        make: Callable[[], Generator[Any]],
        told: Callable[[Any], None],
        done: Callable[[Any], None],
        failed: Callable[[Problem], None],
    ) -> None:
        super().__init__(self._iterate, done, failed)
        self._make, self._told, self._left = make, told, Event()
        self._yielded.connect(self._tell)

    def leave(self) -> None:
        """End the iteration as soon as the generator next yields."""
        self._left.set()

    def _iterate(self) -> Any:
        last, due = None, 0.0
        with closing(self._make()) as steps:
            for last in steps:
                if self._left.is_set():
                    return None
                if time.monotonic() >= due:
                    self._yielded.emit(last)
                    due = time.monotonic() + 1 / TOLD_A_SECOND
        return last

    def _tell(self, value: Any) -> None:
        self._told(value)
