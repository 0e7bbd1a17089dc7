"""Plots over the steps: what is drawn, read, marked and saved."""

from __future__ import annotations

import csv
from itertools import pairwise

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.theme import theme
from app.widgets.axes import grown
from app.widgets.curves import Curves
from app.widgets.lines import MOST, Lines
from app.widgets.mark_lines import PlotMark
from app.widgets.step_plot import StepPlot
from app.widgets.strokes import Strokes

pytestmark = pytest.mark.usefixtures("themed")

NOTHING = (np.empty(0), np.empty(0))
STEPS = np.arange(1.0, 1001.0)
LOOKS = np.arange(100.0, 1001.0, 100.0)


def shown(plot: StepPlot, qtbot, size: tuple[int, int] = (600, 200)) -> StepPlot:
    qtbot.addWidget(plot)
    plot.resize(*size)
    plot.show()
    qtbot.waitExposed(plot)
    return plot


@pytest.fixture
def painted(monkeypatch) -> list[object]:
    """The strokes that have been painted, each time; it comes before the plot."""
    found: list[object] = []
    paint = Strokes.paint
    monkeypatch.setattr(Strokes, "paint", lambda self, *rest: (found.append(self), paint(self, *rest)))
    return found


@pytest.fixture
def loss(painted, qtbot) -> Curves:
    curves = shown(Curves("loss", logarithmic=True), qtbot)
    curves.set_smoothing(0)
    curves.set_data((STEPS, 2 / STEPS), (LOOKS, 3 / LOOKS), LOOKS[4::5])
    return curves


@pytest.fixture
def norms(qtbot) -> Lines:
    lines = shown(Lines("gradient norm", logarithmic=True), qtbot)
    lines.show_lines({"conv1": (LOOKS, LOOKS / 100), "fc1": (LOOKS[2:], LOOKS[2:] / 1000)}, 1000.0)
    return lines


def numbers(plot: StepPlot, side: str) -> list[str]:
    """The numbers that an axis shows as it is drawn, within the widget."""
    axis = plot._item.getAxis(side)
    painter = pg.QtGui.QPainter(image := pg.QtGui.QImage(10, 10, pg.QtGui.QImage.Format.Format_RGB32))
    try:
        _, _, texts = axis.generateDrawSpecs(painter)
    finally:
        painter.end()
    del image
    inside = QRectF(plot._plot.rect())
    return [text for rect, _, text in texts if inside.contains(axis.mapRectToScene(rect))]


@pytest.mark.parametrize("logarithmic", [True, False])
@pytest.mark.parametrize(
    ("steps", "values"),
    [
        ([], []),
        ([1], [0.3]),
        ([1, 2, 3], [2.3, 2.2, 2.1]),
        (STEPS, np.full(1000, 0.7)),
        (STEPS, np.zeros(1000)),
        (STEPS, np.linspace(0.52, 0.55, 1000)),
        (STEPS, np.geomspace(1e-12, 1e9, 1000)),
        (STEPS, np.full(1000, np.inf)),
        (np.arange(1.0, 9001.0), np.where(np.arange(9000) % 7 == 0, np.inf, 0.1)),
    ],
)
def test_both_axes_have_two_numbers_whatever_the_values(qtbot, steps, values, logarithmic):
    curves = shown(Curves("loss", logarithmic), qtbot, (420, 130))
    data = (np.array(steps, float), np.array(values, float))
    curves.set_data(data, NOTHING)
    for _ in range(2):
        for side in ("left", "bottom"):
            found = numbers(curves, side)
            assert len(found) >= 2 and len(set(found)) == len(found), (side, found)
        curves.show_steps(30, 50)


def test_the_crosshair_tells_step_and_values_and_draws_no_curve_again(painted, loss):
    loss.set_marks([PlotMark(500, "lr 0.01", "Learning rate was set to 0.01 after step 500.")])
    QApplication.processEvents()
    assert painted
    painted.clear()
    box = loss._item.getViewBox()

    def move_to(place: QPoint) -> None:
        QTest.qWait(30)  # pyqtgraph leaves out what comes within 10 ms
        QTest.mouseMove(loss._plot.viewport(), place)
        QApplication.processEvents()

    def hover(step: float) -> None:
        move_to(loss._plot.mapFromScene(box.mapViewToScene(QPointF(step, -1))))

    hover(499.7)
    reading = loss.reading
    assert reading.words == "step 500 · lr 0.01: training 0.004, validation 0.006 at the epoch's end"
    assert loss.toolTip() == "Learning rate was set to 0.01 after step 500."
    assert all(value.at is not None and abs(value.at.x() - reading.x) < 1 for value in reading.values)
    hover(550)
    assert loss.reading.words.endswith("validation 0.006 at the epoch's end (step 500)") and loss.toolTip() == loss.help
    assert not painted
    move_to(QPoint(3, 3))
    assert loss.reading is None, "beside the curves there is none"


def test_the_crosshair_is_moved_by_keys(norms):
    norms.setFocus()
    norms.set_cursor(500)
    QTest.keyClick(norms, Qt.Key.Key_Right)
    assert norms.reading.words == norms.accessibleDescription() == "step 500: conv1 5, fc1 0.5"
    QTest.keyClick(norms, Qt.Key.Key_Right)
    assert norms.reading.heading == "step 600", "the next place that has values"
    for _ in range(4):
        QTest.keyClick(norms, Qt.Key.Key_Left)
    assert norms.reading.words == "step 200: conv1 2", "fc1 has no value yet"
    for _ in range(5):
        QTest.keyClick(norms, Qt.Key.Key_Left)
    assert norms.reading.heading == "step 100"
    norms.show_steps(750, 850)
    assert norms.reading is None, "it is out of sight"
    QTest.keyClick(norms, Qt.Key.Key_Right)
    assert norms.reading is not None


def test_far_away_a_key_moves_the_crosshair_visibly_and_with_shift_by_one_step(loss):
    loss.setFocus()
    loss.set_cursor(500)
    QTest.keyClick(loss, Qt.Key.Key_Right)
    QTest.keyClick(loss, Qt.Key.Key_Right)
    assert 505 <= loss._crosshair_step <= 515
    before = loss._crosshair_step
    QTest.keyClick(loss, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert loss._crosshair_step == before - 1


def test_labels_of_marks_do_not_overlap(loss):
    loss.set_marks([PlotMark(step, f"batch {step}", "") for step in (100, 104, 108, 600, 995)])
    labels = loss._marks.labels()
    assert [text for _, text in labels] == ["batch 100", "batch 600", "batch 995"]
    width = loss._item.getViewBox().rect().width()
    assert all(place.left() >= 0 and place.right() <= width for place, _ in labels)
    assert all(one.right() <= two.left() for (one, _), (two, _) in pairwise(labels))
    assert len(loss._marks.in_sight()) == 5, "all have their line"
    font = QFont(QApplication.font())
    font.setPixelSize(10)
    assert labels[0][0].width() >= QFontMetrics(font).horizontalAdvance("batch 100")


def test_looks_at_a_sample_are_dots_and_full_ones_rings(loss):
    assert loss._dots.x.tolist() == LOOKS.tolist()
    assert loss._rings.x.tolist() == [500.0, 1000.0]
    assert [entry.name for entry in loss.entries()] == ["training", "validation", "epoch's end"]
    many = np.arange(1.0, 1001.0)
    loss.set_data((STEPS, 2 / STEPS), (many, 3 / many))
    dots = loss._dots.x
    assert not len(dots), "so many would be a thick line"
    assert [entry.name for entry in loss.entries()] == ["training", "validation"]
    loss.show_steps(100, 130)
    assert len(loss._dots.x) == 33, "nearer there is room for them"


def test_a_zoomed_curve_shows_every_step(qtbot):
    curves = shown(Curves("loss"), qtbot)
    steps = np.arange(1.0, 60_001.0)
    curves.set_data((steps, 1 / steps), NOTHING)
    assert len(curves._train.x) < 400
    curves.show_steps(30_000, 30_100)
    assert set(range(30_000, 30_101)) <= set(curves._train.x.tolist())


def test_an_axis_is_linear_or_logarithmic_as_one_likes(loss):
    assert [float(number) for number in numbers(loss, "left")] == [0.01, 0.1, 1]
    loss.set_logarithmic(False)
    assert [float(number) for number in numbers(loss, "left")] == [0, 0.5, 1, 1.5, 2]
    low, high = loss._item.viewRange()[1]
    assert low < 0.01 and 2 <= high < 2.5


def test_each_line_has_a_colour_in_the_legend_and_too_many_are_counted(norms, qtbot):
    names = [f"layer{place}" for place in range(MOST + 5)]
    norms.show_lines(dict.fromkeys(names, (LOOKS, LOOKS)), 1000.0)
    entries = norms.entries()
    assert [entry.name for entry in entries] == names[:MOST]
    assert len({(entry.color, entry.is_dashed) for entry in entries}) == MOST
    dark = [entry.color for entry in entries]
    theme().set("light")
    assert not set(dark) & {entry.color for entry in norms.entries()}
    assert norms.to_csv().count("\n") == 1 + len(LOOKS) * len(names), "all are in the table"


def test_a_plot_of_lines_is_saved_with_its_legend(norms, tmp_path):
    for name in ("a.png", "a.svg", "a.csv"):
        norms.save(tmp_path / name)
    rows = list(csv.reader((tmp_path / "a.csv").read_text().splitlines()))
    assert rows[0] == ["curve", "step", "gradient norm"] and rows[1] == ["conv1", "100", "1"] and rows[-1] == ["fc1", "1000", "1"]
    drawing = (tmp_path / "a.svg").read_text()
    assert ">conv1<" in drawing and "<image" not in drawing, "lines and letters, not pixels"


def test_a_sentence_stands_where_there_is_nothing(norms):
    norms.show_lines({}, 0.0)
    norms.say("This run was trained before learning rates were kept.")
    assert norms._message.isVisible() and norms.message == norms.accessibleDescription()
    norms.say("")
    assert not norms._message.isVisible()


def test_a_plot_whose_axis_has_grown_is_drawn_once_and_what_stays_the_same_is_left_alone(loss, monkeypatch):
    draws, updates = [], []
    draw, put, update = Curves._draw, Strokes.put, Strokes.update
    monkeypatch.setattr(Curves, "_draw", lambda self: (draws.append(self), draw(self)))
    monkeypatch.setattr(Strokes, "update", lambda self: (updates.append(given[-1]), update(self)))
    given = [None]
    monkeypatch.setattr(Strokes, "put", lambda self, stroke, *rest: (given.append(stroke), put(self, stroke, *rest)))
    before = loss.steps_in_sight
    more = np.arange(1.0, 3001.0)
    loss.set_data((more, 2 / more), (LOOKS, 3 / LOOKS), LOOKS[4::5])
    assert loss.steps_in_sight != before and len(draws) == 1
    assert [stroke for stroke in updates if stroke is not None] == [loss._raw, loss._train]


def test_a_plot_is_painted_in_a_turn_after_the_one_in_which_it_was_drawn(loss, painted, qtbot):
    qtbot.waitUntil(lambda: loss._plot.viewport().updatesEnabled())
    painted.clear()
    loss.set_data((STEPS, 3 / STEPS), (LOOKS, 3 / LOOKS), LOOKS[4::5])
    loss._plot.viewport().repaint()
    assert not painted
    qtbot.waitUntil(lambda: loss._strokes in painted)


def test_the_points_of_a_stroke_lie_where_the_axes_say(loss):
    box, (steps, values) = loss._item.getViewBox(), (np.array([100.0, 500.0]), np.array([0.02, 1.0]))
    loss.show_steps(90, 600)
    loss._strokes.put(loss._train, steps, values)
    across, down = loss._strokes.pixels_of(loss._train)
    for x, y, step, value in zip(across, down, steps, values, strict=True):
        place = box.mapFromView(QPointF(step, np.log10(value)))
        assert (x, y) == pytest.approx((place.x(), place.y()), abs=0.01)


def test_what_lies_nowhere_is_not_drawn_and_nothing_lies_endlessly_far(loss):
    values = np.array([0.5, 0.0, -1.0, np.nan, np.inf, 1e300])
    loss._strokes.put(loss._train, np.arange(1.0, 7.0), values)
    down = loss._strokes.pixels_of(loss._train)[1]
    assert np.isfinite(down).tolist() == [True, False, False, False, False, True] and np.nanmin(down) >= -1e5
    loss.set_logarithmic(False)
    loss._strokes.put(loss._train, np.arange(1.0, 7.0), values)
    assert np.isfinite(loss._strokes.pixels_of(loss._train)[1]).tolist() == [True, True, True, False, False, True]
    loss.grab()


def test_the_axis_ends_where_the_training_is_planned_to_end(loss):
    def end(last: int) -> float:
        steps = np.arange(1.0, last + 1.0)
        loss.set_data((steps, 2 / steps), NOTHING)
        return loss._range[0][1]

    assert end(1000) == grown(1000)
    loss.planned = 6000
    assert end(1000) == end(6000) == 6000, "it stands still"
    assert end(700) == grown(700), "so little would be squeezed against the left"
    assert end(6100) == grown(6100), "more is trained than was planned"
