"""Smoothing of curves, for the window and the report alike. Qt-free."""

from __future__ import annotations

import math

import numpy as np

from nncore.arrays import Array

SMOOTHING = 0.9
"""How much each point of a smoothed curve remembers of those before it, unless told."""
LEAST = 1e-17
"""The share of a value below which it makes no difference to a sum."""


def smoothed(values: Array, weight: float = SMOOTHING) -> Array:
    """The exponential moving average that is true from the first value on, as Adam corrects its averages (Kingma and Ba 2015):

        mₜ = weight · mₜ₋₁ + (1 − weight) · vₜ,   m₀ = 0,   sₜ = mₜ / (1 − weightᵗ)

    `weight` is from 0, which smooths nothing, to below 1. float64 (N). Values that are not finite have no part in it, and are NaN
    in the result.
    """
    if weight <= 0:
        return values
    sound = np.isfinite(values)
    out = np.full(len(values), np.nan)
    if sound.any():
        averaged = _averaged((1 - weight) * values[sound], weight)
        begun = averaged[: math.ceil(math.log(LEAST) / math.log(weight))]  # after these the divisor is 1, to the last bit
        begun /= 1 - weight ** np.arange(1, len(begun) + 1)
        out[sound] = averaged
    return out


def _averaged(values: Array, weight: float) -> Array:
    """Of each value the sum with those before it, of which each counts `weight` times as much as the next. float64 (N).

    SciPy has it as `lfilter`, which takes half a second to import.
    """
    block = max(1, math.ceil(math.log(LEAST) / math.log(weight)))  # so long that what lies more than a block back has no weight
    powers = weight ** np.arange(block)
    sums = np.zeros((-(-len(values) // block), block))
    sums.reshape(-1)[: len(values)] = values
    sums *= 1 / powers
    np.cumsum(sums, axis=1, out=sums)
    sums *= powers
    sums[1:] += sums[:-1, -1:] * (weight * powers)
    return sums.reshape(-1)[: len(values)]
