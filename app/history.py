"""History: the curves of one training as they grow. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nncore.backend import Array
from nncore.metrics import Evaluation
from nncore.training.events import EpochEnd, Event, Progress, Validated


@dataclass
class History:
    """Steps, losses and accuracies of training and validation, and the last full look at the held-out images."""

    train: list[tuple[float, float, float]] = field(default_factory=list)
    """(step, loss, accuracy), a row a step"""
    validation: list[tuple[float, float, float]] = field(default_factory=list)
    evaluation: Evaluation | None = None
    best_step: int = 0
    best_accuracy: float = float("nan")
    """Of the full looks, one an epoch."""

    def add(self, event: Event) -> None:
        """Take in an event of the trainer."""
        match event:
            case Progress():
                self.train.append((event.step, event.train_loss, event.train_accuracy))
            case Validated():
                self.validation.append((event.step, event.val_loss, event.val_accuracy))
            case EpochEnd():
                self.validation.append((event.step, event.val_loss, event.val_accuracy))
                self.evaluation = event.evaluation
                if not event.val_accuracy <= self.best_accuracy:  # also where there is no best yet (nan)
                    self.best_step, self.best_accuracy = event.step, event.val_accuracy

    def columns(self, which: str) -> tuple[Array, Array, Array]:
        """(steps, losses, accuracies) of `train` or `validation`, float64."""
        rows = np.array(getattr(self, which), float).reshape(-1, 3)
        return rows[:, 0], rows[:, 1], rows[:, 2]
