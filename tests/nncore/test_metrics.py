"""Metrics: counted by hand, and refused in words where answers and labels do not belong together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nncore.errors import DataError
from nncore.metrics import Evaluation, accuracy, confusion_matrix

LABELS = np.array([0, 1, 1, 2, 2, 2])
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1, 0], [0.2, 0.7, 0.1, 0], [0.6, 0.3, 0.1, 0], [0, 0.1, 0.9, 0], [0, 0.95, 0.05, 0], [0.3, 0.3, 0.4, 0]],
    np.float32,
)


def test_an_evaluation_counts_right_answers_and_mistakes():
    found = Evaluation(0.5, PROBABILITIES, LABELS)
    assert found.predicted.tolist() == [0, 1, 0, 2, 1, 2] and found.accuracy == pytest.approx(4 / 6)
    assert found.confusion.tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 2, 0], [0, 0, 0, 0]]
    assert found.confusion.dtype == np.int64
    assert found.mistakes().tolist() == [4, 2], "the most confident mistake first"
    assert found.per_class() == [
        {"digit": 0, "precision": 0.5, "recall": 1.0},
        {"digit": 1, "precision": 0.5, "recall": 0.5},
        {"digit": 2, "precision": 1.0, "recall": pytest.approx(2 / 3)},
        {"digit": 3, "precision": None, "recall": None},
    ]


def test_nothing_to_count_is_no_number():
    nothing = Evaluation(math.nan, np.empty((0, 3), np.float32), np.empty(0, np.int64))
    assert math.isnan(nothing.accuracy) and nothing.mistakes().shape == (0,)
    assert nothing.confusion.tolist() == [[0] * 3] * 3


@pytest.mark.parametrize("scores", [np.zeros((5, 4)), np.zeros((6, 2, 2, 4)), np.zeros(6)])
def test_scores_and_labels_must_belong_together(scores):
    with pytest.raises(DataError, match="belong together"):
        accuracy(scores, LABELS)


@pytest.mark.parametrize("labels", [LABELS - 1, LABELS + 2, LABELS[:-1], LABELS.astype(float), LABELS[:, None]])
def test_a_label_without_a_row_is_refused(labels):
    answers = np.array([0, 1, 0, 2, 1, 2])
    for pair in ((answers, labels), (labels, answers)):
        with pytest.raises(DataError, match="Answers and labels"):
            confusion_matrix(*pair, 4)
