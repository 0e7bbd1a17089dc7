"""The fully connected layer: y = x W + b."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array, Shape
from nncore.errors import ConfigError
from nncore.initializers import initializer
from nncore.layers.base import Layer, checked_decay, is_count
from nncore.matmul import matmul
from nncore.parameter import Parameter


class Linear(Layer):
    """y = x W + b, with x (N, in), W (in, out), b (out), y (N, out).

    Backward: dL/dW = xᵀ dL/dy,  dL/db = Σₙ dL/dy,  dL/dx = dL/dy Wᵀ.

    `initializer` names W's first values (nncore.initializers; a number is a normal's standard deviation), `weight_decay`
    is λ of a penalty ½ λ ‖W‖² on this layer's W alone.
    """

    kind = "linear"
    settings = ("out_features", "initializer", "weight_decay")

    def __init__(self, out_features: int, initializer: str | float = "he_normal", weight_decay: float = 0.0) -> None:
        if not is_count(out_features):
            raise ConfigError(f"A linear layer needs at least one output, not {out_features!r}.")
        self.out_features = out_features
        self.initializer = initializer
        self.weight_decay = checked_decay(weight_decay)

    def _build(self, input_shape: Shape, rng: np.random.Generator) -> Shape:
        if len(input_shape) != 1:
            raise self.misfit("a flat vector (put a flatten layer before it)", input_shape)
        first = initializer(self.initializer)((input_shape[0], self.out_features), rng)
        self.weight = Parameter(first, self.weight_decay)
        self.bias = Parameter(np.zeros(self.out_features, np.float32))
        return (self.out_features,)

    def forward(self, x: Array) -> Array:
        self._x = x
        return matmul(x, self.weight.data) + self.bias.data

    def backward(self, grad: Array) -> Array:
        self.weight.grad = matmul(self._x.T, grad)
        self.bias.grad = grad.sum(axis=0)
        return matmul(grad, self.weight.data.T)

    def describe(self) -> str:
        return f"linear {self.out_features}"
