"""The wide sheet: its shape, and what may draw on it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QInputDevice, QPaintEvent, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.widgets.canvas import HEIGHT, PEN, WIDEST, Canvas
from app.widgets.digit_boxes import DigitBox
from tests.app.conftest import ONE, draw

pytestmark = pytest.mark.usefixtures("themed")


@pytest.fixture
def canvas(qtbot) -> Canvas:
    made = Canvas()
    qtbot.addWidget(made)
    made.resize(800, 400)
    made.show()
    qtbot.waitExposed(made)
    return made


def ink_box(canvas: Canvas) -> np.ndarray:
    """Left, top, right and bottom of the ink, as shares of the sheet's width and height."""
    pixels = canvas.pixels()[..., 0]
    rows, columns = np.nonzero(pixels > 128)
    height, width = pixels.shape
    return np.array([columns.min() / width, rows.min() / height, columns.max() / width, rows.max() / height])


def test_an_empty_sheet_takes_the_shape_of_its_room_and_a_drawing_keeps_it(canvas):
    assert canvas.pixels().shape == (HEIGHT, 2 * HEIGHT, 1) and canvas.sheet().size() == QSize(800, 400)
    draw(canvas, ONE)
    strokes, pixels = canvas.strokes, canvas.pixels()
    canvas.resize(500, 500)
    assert np.array_equal(canvas.pixels(), pixels) and canvas.sheet().size() == QSize(500, 250)
    place = canvas.sheet().topLeft() + QPoint(50, 125)  # a tenth from the left, half way down
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    assert canvas.pixels()[HEIGHT // 2, 2 * HEIGHT // 10, 0] == 255
    canvas.set_strokes(())
    assert canvas.pixels().shape == (HEIGHT, HEIGHT, 1) and canvas.sheet().size() == QSize(500, 500)
    canvas.set_strokes(strokes)
    assert np.array_equal(canvas.pixels(), pixels), "undo brings the sheet back as it was"
    canvas.set_strokes(())
    canvas.resize(1800, 400)
    assert canvas.pixels().shape == (HEIGHT, int(WIDEST * HEIGHT), 1)


def tablet(canvas: Canvas, kind: QEvent.Type, at: tuple[float, float], pressure: float, tip: QPointingDevice.PointerType) -> None:
    """Let a pen say where it is."""
    device = QPointingDevice(
        "pen",
        1,
        QInputDevice.DeviceType.Stylus,
        tip,
        QInputDevice.Capability.Pressure | QInputDevice.Capability.Position,
        1,
        1,
    )
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletMove else Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletRelease else Qt.MouseButton.LeftButton
    place = QPointF(*at)
    event = QTabletEvent(kind, device, place, place, pressure, 0, 0, 0, 0, 0, Qt.KeyboardModifier.NoModifier, button, held)
    QApplication.sendEvent(canvas, event)
    assert event.isAccepted(), "or it comes again as a mouse"


def drawn_by_pen(canvas: Canvas, y: float, pressure: float, tip: QPointingDevice.PointerType) -> None:
    tablet(canvas, QEvent.Type.TabletPress, (200, y), pressure, tip)
    for x in range(220, 601, 20):
        tablet(canvas, QEvent.Type.TabletMove, (x, y), pressure, tip)
    tablet(canvas, QEvent.Type.TabletRelease, (600, y), 0.0, tip)


def test_a_pens_width_follows_its_pressure_and_its_other_end_erases(canvas):
    pen, eraser = QPointingDevice.PointerType.Pen, QPointingDevice.PointerType.Eraser
    for y, pressure in ((100, 0.1), (300, 0.9)):
        drawn_by_pen(canvas, y, pressure, pen)
    column = canvas.pixels()[:, HEIGHT, 0] > 128
    light, strong = column[: HEIGHT // 2].sum(), column[HEIGHT // 2 :].sum()
    assert abs(light - 0.6 * PEN) <= 2 and abs(strong - 1.4 * PEN) <= 2
    drawn_by_pen(canvas, 300, 0.5, eraser)
    assert canvas.strokes[-1].erases and not canvas.pixels()[3 * HEIGHT // 4 - 5 : 3 * HEIGHT // 4 + 5, HEIGHT].any()


def test_a_stroke_that_is_pressed_harder_and_harder_grows_without_steps(canvas):
    pen = QPointingDevice.PointerType.Pen
    tablet(canvas, QEvent.Type.TabletPress, (200, 200), 0.0, pen)
    tablet(canvas, QEvent.Type.TabletMove, (400, 200), 0.5, pen)
    tablet(canvas, QEvent.Type.TabletMove, (600, 200), 1.0, pen)
    widths = (canvas.pixels()[:, 190:480, 0] > 128).sum(axis=0)
    assert widths[-1] - widths[0] > 0.7 * PEN and np.abs(np.diff(widths)).max() <= 3


def test_a_corner_is_rounded_and_the_straight_way_to_it_leaves_no_ink(canvas):
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 100))
    QTest.mouseMove(canvas, QPoint(400, 100))
    corner = HEIGHT // 4, HEIGHT
    assert canvas.pixels()[corner] == 255, "the ink reaches the pen"
    QTest.mouseMove(canvas, QPoint(400, 300))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(400, 300))
    assert canvas.pixels()[corner] == 0 and canvas.pixels()[3 * HEIGHT // 4, HEIGHT] == 255


def test_one_finger_draws_and_no_other_touch_does(canvas, qtbot):
    device = QTest.createTouchDevice()
    QTest.touchEvent(canvas, device).press(0, QPoint(200, 100), canvas).commit()
    QTest.touchEvent(canvas, device).move(0, QPoint(200, 200), canvas).press(1, QPoint(600, 100), canvas).commit()
    QTest.touchEvent(canvas, device).move(0, QPoint(200, 300), canvas).move(1, QPoint(600, 300), canvas).commit()
    QTest.touchEvent(canvas, device).release(1, QPoint(600, 300), canvas).stationary(0).commit()
    assert not canvas.strokes, "the first finger is still drawing"
    QTest.touchEvent(canvas, device).release(0, QPoint(200, 300), canvas).commit()
    assert len(canvas.strokes) == 1
    left, _, right, _ = ink_box(canvas)
    assert left > 0.2 and right < 0.3
    drawn_by_pen(canvas, 350, 0.5, QPointingDevice.PointerType.Pen)
    QTest.touchEvent(canvas, device).press(2, QPoint(700, 100), canvas).commit()
    QTest.touchEvent(canvas, device).release(2, QPoint(700, 100), canvas).commit()
    assert len(canvas.strokes) == 2, "the hand rests beside the pen"


def test_a_second_button_does_not_disturb_a_stroke(canvas):
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    QTest.mouseMove(canvas, QPoint(300, 200))
    QTest.mouseClick(canvas, Qt.MouseButton.RightButton, pos=QPoint(300, 200))
    QTest.mouseMove(canvas, QPoint(400, 200))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(400, 200))
    assert len(canvas.strokes) == 1 and not canvas.strokes[0].erases


class Watched(Canvas):
    """Notes what it paints."""

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[QRect] = []

    def paintEvent(self, event: QPaintEvent) -> None:
        self.painted.append(event.rect())
        super().paintEvent(event)


def test_a_movement_repaints_no_more_than_it_has_changed(qtbot):
    canvas = Watched()
    qtbot.addWidget(canvas)
    canvas.resize(800, 400)
    canvas.show()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(canvas, QPoint(110, 100))
    qtbot.waitUntil(lambda: bool(canvas.painted), timeout=5000)
    qtbot.wait(50)
    canvas.painted.clear()
    QTest.mouseMove(canvas, QPoint(120, 110))
    qtbot.waitUntil(lambda: bool(canvas.painted), timeout=5000)
    assert max(rect.width() * rect.height() for rect in canvas.painted) < 100 * 100
    canvas.set_boxes([DigitBox((20, 40, 60, 120), 5, True), DigitBox((300, 40, 60, 120), 1, True)])
    qtbot.wait(50)
    canvas.painted.clear()
    canvas.set_boxes([DigitBox((20, 40, 60, 120), 5, True), DigitBox((300, 40, 64, 120), 7, False)])
    qtbot.waitUntil(lambda: bool(canvas.painted), timeout=5000)
    assert all(rect.left() > 200 and rect.right() < 700 for rect in canvas.painted)
