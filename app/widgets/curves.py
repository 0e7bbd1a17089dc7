"""Curves: a plot of training and validation over the steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PySide6.QtGui import QBrush, QColor, QPen

from app.smoothing import smoothed
from app.theme import theme
from app.widgets.axes import StepAxis as StepAxis
from app.widgets.axes import ValueAxis as ValueAxis
from app.widgets.axes import grown as grown
from app.widgets.axes import linear_range, log_range
from app.widgets.legend import Entry
from app.widgets.step_plot import Series, StepPlot
from app.widgets.thinning import extremes as extremes
from app.widgets.thinning import in_sight
from app.widgets.thinning import thinned as thinned
from nncore.arrays import Array

TRAINING, VALIDATION = "training", "validation"
EPOCH_END = "epoch's end"
DOTTED = 60
"""Most looks at held-out images in sight that are drawn as dots; more of them would be one thick line."""


class Curves(StepPlot):
    """One quantity over the steps: training in the theme's accent, validation in its second colour.

    Looks at held-out images are small dots on the line of the validation; at an epoch's end, when all of these images are looked
    at, there is a ring.
    """

    def __init__(
        self,
        name: str,
        logarithmic: bool = False,
        shows_raw: bool = True,
        is_percent: bool = False,
        write: Callable[[float], str] = "{:.4g}".format,
    ) -> None:
        """`shows_raw` draws the training curve unsmoothed too, in a pale line. `is_percent`: the axis ends at 100."""
        super().__init__(name, logarithmic, write)
        self._shows_raw, self._is_percent = shows_raw, is_percent
        self._marks.is_below = is_percent
        self.smoothing = 0.9
        self._full: Array = np.empty(0)
        add = self._strokes.add
        self._raw = add(is_smooth=False)  # so many pale strokes show no edges
        self._train, self._validation, self._dots, self._rings = add(), add(), add(size=4), add(size=8)
        self._restyle()

    def set_data(self, train: tuple[Array, Array], validation: tuple[Array, Array], full: Array | None = None) -> None:
        """Show (steps, values) of training and of validation; `full` are the steps of the validation that ended an epoch."""
        self._full = np.empty(0) if full is None else full
        steps, values = train
        series = [Series(TRAINING, steps, values, smoothed(values, self.smoothing)), Series(VALIDATION, *validation, validation[1])]
        self._show(series, float(steps[-1]) if len(steps) else 0.0)

    def values_at(self, step: int) -> tuple[float | None, float | None]:
        """The values of training, smoothed as they are drawn, and of validation, at `step` or last before it.

        None where there is none.
        """
        found = [series.at(step) for series in self._series] or [None, None]
        train, validation = (None if at is None else at[1] for at in found)
        return train, validation

    def set_smoothing(self, weight: float) -> None:
        """Smooth the training curve by a weight from 0 (not at all) to below 1."""
        self.smoothing = weight
        if self._series:
            train, validation = self._series
            self.set_data((train.steps, train.values), (validation.steps, validation.values), self._full)

    def entries(self) -> list[Entry]:
        colors = theme().colors
        lines = [Entry(TRAINING, colors.accent), Entry(VALIDATION, colors.second)]
        return [*lines, Entry(EPOCH_END, colors.second, is_ring=True)] if len(self._full) else lines

    def _remark(self, series: Series, step: int) -> str:
        return f" at the {EPOCH_END}" if series.name == VALIDATION and step in self._full else ""

    def _draw(self) -> None:
        train, validation = self._series
        low, high = self.steps_in_sight
        put = self._strokes.put
        if self._shows_raw:
            put(self._raw, *extremes(*in_sight(train.steps, train.values, low, high)))
        put(self._train, *thinned(*in_sight(train.steps, train.drawn, low, high)))
        looked = in_sight(validation.steps, validation.values, low, high)
        put(self._validation, *thinned(*looked))
        put(self._dots, *(looked if len(looked[0]) <= DOTTED else (np.empty(0), np.empty(0))))
        full = np.isin(validation.steps, self._full)
        ended = thinned(*in_sight(validation.steps[full], validation.values[full], low, high), points=DOTTED)
        self._rings.size = 8 if len(ended[0]) <= DOTTED / 2 else 5
        put(self._rings, *ended)

    def _value_range(self) -> tuple[float, float]:
        train, validation = self._series
        if self.is_logarithmic:
            return log_range(np.concatenate([train.values, validation.values]))
        if not self._is_percent:
            return linear_range(np.concatenate([train.drawn, validation.values]))
        if not len(train.values):
            return 0.0, 100.0
        # Leave the first steps, which are near guessing, out of the range: they would squeeze the rest against the top.
        settled = float(smoothed(train.values, 0.9)[len(train.values) // 5 :].min())
        return max(0.0, (math.floor(settled / 10) * 10) - 5.0) if math.isfinite(settled) else 0.0, 100.0

    def _restyle(self) -> None:
        super()._restyle()
        colors = theme().colors
        faint = QColor(colors.accent)
        faint.setAlphaF(0.22)
        self._raw.pen = QPen(faint, 1)
        self._train.pen, self._validation.pen = QPen(QColor(colors.accent), 2), QPen(QColor(colors.second), 2)
        self._dots.brush = QBrush(QColor(colors.second))
        self._rings.pen, self._rings.brush = QPen(QColor(colors.second), 1.5), QBrush(QColor(colors.panel))
        self._strokes.update()
