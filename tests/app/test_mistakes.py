"""The cards of the Train panel that show answers: the choice of a cell, row or class, the filter, the scores, the calibration."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.core.answers import Answers, Kind, Order, Selection
from app.core.in_view import NetworkInView
from app.core.run_in_view import RunInView
from app.core.scores import class_scores, macro_average
from app.core.split import Split
from app.core.timeline import Moment
from app.panels.train.mistakes import Mistakes
from models.presets import preset
from nncore.data import Dataset
from nncore.metrics import Evaluation

SHOWS = np.array([4, 4, 4, 9, 9, 1], np.int64)
FIRST = ([9, 4, 9, 9, 4, 1], [0.55, 0.85, 0.75, 0.65, 0.95, 0.45])
"""Answers and how sure they are, after the first moment, and after the second."""
SECOND = ([4, 4, 9, 9, 9, 7], [0.55, 0.85, 0.75, 0.65, 0.95, 0.45])


def evaluation(answers: list[int], sure: list[float], labels=SHOWS) -> Evaluation:
    probabilities = np.repeat((1 - np.array(sure, np.float32))[:, None] / 9, 10, axis=1)
    probabilities[np.arange(len(labels)), answers] = sure
    return Evaluation(1.0, probabilities, labels)


@pytest.fixture
def run(lab) -> RunInView:
    network, images = preset("mlp").build(), np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 28, 28, 1), np.uint8)
    made = RunInView(NetworkInView.of(network, "mlp", "a test"), held_out=Dataset(images, SHOWS, "six"))
    for step, found in ((10, FIRST), (20, SECOND)):
        made.timeline.add(Moment(step, network.state_dict()))
        made.evaluations.add(step, evaluation(*found))
    lab.state.show_run(made, made.timeline[0])
    return made


def in_grid(cards: Mistakes) -> list[int]:
    """Which images are shown: each is as grey as its number."""
    return [int(cards.grid.image(position)[0, 0, 0]) for position in range(len(cards.grid))]


def test_answers_are_selected_and_sorted():
    answers = Answers(evaluation(*FIRST))

    def chosen(**wanted) -> list[int]:
        return answers.select(Selection(**wanted)).tolist()

    assert chosen() == [4, 2, 0] == evaluation(*FIRST).mistakes().tolist()
    assert chosen(order=Order.LEAST_SURE) == [0, 2, 4] and chosen(order=Order.BY_CLASS) == [2, 0, 4]
    assert chosen(kind=Kind.RIGHT, order=Order.LEAST_SURE) == [5, 3, 1], "right, and unsure of it"
    assert chosen(kind=Kind.ALL) == [4, 2, 0, 1, 3, 5], "mistakes first"
    assert chosen(shows=4) == [2, 0] and chosen(answer=4) == [4] and chosen(shows=4, answer=9, kind=Kind.ALL) == [2, 0]
    assert chosen(least_sure=0.75) == [4, 2], "as sure as that, or more"


def test_a_cell_stays_chosen_when_the_moment_changes(cards, lab):
    cell = cards._confusion.cell_rect(4, 9).center()
    QTest.mouseClick(cards._confusion, Qt.MouseButton.LeftButton, pos=cell)
    assert in_grid(cards) == [2, 0] and cards.line._words == "step 10 · 4 taken for 9 · 2 images"
    lab.state.show_moment(1)
    assert in_grid(cards) == [2] and cards.line._words == "step 20 · 4 taken for 9 · 1 image"
    assert cards._confusion.choice == (4, 9) and cards._confusion.note == "step 20 · 66.67 % right"
    QTest.mouseClick(cards._confusion, Qt.MouseButton.LeftButton, pos=cell)
    assert in_grid(cards) == [2, 5] and cards.line._words == "step 20 · 2 mistakes"


def test_rows_columns_and_the_diagonal_show_their_very_images(cards):
    cards._confusion.choose((4, None))
    assert in_grid(cards) == [2, 0, 1] and cards.line._words == "step 10 · shows 4 · 2 of 3 wrong"
    cards._confusion.choose((None, 9))
    assert in_grid(cards) == [2, 0, 3] and cards.line._words == "step 10 · taken for 9 · 2 of 3 wrong"
    cards._confusion.choose((4, 4))
    assert in_grid(cards) == [1] and cards.line._words == "step 10 · 4 recognised · 1 image"
    cards.grid.setFocus()
    QTest.keyClick(cards.grid, Qt.Key.Key_Escape)
    assert in_grid(cards) == [4, 2, 0] and cards._confusion.choice == (None, None)


def test_the_filter_and_the_matrix_show_the_same_choice(cards):
    cards._confusion.choose((9, None))
    assert cards.filter.isChecked() and cards.filter.shows.currentData() == 9 and cards.filter.kind.currentData() is Kind.ALL
    box = cards.filter.answer
    box.setCurrentIndex(box.findData(4))
    box.activated.emit(box.currentIndex())
    assert cards._confusion.choice == (9, 4) and in_grid(cards) == [4]
    cards.filter.least_sure.setValue(96)
    assert in_grid(cards) == [] and cards.line._words.endswith("≥ 96 % sure")
    cards.filter.reset.click()
    assert in_grid(cards) == [4, 2, 0] and cards._confusion.choice == (None, None) and not cards.filter.isChecked()


@pytest.mark.qt_log_ignore("grabbing the keyboard")  # said of the offscreen platform when a popup opens
def test_escape_closes_the_filter_before_it_takes_the_choice_back(cards, qtbot):
    cards._confusion.choose((9, None))
    cards.filter.click()
    qtbot.waitUntil(cards.filter.popup.isVisible)
    QTest.keyClick(cards.filter.kind, Qt.Key.Key_Escape)
    assert not cards.filter.popup.isVisible() and cards._confusion.choice == (9, None)
    assert cards.filter.isChecked(), "something is filtered"


def test_captions_and_tooltips_tell_the_answer_and_how_sure_it_is(cards):
    assert cards.grid._caption(0) == "9 → 4"
    assert cards.grid._describe(0) == "9 taken for 4, 95.0 % sure; 0.6 % for 9 (held-out image 4)"


def test_a_mistake_becomes_the_probe_and_says_where_it_is_from(cards, lab):
    cards.grid.choose(0)
    probe = lab.state.probe.value
    assert probe.origin == "six held-out image 4" and probe.label == 9 and probe.picture[0, 0, 0] == 4


def test_classes_have_their_scores_and_lead_to_their_images(cards):
    cards.view.setCurrentIndex(1)
    found = {row.name: row for row in cards.scores._rows}
    assert (found["4"].precision, found["4"].recall, found["4"].f1, found["4"].images) == (1 / 2, 1 / 3, 0.4, 3)
    assert found["7"].precision is None and found["1"].f1 == 1 and cards.scores.worst == 4
    assert cards.scores._mean.f1 == pytest.approx((0.4 + 0.4 + 1) / 3), "over the classes that there are"
    cards.scores.chosen.emit(4)
    assert cards.view.currentIndex() == 0 and in_grid(cards) == [2, 0, 1] and cards._confusion.choice == (4, None)


def test_the_macro_average_counts_a_share_of_nothing_as_zero():
    counts = np.array([[8, 2, 0], [0, 0, 5], [0, 0, 0]])
    mean = macro_average(class_scores(counts))
    assert mean.precision == pytest.approx((1 + 0 + 0) / 3) and mean.recall == pytest.approx((0.8 + 0 + 0) / 3)
    assert mean.images == 15 and macro_average(class_scores(np.zeros((2, 2), int))).f1 is None


def test_the_calibration_is_that_of_the_moment(cards, lab):
    cards.view.setCurrentIndex(2)
    error = (0.55 + 0.15 + 0.75 + 0.35 + 0.95 + 0.55) / 6  # a bin each: how sure where it is wrong, and how unsure where right
    assert cards.line._words == f"step 10 · calibration error {error * 100:.2f} %"
    lab.state.show_moment(1)
    error = (0.45 + 0.15 + 0.75 + 0.35 + 0.05 + 0.45) / 6
    assert cards.line._words == f"step 20 · calibration error {error * 100:.2f} %"
    assert cards.diagram._counts.sum() == 6


def test_another_split_without_images_says_why_in_every_view(cards, lab):
    cards.split.setCurrentIndex(1)
    cards.split.activated.emit(1)
    assert lab.evaluating.split is Split.TEST and not cards._confusion.counts.any()
    why = "mlp came without its training, and so without its test images."
    assert (len(cards.grid), cards.grid._hint) == (0, why)
    for view in (1, 2):
        cards.view.setCurrentIndex(view)
    assert cards.scores._hint == cards.diagram._hint == why
