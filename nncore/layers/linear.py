"""The fully connected layer: y = x W + b."""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from nncore.arrays import Array, Shape
from nncore.checks import decay_rate, refuse_positional, true_or_false, whole_number
from nncore.initializers import checked_initializer, initializer
from nncore.layers.base import Layer
from nncore.layers.cost import Cost
from nncore.matmul import matmul
from nncore.parameter import Parameter


class Linear(Layer):
    """y = x W + b, with x (N, in), W (in, out), b (out), y (N, out). Without `bias` there is no b.

    Backward: dL/dW = xᵀ dL/dy,  dL/db = Σₙ dL/dy,  dL/dx = dL/dy Wᵀ.

    `initializer` names W's first values (nncore.initializers; a number is a normal's standard deviation), `weight_decay`
    is λ of a penalty ½ λ ‖W‖² on this layer's W alone. Unlike PyTorch's, the layer is not told the size of its input, and
    takes all but `out_features` by name.
    """

    kind = "linear"
    settings = ("out_features", "bias", "initializer", "weight_decay")

    def __init__(
        self,
        out_features: int,
        *surplus: Never,
        bias: bool = True,
        initializer: str | float = "he_normal",
        weight_decay: float = 0.0,
    ) -> None:
        refuse_positional(surplus, "Linear", "out_features alone", "Linear(10, weight_decay=0.001)")
        self.out_features = whole_number(out_features, "out_features")
        self.has_bias = true_or_false(bias, "bias")
        self.initializer = checked_initializer(initializer)
        self.weight_decay = decay_rate(weight_decay)

    def infer_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 1:
            raise self.misfit("a flat vector (put a flatten layer before it)", input_shape)
        return (self.out_features,)

    def cost(self, input_shape: Shape) -> Cost:
        self.infer_shape(input_shape)
        size = input_shape[0] * self.out_features
        return Cost(size + self.has_bias * self.out_features, self.out_features, size)

    def _build(self, rng: np.random.Generator) -> None:
        first = initializer(self.initializer)((self.input_shape[0], self.out_features), rng)
        self.weight = Parameter(first, self.weight_decay)
        self.bias = Parameter(np.zeros(self.out_features, np.float32)) if self.has_bias else None

    def forward(self, x: Array) -> Array:
        self._x = x
        y = matmul(x, self.weight.data)
        return y if self.bias is None else y + self.bias.data

    def backward(self, grad: Array) -> Array:
        self.weight.grad = matmul(self._x.T, grad)
        if self.bias is not None:
            self.bias.grad = grad.sum(axis=0)
        return matmul(grad, self.weight.data.T)

    def setting(self, name: str) -> Any:
        return self.has_bias if name == "bias" else super().setting(name)

    def describe(self) -> str:
        return f"linear {self.out_features}"
