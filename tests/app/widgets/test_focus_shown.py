"""Widgets that paint their own focus do so as soon as the keyboard comes or goes."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets.canvas import Canvas
from app.widgets.digit_boxes import DigitBox
from app.widgets.text_read import TextDigit, TextRead
from app.widgets.thumbnail_row import Thumbnail, ThumbnailRow
from app.widgets.zoom_picture import ZoomPicture
from tests.app.widgets.test_text_read import Painted


def made(kind: str) -> QWidget:
    if kind == "text":
        text = TextRead("nothing")
        text.set_lines([[TextDigit(7, 0, True)]], "")
        text.set_chosen(0)
        return text
    if kind == "thumbnails":
        row = ThumbnailRow("history", 40)
        row.set_thumbnails([Thumbnail.of("a", np.zeros((28, 28, 1), np.uint8))])
        return row
    if kind == "picture":
        picture = ZoomPicture()
        picture.set_pixels(np.zeros((28, 28, 1), np.uint8))
        picture.set_boxes([DigitBox((4, 4, 8, 8), 7, True)])
        return picture
    return Canvas()


@pytest.mark.parametrize("kind", ["text", "thumbnails", "picture", "sheet"])
def test_the_frame_of_the_focus_comes_and_goes_with_the_keyboard(qtbot, themed, kind):
    window, widget, other = QWidget(), made(kind), made("thumbnails")
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    layout.addWidget(widget, 1)
    layout.addWidget(other)
    window.resize(300, 400)
    other.setFocus()
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(other.hasFocus)
    without = widget.grab().toImage()
    painted = Painted(widget)
    widget.setFocus()
    qtbot.waitUntil(lambda: painted.times > 0)
    assert widget.grab().toImage() != without
    painted.times = 0
    other.setFocus()
    qtbot.waitUntil(lambda: painted.times > 0)
    assert widget.grab().toImage() == without
