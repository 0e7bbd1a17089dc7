"""How good a network is on a set of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array


def accuracy(scores: Array, labels: Array) -> float:
    """The share of rows of `scores` (N, classes) whose largest entry is the label (N); nan for no rows."""
    return float((scores.argmax(axis=-1) == labels).mean()) if len(labels) else float("nan")


def confusion_matrix(predicted: Array, labels: Array, classes: int) -> Array:
    """How often a label (row) was taken for a class (column): int64 (classes, classes)."""
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
