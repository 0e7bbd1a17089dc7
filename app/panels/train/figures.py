"""Losses, and what layers cost, in few letters."""

from __future__ import annotations

import math

from app.core.layer_list import BYTES
from nncore.files import size_text
from nncore.layers.cost import Cost

LARGE = 10_000
"""Losses from here on are written as powers of ten: that of a training that diverges may have forty digits."""


def loss_text(loss: float) -> str:
    """A loss in few letters: 0.042; 1.2e+30; ∞; what is no number says so."""
    if math.isnan(loss):
        return "not a number"
    if math.isinf(loss):
        return "∞" if loss > 0 else "−∞"
    return f"{loss:.3f}" if abs(loss) < LARGE else f"{loss:.1e}"


def count_text(number: int) -> str:
    """A large number in few letters: 9,216; 113 k; 2.4 M."""
    if number < 10_000:
        return f"{number:,}"
    return f"{number / 1e3:,.0f} k" if number < 999_500 else f"{number / 1e6:,.1f} M"


def parameters_text(cost: Cost) -> str:
    return f"{cost.parameters:,} parameters"


def work_text(cost: Cost) -> str:
    """What one image takes on its way through a network, in words."""
    return f"{count_text(cost.multiply_adds)} multiply-adds · {size_text(BYTES * cost.values)} an image"
