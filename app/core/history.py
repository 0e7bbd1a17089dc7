"""History: the curves of one training as they grow. Qt-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nncore.arrays import Array
from nncore.training.events import EpochEnd, Event, Progress, Validated


class Rows:
    """Rows of (step, loss, accuracy) that grow at the end; reading them copies nothing."""

    def __init__(self) -> None:
        self._values = np.empty((256, 3))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, step: int, loss: float, accuracy: float) -> None:
        self.extend(np.array([step]), np.array([loss]), np.array([accuracy]))

    def extend(self, steps: Array, losses: Array, accuracies: Array) -> None:
        """Append a row for each step."""
        end = self._count + len(steps)
        while end > len(self._values):
            self._values = np.concatenate([self._values, np.empty_like(self._values)])
        self._values[self._count : end] = np.stack([steps, losses, accuracies], axis=1)
        self._count = end

    def columns(self) -> tuple[Array, Array, Array]:
        """(steps, losses, accuracies), float64 (N) each. They are views; rows that are added later do not change them."""
        rows = self._values[: self._count]
        return rows[:, 0], rows[:, 1], rows[:, 2]

    def forget_after(self, step: int) -> None:
        """Remove the rows of later steps."""
        kept = int(np.searchsorted(self._values[: self._count, 0], step, side="right"))
        if kept < self._count:
            self._values = self._values.copy()  # columns that were handed out stay as they are
            self._count = kept


@dataclass
class History:
    """Steps, losses and accuracies of training and validation, and the best of the validation."""

    train: Rows = field(default_factory=Rows)
    """A row a step."""
    validation: Rows = field(default_factory=Rows)
    best_step: int = 0
    best_accuracy: float = float("nan")
    """The best accuracy at the end of an epoch, on all held-out images; nan before the first."""

    @classmethod
    def of_rows(
        cls,
        train: Sequence[tuple[int, float, float]],
        validation: Sequence[tuple[int, float, float]],
        best_step: int = 0,
        best_accuracy: float | None = None,
    ) -> History:
        """The curves of a run from its rows of (step, loss, accuracy), in order; `best_accuracy` is None where there is none."""
        history = cls(best_step=best_step, best_accuracy=float("nan") if best_accuracy is None else best_accuracy)
        for rows, found in ((history.train, train), (history.validation, validation)):
            if found:
                rows.extend(*np.array(found, np.float64).T)
        return history

    @property
    def last_step(self) -> int:
        """The last step that was taken; 0 before the first."""
        steps, _, _ = self.train.columns()
        return int(steps[-1]) if len(steps) else 0

    def forget_after(self, step: int) -> None:
        """Drop what was noted of later steps."""
        self.train.forget_after(step)
        self.validation.forget_after(step)
        if self.best_step > step:
            self.best_step, self.best_accuracy = 0, float("nan")

    def val_accuracy_at(self, step: int) -> float | None:
        """The accuracy on held-out images at `step`, or when they were last looked at before; None where they were not."""
        steps, _, accuracies = self.validation.columns()
        count = int(np.searchsorted(steps, step, side="right"))
        return float(accuracies[count - 1]) if count else None

    def add(self, event: Event) -> None:
        """Take in an event of the trainer."""
        match event:
            case Progress():
                self.train.extend(event.steps, event.train_losses, event.train_accuracies)
            case Validated():
                self.validation.append(event.step, event.val_loss, event.val_accuracy)
            case EpochEnd():
                self.validation.append(event.step, event.val_loss, event.val_accuracy)
                if not event.val_accuracy <= self.best_accuracy:  # also where there is no best yet (nan)
                    self.best_step, self.best_accuracy = event.step, event.val_accuracy
