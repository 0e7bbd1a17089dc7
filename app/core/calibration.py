"""Calibration: whether a network that is 90 % sure is right nine times in ten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.metrics import Evaluation

BINS = 10


@dataclass(frozen=True, eq=False)
class Calibration:
    """Answers in bins of equal width by their confidence, the probability of the answer given."""

    counts: Array
    """Answers a bin, int64 (BINS); the first is for confidences up to 1 / BINS."""
    confidences: Array
    """The mean confidence of a bin, float64 (BINS); 0 where it is empty."""
    accuracies: Array
    """The share of right answers of a bin, float64 (BINS); 0 where it is empty."""

    @property
    def error(self) -> float:
        """The expected calibration error, Σ_b (n_b / n) · |accuracy_b − confidence_b| (Guo et al., 2017); nan for no answers."""
        total = self.counts.sum()
        gaps = np.abs(self.accuracies - self.confidences)
        return float((self.counts * gaps).sum() / total) if total else float("nan")


def calibration(found: Evaluation, bins: int = BINS) -> Calibration:
    """The calibration of the answers of an evaluation."""
    sure = found.probabilities.max(axis=-1, initial=0).astype(np.float64)
    right = (found.predicted == found.labels).astype(np.float64)
    place = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    per = np.maximum(counts, 1)
    return Calibration(counts, np.bincount(place, sure, bins) / per, np.bincount(place, right, bins) / per)
