"""Plots over steps, and the calibration curve, as drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.calibration import Calibration
from app.core.report.drawing import Drawing, legend
from app.smoothing import smoothed
from nncore.arrays import Array

WIDTH, HEIGHT = 494, 270
LEFT, RIGHT, TOP, BOTTOM = 52, 20, 34, 38
"""Room for the axes and the legend around the plot itself."""
LARGEST = 1e30
"""Values beyond this, and their inverses on a logarithmic axis, count as not finite: no axis reaches so far."""
POINTS = 400
"""Most points of a curve that are drawn."""
DOTS = 40
"""Points of a curve up to which each is marked by a dot."""


@dataclass(frozen=True)
class Series:
    """A curve over the steps: both arrays float (N)."""

    name: str
    steps: Array
    values: Array
    color: str
    noisy: bool = False
    """Whether it is drawn smoothed, above a pale line that is not."""


@dataclass(frozen=True)
class _Scale:
    """Where steps and values lie in a plot of `width` × `height`."""

    width: float
    height: float
    last: float
    """The last step."""
    ticks: Sequence[float]
    """Values that get a number, from the lowest that is shown to the highest."""
    logarithmic: bool

    def across(self, steps: Array) -> Array:
        return LEFT + (self.width - LEFT - RIGHT) * np.asarray(steps, float) / self.last

    def up(self, values: Array) -> Array:
        """nan for a value that is not within the ticks."""
        low, high, found = self.ticks[0], self.ticks[-1], np.asarray(values, float)
        if self.logarithmic:
            share = np.log(np.where(found > 0, found, np.nan) / low) / math.log(high / low)
        else:
            share = (found - low) / (high - low)
        share = np.where((share >= -1e-9) & (share <= 1 + 1e-9), share, np.nan)
        return self.height - BOTTOM - (self.height - TOP - BOTTOM) * share


def plot(
    title: str, series: Sequence[Series], *, logarithmic: bool = False, percent: bool = False, width: float = WIDTH,
    height: float = HEIGHT, mark: tuple[float, float, str] | None = None,
) -> Drawing:  # fmt: skip
    """Curves over the steps. `percent`: values are shares and the axis ends at 100 %. `mark` is a point (step, value, words)."""
    drawing = Drawing(width, height, title)
    shown = [_prepared(one, logarithmic) for one in series]
    known = np.concatenate([values for _, values, _ in shown] or [np.empty(0)])
    known = known[np.isfinite(known)]
    if not len(known):
        drawing.text(width / 2, height / 2, "nothing was measured", "dim", 12, "middle")
        return drawing
    ticks = _log_ticks(known) if logarithmic else _ticks(*_bounds(known, percent))
    last = max([float(one.steps[-1]) for one in series if len(one.steps)], default=1.0)
    scale = _Scale(width, height, max(last, 1.0), ticks, logarithmic)
    _axes(drawing, scale, percent)
    for one, (steps, _, raw) in zip(series, shown, strict=True):
        if one.noisy:
            drawing.curve(scale.across(steps), scale.up(raw), one.color, 1, 0.22)
    for one, (steps, values, _) in zip(series, shown, strict=True):
        across, up = scale.across(steps), scale.up(values)
        drawing.curve(across, up, one.color)
        for x, y in zip(across, up, strict=True) if len(up) <= DOTS and not one.noisy else ():
            if np.isfinite(y):
                drawing.dot(float(x), float(y), one.color)
    if mark is not None:
        _mark(drawing, float(scale.across(np.array(mark[0]))), float(scale.up(np.array(mark[1]))), mark[2])
    legend(drawing, LEFT, 16, width - LEFT - RIGHT, [(one.name, one.color) for one in series])
    return drawing


def _axes(drawing: Drawing, scale: _Scale, percent: bool) -> None:
    for tick in scale.ticks:
        y = float(scale.up(np.array(tick)))
        drawing.line(LEFT, y, scale.width - RIGHT, y, "line")
        drawing.text(LEFT - 8, y + 4, f"{tick * 100:.4g} %" if percent else _number(tick), "dim", 11, "end")
    for step in _ticks(0.0, scale.last, whole=True):
        if step <= scale.last:
            x = float(scale.across(np.array(step)))
            drawing.text(x, scale.height - BOTTOM + 17, f"{step:,.0f}", "dim", 11, "middle")
    drawing.text((LEFT + scale.width - RIGHT) / 2, scale.height - 4, "step", "dim", 11, "middle")


def calibration_plot(found: Calibration) -> Drawing:
    """How often the network is right where it is so and so sure: a bar a bin, the diagonal where both are the same."""
    width, height = 340.0, 320.0
    drawing = Drawing(width, height, "Calibration: how often the answer is right, by how sure the network is")
    side_x, side_y = width - LEFT - RIGHT, height - TOP - BOTTOM
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = LEFT + side_x * tick, height - BOTTOM - side_y * tick
        drawing.line(LEFT, y, width - RIGHT, y, "line")
        drawing.text(LEFT - 8, y + 4, f"{tick * 100:.0f} %", "dim", 11, "end")
        drawing.text(x, height - BOTTOM + 17, f"{tick * 100:.0f} %", "dim", 11, "middle")
    step = side_x / len(found.counts)
    for place, (count, right) in enumerate(zip(found.counts, found.accuracies, strict=True)):
        if count:
            tall = max(1.0, side_y * float(right))
            drawing.box(LEFT + place * step + 1, height - BOTTOM - tall, step - 2, tall, "accent", 0.75)
    drawing.line(LEFT, height - BOTTOM, LEFT + side_x, TOP, "second", 1.5, "5 4")
    drawing.text((LEFT + width - RIGHT) / 2, height - 4, "how sure it is", "dim", 11, "middle")
    legend(drawing, LEFT, 16, side_x, [("how often it is right", "accent"), ("ideal", "second")])
    return drawing


def _prepared(one: Series, logarithmic: bool) -> tuple[Array, Array, Array]:
    """Steps, the values to draw and the raw ones of a series, thinned evenly to POINTS with the first and the last."""
    size = np.abs(one.values)
    raw = np.where((size <= LARGEST) & ((one.values >= 1 / LARGEST) | (not logarithmic)), one.values, np.nan)
    values = smoothed(raw) if one.noisy else raw
    chosen = np.linspace(0, len(values) - 1, min(POINTS, len(values))).round().astype(np.int64)
    return one.steps[chosen], values[chosen], raw[chosen]


def _bounds(known: Array, percent: bool) -> tuple[float, float]:
    """The values to show. Shares end at 1 and begin where the curve has settled: the first tenth, near guessing, may lie below."""
    if percent:
        low = float(np.quantile(known, 0.05))
        return (0.0 if low < 0.5 else low - (1 - low) / 2), 1.0
    return float(known.min()), float(known.max())


def _ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Round numbers, four to seven of them, that reach from at most `low` to at least `high`."""
    span = max(high - low, 1e-9 * max(1.0, abs(high)))
    raw = span / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if raw <= power * factor * 1.0000001)
    if whole:
        step = max(1.0, math.ceil(step))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _log_ticks(known: Array) -> list[float]:
    """Powers of ten that enclose the values: with their multiples by 2 and 5 up to four decades, some of them beyond eight."""
    low, high = math.log10(float(known.min())), math.log10(float(known.max()))
    factors = (1, 2, 5) if high - low <= 4 else (1,)
    stride = max(1, math.ceil((high - low) / 8))
    powers = range(math.floor(low), math.floor(high) + 2 * stride, stride)
    marks = [factor * 10.0**power for power in powers for factor in factors]
    first = max(place for place, mark in enumerate(marks) if mark <= 10**low * 1.0000001)
    last = min(place for place, mark in enumerate(marks) if mark >= 10**high * 0.9999999)
    return marks[first : max(last, first + 1) + 1]


def _mark(drawing: Drawing, x: float, y: float, words: str) -> None:
    """A dot with words beside it; nothing where it would lie beyond the axes."""
    if not (math.isfinite(y) and x <= drawing.width - RIGHT + 1):
        return
    drawing.dot(x, y, "panel", 6)
    drawing.dot(x, y, "second", 4)
    right = x > drawing.width * 0.6
    drawing.text(x + (-9 if right else 9), y + 20, words, "text", 11, "end" if right else "start", bold=True)


def _number(value: float) -> str:
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:.3g}"
