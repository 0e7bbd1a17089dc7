"""The balance of the classes: bars, mean images, and choosing a class by mouse and keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from app.theme import DARK
from app.widgets.class_balance import ClassBalance

pytestmark = pytest.mark.usefixtures("themed")
COUNTS = np.array([100, 50, 0])


@pytest.fixture
def balance(qtbot) -> ClassBalance:
    made = ClassBalance(lambda row: None)
    qtbot.addWidget(made)
    made.resize(220, 150)
    made.set_counts(COUNTS, ("0", "1", "2"))
    made.show()
    return made


def accent_pixels(balance: ClassBalance, row: int) -> int:
    shot, middle = balance.viewport().grab().toImage(), balance.row_rect(row).center().y()
    return sum(shot.pixelColor(x, middle) == QColor(DARK.accent) for x in range(shot.width()))


def test_bars_are_as_long_as_the_classes_are_large(balance):
    longest = accent_pixels(balance, 0)
    assert longest > 60 and abs(accent_pixels(balance, 1) - longest / 2) <= 1 and accent_pixels(balance, 2) == 0
    assert balance.accessibleDescription() == "0: 100, 1: 50, 2: 0"


def test_means_are_drawn_in_full_contrast_and_told_as_they_are(balance):
    means = np.full((3, 28, 28, 1), 100, np.float32)
    means[0, :14] = 110
    assert balance.mean_of(0) is None
    balance.set_means(means)
    shot, place = balance.viewport().grab().toImage(), balance.thumb_rect(0).toRect()
    assert place.width() == 28
    assert shot.pixelColor(place.center().x(), place.top() + 3).red() == 255
    assert shot.pixelColor(place.center().x(), place.bottom() - 3).red() == 0
    assert balance.mean_of(0)[0, 0, 0] == 110


def test_a_click_chooses_a_class_and_another_all_of_them(balance):
    heard = []
    balance.chosen.connect(heard.append)
    for _ in range(2):
        QTest.mouseClick(balance.viewport(), Qt.MouseButton.LeftButton, pos=balance.row_rect(1).center())
    balance.setFocus()
    QTest.keyClick(balance, Qt.Key.Key_Down)
    QTest.keyClick(balance, Qt.Key.Key_Return)
    assert heard == [1, -1, 2]


def test_many_classes_scroll_and_the_keyboard_brings_them_into_sight(balance):
    balance.set_counts(np.arange(62), tuple(map(str, range(62))))
    QTest.keyClick(balance, Qt.Key.Key_End)
    assert balance.viewport().rect().contains(balance.row_rect(61).center())
    assert balance.row_at(balance.row_rect(61).center()) == 61
