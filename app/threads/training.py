"""TrainingWorker: the thread in which a network is trained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

import numpy as np
from PySide6.QtCore import QThread, Signal

from app.core import engine
from app.core.session import TrainingSession
from app.core.timeline import Moment
from app.errors import Problem
from app.threads.priority import lower_priority
from nncore.errors import ConfigError, DeviceError, DigitLabError
from nncore.training import events
from nncore.training.events import (
    Changed,
    EpochEnd,
    Failed,
    Finished,
    Paused,
    Progress,
    Refused,
    Resumed,
    Started,
    Stopped,
    Validated,
)
from nncore.training.trainer import Trainer

UPDATES_PER_SECOND = 12
"""Most updates a second, besides those that must not wait."""


AT_ONCE = (Started, Changed, Refused, Paused, Resumed, Stopped, Finished, Failed, EpochEnd)
"""Those that must not wait."""


@dataclass(frozen=True)
class Update:
    """The events of a training since the last update."""

    events: tuple[events.Event, ...]
    moment: Moment | None
    """The weights after the last event; None where no step was taken, or they are no numbers any more."""


class TrainingWorker(QThread):
    """Runs a training session. `updated` carries an Update; after `finished`, `problem` holds what went wrong, or None."""

    updated = Signal(object)
    compiling = Signal()
    """The engine is being compiled for the device, once on this machine."""
    warned = Signal(object)
    """A Problem that the training goes on with: the disk refuses something."""

    def __init__(
        self,
        find_device: Callable[[], str],
        make_session: Callable[[str], TrainingSession],
        ready: Callable[[TrainingSession], None],
    ) -> None:
        """All are called in the worker's thread, before the first step: `find_device`, `make_session` with the device that it
        returned, and `ready` with the session.
        """
        super().__init__()
        self._find_device, self._make_session, self._ready = find_device, make_session, ready
        self._session: TrainingSession | None = None
        self._shown = Event()
        self._shown.set()
        self.problem: Problem | None = None

    def acknowledge(self) -> None:
        """Say that the last update is on the screen. Until then events are gathered, so that updates do not pile up."""
        self._shown.set()

    def stop(self) -> None:
        """End the training after its present step, or as soon as it has begun."""
        self.requestInterruption()
        if self._session is not None:
            self._session.trainer.control.stop()

    def run(self) -> None:
        lower_priority()
        try:
            device = self._find_device()
            if not engine.is_ready(device):
                self.compiling.emit()
            engine.prepare(self.isInterruptionRequested, device)  # if that fails, the session compiles what it needs
            if self.isInterruptionRequested():
                return
            session = self._session = self._make_session(device)
            if self.isInterruptionRequested():  # while the session was made: `stop` did not know it
                session.trainer.control.stop()
            session.warn = lambda message: self.warned.emit(Problem(message))
            self._ready(session)
            self.problem = self._iterate(session)
        except BaseException as error:  # as in Task
            self.problem = Problem.of(error)

    def _iterate(self, session: TrainingSession) -> Problem | None:
        pending: list[events.Event] = []
        due, problem, accuracy = 0.0, None, None

        def tell() -> None:
            moved = any(isinstance(e, Progress | Started) for e in pending)
            moment = _moment_of(session.trainer, accuracy) if moved else None
            self._shown.clear()
            self.updated.emit(Update(tuple(pending), moment))
            pending.clear()

        try:
            for event in session.events():
                pending.append(event)
                if isinstance(event, Validated | EpochEnd):
                    accuracy = event.val_accuracy
                if isinstance(event, Failed):
                    problem = Problem(event.reason)
                at_once = isinstance(event, AT_ONCE)
                if at_once or (time.monotonic() >= due and self._shown.is_set()):
                    tell()
                    due = time.monotonic() + 1 / UPDATES_PER_SECOND
        except DeviceError as error:
            tell()  # so that the curves have every step that the run has
            return Problem(f"{error} Choose the CPU as the device, and train one epoch more to go on.")
        except ConfigError:
            raise
        except DigitLabError as error:  # the disk refuses the weights
            tell()
            return Problem(f"{error} {_kept_here(session)}")
        return problem


def _kept_here(session: TrainingSession) -> str:
    """What there is of a training whose weights could not be written, and how to keep it."""
    return (
        f"What {session.run.name} has learned is in this window: save its weights elsewhere, or make room and train one epoch more."
    )


def _moment_of(trainer: Trainer, accuracy: float | None) -> Moment | None:
    """The present moment of a training; None where it has diverged so far that its weights are no numbers any more."""
    state = trainer.network.state_dict()
    if not trainer.watch.is_calm and not all(np.isfinite(value).all() for value in state.values()):
        return None
    return Moment(trainer.step, state, accuracy)
