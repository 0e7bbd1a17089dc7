"""Widgets whose contents change many times a second: no layout is set going, and only what changed is painted."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.widgets.elided import Elided
from app.widgets.picture import PictureView
from app.widgets.probability_bars import ROW, ProbabilityBars


class Watch(QObject):
    """Counts how often a widget is laid out anew, and keeps from which to which row of pixels it is painted."""

    def __init__(self, watched: QWidget) -> None:
        super().__init__(watched)
        self.layouts = 0
        self.painted: list[tuple[int, int]] = []
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.layouts += event.type() == QEvent.Type.LayoutRequest
        if isinstance(event, QPaintEvent):
            self.painted.extend((part.top(), part.bottom() + 1) for part in event.region())
        return False


@pytest.fixture
def row(qtbot: QtBot, themed: Theme) -> QWidget:
    window = QWidget()
    QHBoxLayout(window)
    qtbot.addWidget(window)
    return window


def shown(qtbot: QtBot, window: QWidget, widget: QWidget) -> Watch:
    window.layout().addWidget(widget)
    window.resize(400, 240)
    window.show()
    qtbot.waitExposed(window)
    qtbot.wait(50)
    return Watch(window)


def test_another_line_of_text_moves_nothing(qtbot: QtBot, row: QWidget) -> None:
    line = Elided(width=120)
    watch = shown(qtbot, row, line)
    for step in range(5):
        line.show_words(f"step {step}")
        qtbot.wait(10)
    assert (line.text(), line.accessibleName(), watch.layouts) == ("step 4", "step 4", 0)


def test_a_line_that_is_too_long_ends_in_dots_and_its_tooltip_has_all(qtbot: QtBot, row: QWidget) -> None:
    line = Elided(width=60)
    shown(qtbot, row, line)
    line.show_words("many words in a narrow place")
    assert line.text().endswith("…") and line.toolTip() == "many words in a narrow place"
    line.show_words("few")
    assert (line.text(), line.toolTip()) == ("few", "")


def test_a_line_is_painted_in_the_colour_of_its_role(qtbot: QtBot, row: QWidget, themed: Theme) -> None:
    line = Elided("dim", width=120)
    shown(qtbot, row, line)
    line.show_words("██████")
    picture = line.grab().toImage()
    assert picture.pixelColor(picture.width() // 6, picture.height() // 2).name() == themed.colors.dim.lower()


def test_only_the_bars_that_changed_are_painted(qtbot: QtBot, row: QWidget) -> None:
    bars = ProbabilityBars()
    values = np.full(10, 0.05, np.float32)
    values[3] = 0.55
    bars.set_values(values)
    watch = shown(qtbot, row, bars)
    on_bars = Watch(bars)
    values = values.copy()
    values[3], values[4] = 0.5, 0.1
    bars.set_values(values)
    qtbot.wait(50)
    assert on_bars.painted == [(3 * ROW, 5 * ROW)] and not watch.layouts


def test_bars_for_fewer_classes_ask_for_their_room(qtbot: QtBot, row: QWidget) -> None:
    bars = ProbabilityBars()
    watch = shown(qtbot, row, bars)
    bars.set_values(np.full(4, 0.25, np.float32))
    qtbot.waitUntil(lambda: watch.layouts > 0)
    assert bars.sizeHint().height() == 4 * ROW


def test_the_same_picture_is_not_painted_again(qtbot: QtBot, row: QWidget) -> None:
    view = PictureView()
    view.set_pixels(np.zeros((28, 28, 1), np.uint8))
    shown(qtbot, row, view)
    watch = Watch(view)
    view.set_pixels(np.zeros((28, 28, 1), np.uint8))
    qtbot.wait(50)
    assert not watch.painted
    view.set_pixels(np.full((28, 28, 1), 9, np.uint8))
    qtbot.waitUntil(lambda: bool(watch.painted))
