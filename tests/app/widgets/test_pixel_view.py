"""The closer look at one picture: crisp squares, their values, and moving in it by mouse and keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest

from app.widgets.pixel_view import GREY_NUMBERS, NEAREST, PixelView

pytestmark = pytest.mark.usefixtures("themed")


@pytest.fixture
def view(qtbot, rng) -> PixelView:
    made = PixelView()
    qtbot.addWidget(made)
    made.resize(300, 290)
    made.set_pixels(rng.integers(0, 256, (28, 28, 1), dtype=np.uint8))
    made.show()
    qtbot.waitExposed(made)
    return made


def turn(at: QPoint, units: int) -> QWheelEvent:
    return QWheelEvent(QPointF(at), QPointF(at), QPoint(), QPoint(0, units), Qt.MouseButton.NoButton,
                       Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip


def wheel(view: PixelView, at: QPoint, steps: int) -> None:
    for _ in range(abs(steps)):
        view.wheelEvent(turn(at, 120 if steps > 0 else -120))


def test_at_first_the_whole_picture_is_as_large_as_fits_in_whole_pixels(view):
    assert view.cell == 10 == int(min(view.width(), view.height()) / 28)
    assert view.rect().contains(view.picture_rect().toRect())
    shot = view.grab().toImage()
    for row, column in ((0, 0), (13, 5), (27, 27)):
        value = int(view.pixels[row, column, 0])
        assert shot.pixelColor(view.cell_rect(row, column).center().toPoint()) == QColor(value, value, value)


def test_the_wheel_goes_nearer_around_the_mouse_and_back_to_the_whole(view):
    at = QPoint(200, 60)
    pixel = view.pixel_at(QPointF(at))
    wheel(view, at, 8)
    assert view.cell > 20 and view.pixel_at(QPointF(at)) == pixel
    wheel(view, at, 100)
    assert view.cell == NEAREST
    wheel(view, at, -100)
    assert view.cell == 10 and view.rect().contains(view.picture_rect().toRect())


def reds(view: PixelView, row: int, column: int) -> set[int]:
    """The red values within a pixel's square."""
    shot, place = view.grab().toImage(), view.cell_rect(row, column).toRect().adjusted(2, 2, -2, -2)
    return {shot.pixelColor(x, y).red() for x in range(place.left(), place.right()) for y in range(place.top(), place.bottom())}


@pytest.mark.parametrize(("value", "ink"), [(200, min), (40, max)])
def test_near_enough_each_pixel_says_its_value_in_black_or_white(view, value, ink):
    view.set_pixels(np.full((28, 28, 1), value, np.uint8))
    assert reds(view, 13, 15) == {value}
    while view.cell < GREY_NUMBERS:
        view.zoom(1)
    seen = reds(view, 13, 15)
    assert abs(ink(seen) - value) > 120 and (max if ink is min else min)(seen) == value


def test_a_touchpad_goes_nearer_by_its_whole_turn(view):
    for _ in range(10):
        view.wheelEvent(turn(QPoint(150, 150), 25))
    near = view.cell
    wheel(view, QPoint(150, 150), -2)
    assert near > 10 == view.cell, "250 units are two notches"


@pytest.mark.parametrize(("channels", "words"), [(1, "row  3, column 12:   77"), (3, "red  77  green  77  blue  77")])
def test_a_pixel_is_told_in_words(view, channels, words):
    view.set_pixels(np.full((28, 28, channels), 77, np.uint8))
    assert words in view.words_for(3, 12).replace("\u2007", " ")


def test_arrows_move_the_cursor_and_bring_it_into_sight(view, qtbot):
    view.setFocus()
    heard = []
    view.pointed.connect(lambda row, column: heard.append((row, column)))
    for _ in range(9):
        QTest.keyClick(view, Qt.Key.Key_Plus)
    for _ in range(40):
        QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.cursor_pixel == (15, 27) == heard[-1]
    assert view.rect().contains(view.cell_rect(15, 27).center().toPoint())
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.cell == 10


def test_dragging_moves_the_picture_no_further_than_its_edge(view):
    view.zoom(12)
    before = view.picture_rect()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(150, 150))
    QTest.mouseMove(view, QPoint(120, 140))
    after = view.picture_rect()
    assert (after.left() - before.left(), after.top() - before.top()) == (-30, -10)
    QTest.mouseMove(view, QPoint(9000, 9000))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(9000, 9000))
    assert view.picture_rect().topLeft() == QPointF(0, 0)


def test_the_next_picture_of_the_size_is_shown_from_as_near(view):
    view.zoom(5)
    near = view.cell
    view.set_pixels(np.zeros((28, 28, 3), np.uint8))
    assert view.cell == near > 10
    view.set_pixels(np.zeros((32, 32, 3), np.uint8))
    assert view.cell == 9
