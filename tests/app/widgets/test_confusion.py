"""The confusion matrix: what it shows, and choosing cells, rows and columns by mouse and keys."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtTest import QTest

from app.theme import DARK, theme
from app.widgets.confusion import CAPTION, LABEL, ConfusionMatrix, short_count
from app.widgets.figure_menu import save_figure, to_csv

pytestmark = pytest.mark.usefixtures("themed")


@pytest.fixture
def matrix(qtbot) -> ConfusionMatrix:
    made = ConfusionMatrix()
    qtbot.addWidget(made)
    made.resize(300, 300)
    counts = np.eye(10, dtype=np.int64) * 90
    counts[4, 9] = 10
    made.set_counts(counts)
    made.show()
    return made


@pytest.fixture
def heard(matrix) -> list:
    made: list = []
    matrix.chosen.connect(lambda *place: made.append(place))
    return made


def color_at(matrix: ConfusionMatrix, place: QPoint) -> QColor:
    return matrix.grab().toImage().pixelColor(place)


def test_colours_tell_right_from_wrong_answers(matrix):
    corner = [matrix.cell_rect(row, column).topLeft() + QPoint(3, 3) for row, column in ((0, 0), (4, 9), (9, 4))]
    right, wrong, none = (color_at(matrix, place) for place in corner)
    assert right == QColor(DARK.accent) and none == QColor(DARK.raised) and wrong.red() > wrong.blue()


def test_clicks_choose_cells_rows_and_columns_and_take_back(matrix, heard):
    cell = matrix.cell_rect(4, 9)
    row, column = QPoint(CAPTION + 3, cell.center().y()), QPoint(cell.center().x(), CAPTION + LABEL // 2)
    for place in (cell.center(), row, column, column):
        QTest.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=place)
    assert heard == [(4, 9), (4, None), (None, 9), (None, None)]
    QTest.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    assert len(heard) == 4, "the words at the axes are nothing to choose"


@pytest.mark.parametrize("choice", [(4, 9), (4, None), (None, 9)])
def test_what_is_chosen_has_an_outline(matrix, choice):
    matrix.clearFocus()
    place = matrix.place_rect(choice)
    edge = QPoint(place.left(), place.center().y())
    before = color_at(matrix, edge)
    matrix.set_choice(*choice)
    assert color_at(matrix, edge) != before and color_at(matrix, edge).lightness() > 150
    matrix.set_choice(None, None)
    assert color_at(matrix, edge) == before


def test_arrows_move_and_return_chooses(matrix, heard):
    matrix.setFocus()
    for key in (*[Qt.Key.Key_Down] * 4, Qt.Key.Key_End):
        QTest.keyClick(matrix, key)
    assert matrix.accessibleDescription() == "4 taken for 9: 10 images"
    QTest.keyClick(matrix, Qt.Key.Key_Return)
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Space):
        QTest.keyClick(matrix, key)
    assert matrix.accessibleDescription() == "shows 4: 100 images, 10 of them wrong"
    QTest.keyClick(matrix, Qt.Key.Key_Escape)
    assert heard == [(4, 9), (4, None), (None, None)]
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Right, *[Qt.Key.Key_Up] * 6):
        QTest.keyClick(matrix, key)
    assert matrix.accessibleDescription() == "taken for 0: 90 images, 0 of them wrong", "above the first row are the columns"


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Left])
def test_keys_of_the_window_belong_to_the_matrix_while_it_has_the_keyboard(matrix, key):
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    matrix.event(event)
    assert event.isAccepted()


def test_names_are_used_where_all_of_them_fit_above_a_column(matrix):
    matrix.set_counts(np.eye(3, dtype=np.int64), ("cat", "dog", "cow"))
    assert list(matrix._labels) == ["cat", "dog", "cow"]
    matrix.set_counts(np.eye(3, dtype=np.int64), ("cat", "dog", "a very long name of an animal that nobody knows"))
    assert list(matrix._labels) == ["0", "1", "2"] and matrix.words_for((0, 1)) == "cat taken for dog: 0 images"


def test_shares_are_told_with_what_they_are_called(matrix):
    assert matrix._share((4, 9)) == ", 10.0 % of the images that show 4."
    assert matrix._share((4, 4)) == ", 90.0 % of the images that show 4 (recall)."
    assert matrix._share((None, 9)) == ".\nPrecision: 90.0 % of the answers 9 are right."


def test_a_share_of_nothing_is_said_to_be_none(matrix):
    counts = np.array([[5, 0, 0], [0, 0, 0], [2, 0, 0]])
    matrix.set_counts(counts)
    assert matrix._share((None, 1)) == ".\nPrecision is not defined: 1 was never answered."
    assert matrix._share((1, None)) == ".\nRecall is not defined: no image shows 1." and "0.0 %" in matrix._share((2, 2))


@pytest.mark.parametrize("theme_name", ["dark", "light"])
def test_counts_of_four_digits_are_written_into_small_cells_and_told_in_full(matrix, theme_name):
    theme().set(theme_name)
    matrix.resize(240, 176)  # what the Train panel has for it in a window of 1280 × 800
    shots = []
    for count in (4799, 5123):
        counts = np.full((10, 10), 5, np.int64)
        counts[3, 3] = count
        matrix.set_counts(counts)
        shot, cell = matrix.grab().toImage(), matrix.cell_rect(3, 3)
        shots.append(
            [
                [shot.pixelColor(x, y).lightness() for y in range(cell.top(), cell.bottom())]
                for x in range(cell.left(), cell.right())
            ]
        )
    assert shots[0] != shots[1], "each count has its figures"
    darkest, ground = np.min(shots[0]), np.median(shots[0])
    assert ground - darkest > 60
    matrix._move_to((3, 3))
    assert matrix.accessibleDescription() == "3 recognised: 5,123 images" and "5,123 images" in matrix.words_at(cell.center())


def test_long_counts_have_at_most_four_letters():
    counts = (0, 999, 1000, 4799, 9949, 9951, 12_345, 999_499, 999_501, 5_000_000, 99_999_999)
    written = ["0", "999", "1.0k", "4.8k", "9.9k", "10k", "12k", "999k", "1.0M", "5.0M", "100M"]
    assert [short_count(count) for count in counts] == written


def test_a_choice_that_is_not_there_any_more_is_given_up(matrix):
    matrix.set_choice(4, 9)
    matrix.set_counts(np.eye(3, dtype=np.int64))
    assert matrix.choice == (None, None)


def test_many_classes_are_drawn_as_one_picture(matrix):
    counts = np.random.default_rng(0).integers(0, 5, (200, 200))
    matrix.set_counts(counts)
    began = time.thread_time()
    matrix.grab()
    assert time.thread_time() - began < 0.1, "40,000 cells one by one would take several times as long"
    assert matrix._place_at(matrix.cell_rect(150, 20).topLeft()) == (150, 20)


def test_the_matrix_is_saved_as_a_picture_and_as_a_table(matrix, tmp_path):
    matrix.set_counts(np.array([[3, 1], [0, 2]]), ("cat", "dog, big"))
    save_figure(matrix, tmp_path / "a.csv", matrix.table)
    table = 'shows \\ taken for,cat,"dog, big"\ncat,3,1\n"dog, big",0,2\n'
    assert (tmp_path / "a.csv").read_text() == to_csv(matrix.table()) == table
    save_figure(matrix, tmp_path / "a.png", matrix.table)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (300, 300)
