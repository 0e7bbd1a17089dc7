"""Answers: what a network answered on a set of images, and which of them are asked for. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from nncore.arrays import Array
from nncore.metrics import Evaluation, confusion_matrix


class Kind(Enum):
    """Whether an answer is right."""

    MISTAKES = "mistakes"
    RIGHT = "right answers"
    ALL = "all answers"


class Order(Enum):
    """What comes first."""

    SUREST = "surest first"
    LEAST_SURE = "least sure first"
    BY_CLASS = "by class"


@dataclass(frozen=True)
class Selection:
    """Which answers are asked for, and in which order. Mistakes come before right answers; of each class, where sorted by class."""

    kind: Kind = Kind.MISTAKES
    shows: int | None = None
    """What the image shows; None: anything."""
    answer: int | None = None
    """What it was taken for; None: anything."""
    least_sure: float = 0.0
    """Least probability of the answer given, 0 to 1."""
    order: Order = Order.SUREST


class Answers:
    """The answers of an evaluation, all computed once."""

    def __init__(self, found: Evaluation) -> None:
        self.labels = found.labels
        self.predicted = found.predicted
        """int64 (N)"""
        self.sureness = found.probabilities.max(axis=-1, initial=0)
        """The probability of the answer given, float32 (N)."""
        self.is_right = self.predicted == self.labels
        """bool (N)"""
        self.confusion = confusion_matrix(self.predicted, self.labels, found.probabilities.shape[1])
        """int64 (classes, classes): rows are what an image shows, columns the answers."""

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, wanted: Selection) -> Array:
        """The indices of the answers that are asked for, int64, in the order that is asked for."""
        chosen = self.sureness >= np.float32(wanted.least_sure)
        if wanted.kind is not Kind.ALL:
            chosen &= self.is_right if wanted.kind is Kind.RIGHT else ~self.is_right
        for numbers, one in ((self.labels, wanted.shows), (self.predicted, wanted.answer)):
            if one is not None:
                chosen &= numbers == one
        indices = np.flatnonzero(chosen)
        sure = self.sureness[indices]
        by_sureness = sure if wanted.order is Order.LEAST_SURE else -sure
        by_class = self.labels[indices] if wanted.order is Order.BY_CLASS else np.zeros(len(indices), np.int64)
        return indices[np.lexsort((by_sureness, self.is_right[indices], by_class))]
