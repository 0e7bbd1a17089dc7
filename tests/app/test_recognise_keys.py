"""Recognise by keyboard alone: digits on the sheet are chosen, corrected and wiped off, and Tab goes through the panel."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.window import Window
from tests.app.test_recognise_story import write


@pytest.fixture
def recognise(window: Window, qtbot, isolated):
    """The panel with 517 on its sheet, which has the keyboard."""
    window.resize(1280, 800)
    window.show_panel("recognise")
    panel = window.panel_named("recognise")
    write(panel)
    qtbot.waitUntil(lambda: panel.reading.reading.text == "517", timeout=20_000)
    window.activateWindow()
    panel.canvas.setFocus()
    qtbot.waitUntil(panel.canvas.hasFocus)
    panel.lab.state.choose(2)
    return panel


def press(panel, *keys: Qt.Key) -> None:
    for key in keys:
        QTest.keyClick(QApplication.focusWidget(), key)


def chosen(panel) -> list[int]:
    """The digits on the sheet that have a thick frame."""
    return [each.digit for each in panel.canvas.boxes if each.chosen]


def test_arrows_choose_among_the_digits_of_the_sheet_and_a_digit_key_corrects_the_chosen_one(window, qtbot, recognise):
    assert chosen(recognise) == [7]
    press(recognise, Qt.Key.Key_Right, Qt.Key.Key_Down)
    assert chosen(recognise) == [7], "there is none behind the last, and no second line"
    press(recognise, Qt.Key.Key_Left)
    assert chosen(recognise) == [1] and "digit 2 of 3" in recognise.canvas.accessibleDescription()
    with qtbot.waitSignal(window.lab.own_digits.changed, timeout=20_000):
        press(recognise, Qt.Key.Key_4)
    assert recognise.reading.reading.text == "547" and recognise.canvas.hasFocus()
    press(recognise, Qt.Key.Key_Escape)
    assert window.lab.state.chosen.value is None and chosen(recognise) == [5]


def test_backspace_wipes_off_the_chosen_digit_and_undo_brings_it_back(window, qtbot, recognise):
    press(recognise, Qt.Key.Key_Left, Qt.Key.Key_Backspace)
    qtbot.waitUntil(lambda: recognise.reading.reading.text == "57", timeout=20_000)
    window._actions["undo"].trigger()
    qtbot.waitUntil(lambda: recognise.reading.reading.text == "517", timeout=20_000)
    press(recognise, Qt.Key.Key_Delete)
    assert recognise.canvas.is_blank, "Delete clears the sheet, as everywhere"


def test_tab_goes_through_the_panel_as_it_is_read_and_arrows_reach_the_other_tab(recognise, qtbot):
    card = recognise.sheet_card
    card._group.button(0).setFocus()
    reached = []
    for _ in range(len(card.tab_stops) + 12):
        reached.append(QApplication.focusWidget())
        press(recognise, Qt.Key.Key_Tab)
    inside = [widget for widget in reached if recognise.isAncestorOf(widget)]
    text = recognise.text_card
    wanted = [card._group.button(0), recognise.canvas, recognise.tools.buttons["pen"], text.copy, text.text, text.save]
    places = [inside.index(widget) for widget in (*wanted, recognise.history.rows, recognise.stages_card.row)]
    assert places == sorted(places) and all(widget.accessibleName() or widget.text() for widget in inside)
    card._group.button(0).setFocus()
    press(recognise, Qt.Key.Key_Right)
    assert recognise.batch.isVisible() and QApplication.focusWidget() is card._group.button(1)
