"""The table of the classes' scores and the reliability diagram."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from app.theme import DARK
from app.widgets.class_scores import ClassScores, ScoreRow
from app.widgets.figure_menu import to_csv
from app.widgets.reliability import ReliabilityDiagram

pytestmark = pytest.mark.usefixtures("themed")
ROWS = [ScoreRow(str(number), 0.9, 0.9, 0.9, 10) for number in range(12)]
ROWS[7] = ScoreRow("7", None, 0.0, 0.0, 3)


@pytest.fixture
def scores(qtbot) -> ClassScores:
    made = ClassScores()
    qtbot.addWidget(made)
    made.resize(300, 220)
    made.set_scores(ROWS, ScoreRow("mean", 0.8, 0.8, 0.8, 113))
    made.show()
    return made


def has_color(widget, place, color: str) -> bool:
    shot = widget.grab(place).toImage()
    return any(shot.pixelColor(x, y) == QColor(color) for x in range(shot.width()) for y in range(shot.height()))


def test_the_weakest_class_stands_out(scores):
    assert scores.worst == 7 and "3 images; the lowest F1 of all classes" in scores.words_for(7)
    assert scores.words_for(7).endswith("never answered, so its precision is not defined") and "–" in scores.words_for(7)
    scores._move_to(7)
    assert has_color(scores.viewport(), scores.row_rect(7), DARK.second)
    assert not has_color(scores.viewport(), scores.row_rect(6), DARK.second)
    scores.set_scores([ScoreRow("0", 1.0, 1.0, 1.0, 10)], None)
    assert scores.worst == -1, "nothing is wrong"


def test_classes_are_chosen_by_mouse_and_keys(scores):
    heard: list[int] = []
    scores.chosen.connect(heard.append)
    QTest.mouseClick(scores.viewport(), Qt.MouseButton.LeftButton, pos=scores.row_rect(1).center())
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_End, Qt.Key.Key_Space):
        QTest.keyClick(scores, key)
    assert heard == [1, 2, 11] and scores.accessibleDescription().startswith("11: precision 90.0 %")
    QTest.mouseClick(scores.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert len(heard) == 3, "the head is no class"


def test_the_scores_are_a_table(scores):
    lines = to_csv(scores.table()).splitlines()
    assert (
        lines[0] == "class,precision,recall,F1,images" and lines[8] == "7,,0,0,3" and lines[-1] == "macro average,0.8,0.8,0.8,113"
    )


@pytest.fixture
def diagram(qtbot) -> ReliabilityDiagram:
    made = ReliabilityDiagram()
    qtbot.addWidget(made)
    made.resize(260, 220)
    made.set_bins(np.array([0, 4, 0, 16]), np.array([0, 0.4, 0, 0.9]), np.array([0, 0.75, 0, 0.5]))
    made.show()
    return made


def test_bars_are_as_high_as_the_share_of_right_answers(diagram):
    shot = diagram.grab().toImage()

    def height(place: int) -> int:
        x = round(diagram._bar(place, 1).left() + 5)
        return sum(shot.pixelColor(x, y).green() > shot.pixelColor(x, y).red() + 60 for y in range(shot.height()))

    whole = diagram._plot().height()
    assert height(0) == 0 and abs(height(1) - 0.75 * whole) <= 4 and abs(height(3) - 0.5 * whole) <= 4


def test_bins_are_told_in_words(diagram):
    assert diagram.words_for(3) == "75 to 100 % sure: 16 answers, on average 90.0 % sure, 50.0 % right"
    diagram.setFocus()
    heard: list[str] = []
    diagram.described.connect(heard.append)
    QTest.keyClick(diagram, Qt.Key.Key_Left)
    assert heard == ["50 to 75 % sure: 0 answers"] == [diagram.accessibleDescription()]
    assert to_csv(diagram.table()).splitlines()[2] == "0.25,0.5,4,0.4,0.75"
