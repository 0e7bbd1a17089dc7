"""What is kept of a run at its steps: curves, learning rates, marks, and the states of layers."""

from __future__ import annotations

import math
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from app.core.runs.marks import LayerState, Mark
from app.core.runs.run import Run
from app.core.runs.schema import PARTS

T = TypeVar("T")

LOOKS = ("validation", "full")
"""The kinds of rows that are looks at held-out images: on the way, and at all of them at the end of an epoch."""


class StepTables(ABC):
    """The tables of `schema.PARTS`. Where the disk refuses, every call raises DigitLabError."""

    @abstractmethod
    def _change(self, operation: Callable[[sqlite3.Connection], T], run: Run | None = None) -> T:
        """Carry out an operation that writes, as a whole or not at all. ConfigError where `run` is read-only."""

    @abstractmethod
    def _read(self, operation: Callable[[sqlite3.Connection], T], run: Run | None = None) -> T:
        """Carry out an operation that only reads; where `run` is given, of that."""

    def _select(self, run: Run, query: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a query finds of a run, whose number is its first value."""
        return self._read(lambda database: database.execute(query, (abs(run.id), *values)).fetchall(), run)

    def add_metrics(
        self,
        run: Run,
        rows: Iterable[tuple[str, int, float, float] | tuple[str, int, float, float, float]],
        marks: Iterable[Mark] = (),
        states: Iterable[LayerState] = (),
    ) -> None:
        """Add rows of (kind, step, loss, accuracy) and, for a step of the training, its learning rate; in the same transaction
        marks and states of layers, as `add_marks` and `add_layer_states` do.

        Kind is `train`; `validation`, a look at held-out images on the way; or `full`, at all of them at the end of an epoch. A row
        of the same kind and step is replaced, and so is one of the other kind of looks. A loss that is not a number is kept as an
        infinite one, since SQLite would take it for nothing.
        """
        values = [
            (run.id, kind, step, math.inf if math.isnan(loss) else loss, share, *(rate or (None,)))
            for kind, step, loss, share, *rate in rows
        ]
        looks = [(run.id, *LOOKS, step) for _, kind, step, *_ in values if kind in LOOKS]

        def insert(database: sqlite3.Connection) -> None:
            database.executemany("DELETE FROM metrics WHERE run = ? AND kind IN (?, ?) AND step = ?", looks)
            database.executemany(
                "INSERT OR REPLACE INTO metrics (run, kind, step, loss, accuracy, rate) VALUES (?, ?, ?, ?, ?, ?)", values
            )
            database.execute("UPDATE runs SET updated = ? WHERE id = ?", (time.time(), run.id))
            _insert_marks(database, run, marks)
            _insert_states(database, run, states)

        self._change(insert, run)

    def metrics(self, run: Run, kind: str, after: int = -1) -> list[tuple[int, float, float]]:
        """(step, loss, accuracy) of a run at the steps behind `after`, in order; rows that are damaged are left out.

        Kind is `train`; `validation`, every look at held-out images; or `full`, of these the ones at the end of an epoch, which
        runs of earlier versions do not tell apart.
        """
        query = (
            "SELECT step, loss, accuracy FROM metrics WHERE run = ? AND kind IN (?, ?) AND typeof(step) = 'integer' "
            "AND step > ? AND typeof(loss) = 'real' AND typeof(accuracy) = 'real' ORDER BY step"
        )
        kinds = LOOKS if kind == "validation" else (kind, kind)
        return self._select(run, query, *kinds, after)

    def rates(self, run: Run, after: int = -1) -> list[tuple[int, float]]:
        """(step, learning rate) of a run at the steps behind `after`, in order; runs of earlier versions have none."""
        query = (
            "SELECT step, rate FROM metrics WHERE run = ? AND kind = 'train' AND typeof(step) = 'integer' "
            "AND step > ? AND typeof(rate) = 'real' ORDER BY step"
        )
        return self._select(run, query, after)

    def add_marks(self, run: Run, marks: Iterable[Mark]) -> None:
        """Add marks; one of the same kind at the same step is replaced."""
        self._change(lambda database: _insert_marks(database, run, marks), run)

    def marks(self, run: Run) -> list[Mark]:
        """The marks of a run, in order of their steps; rows that are damaged are left out."""
        query = (
            "SELECT step, kind, value FROM marks WHERE run = ? AND typeof(step) = 'integer' AND typeof(kind) = 'text' "
            "AND typeof(value) IN ('real', 'null') ORDER BY step, rowid"
        )
        return [Mark(*row) for row in self._select(run, query)]

    def add_layer_states(self, run: Run, states: Iterable[LayerState]) -> None:
        """Add the states of layers; one of the same layer at the same step is replaced."""
        self._change(lambda database: _insert_states(database, run, states), run)

    def layer_states(self, run: Run) -> list[LayerState]:
        """The states of a run's layers, in order of their steps; rows that are damaged are left out."""
        numbers = " AND ".join(f"typeof({column}) IN ('real', 'null')" for column in ("gradient", "weight", "dead"))
        query = (
            "SELECT step, layer, gradient, weight, dead FROM layers WHERE run = ? AND typeof(step) = 'integer' "
            f"AND typeof(layer) = 'text' AND {numbers} ORDER BY step, rowid"
        )
        return [LayerState(*row) for row in self._select(run, query)]

    def forget_metrics_after(self, run: Run, step: int) -> None:
        """Remove all rows beyond a step, from which the training goes on."""

        def forget(database: sqlite3.Connection) -> None:
            for table in PARTS:
                database.execute(f"DELETE FROM {table} WHERE run = ? AND step > ?", (run.id, step))

        self._change(forget, run)


def _insert_marks(database: sqlite3.Connection, run: Run, marks: Iterable[Mark]) -> None:
    query = "INSERT OR REPLACE INTO marks (run, step, kind, value) VALUES (?, ?, ?, ?)"
    database.executemany(query, [(run.id, *mark) for mark in marks])


def _insert_states(database: sqlite3.Connection, run: Run, states: Iterable[LayerState]) -> None:
    query = "INSERT OR REPLACE INTO layers (run, step, layer, gradient, weight, dead) VALUES (?, ?, ?, ?, ?, ?)"
    database.executemany(query, [(run.id, *state) for state in states])
