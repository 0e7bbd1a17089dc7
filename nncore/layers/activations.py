"""Elementwise non-linearities, and softmax. Input and output have one shape, and no parameters."""

from __future__ import annotations

from nncore import losses
from nncore.arrays import Array, array_module
from nncore.layers.base import Layer


class ReLU(Layer):
    """y = max(x, 0); dL/dx = dL/dy where x > 0, else 0."""

    kind = "relu"

    def forward(self, x: Array) -> Array:
        self._positive = x > 0
        return array_module(x).maximum(x, x.dtype.type(0))

    def backward(self, grad: Array) -> Array:
        return grad * self._positive


class Sigmoid(Layer):
    """y = 1 / (1 + exp(−x)) = (1 + tanh(x/2)) / 2, which never overflows; dL/dx = dL/dy · y (1 − y)."""

    kind = "sigmoid"

    def forward(self, x: Array) -> Array:
        half = x.dtype.type(0.5)
        self._y = half + half * array_module(x).tanh(half * x)
        return self._y

    def backward(self, grad: Array) -> Array:
        return grad * self._y * (1 - self._y)


class Tanh(Layer):
    """y = tanh(x); dL/dx = dL/dy · (1 − y²)."""

    kind = "tanh"

    def forward(self, x: Array) -> Array:
        self._y = array_module(x).tanh(x)
        return self._y

    def backward(self, grad: Array) -> Array:
        return grad * (1 - self._y * self._y)


class Softmax(Layer):
    """pᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) along the last axis.

    Its Jacobian is dpᵢ/dxⱼ = pᵢ (δᵢⱼ − pⱼ), so dL/dxⱼ = pⱼ (dL/dpⱼ − Σᵢ dL/dpᵢ pᵢ).
    For training, end a network on its logits instead and leave softmax to CrossEntropyLoss, which is more exact.
    """

    kind = "softmax"

    def forward(self, x: Array) -> Array:
        self._p = losses.softmax(x)
        return self._p

    def backward(self, grad: Array) -> Array:
        return self._p * (grad - (grad * self._p).sum(axis=-1, keepdims=True))
