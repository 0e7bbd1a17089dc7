"""Task and Feed: a call, or an iteration, in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from threading import Event
from typing import Any

from PySide6.QtCore import QThread, Signal

from app.errors import Problem

REPORTS_PER_SECOND = 10


def _nothing(*_: Any) -> None:
    """Stands where a function was."""


class Task(QThread):
    """Calls `function` in a thread. Then, in the interface thread, calls `done` with its result or `failed` with a Problem."""

    _succeeded = Signal(object)
    _failed = Signal(object)
    _alive: set[Task] = set()  # noqa: RUF012 - shared by intent: a thread must not lose its last reference while it runs

    def __init__(self, function: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Problem], None]) -> None:
        super().__init__()
        self._function, self._done, self._on_failure = function, done, failed
        # Methods of this object are called in the thread that it belongs to, the interface thread. Plain functions would be
        # called in the worker's.
        self._succeeded.connect(self._deliver)
        self._failed.connect(self._deliver_failure)
        self.finished.connect(self._forget)

    def begin(self) -> Task:
        """Start the thread. The object is kept until the thread has ended."""
        Task._alive.add(self)
        self.start()
        return self

    def run(self) -> None:
        try:
            result = self._function()
        except BaseException as error:  # the window must hear of every error; Qt drops what a thread raises
            self._failed.emit(Problem.of(error))
        else:
            self._succeeded.emit(result)

    def _deliver(self, result: Any) -> None:
        self._done(result)

    def _deliver_failure(self, problem: Problem) -> None:
        self._on_failure(problem)

    def _forget(self) -> None:
        self.wait()  # `finished` is emitted before the thread has ended, and the object must outlive it
        Task._alive.discard(self)
        # What they hold, such as a picture, should not stay until the object is found among the garbage.
        self._function = self._done = self._on_failure = _nothing

    @classmethod
    def wait_for_all(cls) -> None:
        """Wait until no task runs any more."""
        for task in tuple(cls._alive):
            task.wait()


class Feed(Task):
    """A Task that iterates a generator. Its result is the last value that was yielded, or None after `leave`.

    Meanwhile `progressed` is called in the interface thread with yielded values, at most REPORTS_PER_SECOND times a second.
    """

    _yielded = Signal(object)

    def __init__(
        self,
        make: Callable[[], Generator[Any]],
        progressed: Callable[[Any], None],
        done: Callable[[Any], None],
        failed: Callable[[Problem], None],
    ) -> None:
        super().__init__(self._iterate, done, failed)
        self._make, self._on_progress, self._left = make, progressed, Event()
        self._yielded.connect(self._deliver_progress)

    def leave(self) -> None:
        """Close the generator when it next yields."""
        self._left.set()

    def _iterate(self) -> Any:
        last, due = None, 0.0
        with closing(self._make()) as steps:
            for last in steps:
                if self._left.is_set():
                    return None
                if time.monotonic() >= due:
                    self._yielded.emit(last)
                    due = time.monotonic() + 1 / REPORTS_PER_SECOND
        return last

    def _deliver_progress(self, value: Any) -> None:
        self._on_progress(value)
