"""What the window does when something goes wrong: a sentence for the user, a report to send, an entry in the log."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from weakref import WeakMethod

from PySide6.QtCore import QObject, Signal

from app.commands.info import gather
from nncore.errors import DigitLabError

log = logging.getLogger("digitlab")


NETWORK, DATA, PICTURE, LOOK, TRAINING, RUNS, RUNS_TABLE, EVALUATION, CUT_OFF = (
    "network", "data", "picture", "look", "training", "runs", "table of runs", "evaluation", "cut off",
)  # fmt: skip
"""What a Problem can be about."""


@dataclass(frozen=True)
class Remedy:
    """A way out of a problem, which is offered as a button."""

    words: str
    act: Callable[[], object]
    tooltip: str = ""


@dataclass(frozen=True)
class Problem:
    """Something went wrong: one sentence for the user, and for a defect of the program its traceback."""

    message: str
    details: str = ""
    about: str = ""
    """What was being done; when that has succeeded, the problem is over. Empty where only the user can say so."""
    remedies: tuple[Remedy, ...] = ()

    @classmethod
    def of(cls, error: BaseException) -> Problem:
        """The Problem of an exception: a DigitLabError's own sentence, or the report of a defect."""
        if isinstance(error, DigitLabError):
            return cls(str(error))
        if isinstance(error, MemoryError):
            return cls("There is not enough memory for this; use fewer images, a smaller batch or a smaller network.")
        details = "".join(traceback.format_exception(error))
        return cls(
            f"DigitLab made a mistake ({type(error).__name__}: {error}). What you had is kept; please send us the report.", details
        )

    def report(self) -> str:
        """The message, the versions and the traceback, as text to send."""
        facts = gather()
        versions = "\n".join(f"{name}: {facts[name]}" for name in ("digitlab", "python", "system", "packages", "devices"))
        return f"{self.message}\n\n{versions}\n\n{self.details}".rstrip() + "\n"


def log_to(folder: Path) -> None:
    """Write the log into `folder`. Where that is not possible, there is no log; a disk that refuses never stops the program."""
    logging.raiseExceptions = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(folder / "digitlab.log", maxBytes=1_000_000, backupCount=1, encoding="utf-8", delay=True)
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)


class _Relay(QObject):
    """Passes Problems from any thread to `show`, in the thread that the relay was made in."""

    caught = Signal(object)

    def __init__(self, show: Callable[[Problem], None]) -> None:
        super().__init__()
        self._shown = WeakMethod(show)  # the hook keeps the relay, which should not keep a window that was closed
        self.caught.connect(self._pass_on)

    def _pass_on(self, problem: Problem) -> None:
        if show := self._shown():
            show(problem)


def catch_everything(show: Callable[[Problem], None]) -> None:
    """Write every uncaught exception of any thread to the log and pass it to the method `show`, as long as that method's object
    exists. To be called in the interface thread: `show` is called there, since widgets must not be touched in another.
    """
    relay = _Relay(show)

    def hook(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        error = kind() if error is None else error
        if isinstance(error, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        if not isinstance(error, DigitLabError):
            log.error("uncaught", exc_info=(kind, error, trace))
            sys.__excepthook__(kind, error, trace)
        relay.caught.emit(Problem.of(error))

    sys.excepthook = hook
    threading.excepthook = lambda raised: hook(raised.exc_type, raised.exc_value, raised.exc_traceback)
