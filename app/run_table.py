"""RunTable: the table of runs as the window shows it, read and changed in the background."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.core.runs import Run, RunStore
from app.errors import RUNS, RUNS_TABLE, Problem, Remedy
from app.threads.priority import lower_priority
from app.threads.task import Task
from app.training import TrainingController
from nncore.errors import DigitLabError
from nncore.files import is_file


class RunTable(QObject):
    """Lists, renames, marks and deletes runs. To be used from the interface thread only."""

    changed = Signal()
    """`runs` has been read anew."""
    renamed = Signal(object)
    """A Run under its new name."""
    deleted = Signal(object)
    """A Run that is no longer there."""
    closing = Signal()
    """The window closes: what is being typed is to be written now."""
    problem = Signal(object)
    solved = Signal(str)

    def __init__(self, store: RunStore, training: TrainingController) -> None:
        super().__init__()
        self._store, self._training = store, training
        self.runs: tuple[Run, ...] | None = None
        """The runs that were found by the last `refresh`, the newest first; None before the first has ended."""
        self._with_network: set[int] = set()
        self._with_checkpoint: set[int] = set()
        self._latest = object()
        self._is_closed = False
        training.ended.connect(self.refresh)
        training.status_changed.connect(lambda _: self.refresh())

    def refresh(self) -> None:
        """Read the table in the background. `changed` follows."""
        if self._is_closed:
            return
        self._latest = latest = object()

        def read() -> tuple[list[Run], set[int], set[int]]:
            runs = self._store.list()
            further = {run.id for run in runs if is_file(self._store.checkpoint_of(run))}
            return runs, further | {run.id for run in runs if is_file(self._store.weights_of(run))}, further

        def show(found: tuple[list[Run], set[int], set[int]]) -> None:
            if latest is self._latest:  # otherwise a later refresh does it
                runs, self._with_network, self._with_checkpoint = found
                self.runs = tuple(runs)
                self.changed.emit()

        Task(read, show, self._tell).begin()

    def has_network(self, run: Run) -> bool:
        """Whether there was a network of the run on the disk when the table was read."""
        return run.id in self._with_network

    def has_checkpoint(self, run: Run) -> bool:
        """Whether there was a checkpoint to go on from when the table was read."""
        return run.id in self._with_checkpoint

    def rename(self, run: Run, name: str) -> None:
        """Call a run `name`."""
        self._change(lambda: self._store.rename(run, name), self.renamed.emit)

    def set_tags(self, run: Run, tags: Sequence[str]) -> None:
        """Put these tags on a run, and take all others off."""
        wanted = {tag.strip() for tag in tags if tag.strip()}
        self._change(lambda: self._store.tag(run, wanted - {*run.tags}, {*run.tags} - wanted))

    def note(self, run: Run, text: str) -> None:
        """Replace the notes on a run."""
        self._change(lambda: self._store.note(run, text))

    def delete(self, runs: Sequence[Run]) -> None:
        """Delete runs with their files. Where one cannot be deleted the others are all the same, and the first reason is told."""

        def remove() -> tuple[list[Run], DigitLabError | None]:
            gone, reason = [], None
            for run in runs:
                try:
                    self._store.delete(run)
                except DigitLabError as error:
                    reason = reason or error
                else:
                    gone.append(run)
            return gone, reason

        def tell(result: tuple[list[Run], DigitLabError | None]) -> None:
            gone, reason = result
            for run in gone:
                self.deleted.emit(run)
            if reason is not None:
                self._tell(Problem.of(reason))

        self._change(remove, tell)

    def look_for_damage(self) -> None:
        """Look through the table in the background; where it is damaged, tell so and offer a new one."""

        def look() -> str:
            lower_priority()
            return self._store.damage()

        def tell(found: str) -> None:
            if found:
                remedy = Remedy("Begin a new table", self._renew, "The damaged one is kept beside it, under another name")
                words = "The table of runs is damaged inside: begin a new one with what can be read, or put a copy in its place."
                self.problem.emit(Problem(words, found, about=RUNS_TABLE, remedies=(remedy,)))

        Task(look, tell, self._tell).begin()

    def _renew(self) -> None:
        """Begin a new table with what can be read of the one that is damaged."""
        if self._training.is_active:
            self._tell(Problem("A training is writing to the table of runs; stop it first."))
        else:
            self.solved.emit(RUNS_TABLE)
            self._change(self._store.renew)

    def close(self) -> None:
        """Let what is being typed be written. Tasks must be waited for afterwards; nothing is read or changed any more."""
        self.closing.emit()
        self._is_closed = True

    def _change(self, action: Callable[[], Any], then: Callable[[Any], object] = lambda _: None) -> None:
        """Do something to the table in the background, and read it anew whether that went well or not."""

        def done(result: Any) -> None:
            self.solved.emit(RUNS)
            then(result)
            self.refresh()

        def failed(problem: Problem) -> None:
            self._tell(problem)
            self.refresh()

        if not self._is_closed:
            Task(action, done, failed).begin()

    def _tell(self, problem: Problem) -> None:
        self.problem.emit(replace(problem, about=RUNS))
