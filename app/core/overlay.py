"""The curves of a run as they are laid over those of others. Qt-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
        """(x, y) of a quantity along one of AXES, float64 (N); a share as percent. Empty where nothing is known of it."""
        rows = self.rows[quantity.kind]
        return self._along(rows[:, 0], axis), rows[:, 1 + quantity.column] * (100 if quantity.percent else 1)

    def _along(self, steps: Array, axis: str) -> Array:
        """Where steps, float64 (N), lie on an axis: in steps, in seconds, or in images that the network had seen by then.

        The table knows only how long a run took as a whole, so its seconds are spread evenly over its steps.
        """
        run = self.run
        if axis == TIME:
            return steps * (run.seconds / run.steps if run.steps else 0.0)
        if axis == STEP:
            return steps
        first = run.config.get("batch_size")
        size = first if isinstance(first, int) and not isinstance(first, bool) and first > 0 else 1
        images = steps * size
        for step, changed in self.batch_sizes:
            images = images + np.maximum(steps - step, 0) * (changed - size)
            size = changed
        return images


def read_curves(store: RunStore, run: Run) -> RunCurves:
    """Read the curves of a run. DigitLabError where the table cannot be read."""
    rows = {kind: np.array(store.metrics(run, kind), np.float64).reshape(-1, 3) for kind in ("train", "validation")}
    rows["rate"] = np.array(store.rates(run), np.float64).reshape(-1, 2)
    return RunCurves(run, rows, batch_sizes(store.marks(run)))
