"""The widgets, one by one."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.errors import Problem
from app.theme import DARK, DIVERGING, LIGHT, MAGMA
from app.widgets.canvas import HEIGHT, Canvas
from app.widgets.curves import Curves, grown
from app.widgets.image_grid import ImageGrid
from app.widgets.mosaic import Mosaic
from app.widgets.notice import Notice
from app.widgets.picture import PictureView
from app.widgets.pixels import colored, from_qimage, save_picture, to_qimage
from app.widgets.probability_bars import ProbabilityBars
from nncore.errors import ConfigError, DigitLabError
from tests.app.conftest import ONE, draw

pytestmark = pytest.mark.usefixtures("themed")


@pytest.fixture
def canvas(qtbot) -> Canvas:
    made = Canvas()
    qtbot.addWidget(made)
    made.resize(400, 420)
    made.show()
    return made


def test_a_stroke_is_ink_where_the_pen_was(canvas):
    draw(canvas, ONE)
    pixels = canvas.pixels()
    assert pixels.shape == (HEIGHT, HEIGHT, 1) and pixels.dtype == np.uint8
    assert pixels[HEIGHT // 2, HEIGHT // 2] == 255 and pixels[HEIGHT // 2, HEIGHT // 4] == 0 and pixels[8, HEIGHT // 2] == 0


def test_every_movement_is_told(canvas, qtbot):
    heard = []
    canvas.changed.connect(lambda: heard.append(int(canvas.pixels().sum())))
    draw(canvas, ONE)
    assert len(heard) >= len(ONE) and heard == sorted(heard) and heard[0] > 0, "a dot draws, and ink only grows"


def test_strokes_that_are_set_again_give_the_same_pixels(canvas):
    heard = []
    canvas.finished.connect(lambda: heard.append((canvas.strokes, canvas.pixels())))
    draw(canvas, ONE)
    draw(canvas, ((0.2, 0.2), (0.8, 0.2)))
    assert [len(strokes) for strokes, _ in heard] == [1, 2]
    for strokes, pixels in (*reversed(heard), heard[1]):
        canvas.set_strokes(strokes)
        assert canvas.strokes == strokes and np.array_equal(canvas.pixels(), pixels)
    canvas.set_strokes(())
    assert canvas.is_blank and not canvas.pixels().any()


def test_the_eraser_and_the_right_button_take_ink_away(canvas):
    for button, erasing in ((Qt.MouseButton.LeftButton, True), (Qt.MouseButton.RightButton, False)):
        canvas.erasing = False
        draw(canvas, ONE)
        canvas.erasing = erasing
        draw(canvas, ((0.5, 0.5), (0.5, 0.55)), button)
        assert canvas.pixels()[HEIGHT // 2, HEIGHT // 2] == 0 and canvas.pixels()[HEIGHT // 4, HEIGHT // 2] == 255
        canvas.set_strokes(())


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)])
def test_pixels_survive_qt(shape, rng):
    pixels = rng.integers(0, 256, shape, np.uint8)
    back = from_qimage(to_qimage(pixels))
    expected = pixels if pixels.shape[-1] == 3 else np.repeat(pixels.reshape(5, 7, 1), 3, axis=2)
    assert np.array_equal(back, expected)


def test_what_is_transparent_becomes_paper():
    image = QImage(2, 1, QImage.Format.Format_ARGB32)
    image.fill(QColor(0, 0, 0, 0))
    assert np.array_equal(from_qimage(image), np.full((1, 2, 3), 255))


def test_colours_of_data():
    assert np.array_equal(colored(np.array([-1.0, 0.0, 1.0]), DIVERGING, -1, 1)[1], DIVERGING[127])
    assert DIVERGING[127].min() > 230 and DIVERGING[0][2] > DIVERGING[0][0] and DIVERGING[255][0] > DIVERGING[255][2]
    assert MAGMA[0].max() < 8 and MAGMA[255].min() > 180
    brightness = MAGMA.astype(float) @ [0.3, 0.6, 0.1]
    assert (np.diff(brightness) > -0.5).all(), "brighter is always more"
    assert np.array_equal(colored(np.zeros(3), MAGMA, 0, 0), np.repeat(MAGMA[:1], 3, axis=0)), "a flat map divides by nothing"


def test_pictures_are_saved_in_three_ways(tmp_path, rng):
    values = rng.random((4, 6)).astype(np.float32)
    pixels = colored(values, MAGMA, 0, 1)
    for name in ("a.png", "a.npy", "a.csv"):
        save_picture(tmp_path / name, pixels, values)
    assert np.array_equal(from_qimage(QImage(str(tmp_path / "a.png"))), pixels)
    assert np.array_equal(np.load(tmp_path / "a.npy"), values)
    assert np.allclose(np.loadtxt(tmp_path / "a.csv", delimiter=","), values, rtol=1e-5)
    with pytest.raises(DigitLabError, match="Could not write"):
        save_picture(tmp_path / "a.png" / "no-folder.png", pixels, values)


def test_a_picture_is_drawn_at_a_whole_number_scale(qtbot):
    view = PictureView()
    qtbot.addWidget(view)
    view.resize(100, 90)
    view.set_pixels(np.arange(28 * 28, dtype=np.uint8).reshape(28, 28))
    rect = view.picture_rect()
    assert (rect.width(), rect.height()) == (84, 84) and rect.center() == QPoint(49, 44)
    shot = view.grab().toImage()
    assert shot.pixelColor(rect.x() + 4, rect.y() + 1).red() == 1 and shot.pixelColor(rect.x() + 2, rect.y() + 2).red() == 0
    view.set_pixels(np.zeros((400, 200), np.uint8))
    assert view.picture_rect().height() == 90 and view.picture_rect().width() == 45


def test_bars_say_what_they_show(qtbot):
    bars = ProbabilityBars()
    qtbot.addWidget(bars)
    bars.resize(220, 180)
    bars.set_values(np.array([0, 0.9, 0.1, 0, 0, 0, 0, 0, 0, 0], np.float32))
    assert "1: 90.0%" in bars.accessibleDescription()
    shot = bars.grab().toImage()
    assert shot.pixelColor(60, 27) == QColor(DARK.accent) and shot.pixelColor(60, 9) != QColor(DARK.accent)


@pytest.fixture
def grid(qtbot) -> ImageGrid:
    made = ImageGrid("images")
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    images = (np.arange(60_000) % 251).astype(np.uint8)[:, None, None, None].repeat(28, axis=1).repeat(28, axis=2)
    made.set_images(images, str)
    return made


def test_a_grid_draws_only_what_is_in_sight(grid):
    asked = []
    grid._caption = lambda i: asked.append(i) or str(i)
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
    grid.grab()
    assert asked and len(set(asked)) < 60 and max(asked) == 59_999


def test_a_click_finds_the_image_under_it_after_scrolling(grid):
    grid.verticalScrollBar().setValue(5000)
    index = grid.index_at(QPoint(80, 100))
    heard, rect = [], grid.cell_rect(index)
    grid.activated.connect(heard.append)
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(80, 100))
    assert heard == [index] and rect.contains(80, 100) and index > 300
    assert grid.index_at(QPoint(399, 299)) >= -1


def test_keys_move_the_choice_and_keep_it_in_sight(grid):
    grid.choose(0)
    QTest.keyClick(grid, Qt.Key.Key_End)
    assert grid.current == 59_999
    assert grid.viewport().rect().contains(grid.cell_rect(59_999).center())
    QTest.keyClick(grid, Qt.Key.Key_Right)
    assert grid.current == 59_999
    QTest.keyClick(grid, Qt.Key.Key_Left)
    QTest.keyClick(grid, Qt.Key.Key_Home)
    assert grid.current == 0


def test_a_mosaic_lays_its_maps_out(qtbot, rng):
    mosaic = Mosaic("maps")
    qtbot.addWidget(mosaic)
    maps = rng.random((5, 3, 4))
    mosaic.set_maps(maps, MAGMA, 0, 1, columns=2, scale=10)
    assert (mosaic.sizeHint().width(), mosaic.sizeHint().height()) == (82, 94)
    mosaic.resize(mosaic.sizeHint())
    shot = mosaic.grab().toImage()
    for index in range(5):
        rect = mosaic.rect_of(index)
        expected = colored(maps[index, 2, 3], MAGMA, 0, 1)
        color = shot.pixelColor(rect.right() - 2, rect.bottom() - 2)
        assert (color.red(), color.green(), color.blue()) == tuple(expected)


def test_curves_smooth_and_export(qtbot, tmp_path):
    curves = Curves("loss", logarithmic=True)
    qtbot.addWidget(curves)
    curves.resize(400, 200)
    steps, values = np.arange(1.0, 6.0), np.array([2.0, 1.0, 0.5, 0.7, 0.2])
    curves.set_data((steps, values), (np.array([5.0]), np.array([0.3])))
    rows = list(csv.reader(curves.to_csv().splitlines()))
    assert rows[0] == ["curve", "step", "loss"] and rows[1] == ["training", "1", "2"] and rows[-1] == ["validation", "5", "0.3"]
    for name in ("a.png", "a.svg", "a.csv"):
        curves.save(tmp_path / name)
    assert not QImage(str(tmp_path / "a.png")).isNull() and "<svg" in (tmp_path / "a.svg").read_text()
    train, validation = curves.values_at(2)
    assert train == pytest.approx((0.9 * 2 + 1) / 1.9, rel=1e-12), "the mean of the two, by their weights, and not near the first"
    assert validation is None


def test_curves_are_zoomed_with_the_wheel_and_stay_so(qtbot):
    curves = Curves("loss")
    qtbot.addWidget(curves)
    curves.resize(600, 300)
    curves.show()
    qtbot.waitExposed(curves)
    steps = np.arange(1.0, 1001.0)
    nothing = (np.empty(0), np.empty(0))
    curves.set_data((steps, 1 / steps), nothing)
    whole = curves.steps_in_sight
    assert whole[1] >= 1000 and not curves.is_zoomed
    port = curves._plot.viewport()
    middle = QPointF(port.rect().center())

    def turn(by: int) -> None:
        wheel = QWheelEvent(
            middle, port.mapToGlobal(middle), QPoint(), QPoint(0, by), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(port, wheel)

    turn(1200)
    near = curves.steps_in_sight
    assert curves.is_zoomed and whole[0] < near[0] < near[1] < whole[1]
    curves.set_data((np.arange(1.0, 5001.0), np.ones(5000)), nothing)
    assert curves.steps_in_sight == pytest.approx(near), "what comes meanwhile moves nothing"
    for _ in range(40):
        turn(-1200)
    low, high = curves.steps_in_sight
    assert low >= 0 and high <= grown(5000) * 1.03, "no farther away than the whole"
    curves.show_whole()
    assert not curves.is_zoomed and curves.steps_in_sight[1] >= 5000
    curves.set_data((np.arange(1.0, 9001.0), np.ones(9000)), nothing)
    assert curves.steps_in_sight[1] >= 9000


def test_curves_are_zoomed_from_the_keyboard(qtbot):
    curves = Curves("loss")
    qtbot.addWidget(curves)
    curves.resize(600, 300)
    curves.show()
    qtbot.waitExposed(curves)
    curves.setFocus()
    curves.set_data((np.arange(1.0, 1001.0), np.ones(1000)), (np.empty(0), np.empty(0)))
    curves.set_cursor(500)
    whole = curves.steps_in_sight
    QTest.keyClick(curves, Qt.Key.Key_Plus)
    near = curves.steps_in_sight
    assert curves.is_zoomed and near[1] - near[0] == pytest.approx((whole[1] - whole[0]) / 1.5, rel=0.01)
    assert (500 - near[0]) / (near[1] - near[0]) == pytest.approx((500 - whole[0]) / (whole[1] - whole[0]), abs=0.01)
    QTest.keyClick(curves, Qt.Key.Key_PageUp)
    assert curves.steps_in_sight[0] < near[0]
    QTest.keyClick(curves, Qt.Key.Key_Home)
    assert curves.steps_in_sight == pytest.approx(whole, abs=5) and not curves.is_zoomed


def test_a_notice_tells_mistakes_from_defects(qtbot):
    holder = QWidget()
    qtbot.addWidget(holder)
    holder.resize(600, 400)
    holder.show()
    notice = Notice(holder)
    assert not notice.isVisible()
    notice.show_problem(Problem.of(ConfigError("Too few layers; add one.")))
    assert notice.isVisible() and notice.message.text() == "Too few layers; add one." and not notice._more.isVisible()
    try:
        raise ZeroDivisionError("oops")
    except ZeroDivisionError as error:
        notice.show_problem(Problem.of(error))
    assert "made a mistake" in notice.message.text() and notice._more.isVisible()
    assert "Traceback" in notice._details.toPlainText() and "numpy" in notice._details.toPlainText()


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colors", [DARK, LIGHT], ids=["dark", "light"])
def test_text_can_be_read(colors):
    """WCAG 2.1, contrast ratio of at least 4.5 : 1 for text."""
    for ground in (colors.background, colors.panel, colors.raised):
        for ink in (colors.text, colors.dim):
            high, low = sorted((luminance(ground), luminance(ink)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (ground, ink)
