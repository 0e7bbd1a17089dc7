"""Dropout: in training, a random part of the values is set to zero."""

from __future__ import annotations

import math

import numpy as np

from nncore.arrays import Array, Shape, array_module
from nncore.errors import ConfigError
from nncore.layers.base import Layer, is_number

WORD = 0xFFFFFFFF


def scramble(x: int) -> int:
    """A 32-bit number mixed so well that neighbours look unrelated (C. Wellons' lowbias32, public domain)."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & WORD
    x = ((x ^ (x >> 15)) * 0x846CA68B) & WORD
    return x ^ (x >> 16)


class Dropout(Layer):
    """y = x · kept / (1 − p) in training, where each value is kept with probability 1 − p; y = x in use.

    Dividing by 1 − p keeps the mean of the signal (Srivastava et al. 2014). Backward: dL/dx = dL/dy · kept / (1 − p).

    Which values fall is no stream of random numbers but a function of (seed, place among the layers, how often the layer
    has been called, index of the value in the batch). So it does not depend on how a batch is split over replicas, and
    a resumed run drops what an uninterrupted one would have dropped: `calls` is all there is to keep.
    """

    kind = "dropout"
    settings = ("p",)

    def __init__(self, p: float = 0.5) -> None:
        if not (is_number(p) and 0 <= p < 1):
            raise ConfigError(f"Dropout's p must be at least 0 and below 1, not {p!r}.")
        self.p = p
        self.calls = 0
        self._seed = 0

    def _build(self, input_shape: Shape, rng: np.random.Generator) -> Shape:
        self.calls, self._seed = 0, int(rng.integers(WORD, dtype=np.uint32))
        return input_shape

    @property
    def threshold(self) -> int:
        """A value falls where its random 32 bits are below this: p · 2³²."""
        return math.floor(self.p * (WORD + 1))

    def key(self, ahead: int = 0) -> int:
        """What the random bits of the call `ahead` calls after the present one are made from."""
        return scramble(self._seed ^ scramble((self.calls + ahead) & WORD))

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
