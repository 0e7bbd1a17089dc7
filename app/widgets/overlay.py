"""OverlayPlot: curves of several runs laid over each other, with a crosshair that tells the value of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QGuiApplication, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QGraphicsItem, QLabel, QMenu, QWidget

from app.smoothing import smoothed
from app.theme import theme
from app.widgets.overlay_axes import AlongAxis, ValueAxis, range_of
from app.widgets.pixels import png_bytes
from app.widgets.save_plot import as_svg, ask_for_path
from app.widgets.swatch import hex_of
from app.widgets.zoom_plot import ZoomPlot
from nncore.arrays import Array
from nncore.files import write_atomically

POINTS = 320
"""Most points of a curve that are drawn: about one every three pixels."""
DOTS = 40
"""Points in sight up to which each is marked by a dot."""
ROOM = 1.25
"""How much longer than its lines the axis is while one grows."""
SHIFT = 0.02
"""The share of the axis by which an arrow key moves the crosshair."""
NAMED = 8
"""Curves that the legend names; it counts the others."""
LONGEST_NAME = 28
"""Characters of a name in the legend and beside the crosshair."""


class Line(NamedTuple):
    """A curve: float64 (N) each, x ascending."""

    name: str
    color: str
    """`#rrggbb`, or the name of a colour of the theme."""
    x: Array
    y: Array
    grows: bool = False
    """Whether it belongs to a training that runs, so that more of it will come."""


class OverlayPlot(ZoomPlot):
    """Lines along one axis, zoomed as a ZoomPlot; what is in sight fills the height."""

    def __init__(self, name: str) -> None:
        self._values, self._bottom = ValueAxis("left"), AlongAxis("bottom")
        super().__init__(axes={"left": self._values, "bottom": self._bottom})
        self.setAccessibleName(name)
        self.smoothing, self.percent = 0.0, False
        self.quantity, self.along = "", "step"
        self.lines: tuple[Line, ...] = ()
        self._drawn: list[Line] = []
        """The lines, smoothed."""
        self.crosshair: float | None = None
        """Where the crosshair stands; None where there is none."""
        self._end = 1.0
        """The last x of all lines."""
        self._build_plot()
        self._curves: list[pg.PlotCurveItem] = []
        """One for each line; those that are not needed now wait for more lines behind them."""
        self._points = pg.ScatterPlotItem(size=5, pen=None)
        """The points of lines that have few."""
        self._upright = pg.InfiniteLine(angle=90, movable=False)
        self._dots = pg.ScatterPlotItem(size=8, pen=None)
        for item in (self._points, self._upright, self._dots):
            item.setZValue(10)
            self._plot.addItem(item, ignoreBounds=True)
        self._upright.hide()
        self.legend = self._text(self._plot)  # so that it is in the pictures that are saved
        self.readout = self._text(self)
        self.readout.raise_()
        self._restyle()

    def _build_plot(self) -> None:
        item = self._item
        item.getAxis("left").setWidth(52)
        for axis in (self._values, self._bottom):
            axis.enableAutoSIPrefix(False)
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        item.getViewBox().sigXRangeChanged.connect(lambda *_: self._draw())
        item.scene().sigMouseMoved.connect(self._follow_mouse)
        self._plot.viewport().installEventFilter(self)

    def _text(self, parent: QWidget) -> QLabel:
        """A text that lies on the plot and lets the mouse through."""
        made = QLabel(parent)
        made.setTextFormat(Qt.TextFormat.RichText)
        made.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        made.setMargin(6)
        made.hide()
        return made

    # -- what is shown

    def show_lines(
        self, lines: Sequence[Line], quantity: str, along: str, *, logarithmic: bool = False, percent: bool = False
    ) -> None:
        """Show lines of a quantity along an axis: `step`, `time` (x in seconds) or `images`. The whole axis is shown where it was
        before, or where it is another one.
        """
        is_another = along != self.along
        self.lines, self.quantity, self.along = tuple(lines), quantity, along
        self.is_logarithmic, self.percent = logarithmic, percent
        self._values.is_logarithmic, self._values.percent = logarithmic, percent
        self._bottom.along = along
        self._end = max((float(line.x[-1]) for line in lines if len(line.x)), default=0.0) or 1.0
        if is_another:
            self.is_zoomed, self.crosshair, self._range = False, None, None
        end = self._end_of_axis()
        self.least_in_sight = end / 200
        self._set_range((0.0, end))
        self._rework()

    def _end_of_axis(self) -> float:
        """Where the axis ends: with the longest line, or while one grows somewhat later, so that it stands still for a while."""
        if not any(line.grows for line in self.lines):
            return self._end
        before = 0.0 if self._range is None else self._range[0][1]
        return before if self._end <= before <= self._end * ROOM * ROOM else self._end * ROOM

    def set_smoothing(self, weight: float) -> None:
        """Smooth all lines by a weight from 0 (not at all) to below 1."""
        self.smoothing = weight
        self._rework()

    def _rework(self) -> None:
        """Smooth the lines and draw them."""
        self._drawn = [line._replace(y=smoothed(line.y, self.smoothing)) for line in self.lines]
        while len(self._curves) < len(self.lines):
            curve = pg.PlotCurveItem(connect="finite")
            curve.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)  # drawn when it changes, not with each move above it
            self._plot.addItem(curve, ignoreBounds=True)
            self._curves.append(curve)
        for place, curve in enumerate(self._curves):
            curve.setVisible(place < len(self.lines))
        self._paint_lines()
        self._draw()
        self._write_legend()
        self.move_crosshair(self.crosshair)

    def _draw(self) -> None:
        """Draw what is in sight of each line, and let it fill the height. Curves that stay as they were are not drawn again."""
        low, high = self.steps_in_sight
        in_sight, points = [], []
        for curve, line in zip(self._curves, self._drawn, strict=False):
            first, last = np.searchsorted(line.x, low, "right") - 1, np.searchsorted(line.x, high, "left") + 1
            part = slice(max(int(first), 0), int(last))
            x, y = line.x[part], self._placed(line.y[part])
            in_sight.append(y)
            if len(x) > POINTS:
                chosen = np.linspace(0, len(x) - 1, POINTS).round().astype(np.int64)
                x, y = x[chosen], y[chosen]
            before = curve.getData()
            if before[0] is None or not (np.array_equal(before[0], x) and np.array_equal(before[1], y, equal_nan=True)):
                curve.setData(x, y)
            if len(x) <= DOTS:
                points += [(*place, line.color) for place in zip(x, y, strict=True) if np.isfinite(place[1])]
        columns = np.array([place[:2] for place in points], np.float64).reshape(-1, 2)
        self._points.setData(columns[:, 0], columns[:, 1], brush=[pg.mkBrush(hex_of(color)) for *_, color in points])
        bounds = range_of(np.concatenate(in_sight) if in_sight else np.zeros(0), self.is_logarithmic, self.percent)
        self._item.setYRange(*bounds, padding=0.03)

    def _placed(self, values: Array) -> Array:
        """Where values lie on the axis; nan for those that lie nowhere."""
        sound = np.isfinite(values) & ((values > 0) | (not self.is_logarithmic))
        placed = np.where(sound, values, np.nan)
        return np.log10(placed) if self.is_logarithmic else placed

    # -- the crosshair

    def points_at(self, x: float) -> list[tuple[float, float] | None]:
        """The point (x, y) of each line, smoothed as it is drawn, nearest to `x`; None where the line does not reach so far."""
        found: list[tuple[float, float] | None] = []
        for line in self._drawn:
            inside = len(line.x) > 0 and line.x[0] <= x <= line.x[-1]
            place = int(np.abs(line.x - x).argmin()) if inside else 0
            found.append((float(line.x[place]), float(line.y[place])) if inside and np.isfinite(line.y[place]) else None)
        return found

    def move_crosshair(self, x: float | None) -> None:
        """Put the crosshair at `x`, or take it away."""
        self.crosshair = x
        is_shown = x is not None and bool(self.lines)
        self._upright.setVisible(is_shown)
        self.readout.setVisible(is_shown)
        if x is None or not is_shown:
            self._dots.setData([], [])
            return
        self._upright.setValue(x)
        known = [(line, point) for line, point in zip(self._drawn, self.points_at(x), strict=True) if point is not None]
        points = np.array([point for _, point in known], np.float64).reshape(-1, 2)
        brushes = [pg.mkBrush(hex_of(line.color)) for line, _ in known]
        self._dots.setData(points[:, 0], self._placed(points[:, 1]), brush=brushes)
        self._write_readout(x, [(line, value) for line, (_, value) in known])

    def _write_readout(self, x: float, known: Sequence[tuple[Line, float]]) -> None:
        rows = [f'<span style="color:{theme().colors.dim}">{self._bottom.words(x)}</span>']
        room = max(1, self.height() // 17 - 3)
        for line, value in known[:room]:
            rows.append(f"{_stroke(line)} {escape(_shortened(line.name))} &nbsp;<b>{self._values.words(value)}</b>")
        if len(known) > room:
            rows.append(f"and {len(known) - room} more")
        self.readout.setText("<br>".join(rows))
        self.setAccessibleDescription(
            ", ".join([self._bottom.words(x), *(f"{line.name} {self._values.words(value)}" for line, value in known)])
        )
        self.readout.adjustSize()
        at = self._plot.mapFromScene(self._item.getViewBox().mapViewToScene(QPointF(x, 0)))
        left = at.x() + 10
        if left + self.readout.width() > self.width():
            left = at.x() - 10 - self.readout.width()
        self.readout.move(max(left, 0), 8)

    def _follow_mouse(self, place: QPointF) -> None:
        view = self._item.getViewBox()
        inside = view.sceneBoundingRect().contains(place)
        self.move_crosshair(min(max(float(view.mapSceneToView(place).x()), 0.0), self._end) if inside else None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave and not self.hasFocus():
            self.move_crosshair(None)
        return False

    # -- keys

    @property
    def cursor_step(self) -> float | None:
        """Where the crosshair stands, around which keys zoom."""
        return self.crosshair

    def _step(self, by: float) -> None:
        """Move the crosshair by a share of what is in sight; where there is none it begins in the middle."""
        low, high = self.steps_in_sight
        x = (low + high) / 2 if self.crosshair is None else self.crosshair + (high - low) * by
        self.move_crosshair(min(max(x, 0.0, low), high, self._end))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _ARROWS:
            event.accept()  # else they would move the slider of the moments
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Left:
                self._step(-SHIFT)
            case Qt.Key.Key_Right:
                self._step(SHIFT)
            case _:
                super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.move_crosshair(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write_legend()

    # -- colours

    def _paint_lines(self) -> None:
        for curve, line in zip(self._curves, self.lines, strict=False):
            # Pens of pyqtgraph are measured in the screen's own pixels.
            pen = self._pen(hex_of(line.color), 2)
            if curve.opts["pen"] != pen:
                curve.setPen(pen)

    def _restyle(self) -> None:
        super()._restyle()
        colors = theme().colors
        self._upright.setPen(pg.mkPen(colors.dim, width=1, style=Qt.PenStyle.DashLine))
        self.readout.setStyleSheet(f"background: {colors.raised}; border: 1px solid {colors.line}; border-radius: 6px;")
        self.legend.setStyleSheet(f"background: {colors.panel}; border-radius: 6px; font-size: 12px;")
        self._paint_lines()
        self._draw()  # the points have colours, too
        self._write_legend()
        self._frame()
        self.move_crosshair(self.crosshair)

    def _write_legend(self) -> None:
        """Name the lines where curves of this kind leave room: losses fall, so above; accuracies rise, so below."""
        room = max(1, min(NAMED, (self._plot.height() - 60) // 17))
        shown = self.lines if len(self.lines) <= room else self.lines[: room - 1]
        rows = [f"{_stroke(line)} {escape(_shortened(line.name))}{_remark(line)}" for line in shown]
        if len(shown) < len(self.lines):
            rows.append(f"and {len(self.lines) - len(shown)} more")
        self.legend.setVisible(bool(rows))
        self.legend.setText("<br>".join(rows))
        self.legend.adjustSize()
        top = self._plot.height() - self.legend.height() - 34 if self.percent else 8
        self.legend.move(self._plot.width() - self.legend.width() - 14, top)

    # -- files

    def to_csv(self) -> str:
        """The lines as a table of run, place on the axis, and what is plotted, unsmoothed."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["run", self._bottom.title, self.quantity])
        for line in self.lines:
            writer.writerows((line.name, f"{x:.10g}", f"{y:.6g}") for x, y in zip(line.x, line.y, strict=True))
        return out.getvalue()

    def save(self, path: Path) -> None:
        """Write the plot as .png, .svg or .csv, by the file's ending. DigitLabError where that fails."""
        ending = path.suffix.casefold()
        self.move_crosshair(None)
        if ending == ".csv":
            write_atomically(path, self.to_csv().encode())
        elif ending == ".svg":
            self._keep_drawn(False)  # pixels in a drawing could not be made larger
            try:
                write_atomically(path, as_svg(self._plot))
            finally:
                self._keep_drawn(True)
        else:
            write_atomically(path, png_bytes(self._plot.grab().toImage()))

    def _keep_drawn(self, keep: bool) -> None:
        """Whether to keep what has been drawn as pixels."""
        modes = QGraphicsItem.CacheMode
        for part in (self._values, self._bottom, *self._curves):
            part.setCacheMode(modes.DeviceCoordinateCache if keep else modes.NoCache)

    def ask_and_save(self) -> None:
        """Ask for a file, and write the plot to it. DigitLabError where that fails."""
        if (path := ask_for_path(self, self.quantity.lower())) is not None:
            self.save(path)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy picture", lambda: QGuiApplication.clipboard().setPixmap(self._plot.grab()))
        menu.addAction("Save as PNG, SVG or CSV…", self.ask_and_save)
        menu.addAction("Show the whole axis", self._leave_zoom).setEnabled(self.is_zoomed)
        menu.exec(event.globalPos())


_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right)


def _stroke(line: Line) -> str:
    return f'<span style="color:{hex_of(line.color)}">━</span>'


def _remark(line: Line) -> str:
    """What the legend says of a line besides its name."""
    words = ", ".join(["training"] * line.grows + ["no points yet"] * (not len(line.x)))
    return f' <span style="color:{theme().colors.dim}">{words}</span>' if words else ""


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
