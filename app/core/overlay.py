"""The curves of a run as they are laid over those of others. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from app.core.history import History
from app.core.runs import Run, RunStore
from app.core.runs.marks import batch_sizes
from nncore.arrays import Array

STEP, TIME, IMAGES = "step", "time", "images"
AXES = (STEP, TIME, IMAGES)
"""What curves can run along."""


@dataclass(frozen=True)
class Quantity:
    """Something that is known of a run at its steps."""

    title: str
    kind: str
    """Which of the run's curves: `train`, `validation` or `rate`."""
    column: int
    """Its column among a row's values behind the step."""
    percent: bool = False
    """Whether it is a share, to be shown in percent."""

    @property
    def is_noisy(self) -> bool:
        """Whether there is a value for each step, each of one batch."""
        return self.kind == "train"


QUANTITIES = (
    Quantity("Validation loss", "validation", 0),
    Quantity("Training loss", "train", 0),
    Quantity("Validation accuracy", "validation", 1, percent=True),
    Quantity("Training accuracy", "train", 1, percent=True),
    Quantity("Learning rate", "rate", 0),
)


@dataclass(frozen=True, eq=False)
class RunCurves:
    """All curves of a run as they were when its line in the table said `run`."""

    run: Run
    rows: dict[str, Array]
    """By kind of curve float64 (N, 1 + columns): the step, then the values."""
    batch_sizes: Sequence[tuple[int, int]] = ()
    """(step, batch size): what has held from each of these steps on."""

    @classmethod
    def empty(cls, run: Run) -> RunCurves:
        """A run of which nothing is known."""
        return cls(run, {"train": np.zeros((0, 3)), "validation": np.zeros((0, 3)), "rate": np.zeros((0, 2))})

    def curve(self, quantity: Quantity, axis: str) -> tuple[Array, Array]:
        """(x, y) of a quantity along one of AXES, float64 (N); a share as percent. Empty where nothing is known of it, or of when
        it was.
        """
        rows = self.rows[quantity.kind]
        if axis == TIME and not self.run.steps:  # the table hears of a new run's seconds when its training ends
            rows = rows[:0]
        return self._along(rows[:, 0], axis), rows[:, 1 + quantity.column] * (100 if quantity.percent else 1)

    def _along(self, steps: Array, axis: str) -> Array:
        """Where steps, float64 (N), lie on an axis: in steps, in seconds, or in images that the network had seen by then.

        The table knows only how long a run took as a whole, so its seconds are spread evenly over its steps.
        """
        run = self.run
        if axis == TIME:
            return steps * (run.seconds / max(run.steps, 1))
        if axis == STEP:
            return steps
        first = run.config.get("batch_size")
        size = first if isinstance(first, int) and not isinstance(first, bool) and first > 0 else 1
        images = steps * size
        for step, changed in self.batch_sizes:
            images = images + np.maximum(steps - step, 0) * (changed - size)
            size = changed
        return images


def read_curves(store: RunStore, run: Run, known: RunCurves | None = None) -> RunCurves:
    """Read the curves of a run; where some of it is `known`, only what has come since. DigitLabError where the table cannot be
    read.
    """
    before = RunCurves.empty(run) if known is None else known
    rows = {kind: _with_later(before.rows[kind], partial(store.metrics, run, kind)) for kind in ("train", "validation")}
    rows["rate"] = _with_later(before.rows["rate"], partial(store.rates, run))
    return RunCurves(run, rows, batch_sizes(store.marks(run)))


def live_curves(run: Run, history: History, seconds: float) -> RunCurves:
    """The curves of a run that this window trains, from memory; `seconds` is how long it has been trained."""
    found = {"train": history.train, "validation": history.validation, "rate": history.rates}
    rows = {kind: np.stack(table.columns(), axis=1) for kind, table in found.items()}
    return RunCurves(replace(run, steps=history.last_step, seconds=seconds), rows, batch_sizes(history.marks))


def _with_later(known: Array, read: Callable[[int], Sequence[tuple[float, ...]]]) -> Array:
    """Rows, float64 (N, columns), of which the first are `known`; `read` gives those behind a step.

    The last of the known ones is read again: where it is not as it was, the training went back, and all are read.
    """
    if len(known):
        found = _rows(read(int(known[-1, 0]) - 1), known.shape[1])
        if len(found) and np.array_equal(found[0], known[-1]):
            return np.concatenate([known, found[1:]]) if len(found) > 1 else known
    return _rows(read(-1), known.shape[1])


def _rows(found: Sequence[tuple[float, ...]], width: int) -> Array:
    return np.array(found, np.float64).reshape(-1, width)
