"""The fully connected layer: y = x W + b."""

from __future__ import annotations

import numpy as np

from nncore.backend import Array, Shape
from nncore.errors import ConfigError
from nncore.initializers import he_normal
from nncore.layers.base import Layer, Parameter


class Linear(Layer):
    """y = x W + b, with x (N, in), W (in, out), b (out), y (N, out).

    Backward: dL/dW = xᵀ dL/dy,  dL/db = Σₙ dL/dy,  dL/dx = dL/dy Wᵀ.
    """

    kind = "linear"
    settings = ("out_features",)

    def __init__(self, out_features: int) -> None:
        if out_features < 1:
            raise ConfigError(f"A linear layer needs at least one output, not {out_features}.")
        self.out_features = out_features

    def _build(self, input_shape: Shape, rng: np.random.Generator) -> Shape:
        if len(input_shape) != 1:
            raise self.misfit("a flat vector (put a flatten layer before it)", input_shape)
        self.weight = Parameter(he_normal((input_shape[0], self.out_features), rng))
        self.bias = Parameter(np.zeros(self.out_features, np.float32))
        return (self.out_features,)

    def forward(self, x: Array) -> Array:
        self._x = x
        return x @ self.weight.data + self.bias.data

    def backward(self, grad: Array) -> Array:
        self.weight.grad = self._x.T @ grad
        self.bias.grad = grad.sum(axis=0)
        return grad @ self.weight.data.T

    def describe(self) -> str:
        return f"linear {self.out_features}"
