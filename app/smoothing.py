"""Smoothing of curves, for the window and the report alike. Qt-free."""

from __future__ import annotations

import math

import numpy as np

from nncore.arrays import Array

SMOOTHING = 0.9
"""How much each point of a smoothed curve remembers of those before it, unless told."""


def smoothed(values: Array, weight: float = SMOOTHING) -> Array:
    """The exponential moving average that is true from the first value on, as Adam corrects its averages (Kingma and Ba 2015):

        mₜ = weight · mₜ₋₁ + (1 − weight) · vₜ,   m₀ = 0,   sₜ = mₜ / (1 − weightᵗ)

    `weight` is from 0, which smooths nothing, to below 1. float64 (N). Values that are not finite have no part in it, and are NaN
    in the result.
    """
    if weight <= 0:
        return values
    from scipy.signal import lfilter  # half a second to import, so only where curves are drawn

    sound = np.isfinite(values)
    out = np.full(len(values), np.nan)
    if sound.any():
        averaged = lfilter([1 - weight], [1, -weight], values[sound])
        begun = averaged[: math.ceil(math.log(1e-17) / math.log(weight))]  # after these the divisor is 1, to the last bit
        begun /= 1 - weight ** np.arange(1, len(begun) + 1)
        out[sound] = averaged
    return out
