"""Recognise, where a picture or the sheet holds several digits: boxes with answers."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest

from app.core.probe import Probe
from app.window import Window
from benchmarks.drawn_pages import page
from tests.app.conftest import FIVE, ONE, draw


@pytest.fixture
def recognise(window: Window):
    window.show_panel("recognise")
    return window.panel_named("recognise")


def test_a_page_has_a_box_with_its_answer_for_every_digit(qtbot, window, recognise):
    written = page(["2075", "386"], seed=4)
    window.lab.state.show_probe(Probe(written.picture, "page.png"), "page")
    photo = recognise.photo
    qtbot.waitUntil(lambda: len(photo.boxes) == 7, timeout=20_000)
    assert "".join(str(each.digit) for each in photo.boxes) == "2075386"
    assert np.abs(np.array([each.box for each in photo.boxes]) - np.array(written.boxes)).max() <= 6
    assert recognise.sheet_card.facts.words.startswith("page.png · 2 lines · 7 digits · ")
    assert photo.accessibleDescription() == "line 1, digit 1 of 4: 2, 100.0 % sure. 2075 / 386"
    window.lab.state.show_probe(Probe(np.full((90, 90, 1), 255, np.uint8), "blank"), "blank")
    assert photo.boxes == (), "those of the page before are no longer true"


def test_two_digits_on_the_sheet_are_boxed_and_one_is_not(qtbot, window, recognise):
    left, right = (tuple((0.1 + shift + 0.45 * x, 0.25 + 0.5 * y) for x, y in shape) for shape, shift in ((FIVE, 0), (ONE, 0.35)))
    recognise.canvas.pen_width = 13
    draw(recognise.canvas, left)
    qtbot.waitUntil(lambda: window.lab.looking.look is not None and len(window.lab.looking.look.digits) == 1, timeout=20_000)
    assert recognise.canvas.boxes == ()
    draw(recognise.canvas, right)
    qtbot.waitUntil(lambda: len(recognise.canvas.boxes) == 2, timeout=20_000)
    assert [each.digit for each in recognise.canvas.boxes] == [5, 1]
    qtbot.waitUntil(lambda: window.lab.state.chosen.value == 1, timeout=20_000)  # where the pen has just been
    sheet = recognise.canvas.sheet()
    side = sheet.height()  # of the square in the middle, in which both are
    at = QPoint(sheet.center().x() - side // 2 + round(0.33 * side), sheet.y() + round(0.55 * side))
    QTest.mouseMove(recognise.canvas, at)
    qtbot.waitUntil(lambda: window.lab.state.chosen.value == 0, timeout=20_000)
