"""StepPlot: a plot over the steps with marks, a crosshair and a legend, that can be saved. What it draws is for subclasses."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QGraphicsItem, QMenu

from app.theme import theme
from app.widgets.axes import axis_end
from app.widgets.card import label
from app.widgets.crosshair import Crosshair, Reading, Value
from app.widgets.legend import Entry, Legend
from app.widgets.mark_lines import MarkLines, PlotMark
from app.widgets.save_plot import as_csv, ask_for_path, writer_of
from app.widgets.strokes import Strokes
from app.widgets.zoom_plot import ZoomPlot
from nncore.arrays import Array

PRESSES = 100
"""Presses of a key that move the crosshair through all steps in sight."""
ARROWS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


@dataclass(frozen=True, eq=False)
class Series:
    """One curve: float64 (N) each, in order of the steps."""

    name: str
    steps: Array
    values: Array
    """As they were measured."""
    drawn: Array
    """As they are drawn: smoothed, or the same."""

    def at(self, step: float) -> tuple[int, float] | None:
        """The step and the value as it is drawn, at `step` or last before it; None where there is none."""
        count = int(np.searchsorted(self.steps, step, side="right"))
        if not count or math.isnan(self.drawn[count - 1]):
            return None
        return int(self.steps[count - 1]), float(self.drawn[count - 1])


class StepPlot(ZoomPlot):
    """One quantity over the steps."""

    save_wanted = Signal(object)
    """A function that writes the plot to the file that the user has chosen; it may be called in any thread."""

    def __init__(self, name: str, logarithmic: bool = False, write: Callable[[float], str] = "{:.4g}".format) -> None:
        """`name` says what is plotted, and `write` makes words of a value."""
        super().__init__(logarithmic)
        self.setAccessibleName(name)
        self._name, self._write = name, write
        self.help = ""
        """The tooltip, wherever the mouse is on no mark."""
        self._series: list[Series] = []
        self._painting = QTimer(self, interval=0, singleShot=True)
        """Painting takes longer than drawing; in one turn of the event loop both would delay a frame."""
        self._painting.timeout.connect(lambda: self._plot.viewport().setUpdatesEnabled(True))
        self.planned = 0
        """The step with which the training is planned to end; 0 where there is nothing planned."""
        self._is_settling = False
        """Whether the axes are being set, and what is in sight is drawn when they are."""
        item = self._item
        item.getViewBox().sigXRangeChanged.connect(self._show_sight)
        item.scene().sigMouseMoved.connect(self._follow)
        self._legend = Legend()
        item.layout.addItem(self._legend, 2, 3)
        self._marks, self._strokes = MarkLines(item.getViewBox()), Strokes(item.getViewBox())
        self._strokes.is_logarithmic = logarithmic
        self._kept: tuple[QGraphicsItem, ...] = (item.getAxis("left"), item.getAxis("bottom"), self._marks, self._strokes)
        """What is painted when it changes, and not with every move above it."""
        self._keep_drawn(True)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        self._plot.addItem(self._cursor, ignoreBounds=True)
        self._message = label("", "dim", wrap=True)
        self._message.setParent(self)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._message.hide()
        self._crosshair = Crosshair(self)
        self._crosshair_step: int | None = None

    # -- for subclasses

    @abstractmethod
    def _draw(self) -> None:
        """Draw what is in sight of the series."""

    @abstractmethod
    def entries(self) -> list[Entry]:
        """The lines of the legend; the first ones are those of the series, in their order."""

    @abstractmethod
    def _value_range(self) -> tuple[float, float]:
        """From where to where the axis of the values runs; in powers of ten where it is logarithmic."""

    def _remark(self, series: Series, step: int) -> str:
        """What there is to say of a value besides itself; nothing, unless told."""
        return ""

    def _keep_drawn(self, keep: bool) -> None:
        """Whether to keep what has been drawn as pixels."""
        modes = QGraphicsItem.CacheMode
        for part in self._kept:
            part.setCacheMode(modes.DeviceCoordinateCache if keep else modes.NoCache)

    def _show(self, series: Sequence[Series], last_step: float) -> None:
        """Take in new series, the longest up to `last_step`, and draw them.

        They are painted in the next turn of the event loop.
        """
        self._plot.viewport().setUpdatesEnabled(False)
        self._painting.start()
        self._series = list(series)
        self._legend.show_entries(self.entries())
        self._is_settling = True
        self._set_range((0.0, axis_end(last_step, self.planned)), self._value_range())
        self._is_settling = False
        self._show_sight()

    # -- axes

    def set_logarithmic(self, logarithmic: bool) -> None:
        """Use a logarithmic axis for the values, or a linear one."""
        if logarithmic != self.is_logarithmic:
            self.is_logarithmic = self._strokes.is_logarithmic = logarithmic
            self._item.setLogMode(x=False, y=logarithmic)
            if self._range is not None:
                self._set_range(self._range[0], self._value_range())
                self._draw()

    def _show_sight(self, *_: object) -> None:
        """Other steps are in sight."""
        if self._series and not self._is_settling:
            self._draw()
            if self._crosshair_step is not None:
                self.point_at(self._crosshair_step)

    # -- the moment in view, marks, and a sentence in place of curves

    @property
    def cursor_step(self) -> int | None:
        """The step at which the line of the moment in view stands; None where there is none."""
        return int(self._cursor.value()) if self._cursor.isVisible() else None

    def set_cursor(self, step: int | None) -> None:
        """Draw the line of the moment in view at a step, or none."""
        if step is not None:
            self._cursor.setValue(step)
        self._cursor.setVisible(step is not None)

    def set_marks(self, marks: Sequence[PlotMark]) -> None:
        """Draw a thin line with a label for each mark, in order of their steps."""
        self._marks.show_marks(marks)

    @property
    def message(self) -> str:
        """The sentence that stands in place of curves; empty where there is none."""
        return self._message.text()

    def say(self, sentence: str) -> None:
        """Write a sentence in the middle of the plot; nothing where it is empty."""
        if sentence != self.message:
            self._message.setText(sentence)
            self._message.setVisible(bool(sentence))
            self.setAccessibleDescription(sentence)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._crosshair.setGeometry(self.rect())
        self._message.setGeometry(self.rect().adjusted(60, 8, -20, -28))
        if self._crosshair_step is not None:
            self.point_at(self._crosshair_step)

    # -- the crosshair

    @property
    def reading(self) -> Reading | None:
        """What the crosshair tells; None where there is none."""
        return self._crosshair.reading

    def point_at(self, step: float | None) -> None:
        """Set the crosshair at the step nearest to `step` that has values; None: take it away."""
        longest = max(self._series, key=lambda series: len(series.steps), default=None)
        if step is None or longest is None or not len(longest.steps):
            self._crosshair_step = None
            self._crosshair.show_reading(None)
            return
        place = int(np.searchsorted(longest.steps, step))
        nearest = min(longest.steps[max(0, place - 1) : place + 1], key=lambda found: abs(found - step))
        self._crosshair_step = int(nearest)
        self._crosshair.show_reading(self._read(self._crosshair_step))

    def _read(self, step: int) -> Reading | None:
        """All values at a step; None where it is out of sight."""
        box = self._item.getViewBox()
        area = QRectF(self._plot.mapFromScene(box.sceneBoundingRect()).boundingRect())
        values: list[Value] = []
        for series, entry in zip(self._series, self.entries(), strict=False):
            if (found := series.at(step)) is not None:
                at, value = found
                words = f"{series.name} {self._write(value)}{self._remark(series, at)}" + (f" (step {at:,})" if at != step else "")
                values.append(Value(entry.color, words, self._place(step, value, area)))
        x = self._plot.mapFromScene(box.mapViewToScene(QPointF(step, 0))).x()
        happened = "".join(f" · {mark.label}" for mark in self._marks.marks if mark.step == step)
        return Reading(x, area, f"step {step:,}{happened}", values) if area.left() <= x <= area.right() else None

    def _place(self, step: int, value: float, area: QRectF) -> QPointF | None:
        """Where a value is, in pixels of this widget; None where it is out of sight."""
        if not math.isfinite(value) or (self.is_logarithmic and value <= 0):
            return None
        shown = math.log10(value) if self.is_logarithmic else value
        place = QPointF(self._plot.mapFromScene(self._item.getViewBox().mapViewToScene(QPointF(step, shown))))
        return place if area.adjusted(-1, -1, 1, 1).contains(place) else None

    def _follow(self, place: QPointF) -> None:
        """The mouse is at `place`, in pixels of the scene."""
        box = self._item.getViewBox()
        inside = box.sceneBoundingRect().contains(place)
        here = self._marks.at(box.mapFromScene(place).x()) if inside else []
        step = here[0].step if here else box.mapSceneToView(place).x()
        self.point_at(step if inside else None)
        words = "\n".join(mark.words for mark in here) or self.help
        if words != self.toolTip():
            self.setToolTip(words)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.point_at(None)

    def _move_crosshair(self, direction: int, one: bool) -> None:
        """Move the crosshair to the next place that has values, or a hundredth of what is in sight; it begins at the cursor."""
        low, high = self.steps_in_sight
        before = self._crosshair_step
        if before is None or not low <= before <= high:
            cursor = self.cursor_step
            self.point_at(cursor if cursor is not None and low <= cursor <= high else (low + high) / 2)
        else:
            longest = max(self._series, key=lambda series: len(series.steps)).steps
            place = int(np.searchsorted(longest, before)) + direction
            following = float(longest[min(max(place, 0), len(longest) - 1)])
            far = before + direction * (high - low) / PRESSES
            step = following if one else (max if direction > 0 else min)(following, far)
            if not low <= step <= high and longest[0] <= step <= longest[-1]:
                self.move_along(direction * 0.5)
            self.point_at(step)
        if self.reading is not None:
            self.setAccessibleDescription(self.reading.words)

    # -- keys

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in ARROWS:
            event.accept()  # the window's own use of the arrows waits while the plot has the keyboard
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ARROWS:
            self._move_crosshair(ARROWS[Qt.Key(event.key())], bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.point_at(None)

    def _restyle(self) -> None:
        super()._restyle()
        self._cursor.setPen(pg.mkPen(theme().colors.dim, width=1, style=Qt.PenStyle.DashLine))
        self._legend.show_entries(self.entries())
        self._marks.update()
        if self._crosshair_step is not None:
            self.point_at(self._crosshair_step)

    # -- saving

    @property
    def _data(self) -> dict[str, tuple[Array, Array]]:
        """(steps, values) of each curve, as they were measured."""
        return {series.name: (series.steps, series.values) for series in self._series}

    def to_csv(self) -> str:
        """The curves as a table of curve, step, and what is plotted."""
        return as_csv(self._name, self._data)

    def writer(self, path: Path) -> Callable[[], None]:
        """A function that writes the plot, with its legend, as .png, .svg or .csv, by the file's ending; for any thread.

        The function raises DigitLabError where the disk refuses.
        """
        self._plot.viewport().setUpdatesEnabled(True)  # else nothing is painted into the picture either
        was_shown = self._legend.isVisible()
        self._set_legend_visible(True)
        self._keep_drawn(False)  # pixels in a drawing could not be made larger
        try:
            return writer_of(path, self._plot, self._name, self._data)
        finally:
            self._keep_drawn(True)
            self._set_legend_visible(was_shown)

    def _set_legend_visible(self, visible: bool) -> None:
        if visible != self._legend.isVisible():
            self._legend.setVisible(visible)
            self._item.layout.activate()

    def save(self, path: Path) -> None:
        """Write the plot as .png, .svg or .csv, by the file's ending. DigitLabError where that fails."""
        self.writer(path)()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy picture", lambda: QApplication.clipboard().setPixmap(self._plot.grab()))
        menu.addAction("Save as PNG, SVG or CSV…", self.ask_and_save)
        menu.addAction("Show all steps", self._leave_zoom).setEnabled(self.is_zoomed)
        menu.exec(event.globalPos())

    def ask_and_save(self) -> None:
        """Ask for a file, and let the plot be written to it (`save_wanted`)."""
        if (path := ask_for_path(self, self._name)) is not None:
            self.save_wanted.emit(self.writer(path))
