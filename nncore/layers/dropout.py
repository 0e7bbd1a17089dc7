"""Dropout: in training, a random part of the values is set to zero."""

from __future__ import annotations

import math

import numpy as np

from nncore.arrays import Array, array_module
from nncore.checks import real_number
from nncore.layers.base import Layer

MASK = 0xFFFFFFFF
"""The largest number of 32 bits."""


def scramble(x: int) -> int:
    """A 32-bit hash: numbers that follow each other get results that look unrelated (C. Wellons' lowbias32, public domain)."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & MASK
    x = ((x ^ (x >> 15)) * 0x846CA68B) & MASK
    return x ^ (x >> 16)


class Dropout(Layer):
    """y = x · kept / (1 − p) in training, where each value is kept with probability 1 − p; y = x in use.

    Dividing by 1 − p keeps the mean of the signal (Srivastava et al. 2014). Backward: dL/dx = dL/dy · kept / (1 − p).

    Which values are dropped is a function of the network's seed, the layer's place, the number of calls so far (`calls`)
    and the index of the value in the batch. So it does not depend on how a batch is split over replicas, and a resumed
    training, which restores `calls`, drops what an uninterrupted one would have dropped.
    """

    kind = "dropout"
    settings = ("p",)

    def __init__(self, p: float = 0.5) -> None:
        self.p = real_number(p, "Dropout's p", "of at least 0 and below 1", lambda number: 0 <= number < 1)
        self.calls = 0
        self._seed = 0

    def _build(self, rng: np.random.Generator) -> None:
        self.calls, self._seed = 0, int(rng.integers(MASK, dtype=np.uint32))

    @property
    def threshold(self) -> int:
        """A value is dropped where its random 32 bits are below this: p · 2³²."""
        return math.floor(self.p * (MASK + 1))

    def key(self, ahead: int = 0) -> int:
        """The number from which the random bits are made of the call `ahead` calls after the present one."""
        return scramble(self._seed ^ scramble((self.calls + ahead) & MASK))

    def kept(self, x: Array) -> Array:
        """Which values of x (N, …) stay in the present call: bool, of the shape of x."""
        return kept(x, self.key(), self.threshold)

    def forward(self, x: Array) -> Array:
        self._scale = None
        if not self.training or self.p == 0:
            return x
        self.calls += 1
        self._scale = self.kept(x) * x.dtype.type(1 / (1 - self.p))
        return x * self._scale

    def backward(self, grad: Array) -> Array:
        return grad if self._scale is None else grad * self._scale

    def describe(self) -> str:
        return f"dropout {self.p:g}"


def kept(x: Array, key: int, threshold: int) -> Array:
    """Which values of x stay, bool of its shape: those whose 32 bits, made from the key and their index, reach the threshold."""
    bits = array_module(x).arange(x.size, dtype=np.uint32) ^ np.uint32(key)
    bits = (bits ^ (bits >> 16)) * np.uint32(0x7FEB352D)
    bits = (bits ^ (bits >> 15)) * np.uint32(0x846CA68B)
    return ((bits ^ (bits >> 16)) >= np.uint32(threshold)).reshape(x.shape)
