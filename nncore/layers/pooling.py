"""Pooling: each window of an image becomes one value, its largest or its mean."""

from __future__ import annotations

import math
from typing import Never

from nncore.arrays import Array, Shape, array_module
from nncore.checks import pair, refuse_positional
from nncore.layers.base import Layer
from nncore.layers.conv import IntPair, window
from nncore.layers.cost import Cost, check_window


class Pool(Layer):
    """What both kinds of pooling share: windows of `kernel_size`, `stride` apart (the kernel's size unless given).

    x (N, H, W, C); y (N, ⌊(H − kernel) / stride⌋ + 1, likewise the width, C). Rows and columns that fill no window are
    dropped. Both settings are an int or a pair (vertical, horizontal), in PyTorch's order; there is no padding. Windows
    overlap where the stride is the smaller.
    """

    settings = ("kernel_size", "stride")

    def __init__(self, kernel_size: int | IntPair, stride: int | IntPair | None = None, *surplus: Never) -> None:
        name = type(self).__name__
        refuse_positional(surplus, name, "kernel_size and stride (a pool has no padding)", f"{name}(3, stride=2)")
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "stride")
        check_window(self.kernel_size)

    def infer_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise self.misfit("images of height×width×channels", input_shape)
        height, width = (size - kernel for size, kernel in zip(input_shape, self.kernel_size, strict=False))
        if height < 0 or width < 0:
            raise self.misfit(f"images of at least {self.kernel_size[0]}×{self.kernel_size[1]}", input_shape)
        return height // self.stride[0] + 1, width // self.stride[1] + 1, input_shape[2]

    def cost(self, input_shape: Shape) -> Cost:
        size = math.prod(self.infer_shape(input_shape))
        return Cost(values=size, multiply_adds=size * math.prod(self.kernel_size))

    def _windows(self, x: Array) -> list[Array]:
        """For each element of the window in reading order, a view (N, out height, out width, C) of what it sees."""
        rows, columns, _ = self.output_shape
        return [
            x[:, window(k, rows, self.stride[0]), window(l, columns, self.stride[1])]
            for k in range(self.kernel_size[0])
            for l in range(self.kernel_size[1])
        ]

    def describe(self) -> str:
        size, stride = (f"{rows}" if rows == columns else f"{rows}×{columns}" for rows, columns in (self.kernel_size, self.stride))
        return f"{self.kind} {size}" + ("" if self.stride == self.kernel_size else f" · stride {stride}")


class MaxPool2d(Pool):
    """y[n,i,j,c] = max over k, l of x[n, i·stride+k, j·stride+l, c].

    The gradient goes to the winner of each window, and of equal values to the first in reading order, as in PyTorch.
    """

    kind = "pool"

    def forward(self, x: Array) -> Array:
        first, *others = self._windows(x)
        y = first.copy()
        for values in others:
            array_module(x).maximum(y, values, out=y)
        self._x, self._y = x, y
        return y

    def backward(self, grad: Array) -> Array:
        xp = array_module(grad)
        grad_x = xp.zeros((len(grad), *self.input_shape), grad.dtype)
        is_open = xp.ones(grad.shape, bool)  # windows whose winner has not been met yet
        for view, values in zip(self._windows(grad_x), self._windows(self._x), strict=True):
            wins = is_open & (values == self._y)
            view += grad * wins
            is_open ^= wins
        return grad_x


class AvgPool2d(Pool):
    """y[n,i,j,c] = mean over k, l of x[n, i·stride+k, j·stride+l, c]; each x gets dL/dy / (kernel · kernel) of its windows."""

    kind = "avgpool"

    def forward(self, x: Array) -> Array:
        views = self._windows(x)
        total = views[0].copy()
        for view in views[1:]:
            total += view
        return total * x.dtype.type(1 / len(views))

    def backward(self, grad: Array) -> Array:
        grad_x = array_module(grad).zeros((len(grad), *self.input_shape), grad.dtype)
        views = self._windows(grad_x)
        share = grad * grad.dtype.type(1 / len(views))
        for view in views:
            view += share
        return grad_x
