"""Comparing: the runs that are ticked, each with its colour, and their answers to the probe, computed in the background."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from PySide6.QtCore import QObject, QTimer, Signal

from app.colors import color_of
from app.core.comparing import Comparer, Key, RunAnswer, Ticked, key_of
from app.core.report.comparison import MOST as MOST_TICKED
from app.core.runs import Run, RunStore
from app.core.state import LabState
from app.errors import Problem
from app.run_table import RunTable
from app.threads.priority import lower_priority
from app.threads.task import Task
from nncore.errors import ConfigError

PAUSE = 80
"""Least milliseconds between two computations: a stroke changes the probe many times a second."""


class Comparing(QObject):
    """Holds which runs are ticked, in the order in which they were, and what the first of them say of the probe.

    One computation at a time, of the latest probe. Each run answers with its best weights.
    """

    ticked_changed = Signal()
    MOST = 6
    """Runs that answer the probe."""

    answered = Signal()
    """`answers` are others."""
    problem = Signal(object)

    def __init__(self, state: LabState, store: RunStore, table: RunTable, kept: Sequence[tuple[Key, str]] = ()) -> None:
        """`kept` are the runs that were ticked the last time, with their colours."""
        super().__init__()
        self._state, self._table = state, table
        self.ticked: tuple[Ticked, ...] = ()
        self._awaited = tuple(kept[:MOST_TICKED])
        """What is to be ticked as soon as the table has been read."""
        self.answers: tuple[RunAnswer, ...] = ()
        """Those of the first MOST ticked runs to the present probe, or to one of just before; none while no run is ticked."""
        self._comparer = Comparer(store)
        self._is_busy = self._ask_again = False
        self._give_up = Event()
        self._pause = QTimer(self, interval=PAUSE, singleShot=True)
        self._pause.timeout.connect(self._begin)
        for observable in (state.probe, state.chosen):
            observable.subscribe(lambda _: self._ask(), now=False)
        table.changed.connect(self._follow)

    def tick(self, runs: Sequence[Run], ticked: bool = True) -> None:
        """Tick runs, or take their ticks away. ConfigError where more would be ticked than can be told apart."""
        keys = {key_of(run) for run in runs}
        if not ticked:
            self._set([each for each in self.ticked if key_of(each.run) not in keys])
            return
        present = {key_of(each.run) for each in self.ticked}
        new = [run for run in runs if key_of(run) not in present]
        if len(self.ticked) + len(new) > MOST_TICKED:
            raise ConfigError(f"Up to {MOST_TICKED} runs can be compared; take away the ticks of others first.")
        found = list(self.ticked)
        for run in new:
            taken = {each.color for each in found}
            # A colour that is free, so that those of the others stay; where none is, they begin again.
            number = next((number for number in range(len(found)) if color_of(number) not in taken), len(found))
            found.append(Ticked(run, color_of(number)))
        self._set(found)

    @property
    def kept(self) -> list[tuple[Key, str]]:
        """What is ticked, with the colours, as the next start is to have it."""
        return [*self._awaited, *((key_of(each.run), each.color) for each in self.ticked)]

    def warm_up(self) -> None:
        """Tick again what was ticked the last time, once the table has been read. Runs that are gone are not missed."""
        if self._awaited:
            self._table.refresh()

    def color_of(self, run: Run) -> str | None:
        """The colour of a run that is ticked, as Ticked has it; None for others."""
        return next((each.color for each in self.ticked if key_of(each.run) == key_of(run)), None)

    def close(self) -> None:
        """End what is under way. Tasks must be waited for afterwards."""
        self._pause.stop()
        self._ask_again = False
        self._give_up.set()

    def _follow(self) -> None:
        """Take in the table as it is now: ticked runs may have been renamed, trained further or deleted."""
        present = {key_of(run): run for run in self._table.runs or ()}
        wanted, self._awaited = self.kept, ()
        found = [Ticked(present[key], color) for key, color in wanted if key in present]
        if tuple(found) != self.ticked:
            self._set(found)

    def _set(self, ticked: Sequence[Ticked]) -> None:
        self.ticked = tuple(ticked)
        # What is known stays until the new answers are there; those of other runs go at once.
        keys = [key_of(each.run) for each in self.ticked[: self.MOST]]
        self.answers = tuple(answer for answer in self.answers if key_of(answer.run) in keys)
        self.ticked_changed.emit()
        self.answered.emit()
        self._ask()

    def _ask(self) -> None:
        """See to it that the ticked runs answer the present probe."""
        if not self.ticked:
            return
        if self._is_busy:
            self._ask_again = True
        elif not self._pause.isActive():
            self._pause.start()

    def _begin(self) -> None:
        if self._is_busy or not self.ticked:
            return
        self._is_busy, self._give_up = True, Event()
        runs, probe, chosen, comparer, give_up = (
            [each.run for each in self.ticked[: self.MOST]],
            self._state.probe.value,
            self._state.chosen.value,
            self._comparer,
            self._give_up,
        )

        def compare() -> tuple[RunAnswer, ...] | None:
            lower_priority()
            return comparer.answers(runs, probe, give_up.is_set, chosen)

        Task(compare, self._take, self._miss).begin()

    def _take(self, answers: tuple[RunAnswer, ...] | None) -> None:
        keys = {key_of(each.run) for each in self.ticked}
        if answers is not None:
            self.answers = tuple(answer for answer in answers if key_of(answer.run) in keys)
            self.answered.emit()
        self._end()

    def _miss(self, problem: Problem) -> None:
        self.problem.emit(problem)
        self._end()

    def _end(self) -> None:
        self._is_busy = False
        if self._ask_again:
            self._ask_again = False
            self._ask()
