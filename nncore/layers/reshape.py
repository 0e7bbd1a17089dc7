"""Layers that only change the shape."""

from __future__ import annotations

import math

import numpy as np

from nncore.arrays import Array, Shape
from nncore.layers.base import Layer


class Flatten(Layer):
    """(N, …) to (N, product of the rest), in memory order: for images height, then width, then channel."""

    kind = "flatten"

    def _build(self, input_shape: Shape, rng: np.random.Generator) -> Shape:
        return (math.prod(input_shape),)

    def forward(self, x: Array) -> Array:
        return x.reshape(len(x), -1)

    def backward(self, grad: Array) -> Array:
        return grad.reshape(len(grad), *self.input_shape)
