"""How good a network is on a set of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.errors import DataError


def accuracy(scores: Array, labels: Array) -> float:
    """The share of rows of `scores` (N, classes) whose largest entry is the label (N); nan for no rows.

    Raises DataError where scores and labels do not belong together.
    """
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise DataError(f"Scores of shape {scores.shape} and labels of shape {labels.shape} do not belong together.")
    return float((scores.argmax(axis=-1) == labels).mean()) if len(labels) else float("nan")


def confusion_matrix(predicted: Array, labels: Array, classes: int) -> Array:
    """How often a label (row) was taken for a class (column): int64 (classes, classes).

    Raises DataError unless `predicted` and `labels` are as many whole numbers from 0 to classes − 1.
    """
    for numbers in (predicted, labels):
        if numbers.shape != labels.shape or numbers.ndim != 1 or numbers.dtype.kind not in "iu":
            raise DataError(f"Answers and labels must be as many whole numbers, not {predicted.shape} and {labels.shape}.")
        if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < classes:
            raise DataError(f"Answers and labels must lie between 0 and {classes - 1}, not {numbers.min()} to {numbers.max()}.")
    return np.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True)
class Evaluation:
    """What `nncore.prediction.evaluate` found: per-image answers, and what follows from them."""

    loss: float
    probabilities: Array
    """float32 (N, classes)"""
    labels: Array
    """int64 (N)"""

    @property
    def nbytes(self) -> int:
        return self.probabilities.nbytes + self.labels.nbytes

    @property
    def predicted(self) -> Array:
        return self.probabilities.argmax(axis=-1)

    @property
    def accuracy(self) -> float:
        return accuracy(self.probabilities, self.labels)

    @property
    def confusion(self) -> Array:
        return confusion_matrix(self.predicted, self.labels, self.probabilities.shape[1])

    def per_class(self) -> list[dict[str, Any]]:
        """Precision (how often the answer was right) and recall (how many of the class were found) a class; None for 0 / 0."""
        matrix = self.confusion
        return [
            {"digit": digit, "precision": _share(hits, matrix[:, digit].sum()), "recall": _share(hits, matrix[digit].sum())}
            for digit, hits in enumerate(matrix.diagonal())
        ]

    def mistakes(self) -> Array:
        """Indices of the images it gets wrong, the most confident mistake first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.probabilities[wrong].max(axis=-1, initial=0), kind="stable")]


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
