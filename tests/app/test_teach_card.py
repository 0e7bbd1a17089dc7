"""The card of one's own digits: learning them, undo and redo, the question where too much is forgotten, giving it up."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.core import teaching_figures
from app.panels.recognise.teach import FEW, NOTHING, TeachCard, tab_stops
from app.teaching import Phase
from app.training import Status
from app.window import Window
from tests.app.test_teaching import keep, style

LEAST_WIDTH = 244
"""Pixels of the panel's column where the window is narrow."""


@pytest.fixture
def card(window, qtbot, isolated, monkeypatch) -> TeachCard:
    """The card of a window whose user has kept 20 digits, with lessons of few steps; `card.window_` is the window."""
    monkeypatch.setattr("app.core.teaching.STEPS", 20)
    monkeypatch.setattr("app.core.teaching_in_turn.LONGEST", 0.0)
    keep(isolated / "my_digits", style("mirrored"))
    made = TeachCard(window.lab)
    qtbot.addWidget(made)
    made.window_ = window
    made.resize(LEAST_WIDTH, 260)
    made.show()
    window.lab.teaching.refresh()
    qtbot.waitUntil(lambda: window.lab.teaching.kept.count == 20, timeout=10_000)
    return made


def learn(card: TeachCard, qtbot) -> None:
    QTest.mouseClick(card.learn, Qt.MouseButton.LeftButton)
    teaching = card.window_.lab.teaching
    assert teaching.phase is Phase.PREPARING and card.cancel.isVisible() and not card.learn.isVisible()
    qtbot.waitUntil(lambda: teaching.taught is not None, timeout=60_000)


def in_view(window: Window) -> str:
    return window.lab.state.run.value.name


def same(moment, state) -> bool:
    return all(np.array_equal(moment.state[name], values) for name, values in state.items())


def test_the_taught_network_takes_the_place_of_the_one_before_and_undo_brings_that_back(card, qtbot, monkeypatch):
    monkeypatch.setattr(teaching_figures, "MOST_LOST", 1.0)  # so few steps leave no time to find back to what was known
    window, state = card.window_, card.window_.lab.state
    before = {name: values.copy() for name, values in state.moment.value.state.items()}
    learn(card, qtbot)
    qtbot.waitUntil(lambda: window.lab.teaching.phase is Phase.IDLE, timeout=60_000)
    assert in_view(window) == "my handwriting" and not same(state.moment.value, before)
    taught = window.lab.teaching.taught
    assert card.words.text().startswith(f"{taught.own_words()}\n{taught.held_out_words('held out')}\n{taught.others_words()}\n")
    assert "held out (5 of 20)" in card.words.text() and card.minimumSizeHint().width() <= LEAST_WIDTH
    assert "MNIST is not here" in card.words.text() and card.undo.isVisible() and not card.again.isVisible()
    assert taught.held_out_words() in window.lab.store.get("my handwriting").notes
    after = state.moment.value
    window._actions["undo"].trigger()
    assert in_view(window) == "mnist-cnn" and same(state.moment.value, before) and card.again.isVisible()
    window._actions["redo"].trigger()
    assert in_view(window) == "my handwriting" and same(state.moment.value, after.state)
    QTest.keyClick(card.undo, Qt.Key.Key_Space)
    assert in_view(window) == "mnist-cnn" and card.again.isVisible() and not card.undo.isVisible()
    window.lab.opener.open_weights("mnist-cnn")
    qtbot.waitUntil(lambda: not card.again.isVisible(), timeout=10_000)
    assert card.words.text() == "", "figures belong to the two networks that they are of"


@pytest.mark.parametrize("answer", ["keep", "leave"])
def test_a_network_that_forgets_too_much_is_asked_about_first(card, qtbot, monkeypatch, answer):
    monkeypatch.setattr(teaching_figures, "MOST_LOST", -1.0)
    window = card.window_
    learn(card, qtbot)
    assert in_view(window) == "mnist-cnn" and card.words.text().startswith("Drawn digits: down from")
    assert card.keep.isVisible() and card.leave.isVisible() and not card.undo.isVisible() and not card.again.isVisible()
    last = window.lab.state.acts.last.value
    QTest.mouseClick(getattr(card, answer), Qt.MouseButton.LeftButton)
    assert not card.keep.isVisible() and not card.leave.isVisible()
    if answer == "keep":
        assert in_view(window) == "my handwriting" and window.lab.state.acts.last.value.words == "handwriting learned"
    else:
        assert in_view(window) == "mnist-cnn" and card.again.isVisible() and window.lab.state.acts.last.value is last
    assert "my handwriting" in {run.name for run in window.lab.store.list()}, "it is a run in either case"


def test_a_lesson_that_is_given_up_leaves_the_network_as_it_was(card, qtbot, monkeypatch):
    monkeypatch.setattr("app.core.teaching.STEPS", 100_000)
    window, acts = card.window_, card.window_.lab.state.acts
    moment, last = window.lab.state.moment.value, acts.last.value
    QTest.mouseClick(card.learn, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.lab.training.status is Status.TRAINING, timeout=60_000)
    assert in_view(window) == "my handwriting" and window.lab.teaching.why_not
    QTest.mouseClick(card.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.lab.teaching.phase is Phase.IDLE, timeout=60_000)
    assert in_view(window) == "mnist-cnn" and window.lab.state.moment.value is moment and acts.last.value is last
    assert card.words.text() == "" and card.learn.isEnabled() and not card.cancel.isVisible()


def test_what_is_missing_is_said_before_anything_is_done(card, qtbot, isolated):
    teaching, files = card.window_.lab.teaching, sorted((isolated / "my_digits").rglob("*.png"))
    for path in files[3:]:
        path.unlink()
    teaching.refresh()
    qtbot.waitUntil(lambda: teaching.kept.count == 3, timeout=10_000)
    assert card.words.text() == FEW == card.learn.toolTip() and not card.learn.isEnabled()
    for path in files[:3]:
        path.unlink()
    teaching.refresh()
    qtbot.waitUntil(lambda: teaching.kept.count == 0, timeout=10_000)
    assert card.words.text() == NOTHING and not card.learn.isVisible() and not card.see_all.isVisible()


def test_a_digit_that_is_kept_or_taken_back_is_seen_at_once(card, qtbot):
    lab, image = card.window_.lab, np.zeros((28, 28, 1), np.uint8)
    image[4:24, 12:16] = 255
    lab.own_digits.keep(1, image)
    qtbot.waitUntil(lambda: card.see_all.text() == "21 kept", timeout=10_000)
    assert np.array_equal(lab.teaching.kept.images[0], image) and lab.teaching.kept.labels[0] == "1"
    lab.undo()
    qtbot.waitUntil(lambda: card.see_all.text() == "20 kept", timeout=10_000)


def test_every_control_has_a_tooltip_and_takes_the_keyboard(card, qtbot):
    for widget in tab_stops(card):
        assert widget.toolTip() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    QTest.mouseClick(card.see_all, Qt.MouseButton.LeftButton)
    state = card.window_.lab.state
    qtbot.waitUntil(lambda: state.data.value.spec == "my_digits" and len(state.data.value.train) == 20, timeout=10_000)
