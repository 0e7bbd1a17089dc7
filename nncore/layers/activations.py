"""Elementwise non-linearities, and softmax: as pure functions, and as layers. Input and output have one shape, and no parameters.

Every `…_backward` takes the output y and dL/dy, and returns dL/dx.
"""

from __future__ import annotations

from nncore.arrays import Array, array_module
from nncore.layers.base import Layer
from nncore.losses import softmax


def relu(x: Array) -> Array:
    """max(x, 0)"""
    return array_module(x).maximum(x, x.dtype.type(0))


def relu_backward(y: Array, grad: Array) -> Array:
    """dL/dy where y > 0 (that is, where x > 0), else 0."""
    return array_module(y).where(y > 0, grad, grad.dtype.type(0))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(−x)) = (1 + tanh(x/2)) / 2, which never overflows."""
    half = x.dtype.type(0.5)
    return half + half * array_module(x).tanh(half * x)


def sigmoid_backward(y: Array, grad: Array) -> Array:
    """dL/dy · y (1 − y)"""
    return grad * y * (1 - y)


def tanh(x: Array) -> Array:
    """tanh(x)"""
    return array_module(x).tanh(x)


def tanh_backward(y: Array, grad: Array) -> Array:
    """dL/dy · (1 − y²)"""
    return grad * (1 - y * y)


def softmax_backward(y: Array, grad: Array) -> Array:
    """yⱼ (dL/dyⱼ − Σᵢ dL/dyᵢ yᵢ), the sum along the last axis."""
    return y * (grad - (grad * y).sum(axis=-1, keepdims=True))


class Activation(Layer):
    """A layer without parameters whose gradient follows from its output: `function` and `gradient` are all that one consists of."""

    @staticmethod
    def function(x: Array, /) -> Array:
        """y, of the shape of x."""
        raise TypeError("an activation needs a function")

    @staticmethod
    def gradient(y: Array, grad: Array, /) -> Array:
        """dL/dx from y and grad = dL/dy."""
        raise TypeError("an activation needs a gradient")

    def of(self, x: Array) -> Array:
        """The layer's output for x, of any shape; nothing is kept for a way back."""
        return self.function(x)

    def forward(self, x: Array) -> Array:
        self._y = self.of(x)
        return self._y

    def backward(self, grad: Array) -> Array:
        return self.gradient(self._y, grad)


class ReLU(Activation):
    """y = max(x, 0); dL/dx = dL/dy where x > 0, else 0."""

    kind = "relu"
    function, gradient = staticmethod(relu), staticmethod(relu_backward)


class Sigmoid(Activation):
    """y = 1 / (1 + exp(−x)) = (1 + tanh(x/2)) / 2, which never overflows; dL/dx = dL/dy · y (1 − y)."""

    kind = "sigmoid"
    function, gradient = staticmethod(sigmoid), staticmethod(sigmoid_backward)


class Tanh(Activation):
    """y = tanh(x); dL/dx = dL/dy · (1 − y²)."""

    kind = "tanh"
    function, gradient = staticmethod(tanh), staticmethod(tanh_backward)


class Softmax(Activation):
    """pᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) along the last axis.

    Its Jacobian is dpᵢ/dxⱼ = pᵢ (δᵢⱼ − pⱼ), so dL/dxⱼ = pⱼ (dL/dpⱼ − Σᵢ dL/dpᵢ pᵢ).
    For training, end a network on its logits instead and leave softmax to CrossEntropyLoss, which is more exact.
    """

    kind = "softmax"
    function, gradient = staticmethod(softmax), staticmethod(softmax_backward)


ACTIVATIONS: dict[str, type[Activation]] = {layer.kind: layer for layer in (ReLU, Sigmoid, Tanh, Softmax)}
"""Every activation by its kind, which is also the name of its kernel."""
