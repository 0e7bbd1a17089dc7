"""What figures have alike: words for what lies under the pointer, keys of their own, and that the keyboard is seen."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QHelpEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QToolTip, QWidget

from app.widgets.class_balance import ClassBalance
from app.widgets.class_scores import ClassScores, ScoreRow
from app.widgets.confusion import ConfusionMatrix
from app.widgets.reliability import ReliabilityDiagram
from app.widgets.tips import WrappedTips

pytestmark = pytest.mark.usefixtures("themed")
NOTION = "What the figure shows, in so many words that a tooltip of this length would be wrapped by the program."


@pytest.fixture
def matrix() -> ConfusionMatrix:
    made = ConfusionMatrix()
    made.set_counts(np.eye(3, dtype=np.int64) * 5000)
    return made


@pytest.fixture
def diagram() -> ReliabilityDiagram:
    made = ReliabilityDiagram()
    made.set_bins(np.array([0, 4]), np.array([0, 0.9]), np.array([0, 0.75]))
    return made


@pytest.fixture
def scores() -> ClassScores:
    made = ClassScores()
    made.set_scores([ScoreRow("0", 0.5, 0.5, 0.5, 10)], None)
    return made


@pytest.fixture
def balance() -> ClassBalance:
    made = ClassBalance()
    made.set_counts(np.array([5]), ("0",))
    return made


@pytest.fixture
def shown(request, qtbot) -> QWidget:
    """The widget that the test names, in a window."""
    made = request.getfixturevalue(request.param)
    qtbot.addWidget(made)
    made.resize(300, 240)
    made.show()
    qtbot.waitExposed(made)
    return made


def told(widget: QWidget, point: QPoint) -> str:
    """The tooltip at a point, in a program that wraps long ones."""
    wrapped, app = WrappedTips(), QApplication.instance()
    app.installEventFilter(wrapped)
    QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, point, widget.mapToGlobal(point)))
    app.removeEventFilter(wrapped)
    return QToolTip.text()


def test_a_cell_and_a_bar_are_told_apart_from_the_whole(matrix, diagram, qtbot):
    places = (
        (matrix.cell_rect(1, 1).center(), "1 recognised: 5,000 images"),
        (diagram._bar(1, 0.5).center().toPoint(), "50 to 100 %"),
    )
    for figure, (place, words) in zip((matrix, diagram), places, strict=True):
        qtbot.addWidget(figure)
        figure.notion = NOTION
        assert words in told(figure, place) and NOTION in told(figure, QPoint(1, 1))


class Painted(QObject):
    """Notes whether a widget, or its viewport, is painted, other than by `grab`."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.is_seen = False
        (widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget).installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        self.is_seen = self.is_seen or event.type() == QEvent.Type.Paint
        return False


@pytest.mark.parametrize("shown", ["matrix", "diagram", "scores", "balance"], indirect=True)
def test_what_gets_the_keyboard_or_loses_it_is_drawn_anew(shown, qtbot):
    shown.activateWindow()
    shown.clearFocus()
    qtbot.wait(50)
    for has_it, act in ((True, shown.setFocus), (False, shown.clearFocus)):
        before = shown.grab().toImage()
        painted = Painted(shown)
        act()
        qtbot.waitUntil(lambda painted=painted: painted.is_seen, timeout=5000)
        assert shown.hasFocus() is has_it and shown.grab().toImage() != before, "a frame says so"


@pytest.mark.parametrize(
    ("shown", "keys"),
    [("matrix", {"Left", "Right", "Space"}), ("diagram", {"Left", "Right"}), ("scores", {"Space"}), ("balance", set())],
    indirect=["shown"],
)
def test_keys_of_the_window_are_taken_by_who_needs_them_and_only_alone(shown, keys):
    def is_taken(key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> bool:
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers)
        event.ignore()
        QApplication.sendEvent(shown, event)
        return event.isAccepted()

    names = {"Left": Qt.Key.Key_Left, "Right": Qt.Key.Key_Right, "Space": Qt.Key.Key_Space}
    assert {name for name, key in names.items() if is_taken(key)} == keys
    assert not any(is_taken(key, Qt.KeyboardModifier.ControlModifier) for key in names.values())
