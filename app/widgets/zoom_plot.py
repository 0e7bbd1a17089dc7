"""ZoomPlot: an empty plot over the steps that can be zoomed and moved along, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Mapping

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.theme import font, theme
from app.widgets.axes import StepAxis, ValueAxis

pg.setConfigOptions(imageAxisOrder="row-major", antialias=True)

ZOOM = 1.5
"""How much nearer one press of a key goes."""
LEAST_STEPS = 20
"""Steps that stay in sight however near one goes."""


class ZoomPlot(QWidget):
    """Axes for one quantity over the steps, or over what else the axis below tells.

    The wheel, a drag and a double click zoom, move and show all again; so do + and −, Page Up and Page Down, and Home.
    """

    zoomed = Signal(object)
    """(first, last) of the steps in sight, when the user has chosen them; None when all are wanted again."""

    least_in_sight: float = LEAST_STEPS
    """How much of the axis below stays in sight however near one goes."""

    def __init__(self, logarithmic: bool = False, axes: Mapping[str, pg.AxisItem] | None = None) -> None:
        """`axes` are those at `left` and `bottom`, where they are not those of values and steps."""
        super().__init__()
        self.is_logarithmic = logarithmic
        self._range: tuple[tuple[float, float], tuple[float, float] | None] | None = None
        self.is_zoomed = False
        """Whether the user has chosen which steps are in sight; new values then leave them so."""
        self._plot = pg.PlotWidget(axisItems=dict(axes or {"bottom": StepAxis(), "left": ValueAxis()}), enableMenu=False)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # what lies behind need not be painted
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._plot.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        item = self._item
        item.setLogMode(x=False, y=logarithmic)
        item.showGrid(x=False, y=True, alpha=0.25)
        item.setMouseEnabled(x=True, y=False)  # the wheel zooms along the steps, and dragging moves along them
        item.layout.setContentsMargins(2, 6, 14, 2)  # for the numbers at the ends of the axes
        item.getViewBox().sigRangeChangedManually.connect(self._hold_zoom)
        item.scene().sigMouseClicked.connect(lambda click: self._leave_zoom() if click.double() else None)
        item.getAxis("left").setWidth(48)
        for side in ("left", "bottom"):  # there is room for every number, and measuring them takes as long as drawing them
            item.getAxis(side).setStyle(autoExpandTextSpace=False, autoReduceTextSpace=False)
        item.setLimits(xMin=0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)
        theme().changed.connect(self._restyle)

    @property
    def _item(self) -> pg.PlotItem:
        return self._plot.getPlotItem()

    def _set_range(self, x: tuple[float, float], y: tuple[float, float] | None = None) -> None:
        """From where to where the axes run when all is shown; `y` is None where the values' axis is left as it is."""
        if (x, y) != self._range:
            self._range = (x, y)
            self._item.setLimits(xMin=0, xMax=x[1] * 1.02, minXRange=min(self.least_in_sight, x[1]))
            if y is not None or not self.is_zoomed:
                self._item.setRange(xRange=None if self.is_zoomed else x, yRange=y, padding=0.02)

    @property
    def steps_in_sight(self) -> tuple[float, float]:
        """The first and the last step of the axis."""
        low, high = self._item.viewRange()[0]
        return low, high

    def _hold_zoom(self, *_: object) -> None:
        """The user has chosen the steps in sight."""
        self.is_zoomed = True
        self.zoomed.emit(self.steps_in_sight)

    def show_steps(self, low: float, high: float) -> None:
        """Show the steps from `low` to `high`, and keep to them; without a signal."""
        self.is_zoomed = True
        self._item.setXRange(low, high, padding=0)

    def show_whole(self) -> None:
        """Show all steps again, and those that come; without a signal."""
        self.is_zoomed = False
        if self._range is not None:
            self._item.setXRange(*self._range[0], padding=0.02)

    def _leave_zoom(self) -> None:
        """The user wants all steps again."""
        self.show_whole()
        self.zoomed.emit(None)

    @property
    def cursor_step(self) -> float | None:
        """The place on the axis around which keys zoom; None: around the middle."""
        return None

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
        self._item.getViewBox().translateBy(x=(high - low) * share)
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
        self._item.getViewBox().setBorder(pen)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._restyle()
        return super().event(event)

    def _pen(self, color: str | QColor, width: float) -> QPen:
        """A pen for curves, whose width is given in pixels of the window, and taken in those of the screen."""
        return pg.mkPen(color, width=width * self.devicePixelRatioF())

    def _restyle(self) -> None:
        colors = theme().colors
        self._plot.setBackground(colors.panel)
        for side in ("left", "bottom"):
            axis = self._item.getAxis(side)
            axis.setPen(pg.mkPen(colors.line))
            axis.setTextPen(pg.mkPen(colors.dim))
            axis.setTickFont(font(11))
