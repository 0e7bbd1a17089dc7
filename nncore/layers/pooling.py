"""Pooling: each window of an image becomes one value, its largest or its mean."""

from __future__ import annotations

import math
from typing import ClassVar, Never

from nncore.arrays import Array, Shape, array_module, shape_text
from nncore.checks import pair, refuse_positional
from nncore.errors import ConfigError
from nncore.layers.base import Layer
from nncore.layers.conv import IntPair, window
from nncore.layers.cost import Cost, check_window


class Pool(Layer):
    """What both kinds of pooling share: windows of `kernel_size`, `stride` apart (the kernel's size unless given).

    x (N, H, W, C); y (N, ⌊(H + 2·padding − kernel) / stride⌋ + 1, likewise the width, C). Rows and columns that fill no window
    are dropped. Each setting is an int or a pair (vertical, horizontal); as in PyTorch the padding is at most half of the kernel.
    Windows overlap where the stride is the smaller.
    """

    settings = ("kernel_size", "stride", "padding")
    outside: ClassVar[float]
    """What a padding consists of."""

    def __init__(
        self,
        kernel_size: int | IntPair,
        stride: int | IntPair | None = None,
        *surplus: Never,
        padding: int | IntPair = 0,
    ) -> None:
        name = type(self).__name__
        refuse_positional(surplus, name, "kernel_size and stride in that order", f"{name}(3, stride=2, padding=1)")
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "stride")
        self.padding = pair(padding, "padding", least=0)
        check_window(self.kernel_size)
        if any(2 * pad > size for pad, size in zip(self.padding, self.kernel_size, strict=True)):
            raise ConfigError(
                f"A pool's padding may be at most half of its kernel_size: {shape_text(self.padding)} is too much for "
                f"{shape_text(self.kernel_size)}."
            )

    def kernel_numbers(self) -> dict[str, float]:
        pairs = {"k": self.kernel_size, "s": self.stride, "p": self.padding}
        return {f"{name}{axis}": number for name, numbers in pairs.items() for axis, number in zip("hw", numbers, strict=True)}

    def infer_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise self.misfit("images of height×width×channels", input_shape)
        height, width = (
            size + 2 * pad - kernel for size, pad, kernel in zip(input_shape, self.padding, self.kernel_size, strict=False)
        )
        if height < 0 or width < 0:
            with_padding = " with padding" if any(self.padding) else ""
            raise self.misfit(f"images of at least {self.kernel_size[0]}×{self.kernel_size[1]}{with_padding}", input_shape)
        return height // self.stride[0] + 1, width // self.stride[1] + 1, input_shape[2]

    def cost(self, input_shape: Shape) -> Cost:
        size = math.prod(self.infer_shape(input_shape))
        padded = math.prod(n + 2 * pad for n, pad in zip(input_shape, self.padding, strict=False)) * input_shape[2]
        return Cost(values=size + any(self.padding) * padded, multiply_adds=size * math.prod(self.kernel_size))

    def _padded(self, x: Array) -> Array:
        """x with its padding."""
        rows, columns = self.padding
        around = ((0, 0), (rows, rows), (columns, columns), (0, 0))
        return array_module(x).pad(x, around, constant_values=self.outside) if rows or columns else x

    def _room(self, grad: Array) -> Array:
        """Zeros of the shape of the padded input."""
        rows, columns = self.padding
        height, width, channels = self.input_shape
        return array_module(grad).zeros((len(grad), height + 2 * rows, width + 2 * columns, channels), grad.dtype)

    def _inside(self, padded: Array) -> Array:
        """A view of what is no padding."""
        rows, columns = self.padding
        return padded[:, rows : padded.shape[1] - rows, columns : padded.shape[2] - columns]

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
        padding = f" · padding {shape_text(self.padding)}" if any(self.padding) else ""
        return f"{self.kind} {size}" + ("" if self.stride == self.kernel_size else f" · stride {stride}") + padding


class MaxPool2d(Pool):
    """y[n,i,j,c] = max over k, l of x[n, i·stride+k, j·stride+l, c], for x already padded, by what is never the largest.

    The gradient goes to the winner of each window, and of equal values to the first in reading order, as in PyTorch.
    """

    kind, kernel, outside = "pool", "padded_max_pool2d", -math.inf

    def forward(self, x: Array) -> Array:
        x = self._padded(x)
        first, *others = self._windows(x)
        y = first.copy()
        for values in others:
            array_module(x).maximum(y, values, out=y)
        self._x, self._y = x, y
        return y

    def backward(self, grad: Array) -> Array:
        xp, grad_x = array_module(grad), self._room(grad)
        is_open = xp.ones(grad.shape, bool)  # windows whose winner has not been met yet
        for view, values in zip(self._windows(grad_x), self._windows(self._x), strict=True):
            wins = is_open & (values == self._y)
            view += grad * wins
            is_open ^= wins
        return self._inside(grad_x)


class AvgPool2d(Pool):
    """y[n,i,j,c] = mean over k, l of x[n, i·stride+k, j·stride+l, c]; each x gets dL/dy / (kernel · kernel) of its windows.

    x is already padded, by zeros that count in the mean, as in PyTorch.
    """

    kind, kernel, outside = "avgpool", "padded_avg_pool2d", 0.0

    def forward(self, x: Array) -> Array:
        views = self._windows(self._padded(x))
        total = views[0].copy()
        for view in views[1:]:
            total += view
        return total * x.dtype.type(1 / len(views))

    def backward(self, grad: Array) -> Array:
        grad_x = self._room(grad)
        views = self._windows(grad_x)
        share = grad * grad.dtype.type(1 / len(views))
        for view in views:
            view += share
        return self._inside(grad_x)


class GlobalAvgPool2d(Layer):
    """The mean of each channel: x (N, H, W, C) to y (N, 1, 1, C), PyTorch's AdaptiveAvgPool2d(1). Each x gets dL/dy / (H · W)."""

    kind, kernel = "globalpool", "global_avg_pool2d"

    def infer_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise self.misfit("images of height×width×channels", input_shape)
        return 1, 1, input_shape[2]

    def cost(self, input_shape: Shape) -> Cost:
        return Cost(values=self.infer_shape(input_shape)[2], multiply_adds=math.prod(input_shape))

    def forward(self, x: Array) -> Array:
        return x.mean(axis=(1, 2), keepdims=True)

    def backward(self, grad: Array) -> Array:
        height, width, _ = self.input_shape
        share = grad * grad.dtype.type(1 / (height * width))
        return array_module(grad).broadcast_to(share, (len(grad), *self.input_shape)).copy()

    def describe(self) -> str:
        return "global average"
