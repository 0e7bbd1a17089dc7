"""Elementwise non-linearities."""

from __future__ import annotations

from nncore.backend import Array, array_module
from nncore.layers.base import Layer


class ReLU(Layer):
    """y = max(x, 0); dL/dx = dL/dy where x > 0, else 0."""

    kind = "relu"

    def forward(self, x: Array) -> Array:
        self._positive = x > 0
        return array_module(x).maximum(x, x.dtype.type(0))

    def backward(self, grad: Array) -> Array:
        return grad * self._positive
