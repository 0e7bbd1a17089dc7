"""Layers that only change the shape."""

from __future__ import annotations

import math

from nncore.arrays import Array, Shape
from nncore.layers.base import Layer
from nncore.layers.cost import Cost


class Flatten(Layer):
    """(N, …) to (N, product of the rest), in memory order: for images height, then width, then channel."""

    kind = "flatten"

    def infer_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def cost(self, input_shape: Shape) -> Cost:
        return Cost()

    def forward(self, x: Array) -> Array:
        return x.reshape(len(x), math.prod(self.input_shape))

    def backward(self, grad: Array) -> Array:
        return grad.reshape(len(grad), *self.input_shape)
