"""The views of answers where there is nothing to count: no mistake, a class that is never answered, images that are gone."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.in_view import NetworkInView
from app.core.run_in_view import RunInView
from app.core.timeline import Moment
from models.presets import preset
from nncore.data import Dataset
from nncore.metrics import Evaluation

SHOWS = np.array([0, 0, 1, 2], np.int64)
ALL_RIGHT, NEVER_ONE = [0, 0, 1, 2], [0, 0, 2, 2]
"""Answers after the first moment, and after the second, at which no image is taken for a 1."""


def evaluation(answers: list[int]) -> Evaluation:
    return Evaluation(0.25, np.eye(10, dtype=np.float32)[answers] * 0.91 + np.float32(0.009), SHOWS)


@pytest.fixture
def run(lab) -> RunInView:
    network, images = preset("mlp").build(), np.zeros((len(SHOWS), 28, 28, 1), np.uint8)
    made = RunInView(NetworkInView.of(network, "mlp", "a test"), held_out=Dataset(images, SHOWS, "four"))
    for step, answers in ((10, ALL_RIGHT), (20, NEVER_ONE)):
        made.timeline.add(Moment(step, network.state_dict(), evaluation=evaluation(answers)))
    lab.state.show_run(made, made.timeline[0])
    return made


def test_without_a_mistake_every_view_says_so(cards):
    assert (len(cards.grid), cards.grid._hint) == (0, "No mistakes: all 4 images are recognised.")
    assert cards.line._words == "step 10 · 0 mistakes" and cards._confusion.note == "step 10 · 100.00 % right"
    cards.view.setCurrentIndex(1)
    assert cards.scores.worst == -1 and cards.line._words == "step 10 · loss 0.250" and cards.scores._mean.f1 == 1
    cards._confusion.choose((0, 1))
    cards.view.setCurrentIndex(0)
    assert len(cards.grid) == 0 and "All mistakes" in cards.grid._hint, "an empty cell says how to get out of it"


def test_a_class_that_is_never_answered_has_no_precision(cards, lab):
    lab.state.show_moment(1)
    cards.view.setCurrentIndex(1)
    rows = {row.name: row for row in cards.scores._rows}
    assert (rows["1"].precision, rows["1"].recall, rows["1"].f1) == (None, 0, 0) and cards.scores.worst == 1
    assert cards.scores.words_for(1).startswith("1: precision –, recall 0.0 %") and "never answered" in cards.scores.words_for(1)
    assert "Precision is not defined: 1 was never answered." in cards._confusion._share((None, 1))
    assert next(line for line in cards.scores.table() if line[0] == "1")[1] == "", "an empty field and no zero"


def test_where_the_images_are_gone_what_was_counted_is_still_shown(cards, lab, run):
    run.held_out, run.why_no_images = None, "The data is gone."
    lab.state.show_moment(1)
    lab.state.run.tell()
    assert cards._confusion.counts.sum() == 4 and cards._confusion.note == "step 20 · 75.00 % right"
    assert cards.line._words == "step 20 · 1 mistake" and (len(cards.grid), cards.grid._hint) == (0, "The data is gone.")
