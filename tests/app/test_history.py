"""The curves of a training: rows of stretches of any length, in order."""

from __future__ import annotations

import numpy as np

from app.core.history import History, Rows
from nncore.training.events import Progress


def stretch(first: int, count: int) -> Progress:
    steps = np.arange(first, first + count)
    return Progress(steps, steps / 10, steps / 10_000, np.full(count, 0.1), 10_000, 1, 0.0, 0.0)


def test_stretches_of_any_length_become_a_row_a_step():
    history, first = History(), 1
    for count in (1, 255, 1, 700, 3, 2000):
        history.add(stretch(first, count))
        first += count
    steps, losses, accuracies = history.train.columns()
    assert steps.tolist() == list(range(1, first)) and len(history.train) == first - 1 == 2960
    assert np.array_equal(losses, steps / 10) and np.array_equal(accuracies, steps / 10_000)


def test_columns_that_were_read_stay_as_they_are():
    rows = Rows()
    rows.append(1, 0.5, 0.25)
    before = rows.columns()
    rows.extend(np.arange(2, 600), np.ones(598), np.zeros(598))
    assert [column.tolist() for column in before] == [[1], [0.5], [0.25]] and len(rows) == 599


def test_a_progress_tells_of_its_last_step():
    event = stretch(5, 3)
    assert (event.step, event.train_loss, event.train_accuracy, event.learning_rate) == (7, 0.7, 0.0007, 0.1)


def test_a_run_that_ended_before_an_epoch_has_no_best():
    assert History.of_rows([(1, 2.0, 0.1)], [], 1, None).best_step == 0
    assert History.of_rows([(1, 2.0, 0.1)], [], 1, 0.1).best_step == 1


def test_an_accuracy_of_a_sample_or_of_an_earlier_step_is_marked():
    history = History()
    history.full.append(20)
    assert [history.about(step) for step in (10, 20, 21)] == ["≈ ", "", "≈ "]
