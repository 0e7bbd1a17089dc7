"""The picture that can be zoomed: what stays where it is, what is chosen, and what a large picture costs."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.widgets.digit_boxes import DigitBox
from app.widgets.pixels import from_qimage
from app.widgets.pyramid import halved, level_for, levels_of, thumbnail
from app.widgets.zoom_picture import NEAREST, ZoomPicture


@pytest.fixture
def view(qtbot, themed) -> ZoomPicture:
    """A picture of 800 × 1,200 with two lines of two digits, in a view of 400 × 300."""
    made = ZoomPicture()
    qtbot.addWidget(made)
    made.resize(400, 300)
    pixels = np.full((800, 1200, 1), 200, np.uint8)
    pixels[::2] = 100
    made.set_pixels(pixels)
    made.set_levels(pixels, levels_of(pixels))
    made.chosen.connect(lambda index: show_boxes(made, index))
    show_boxes(made, 0)
    made.show()
    qtbot.waitExposed(made)
    return made


def show_boxes(view: ZoomPicture, chosen: int) -> None:
    places = ((100, 100), (800, 100), (100, 600), (800, 600))
    view.set_boxes([DigitBox((x, y, 60, 90), n, True, chosen=n == chosen) for n, (x, y) in enumerate(places)])


def in_picture(view: ZoomPicture, point: QPointF) -> tuple[float, float]:
    inside = (point - QPointF(view.picture_rect().topLeft())) / view.scale
    return inside.x(), inside.y()


def test_the_point_under_the_pointer_stays_while_zooming_and_all_comes_back(view):
    point = QPointF(120, 90)
    before = in_picture(view, point)
    for _ in range(5):
        view.zoom(1.25, point)
        assert np.allclose(in_picture(view, point), before, atol=1.5 / view.scale)
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.is_whole and view.picture_rect().width() == 400


def test_from_one_on_pixels_are_whole_and_zooming_has_an_end(view):
    seen = set()
    for _ in range(60):
        view.zoom(1.25)
        seen.add(view.scale)
    assert all(scale == int(scale) for scale in seen if scale > 1) and {1, 2, 3} <= seen and max(seen) == NEAREST
    for _ in range(60):
        view.zoom(1 / 1.25)
    assert view.is_whole
    for _ in range(80):
        view.zoom(1.03, by_step=False)
    assert view.scale == round(1 / 3 * 1.03**80), "a pinch comes in small steps, which add up"


def test_a_drag_moves_the_picture_and_chooses_nothing(view):
    view.zoom(4, view.box_rect(3).center())
    before, digit = view.picture_rect().topLeft(), view.box_rect(3).center().toPoint()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=digit)
    QTest.mouseMove(view, digit + QPoint(40, 20))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=digit + QPoint(40, 20))
    assert view.picture_rect().topLeft() - before == QPoint(40, 20) and view.current == 0


def test_digits_are_chosen_by_click_rest_and_keys(view, qtbot):
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.box_rect(3).center().toPoint())
    assert view.current == 3
    QTest.keyClick(view, Qt.Key.Key_Up)
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert view.current == 0
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.current == 2
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.current == 3, "the last one"
    QTest.mouseMove(view, view.box_rect(1).center().toPoint())
    assert view.current == 3, "whatever the pointer passes over is not chosen"
    qtbot.waitUntil(lambda: view.current == 1, timeout=2000)


def test_a_digit_chosen_by_key_comes_into_sight(view):
    view.zoom(8, QPointF(0, 0))
    assert not view.rect().contains(view.box_rect(1).center().toPoint())
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.rect().contains(view.box_rect(1).center().toPoint())


def test_a_picture_that_is_shrunk_shows_the_mean_of_its_pixels(view):
    column = from_qimage(view.grab().toImage())[60:200, 200, 0].astype(int)
    assert np.abs(column - 150).max() <= 3, "and not single lines of its pattern"


def test_halves_are_means_and_the_level_has_at_least_the_pixels_that_are_shown():
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    means = pixels[:4, :6].reshape(2, 2, 3, 2, 3).astype(float).mean((1, 3))
    assert np.abs(halved(pixels) - means).max() <= 0.5
    levels = levels_of(np.zeros((1100, 1500, 1), np.uint8))
    assert [level.factor for level in levels] == [1, 2, 4] and levels[1].pixels.shape == (550, 750)
    assert [level_for(levels, scale).factor for scale in (3, 1, 0.6, 0.5, 0.1)] == [1, 1, 1, 2, 4]


@pytest.mark.parametrize(
    ("shape", "size"), [((4000, 10, 1), (1, 160)), ((10, 4000, 1), (160, 1)), ((28, 28, 1), (28, 28)), ((300, 600, 3), (160, 80))]
)
def test_thumbnails_of_any_shape_fit(themed, shape, size):
    image = thumbnail(np.zeros(shape, np.uint8), 160)
    assert (image.width(), image.height()) == size


def test_a_picture_of_40_megapixels_is_painted_quickly_at_any_scale(view):
    pixels = np.zeros((5000, 8000, 1), np.uint8)
    began = time.thread_time()
    view.set_pixels(pixels)
    view.repaint()
    rough = time.thread_time() - began
    view.set_levels(pixels, levels_of(pixels))
    slowest = 0.0
    for _ in range(30):
        began = time.thread_time()
        view.zoom(1.25)
        view.repaint()
        slowest = max(slowest, time.thread_time() - began)
    assert rough < 0.1 and slowest < 0.1, "far from the half second that all pixels take"
