"""Looking: asks for a new Look whenever the network, the moment, the edits, the probe or the chosen digit change."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.look import Look, Question
from app.core.state import LabState
from app.errors import LOOK, Problem
from app.threads.looking import LookWorker


class Looking(QObject):
    """Sends Questions to the thread that looks, one at a time: the next one waits until the last Look is on the screen."""

    looked = Signal(object)
    """A Look at the present probe, or at one of just before."""
    problem = Signal(object)
    solved = Signal(str)
    """The present probe has been looked at: an earlier problem with that is over."""

    def __init__(self, state: LabState) -> None:
        super().__init__()
        self._state = state
        self.look: Look | None = None
        """The last Look."""
        self._wanted: frozenset[str] = frozenset()
        self._is_busy = self._ask_again = self._has_failed = False
        self._worker = LookWorker()
        self._worker.looked.connect(self._take_look)
        self._worker.failed.connect(self._take_failed_look)
        for observable in (state.network, state.moment, state.edits, state.probe, state.chosen):
            observable.subscribe(self._ask, now=False)

    def start(self) -> None:
        """Start the thread. A question that was asked before is answered then."""
        self._worker.start()

    def close(self) -> None:
        """End the thread and wait for its end."""
        self._worker.close()

    def want(self, name: str, wanted: bool) -> None:
        """Ask for one of the EXPLANATIONS of app/core/look.py in every question from now on, or no longer."""
        names = self._wanted | {name} if wanted else self._wanted - {name}
        if names != self._wanted:
            self._wanted = names
            self._ask()

    def _ask(self, *_: object) -> None:
        network, moment = self._state.network.value, self._state.moment.value
        if network is None or moment is None:
            return
        if self._is_busy:
            self._ask_again = True
        else:
            self._is_busy = True
            state = self._state
            self._worker.ask(Question(network, moment, state.probe.value, self._wanted, state.chosen.value, state.edits.value))

    def _take_look(self, look: Look) -> None:
        self.look = look
        self.looked.emit(look)
        if look.error is not None:
            self._has_failed = True
            self.problem.emit(replace(Problem.of(look.error), about=LOOK))
        elif self._has_failed:
            self._has_failed = False
            self.solved.emit(LOOK)
        QTimer.singleShot(0, self._look_is_shown)  # after what is waiting to be painted

    def _take_failed_look(self, problem: Problem) -> None:
        self._has_failed = True
        self.problem.emit(replace(problem, about=LOOK))
        self._look_is_shown()

    def _look_is_shown(self) -> None:
        self._is_busy = False
        if self._ask_again:
            self._ask_again = False
            self._ask()
