"""Lines: a plot of one quantity of several things, a line for each, over the steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from app.colors import series_colors
from app.theme import theme
from app.widgets.axes import linear_range, log_range
from app.widgets.legend import Entry
from app.widgets.step_plot import Series, StepPlot
from app.widgets.strokes import Stroke
from app.widgets.thinning import POINTS, in_sight, thinned
from nncore.arrays import Array

MOST = 16
"""Lines that are drawn; nobody tells more of them apart. All are in the table that is saved."""
POINTS_IN_ALL = 4 * POINTS
"""Points of all lines together that are drawn: drawing time grows with their number."""
FEW = 4
"""Most lines that are drawn thick; more of them would hide each other, and take twice as long."""
FEWEST = 64
"""Points of a line that are drawn however many lines there are."""


class Lines(StepPlot):
    """Lines in the colours of the theme's series, dashed where the colours begin again, and a legend right of them."""

    def __init__(
        self,
        name: str,
        logarithmic: bool = False,
        least_top: float = 0.0,
        write: Callable[[float], str] = "{:.3g}".format,
    ) -> None:
        """`least_top`: a linear axis goes at least so far."""
        super().__init__(name, logarithmic, write)
        self._least_top = least_top
        self._drawn: list[Stroke] = []
        self._legend.show()
        self._restyle()

    def show_lines(self, lines: Mapping[str, tuple[Array, Array]], last_step: float) -> None:
        """Show (steps, values) by the line's name, in this order; the axis holds `last_step`."""
        series = [Series(name, steps, values, values) for name, (steps, values) in lines.items()]
        while len(self._drawn) < min(MOST, len(series)):
            self._drawn.append(self._strokes.add())
        for curve in self._drawn[len(series) :]:
            self._strokes.put(curve, np.empty(0), np.empty(0))
        if len(series) != len(self._series):
            self._set_pens(len(series))
        self._show(series, last_step)

    def entries(self) -> list[Entry]:
        colors = series_colors(theme().colors)
        shown = self._series[:MOST]
        return [
            Entry(series.name, colors[place % len(colors)], is_dashed=place // len(colors) % 2 == 1)
            for place, series in enumerate(shown)
        ]

    def _draw(self) -> None:
        low, high = self.steps_in_sight
        points = max(FEWEST, min(POINTS, POINTS_IN_ALL // max(1, len(self._series))))
        for curve, series in zip(self._drawn, self._series, strict=False):
            self._strokes.put(curve, *thinned(*in_sight(series.steps, series.values, low, high), points=points))

    def _value_range(self) -> tuple[float, float]:
        values = np.concatenate([series.values for series in self._series]) if self._series else np.empty(0)
        return log_range(values) if self.is_logarithmic else linear_range(values, self._least_top)

    def _set_pens(self, count: int) -> None:
        """Give the lines their colours, where there are `count` of them."""
        colors, width = series_colors(theme().colors), 2 if count <= FEW else 1
        for place, curve in enumerate(self._drawn):
            style = Qt.PenStyle.DashLine if place // len(colors) % 2 == 1 else Qt.PenStyle.SolidLine
            curve.pen = QPen(QColor(colors[place % len(colors)]), width, style)
        self._strokes.update()

    def _restyle(self) -> None:
        super()._restyle()
        self._set_pens(len(self._series))
