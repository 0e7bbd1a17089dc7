"""Parameter and Buffer: the arrays that belong to a layer."""

from __future__ import annotations

from nncore.arrays import Array, Shape, array_module


class Parameter:
    """An array that training changes (`data`), and the gradient of the loss with respect to it (`grad`), of the same shape.

    `weight_decay` is λ of this parameter's own penalty ½ λ ‖θ‖²: every optimizer adds λ θ to its gradient.
    """

    def __init__(self, data: Array, weight_decay: float = 0.0) -> None:
        self.data = data
        self.grad = array_module(data).zeros_like(data)
        self.weight_decay = weight_decay

    @property
    def shape(self) -> Shape:
        return self.data.shape


class Buffer:
    """An array (`data`) that belongs to a layer and is saved with it, but follows no gradient: running statistics."""

    def __init__(self, data: Array) -> None:
        self.data = data

    @property
    def shape(self) -> Shape:
        return self.data.shape
