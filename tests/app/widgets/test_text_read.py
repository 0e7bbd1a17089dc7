"""The text that was read, and rows of thumbnails: chosen from by mouse and keyboard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.widgets.text_read import SIZES, TextDigit, TextRead
from app.widgets.thumbnail_row import Thumbnail, ThumbnailRow


class Painted(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.times = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.times += event.type() == QEvent.Type.Paint
        return False


@pytest.fixture
def text(qtbot, themed) -> TextRead:
    """Three lines, 12, 345 and 6; what lies at index 2 is no digit and not in the text."""
    made = TextRead("nothing")
    qtbot.addWidget(made)
    made.resize(200, 200)
    made.chosen.connect(made.set_chosen)
    lines = [[(1, 0), (2, 1)], [(3, 3), (4, 4), (5, 5)], [(6, 6)]]
    made.set_lines([[TextDigit(digit, index, True) for digit, index in line] for line in lines], "nothing")
    made.show()
    qtbot.waitExposed(made)
    return made


def test_digits_of_the_text_are_chosen_by_click_and_arrows(text):
    QTest.mouseClick(text, Qt.MouseButton.LeftButton, pos=text.cell(5).center())
    assert text._chosen == 5
    for key, index in (("Left", 4), ("Up", 1), ("Right", 3), ("Down", 6), ("Down", 6), ("Right", 6)):
        QTest.keyClick(text, getattr(Qt.Key, f"Key_{key}"))
        assert text._chosen == index, key


def test_ctrl_c_copies(text, qtbot):
    with qtbot.waitSignal(text.copy_wanted, timeout=1000):
        QTest.keyClick(text, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)


def test_the_same_digits_with_other_words_are_neither_laid_out_nor_painted_anew(text, qtbot):
    lines = [[replace(each, tip="99.1 % sure") for each in line] for line in text.lines]
    laid_out: list[None] = []
    text.laid_out.connect(lambda: laid_out.append(None))
    QCoreApplication.processEvents()
    painted = Painted(text)
    text.set_lines(lines, "nothing")
    QCoreApplication.processEvents()
    assert (painted.times, laid_out) == (0, []) and text._words_at(text.cell(4).center()) == "99.1 % sure"
    text.set_chosen(4)
    QCoreApplication.processEvents()
    assert painted.times == 1


def test_long_lines_are_smaller_and_at_last_broken(text):
    def show(digits: int) -> None:
        text.set_lines([[TextDigit(n % 10, n, True) for n in range(digits)]], "nothing")

    show(8)
    assert text._size == SIZES[0]
    show(40)
    rows = {cell.top() for cell in text._cells.values()}
    assert text._size == SIZES[-1] and len(rows) > 1 and max(cell.right() for cell in text._cells.values()) <= text.width()
    assert text.minimumHeight() >= max(cell.bottom() for cell in text._cells.values())
    show(0)
    assert text.accessibleDescription() == "nothing"


def test_thumbnails_are_chosen_by_click_and_keys_and_those_without_room_are_not(qtbot, themed):
    row = ThumbnailRow("history", 50, gap=10)
    qtbot.addWidget(row)
    row.set_thumbnails([Thumbnail.of(f"{n}", np.zeros((9, 9 + n, 1), np.uint8)) for n in range(5)])
    row.resize(175, 120)
    row.show()
    qtbot.waitExposed(row)
    seen: list[int] = []
    row.activated.connect(seen.append)
    assert row.shown == 3
    QTest.mouseClick(row, Qt.MouseButton.LeftButton, pos=row.cell(1).center())
    QTest.keyClick(row, Qt.Key.Key_Right)
    QTest.keyClick(row, Qt.Key.Key_Right)
    QTest.keyClick(row, Qt.Key.Key_Return)
    assert seen == [1, 2] and row.place_at(QPoint(55, 20)) == -1
    row.set_rows(2)
    assert row.shown == 5 and row.cell(3).top() > row.cell(2).bottom()
