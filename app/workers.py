"""Threads: everything that takes longer than a frame runs in one of these, and answers by signals."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from threading import Condition, Event
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal
from threadpoolctl import threadpool_limits

from app.core.look import Look, Looker, Question
from app.core.session import TrainingSession
from app.core.state import Moment
from app.errors import Problem
from nncore.backend.devices import get_backend
from nncore.training import events
from nncore.training.events import EpochEnd, Failed, Finished, Paused, Progress, Resumed, Started, Stopped, Validated

UPDATES_A_SECOND = 20
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


@dataclass(frozen=True)
class Update:
    """What has happened in a training since the last update, at most twenty times a second."""

    events: tuple[events.Event, ...]
    moment: Moment | None
    """The weights after the last of the events, where a step was taken."""


class TrainingWorker(QThread):
    """Runs a training session. `updated` carries what happens; once `finished` has come, `problem` says what went wrong."""

    updated = Signal(object)

    def __init__(self, make_session: Callable[[], TrainingSession], ready: Callable[[TrainingSession], None]) -> None:
        """`make_session` builds the session in the thread; `ready` is called there with it, before the first step."""
        super().__init__()
        self._make_session, self._ready = make_session, ready
        self._shown = Event()
        self._shown.set()
        self.problem: Problem | None = None

    def acknowledge(self) -> None:
        """Say that the last update is on the screen. Until then what happens is gathered, so that updates never pile up."""
        self._shown.set()

    def run(self) -> None:
        stand_back()
        try:
            get_backend("cpu").prepare(self.isInterruptionRequested)  # where that fails the session compiles what it needs itself
            if self.isInterruptionRequested():
                return
            session = self._make_session()
            self._ready(session)
            self.problem = self._iterate(session)
        except BaseException as error:  # as in Task
            self.problem = Problem.of(error)

    def _iterate(self, session: TrainingSession) -> Problem | None:
        pending: list[events.Event] = []
        due, problem, accuracy = 0.0, None, None
        for event in session.events():
            pending.append(event)
            if isinstance(event, Validated | EpochEnd):
                accuracy = event.val_accuracy
            if isinstance(event, Failed):
                problem = Problem(event.reason)
            at_once = isinstance(event, Started | Paused | Resumed | Stopped | Finished | Failed | EpochEnd)
            if at_once or (time.monotonic() >= due and self._shown.is_set()):
                moved = any(isinstance(e, Progress | Started) for e in pending)
                moment = Moment(session.trainer.step, session.trainer.network.state_dict(), accuracy) if moved else None
                self._shown.clear()
                self.updated.emit(Update(tuple(pending), moment))
                pending.clear()
                due = time.monotonic() + 1 / UPDATES_A_SECOND
        return problem if problem or session.warning is None else Problem(session.warning)


class LookWorker(QThread):
    """Answers questions about the probe, always the latest one: what was asked in between is forgotten."""

    looked = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._looker = Looker()
        self._condition = Condition()
        self._question: Question | None = None
        self._closing = False

    def ask(self, question: Question) -> None:
        """Ask; `looked` (or `failed`) will answer unless another question comes before this one's turn."""
        with self._condition:
            self._question = question
            self._condition.notify()

    def close(self) -> None:
        """End the thread and wait for its end."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self.wait()

    def run(self) -> None:
        # Several BLAS threads would wait for each other in busy loops, on cores that a training wants.
        threadpool_limits(1, user_api="blas")
        self._looker.warm_up()
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closing or self._question is not None)
                if self._closing:
                    return
                question, self._question = self._question, None
            assert question is not None, "waited for above"
            try:
                look: Look = self._looker.look(question)
            except BaseException as error:  # as in Task
                self.failed.emit(Problem.of(error))
            else:
                self.looked.emit(look)


def stand_back() -> None:
    """Let this thread, and those that it will start, give way to the interface when cores are short (on Linux, where one can)."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 2)


def keep_interface_lively() -> None:
    """Let threads hand the interpreter over after 1 ms instead of 5, so that a busy worker never delays a stroke by a frame."""
    sys.setswitchinterval(0.001)
