"""Recognise in windows of little room: nothing is out of sight, and the text that is read has its lines."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QScrollArea

from app.core.probe import Probe
from app.core.teaching_figures import Figure, Taught
from app.widgets.pages import Pages
from app.window import Window
from benchmarks.drawn_pages import page
from tests.app.test_teaching import keep, style

LINES = ("2075", "386", "49", "7703", "556", "123", "456")


@pytest.fixture
def recognise(window: Window, qtbot, isolated):
    """The panel with a page of seven lines, of a user who has kept 20 digits."""
    keep(isolated / "my_digits", style("mirrored"))
    window.lab.teaching.refresh()
    window.resize(1280, 800)
    window.show_panel("recognise")
    panel = window.panel_named("recognise")
    window.lab.state.show_probe(Probe(page(LINES, seed=4).picture, "page.png"), "page")
    qtbot.waitUntil(lambda: len(panel.photo.boxes) == sum(map(len, LINES)), timeout=60_000)
    qtbot.waitUntil(lambda: window.lab.teaching.kept.count == 20, timeout=10_000)
    return panel


def hidden_across(area: QScrollArea) -> int:
    """Pixels of what an area shows that lie out of sight at its right."""
    return area.widget().width() - area.viewport().width()


def test_the_smallest_window_shows_the_whole_width(window, qtbot, recognise):
    recognise.tools._show_words(2)
    window.resize(960, 620)
    for number in (0, 1):  # the sheet, and the batch
        recognise.sheet_card._group.button(number).click()
        qtbot.wait(50)  # so that layouts begin to settle
        qtbot.waitUntil(lambda: hidden_across(window.findChild(Pages)) == 0 and hidden_across(recognise.column) == 0)
    window.lab.sheet_wanted.emit()
    qtbot.wait(50)
    qtbot.waitUntil(lambda: hidden_across(window.findChild(Pages)) == 0)
    tools = recognise.tools
    assert all(button.geometry().right() < tools.width() for name, button in tools.buttons.items() if name != "redo")
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: tools.buttons["redo"].isVisible() and tools._width_words.isVisible())


def test_the_text_has_four_lines_beside_the_figures_of_a_lesson(window, qtbot, recognise):
    teaching, state = window.lab.teaching, window.lab.state
    teaching.taught = Taught(Figure(0.78, 1.0), Figure(0.9971, 0.9966), "MNIST", 20, Figure(0.6, 0.95), 20)
    teaching.before = teaching.after = (state.run.value, state.moment.value)
    teaching.changed.emit()
    text, scroll = recognise.text_card.text, recognise.text_card._scroll
    qtbot.waitUntil(lambda: 4 * text.cell(0).height() <= scroll.viewport().height() < text.height(), timeout=5_000)
    assert recognise.history.isVisible() and recognise.column.verticalScrollBar().maximum() == 0
    assert "MNIST 99.71 → 99.66 %" in recognise.teach_card.words.text() and not recognise.teach_card._digits.isVisible()


def test_the_line_of_the_chosen_digit_is_in_sight_whole(window, qtbot, recognise):
    text, scroll = recognise.text_card.text, recognise.text_card._scroll

    def is_in_sight() -> bool:
        top = scroll.verticalScrollBar().value()
        return text.chosen_cell.top() >= top and text.chosen_cell.bottom() < top + scroll.viewport().height()

    last = sum(map(len, LINES)) - 1
    for index in (last, 0, last - 3):
        window.lab.state.choose(index)
        assert is_in_sight()
    for height in (620, 900):
        window.resize(1280, height)
        qtbot.wait(50)
        qtbot.waitUntil(is_in_sight)
