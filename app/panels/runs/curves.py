"""TickedCurves: what is known of the curves of the ticked runs, and how they grow while a run is being trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.core.comparing import Key, key_of
from app.core.overlay import RunCurves, live_curves, read_curves
from app.core.runs import Run, RunStore
from app.errors import RUNS, Problem
from app.lab import Lab
from app.threads.priority import lower_priority
from app.threads.task import Task
from app.training import Status

EVERY = 1000
"""Milliseconds between two looks at runs that are being trained."""


class TickedCurves(QObject):
    """Reads curves in the background, and keeps them for as long as the runs stay as they are.

    A run that this window trains is followed in memory, and one that another process trains on the disk, where only what has come
    since is read. Nothing is read or followed while `place`, where the curves are drawn, is out of sight.
    """

    changed = Signal()
    """More is known."""

    def __init__(self, lab: Lab, place: QWidget) -> None:
        super().__init__(place)
        self._lab, self._place = lab, place
        self._known: dict[Key, RunCurves] = {}
        self._is_reading = self._has_failed = False
        self._clock = QTimer(self, interval=EVERY)
        self._clock.timeout.connect(self._grow)
        lab.comparing.ticked_changed.connect(self.look_again)
        lab.training.status_changed.connect(lambda _: self._follow())

    def of(self, run: Run) -> RunCurves | None:
        """The curves of a run; None where they have not been read yet."""
        return self._known.get(key_of(run))

    def grow(self, run: Run) -> bool:
        """Whether more of the run's curves will come, because it is being trained."""
        return run.status == "running" or self._is_trained_here(run)

    def look_again(self) -> None:
        """Read what is not known of the ticked runs. To be called when other runs are ticked, and when they come into sight."""
        self._has_failed = False
        self._follow()

    def leave(self) -> None:
        """The curves go out of sight."""
        self._clock.stop()

    def _follow(self) -> None:
        """Keep to the runs that are ticked; read what is missing, and look at those that grow from now on."""
        ticked = {key_of(each.run): each.run for each in self._lab.comparing.ticked}
        self._known = {key: found for key, found in self._known.items() if key in ticked}
        if not self._place.isVisible():
            return
        if self._take_live():
            self.changed.emit()
        self._read([run for run in ticked.values() if not self._is_trained_here(run) and self._is_outdated(run)])
        if self._has_failed or not any(self.grow(run) for run in ticked.values()):
            self._clock.stop()
        elif not self._clock.isActive():
            self._clock.start()

    def _is_outdated(self, run: Run) -> bool:
        known = self.of(run)
        return known is None or known.run.updated != run.updated

    def _grow(self) -> None:
        """Take in what has come of the runs that are being trained."""
        if self._take_live():
            self.changed.emit()
        ticked = [each.run for each in self._lab.comparing.ticked]
        self._read([run for run in ticked if run.status == "running" and not self._is_trained_here(run)])

    # -- a run that this window trains

    def _is_trained_here(self, run: Run) -> bool:
        training = self._lab.training
        is_trained = training.status in (Status.TRAINING, Status.PAUSED, Status.STOPPING)
        return is_trained and training.trained is not None and training.trained.is_of(run)

    def _take_live(self) -> bool:
        """Take over the curves of the run that this window trains, where it is ticked; whether they are other ones than before."""
        training = self._lab.training
        run = next((each.run for each in self._lab.comparing.ticked if self._is_trained_here(each.run)), None)
        if run is None or training.trained is None or training.session is None:
            return False
        history, known = training.trained.history, self.of(run)
        if known is not None and [len(rows) for rows in known.rows.values()] == [
            len(rows) for rows in (history.train, history.validation, history.rates)
        ]:
            return False
        self._known[key_of(run)] = live_curves(run, history, training.session.trainer.seconds)
        return True

    # -- the disk

    def _read(self, runs: Sequence[Run]) -> None:
        if not runs or self._is_reading:
            return
        self._is_reading = True
        store, known = self._lab.store, [self.of(run) for run in runs]

        def read() -> tuple[list[RunCurves], bool]:
            lower_priority()
            return [read_curves(store, *each) for each in zip(runs, known, strict=True)], _have_ended(store, runs)

        Task(read, self._take, lambda problem: self._miss(runs, problem)).begin()

    def _take(self, found: tuple[list[RunCurves], bool]) -> None:
        curves, have_ended = found
        self._is_reading = False
        self._known |= {key_of(each.run): each for each in curves}
        if have_ended:
            self._lab.run_table.refresh()  # which says how
        self._follow()  # other runs may have been ticked meanwhile
        self.changed.emit()

    def _miss(self, runs: Sequence[Run], problem: Problem) -> None:
        self._has_failed = True  # nothing is tried again as it is
        self._lab.problem.emit(replace(problem, about=RUNS))
        kept = [replace(self.of(run) or RunCurves.empty(run), run=run) for run in runs]
        self._take((kept, False))


def _have_ended(store: RunStore, runs: Sequence[Run]) -> bool:
    """Whether the training of a run has ended that is said to be running."""
    return any(run.status == "running" and not store.is_held(run) for run in runs)
