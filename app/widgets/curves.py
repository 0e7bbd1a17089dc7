"""Curves: a plot of training and validation over the steps."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QBuffer, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QFocusEvent, QKeyEvent, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QGraphicsItem, QMenu, QVBoxLayout, QWidget

from app.smoothing import smoothed
from app.theme import font, theme
from app.widgets.pixels import png_bytes
from nncore.arrays import Array
from nncore.files import write_atomically

pg.setConfigOptions(imageAxisOrder="row-major", antialias=True)

FORMATS = "PNG picture (*.png);;SVG drawing (*.svg);;Table of values (*.csv)"


ZOOM = 1.5
"""How much nearer one press of a key goes."""
LEAST_STEPS = 20
"""Steps that stay in sight however near one goes."""
POINTS = 320
"""Most points of a curve that are drawn: about one every three pixels. Drawing time grows with their number."""


def grown(steps: float) -> float:
    """The end of the axis for so many steps: it moves on in jumps of a quarter, so that the axis stands still in between."""
    return 100 * 1.25 ** max(0, math.ceil(math.log(max(steps, 1) / 100, 1.25)))


def thinned(steps: Array, values: Array) -> tuple[Array, Array]:
    """About POINTS of the points, evenly spaced, with the first and the last."""
    if len(steps) <= POINTS:
        return steps, values
    chosen = np.linspace(0, len(steps) - 1, POINTS).round().astype(np.int64)
    return steps[chosen], values[chosen]


def extremes(steps: Array, values: Array) -> tuple[Array, Array]:
    """The least and the largest value of each of POINTS / 2 equal stretches, so that no peak is lost."""
    size = -(-len(steps) // (POINTS // 2))
    whole = len(steps) // size * size if size > 1 else 0
    if not whole:
        return steps, values
    blocks = values[:whole].reshape(-1, size)
    low_high = np.stack([blocks.min(axis=1), blocks.max(axis=1)], axis=1).ravel()
    at = np.repeat(steps[:whole:size], 2)
    return np.concatenate([at, steps[whole:]]), np.concatenate([low_high, values[whole:]])


class Curves(QWidget):
    """One quantity over the steps: training in the theme's accent, validation in its second colour."""

    zoomed = Signal(object)
    """(first, last) of the steps in sight, when the user has chosen them; None when all are wanted again."""

    def __init__(self, name: str, logarithmic: bool = False, shows_raw: bool = True) -> None:
        """`shows_raw` draws the training curve unsmoothed too, in a pale line."""
        super().__init__()
        self.setAccessibleName(name)
        self._name, self._log, self._shows_raw = name, logarithmic, shows_raw
        self.smoothing = 0.9
        self._data: dict[str, tuple[Array, Array]] = {}
        self._range: tuple[tuple[float, float], tuple[float, float]] | None = None
        self.is_zoomed = False
        """Whether the user has chosen which steps are in sight; new values then leave them so."""
        self._plot = pg.PlotWidget(axisItems={"bottom": _StepAxis("bottom")} | ({"left": _LogAxis("left")} if logarithmic else {}))
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._plot.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        item = self._plot.getPlotItem()
        item.setLogMode(x=False, y=logarithmic)
        item.showGrid(x=False, y=True, alpha=0.25)
        item.setMouseEnabled(x=True, y=False)  # the wheel zooms along the steps, and dragging moves along them
        item.getViewBox().sigRangeChangedManually.connect(self._hold_zoom)
        item.scene().sigMouseClicked.connect(lambda click: self._leave_zoom() if click.double() else None)
        item.getAxis("bottom").enableAutoSIPrefix(False)
        item.getAxis("left").setWidth(48)
        for side in ("left", "bottom"):  # text and grid are painted when they change, not with every point
            item.getAxis(side).setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        item.setLimits(xMin=0)
        self._raw = self._plot.plot([], [], antialias=False)  # so many pale strokes show no edges
        self._train = self._plot.plot([], [])
        self._validation = self._plot.plot([], [])
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        self._plot.addItem(self._cursor, ignoreBounds=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)
        theme().changed.connect(self._restyle)
        self._restyle()

    def set_data(self, train: tuple[Array, Array], validation: tuple[Array, Array]) -> None:
        """Show (steps, values) of training and of validation."""
        self._data = {"training": train, "validation": validation}
        steps, values = train
        self._set_range((0.0, grown(float(steps[-1]) if len(steps) else 0.0)), self._y_range(values, validation[1]))
        if self._shows_raw:
            self._raw.setData(*extremes(steps, values))
        self._train.setData(*thinned(steps, smoothed(values, self.smoothing)))
        self._validation.setData(*thinned(*validation))

    @property
    def cursor_step(self) -> int | None:
        """The step at which the vertical line stands; None where there is none."""
        return int(self._cursor.value()) if self._cursor.isVisible() else None

    def set_cursor(self, step: int | None) -> None:
        """Draw a vertical line at a step, or none."""
        if step is not None:
            self._cursor.setValue(step)
        self._cursor.setVisible(step is not None)

    def values_at(self, step: int) -> tuple[float | None, float | None]:
        """The values of training, smoothed as they are drawn, and of validation, at `step` or last before it.

        None where there is none.
        """
        found: list[float | None] = []
        for curve, weight in (("training", self.smoothing), ("validation", 0.0)):
            steps, values = self._data.get(curve, (np.empty(0), np.empty(0)))
            count = int(np.searchsorted(steps, step, side="right"))
            value = float(smoothed(values[:count], weight)[-1]) if count else math.nan
            found.append(None if math.isnan(value) else value)
        return found[0], found[1]

    def _y_range(self, values: Array, validation: Array) -> tuple[float, float]:
        """From the least to the largest value shown, in whole grid steps; in powers of ten on a logarithmic axis."""
        if not len(values):
            return (-2.0, 0.5) if self._log else (0.0, 100.0)
        if not self._log:
            # Leave the first steps, which are near guessing, out of the range: they would squeeze the rest against the top.
            settled = smoothed(values, 0.9)[len(values) // 5 :]
            return max(0.0, float(np.floor(settled.min() / 10) * 10) - 5), 100.0
        shown = np.concatenate([values, validation])
        shown = np.log10(shown[np.isfinite(shown) & (shown > 0)])
        if not len(shown):
            return -2.0, 0.5
        return float(np.floor(shown.min() * 4) / 4), float(np.ceil(shown.max() * 4) / 4)

    def _set_range(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        if (x, y) != self._range:
            self._range = (x, y)
            item = self._plot.getPlotItem()
            item.setLimits(xMin=0, xMax=x[1] * 1.02, minXRange=min(LEAST_STEPS, x[1]))
            item.setRange(xRange=None if self.is_zoomed else x, yRange=y, padding=0.02)

    @property
    def steps_in_sight(self) -> tuple[float, float]:
        """The first and the last step of the axis."""
        low, high = self._plot.getPlotItem().viewRange()[0]
        return low, high

    def _hold_zoom(self, *_: object) -> None:
        """The user has chosen the steps in sight."""
        self.is_zoomed = True
        self.zoomed.emit(self.steps_in_sight)

    def show_steps(self, low: float, high: float) -> None:
        """Show the steps from `low` to `high`, and keep to them; without a signal."""
        self.is_zoomed = True
        self._plot.getPlotItem().setXRange(low, high, padding=0)

    def show_whole(self) -> None:
        """Show all steps again, and those that come; without a signal."""
        self.is_zoomed = False
        if self._range is not None:
            self._plot.getPlotItem().setXRange(*self._range[0], padding=0.02)

    def _leave_zoom(self) -> None:
        """The user wants all steps again."""
        self.show_whole()
        self.zoomed.emit(None)

    def zoom(self, factor: float) -> None:
        """Show `factor` times as many steps, around the cursor where it is in sight, and else around the middle."""
        low, high = self.steps_in_sight
        step = self.cursor_step
        around = (low + high) / 2 if step is None or not low <= step <= high else step
        self.show_steps(around - (around - low) * factor, around + (high - around) * factor)
        self._hold_zoom()

    def move_along(self, share: float) -> None:
        """Move along the steps, by a share of those in sight."""
        low, high = self.steps_in_sight
        self._plot.getPlotItem().getViewBox().translateBy(x=(high - low) * share)
        self._hold_zoom()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom(1 / ZOOM)
            case Qt.Key.Key_Minus:
                self.zoom(ZOOM)
            case Qt.Key.Key_PageUp:
                self.move_along(-0.5)
            case Qt.Key.Key_PageDown:
                self.move_along(0.5)
            case Qt.Key.Key_Home:
                self._leave_zoom()
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._frame()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._frame()

    def _frame(self) -> None:
        """Draw a frame around the plot while it has the keyboard."""
        pen = pg.mkPen(theme().colors.accent) if self.hasFocus() else None
        self._plot.getPlotItem().getViewBox().setBorder(pen)

    def set_smoothing(self, weight: float) -> None:
        """Smooth the training curve by a weight from 0 (not at all) to below 1."""
        self.smoothing = weight
        if self._data:
            self.set_data(self._data["training"], self._data["validation"])

    def _restyle(self) -> None:
        colors = theme().colors
        self._plot.setBackground(colors.panel)
        faint = QColor(colors.accent)
        faint.setAlphaF(0.22)
        self._raw.setPen(pg.mkPen(faint, width=1))
        self._train.setPen(pg.mkPen(colors.accent, width=2))
        self._validation.setPen(pg.mkPen(colors.second, width=2))
        self._cursor.setPen(pg.mkPen(colors.dim, width=1, style=Qt.PenStyle.DashLine))
        for side in ("left", "bottom"):
            axis = self._plot.getPlotItem().getAxis(side)
            axis.setPen(pg.mkPen(colors.line))
            axis.setTextPen(pg.mkPen(colors.dim))
            axis.setTickFont(font(11))

    def to_csv(self) -> str:
        """The curves as a table of curve, step, and what is plotted."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["curve", "step", self._name])
        for curve, (steps, values) in self._data.items():
            writer.writerows((curve, int(step), f"{value:.6g}") for step, value in zip(steps, values, strict=True))
        return out.getvalue()

    def save(self, path: Path) -> None:
        """Write the curves as .png, .svg or .csv, by the file's ending. DigitLabError where that fails."""
        if path.suffix == ".csv":
            write_atomically(path, self.to_csv().encode())
        elif path.suffix == ".svg":
            content, drawing = QBuffer(), QSvgGenerator()
            drawing.setOutputDevice(content)
            drawing.setSize(self._plot.size())
            painter = QPainter(drawing)
            self._plot.render(painter)
            painter.end()
            write_atomically(path, bytes(content.data().data()))
        else:
            write_atomically(path, png_bytes(self._plot.grab().toImage()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.addAction("Copy picture", lambda: pg.Qt.QtWidgets.QApplication.clipboard().setPixmap(self._plot.grab()))
        menu.addAction("Save as PNG, SVG or CSV…", self.ask_and_save)
        menu.addAction("Show all steps", self._leave_zoom).setEnabled(self.is_zoomed)
        menu.exec(event.globalPos())

    def ask_and_save(self) -> None:
        """Ask for a file, and write the curves to it. DigitLabError where that fails."""
        name, chosen = QFileDialog.getSaveFileName(self, "Save curves", f"{self._name}.png", FORMATS)
        if name:
            self.save(Path(name if Path(name).suffix else name + chosen.partition("*")[2].rstrip(")")))


class _StepAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis with whole numbers, their thousands apart as everywhere else."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{value:,.0f}" if spacing >= 1 else f"{value:g}" for value in values]


class _LogAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis with plain numbers at powers of ten, and at their multiples by 2 and 5 where there is room."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        steps = (1, 2, 5) if high - low < 2.5 else (1,)
        decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
        marks = [decade + float(np.log10(step)) for decade in decades for step in steps]
        return [(1.0, [mark for mark in marks if low <= mark <= high])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{10**value:.3g}" for value in values]
