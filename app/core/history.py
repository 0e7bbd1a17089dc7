"""History: the curves of one training as they grow, what happened on the way, and the state of its layers. Qt-free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.core.runs.marks import CONTINUED, LayerState, Mark
from nncore.arrays import Array
from nncore.training.events import Changed, EpochEnd, Event, Examined, Progress, Started, Validated


class Rows:
    """Rows of numbers, a step first, that grow at the end; reading them copies nothing."""

    def __init__(self, width: int = 3) -> None:
        """`width` numbers a row: three are (step, loss, accuracy)."""
        self._values = np.empty((256, width))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, *row: float) -> None:
        """Append one row, its step first."""
        self._make_room(1)
        self._values[self._count] = row
        self._count += 1

    def extend(self, *columns: Array) -> None:
        """Append a row for each step, from arrays (N) in the order of the columns."""
        count = len(columns[0])
        self._make_room(count)
        added = self._values[self._count : self._count + count]
        for place, column in enumerate(columns):
            added[:, place] = column
        self._count += count

    def _make_room(self, count: int) -> None:
        while self._count + count > len(self._values):
            self._values = np.concatenate([self._values, np.empty_like(self._values)])

    def columns(self) -> tuple[Array, ...]:
        """An array a column, float64 (N) each. They are views; rows that are added later do not change them."""
        rows = self._values[: self._count]
        return tuple(rows[:, column] for column in range(rows.shape[1]))

    def forget_after(self, step: int) -> None:
        """Remove the rows of later steps."""
        kept = int(np.searchsorted(self._values[: self._count, 0], step, side="right"))
        if kept < self._count:
            self._values = self._values.copy()  # columns that were handed out stay as they are
            self._count = kept


def _rates() -> Rows:
    return Rows(2)


def _full() -> Rows:
    return Rows(1)


@dataclass
class History:
    """Steps, losses and accuracies of training and validation, the best of the validation, and all else that is noted by step."""

    train: Rows = field(default_factory=Rows)
    """A row a step."""
    validation: Rows = field(default_factory=Rows)
    """A row for each look at held-out images: at a sample of them on the way, at all of them at the end of an epoch."""
    full: Rows = field(default_factory=_full)
    """The steps of `validation` that ended an epoch. Runs of earlier versions have none."""
    rates: Rows = field(default_factory=_rates)
    """(step, learning rate) of each step. Runs of earlier versions have none."""
    marks: list[Mark] = field(default_factory=list)
    """What happened on the way, in order."""
    layers: dict[str, Rows] = field(default_factory=dict)
    """By the layer's name, in order of the network: (step, norm of its gradient, norm of its weights, share of dead units).
    What it does not have is nan."""
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
        """The curves of a run from its rows of (step, loss, accuracy), in order; `best_accuracy` is None where no epoch ended."""
        history = cls() if best_accuracy is None else cls(best_step=best_step, best_accuracy=best_accuracy)
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
        for rows in (self.train, self.validation, self.full, self.rates, *self.layers.values()):
            rows.forget_after(step)
        self.layers = {name: rows for name, rows in self.layers.items() if len(rows)}
        self.marks = [mark for mark in self.marks if mark.step <= step]
        if self.best_step > step:
            self.best_step, self.best_accuracy = 0, float("nan")

    def val_accuracy_at(self, step: int) -> float | None:
        """The accuracy on held-out images at `step`, or when they were last looked at before; None where they were not."""
        steps, _, accuracies = self.validation.columns()
        count = int(np.searchsorted(steps, step, side="right"))
        return float(accuracies[count - 1]) if count else None

    def about(self, step: int) -> str:
        """What stands before `val_accuracy_at`: a sign where it was not found on all held-out images at that very step."""
        return "" if step in self.full.columns()[0] else "≈ "

    def add(self, event: Event) -> None:
        """Take in an event of the trainer."""
        match event:
            case Started() if event.step:
                self.add_mark(Mark(event.step, CONTINUED))
            case Progress():
                self.train.extend(event.steps, event.train_losses, event.train_accuracies)
                self.rates.extend(event.steps, event.learning_rates)
            case Validated():
                self._add_look(event)
            case EpochEnd():
                self._add_look(event)
                self.full.forget_after(event.step - 1)
                self.full.append(event.step)
                if not event.val_accuracy <= self.best_accuracy:  # also where there is no best yet (nan)
                    self.best_step, self.best_accuracy = event.step, event.val_accuracy
            case Changed():
                self.add_mark(Mark(event.step, event.setting, event.value))
            case Examined():
                self.add_layer_states(
                    LayerState(event.step, found.layer, found.gradient_norm, found.weight_norm, found.dead)
                    for found in event.layers
                )

    def add_mark(self, mark: Mark) -> None:
        """Note what happened after a step. As on the disk, it takes the place of one of its kind at the same step."""
        self.marks = [kept for kept in self.marks if (kept.step, kept.kind) != (mark.step, mark.kind)] + [mark]

    def add_layer_states(self, states: Iterable[LayerState]) -> None:
        """Note the states of layers, in order of their steps. As on the disk, one takes the place of another at the same step."""
        for step, layer, *numbers in states:
            rows = self.layers.setdefault(layer, Rows(4))
            rows.forget_after(step - 1)
            rows.append(step, *(float("nan") if number is None else number for number in numbers))

    def _add_look(self, event: Validated | EpochEnd) -> None:
        """Note a look at held-out images. As on the disk, the last one at a step counts."""
        self.validation.forget_after(event.step - 1)
        self.validation.append(event.step, event.val_loss, event.val_accuracy)
