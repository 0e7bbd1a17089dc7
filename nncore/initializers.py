"""First values of the weights. Their scale keeps the variance of the signal the same from layer to layer."""

from __future__ import annotations

import math

import numpy as np

from nncore.backend import Array, Shape


def fan_in(shape: Shape) -> int:
    """How many inputs each output of a weight of `shape` sums over: (in, out) or (kernel, kernel, in, out)."""
    return math.prod(shape[:-1])


def he_normal(shape: Shape, rng: np.random.Generator) -> Array:
    """Normal with variance 2 / fan_in, which a ReLU halves again (He et al. 2015, arXiv 1502.01852, eq. 10). float32."""
    deviation = math.sqrt(2 / fan_in(shape))
    return (rng.standard_normal(shape) * deviation).astype(np.float32)
