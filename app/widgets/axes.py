"""Axes of plots over the steps: where their numbers stand, how these are written, and from where to where they run."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF

from nncore.arrays import Array

BESIDE = 70
"""Pixels that a number below its axis takes, with the space beside it."""
ABOVE = 26
"""Pixels that a number beside its axis takes, with the space above it."""
LARGEST = 1e300
"""Beyond this, and nearer to 0 than its inverse, values are off every axis."""
STEP = 0.25
"""A logarithmic axis begins and ends at multiples of this, in decades."""


def grown(steps: float) -> float:
    """The end of the axis for so many steps: it moves on in jumps of a quarter, so that the axis stands still in between."""
    return 100 * 1.25 ** max(0, math.ceil(math.log(max(steps, 1) / 100, 1.25)))


def axis_end(last: float, planned: float) -> float:
    """The end of the axis where the last step is `last`: the planned end of the training from an eighth of the way on."""
    return planned if 0 < last <= planned <= 8 * last else grown(last)


def linear_ticks(low: float, high: float, most: int, least_spacing: float = 0.0) -> tuple[float, list[float]]:
    """(spacing, places) of round numbers from `low` to `high`: about `most` of them, but always two where `low` < `high`.

    They lie 1, 2 or 5 times a power of ten apart, and not closer than `least_spacing`.
    """
    if not high > low:
        return 1.0, [low]
    power = 10.0 ** math.floor(math.log10((high - low) / max(2, most)))
    found: tuple[float, list[float]] | None = None
    for factor in (1, 2, 5, 10, 20, 50, 100):
        spacing = factor * power
        first, last = math.ceil(low / spacing - 1e-9), math.floor(high / spacing + 1e-9)
        if last - first < 1 and found is not None:
            break  # a single number says nothing of how far it is to another
        if spacing >= least_spacing:
            found = spacing, [place * spacing for place in range(first, last + 1)]
            if len(found[1]) <= max(2, most):
                break
    return found or (least_spacing, [float(math.ceil(low))])


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Places, as powers of ten, of round numbers from 10**`low` to 10**`high`: about `most`, but always two where `low` < `high`.

    They are powers of ten, with their multiples by 2 and 5 where there is room. Where fewer than two of these are in sight,
    they are equally far apart instead.
    """
    decades = range(math.floor(low), math.ceil(high) + 1) if high - low < most + 1 else ()
    places = [decade + math.log10(factor) for decade in decades for factor in (1, 2, 5)]
    places = [place for place in places if low <= place <= high]
    powers = linear_ticks(low, high, most, least_spacing=1.0)[1]
    if 2 <= len(places) <= max(3, most) or len(powers) < 2 <= len(places):
        return places
    return powers if len(powers) >= 2 else [math.log10(value) for value in linear_ticks(10**low, 10**high, most)[1] if value > 0]


def number(value: float, spacing: float) -> str:
    """A value of a linear axis, with the decimals that tell it from those `spacing` away."""
    if abs(value) < 1e6 and spacing >= 1e-4:
        return f"{value:,.{max(0, math.ceil(-math.log10(spacing) - 1e-9))}f}"
    largest = math.floor(math.log10(max(abs(value), spacing)) + 1e-9)
    digits = 1 + largest - math.floor(math.log10(spacing) + 1e-9)
    return f"{value:.{digits}g}"


def log_range(values: Array) -> tuple[float, float]:
    """From where to where a logarithmic axis runs, in powers of ten, to show `values`; those that are not above 0 have no place."""
    shown = np.clip(values[np.isfinite(values) & (values > 0)], 1 / LARGEST, LARGEST)
    if not len(shown):
        return -2.0, 0.5
    low, high = (float(np.log10(value)) / STEP for value in (shown.min(), shown.max()))
    low, high = math.floor(low) * STEP, math.ceil(high) * STEP
    return (low, high) if high > low else (low - STEP, high + STEP)


def linear_range(values: Array, least: float = 0.0) -> tuple[float, float]:
    """From 0, or the round number below the least value, to the round number above the largest one and `least`."""
    shown = np.clip(values[np.isfinite(values)], -LARGEST, LARGEST)
    high = max(least, float(shown.max())) if len(shown) else least
    low = min(0.0, float(shown.min())) if len(shown) else 0.0
    if not high - low > 1 / LARGEST:
        return low, low + 1.0
    spacing = linear_ticks(low, high, 5)[0]
    return math.floor(low / spacing) * spacing, math.ceil(high / spacing - 1e-9) * spacing


class StepAxis(pg.AxisItem):  # type: ignore[misc]
    """The axis of the steps, below: whole numbers, their thousands apart as everywhere else."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.enableAutoSIPrefix(False)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        return [linear_ticks(low, high, int(size / BESIDE), least_spacing=1.0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{value:,.0f}" for value in values]

    def boundingRect(self) -> QRectF:
        return super().boundingRect().adjusted(-BESIDE / 2, 0, BESIDE / 2, 0)  # numbers at its ends reach beyond it


class ValueAxis(pg.AxisItem):  # type: ignore[misc]
    """The axis of the values, on the left: linear, or plain numbers on a logarithmic scale (`setLogMode` of the plot)."""

    def __init__(self) -> None:
        super().__init__("left")
        self.enableAutoSIPrefix(False)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        most = int(size / ABOVE)
        return [(1.0, log_ticks(low, high, most)) if self.logMode else linear_ticks(low, high, most)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{10**value:.3g}" if self.logMode else number(value, spacing) for value in values]

    def boundingRect(self) -> QRectF:
        return super().boundingRect().adjusted(0, -ABOVE / 2, 0, ABOVE / 2)
