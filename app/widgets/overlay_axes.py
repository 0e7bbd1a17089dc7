"""The axes of an OverlayPlot: what stands at their ticks and in the crosshair, and how far they reach."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg

from app.widgets.axes import ABOVE, linear_ticks, log_ticks
from nncore.arrays import Array


class AlongAxis(pg.AxisItem):  # type: ignore[misc]
    """Steps, seconds or images, their thousands apart."""

    along = "step"
    """What the axis tells: step, time or images."""

    @property
    def title(self) -> str:
        """What stands over its values in a table."""
        return "seconds" if self.along == "time" else self.along

    def words(self, x: float) -> str:
        """A place on the axis: `step 1,788`, `4.1 s`, `57,216 images`."""
        if self.along == "time":
            return f"{x:,.1f} s"
        return f"step {x:,.0f}" if self.along == "step" else f"{x:,.0f} images"

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        unit = " s" if self.along == "time" else ""
        return [f"{value:,.0f}{unit}" if spacing >= 1 else f"{value:g}{unit}" for value in values]


class ValueAxis(pg.AxisItem):  # type: ignore[misc]
    """Plain numbers or percent; on a logarithmic axis, which is given the logarithms, those at powers of ten and between."""

    is_logarithmic = True
    percent = False

    def words(self, value: float) -> str:
        """A value: `0.0591`, `99.12 %`."""
        return f"{value:.2f} %" if self.percent else f"{value:.4g}"

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        most = int(size / ABOVE)
        return [(1.0, log_ticks(low, high, most)) if self.is_logarithmic else linear_ticks(low, high, most)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        shown = [10**value if self.is_logarithmic else round(value, 10) for value in values]
        return [f"{value:g} %" if self.percent else f"{value:,.0f}" if 1e3 <= value < 1e6 else f"{value:.3g}" for value in shown]


def range_of(values: Array, logarithmic: bool, percent: bool) -> tuple[float, float]:
    """The range of the axis that shows `values`, float64 (N) as they lie on it; those that are not finite have no part in it."""
    found = values[np.isfinite(values)]
    if not len(found):
        return (-2.0, 0.5) if logarithmic else (0.0, 100.0 if percent else 1.0)
    low, high = float(found.min()), float(found.max())
    if logarithmic:
        return float(np.floor(low * 4) / 4), float(np.ceil(high * 4) / 4)
    if percent:
        low = float(np.quantile(found, 0.05))  # the first steps, near guessing, would squeeze the rest against the top
        return max(0.0, low - 0.1 * (100.0 - low) - 0.1), min(100.0, high + 0.1)
    return min(0.0, low), high * 1.05 if high > 0 else 1.0
