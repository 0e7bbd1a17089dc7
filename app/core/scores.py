"""Precision, recall and F1 of each class, from a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array


@dataclass(frozen=True)
class Score:
    """One class. A share of nothing is None."""

    images: int
    precision: float | None
    """How often the answer was right: TP / (TP + FP)."""
    recall: float | None
    """How many of the class were found: TP / (TP + FN)."""
    f1: float | None
    """Their harmonic mean: 2 TP / (2 TP + FP + FN)."""


def class_scores(counts: Array) -> list[Score]:
    """The scores of each class, from counts, int (classes, classes): rows are what an image shows, columns the answers."""
    shown, answered = counts.sum(axis=1), counts.sum(axis=0)
    return [
        Score(int(of), _share(hits, given), _share(hits, of), _share(2 * hits, of + given))
        for hits, of, given in zip(counts.diagonal(), shown, answered, strict=True)
    ]


def macro_average(scores: Sequence[Score]) -> Score:
    """The mean of precision, recall and F1 over the classes that were shown or answered, each class counting the same.

    A share of nothing counts as 0 there, as in scikit-learn. All are None where there are no such classes.
    """
    there = [score for score in scores if score.f1 is not None]
    means = [
        sum(getattr(score, name) or 0.0 for score in there) / len(there) if there else None
        for name in ("precision", "recall", "f1")
    ]
    return Score(sum(score.images for score in there), *means)


def most_confused(counts: Array, count: int = 6) -> list[tuple[int, int, int]]:
    """The most frequent mistakes, as (what it shows, the answer, how often), the most frequent first."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    places = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [(int(shows), int(answer), int(wrong[shows, answer])) for shows, answer in places if wrong[shows, answer]]


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
