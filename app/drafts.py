"""Drafts: keeps what is edited in the editor of layers on the disk, in the background."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.draft import Draft, keep_draft
from app.core.settings import Settings
from app.core.state import LabState
from app.errors import Problem
from app.threads.task import Task
from nncore.errors import DigitLabError

DELAY = 1000
"""Milliseconds for which edits are gathered."""


class Drafts(QObject):
    """Writes the draft of the state a second after it has changed, so that not even a program that is killed loses it."""

    problem = Signal(object)

    def __init__(self, state: LabState, settings: Settings) -> None:
        super().__init__()
        self._state, self._settings = state, settings
        self._is_late = self._is_busy = self._has_told = False
        self._timer = QTimer(self, singleShot=True, interval=DELAY)
        self._timer.timeout.connect(self._write)
        state.draft.subscribe(self._wait, now=False)

    def close(self) -> None:
        """Write what is not on the disk yet. Called when no task runs any more."""
        self._timer.stop()
        if self._is_late or self._is_busy:
            try:
                keep_draft(self._settings.draft_file, self._state.draft.value)
            except DigitLabError as error:
                self._settings.warn(f"{error} The edits of layers are lost.")

    def _wait(self, _: Draft | None) -> None:
        self._is_late = True
        if not self._timer.isActive():
            self._timer.start()

    def _write(self) -> None:
        if self._is_busy:
            self._timer.start()
            return
        self._is_busy, self._is_late = True, False
        path, draft = self._settings.draft_file, self._state.draft.value
        Task(lambda: keep_draft(path, draft), self._end, self._fail).begin()

    def _end(self, _: object) -> None:
        self._is_busy = False

    def _fail(self, problem: Problem) -> None:
        self._is_busy, self._is_late = False, True
        if not self._has_told:
            self._has_told = True
            self.problem.emit(Problem(f"{problem.message} Until then edits of layers that are not saved end with the window."))
