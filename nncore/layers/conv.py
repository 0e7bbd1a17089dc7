"""The two-dimensional convolution (as in all of deep learning, a cross-correlation)."""

from __future__ import annotations

import math
from typing import Any, Never, TypeAlias

import numpy as np

from nncore.arrays import Array, Shape, array_module
from nncore.checks import decay_rate, pair, refuse_positional, true_or_false, whole_number
from nncore.initializers import checked_initializer, initializer
from nncore.layers.base import Layer
from nncore.layers.cost import Cost, check_window
from nncore.matmul import matmul
from nncore.parameter import Parameter

IntPair: TypeAlias = tuple[int, int]


def patches(x: Array, kernel: IntPair, stride: IntPair) -> Array:
    """Every kernel-sized window of x (N, H, W, C), as a view of shape (N, out height, out width, kernel, kernel, C)."""
    windows = array_module(x).lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))
    return windows[:, :: stride[0], :: stride[1]].transpose(0, 1, 2, 4, 5, 3)


def conv2d(x: Array, weight: Array, bias: Array | None, stride: IntPair = (1, 1)) -> Array:
    """y[n,i,j,o] = b[o] + Σ_{k,l,c} x[n, i·stride+k, j·stride+l, c] · w[k,l,c,o], for x already padded.

    x (N, H, W, in), weight (kernel, kernel, in, out), bias (out) or None; y (N, out height, out width, out).
    """
    kernel, out_channels = weight.shape[:2], weight.shape[3]
    windows = patches(x, kernel, stride)
    rows = windows.reshape(-1, weight[..., 0].size)
    y = matmul(rows, weight.reshape(-1, out_channels))
    return (y if bias is None else y + bias).reshape(*windows.shape[:3], out_channels)


def conv2d_backward(x: Array, weight: Array, grad: Array, stride: IntPair = (1, 1)) -> tuple[Array, Array, Array]:
    """dL/dx, dL/dw and dL/db of `conv2d` for the padded x, from `grad` = dL/dy (N, out height, out width, out)."""
    kernel, out_channels = weight.shape[:2], weight.shape[3]
    rows = patches(x, kernel, stride).reshape(-1, weight[..., 0].size)
    flat = grad.reshape(-1, out_channels)
    grad_weight = matmul(rows.T, flat).reshape(weight.shape)
    grad_windows = matmul(flat, weight.reshape(-1, out_channels).T).reshape(*grad.shape[:3], *weight.shape[:3])
    grad_x = array_module(x).zeros_like(x)
    for k in range(kernel[0]):
        for l in range(kernel[1]):
            grad_x[:, window(k, grad.shape[1], stride[0]), window(l, grad.shape[2], stride[1])] += grad_windows[:, :, :, k, l]
    return grad_x, grad_weight, flat.sum(axis=0)


def window(first: int, count: int, stride: int) -> slice:
    """The `count` positions that kernel element `first` meets as the kernel moves on by `stride`."""
    return slice(first, first + stride * (count - 1) + 1, stride)


class Conv2d(Layer):
    """Convolution with `out_channels` kernels over (N, H, W, C) images, zeros padded around them.

    Output (N, ⌊(H + 2·padding − kernel) / stride⌋ + 1, likewise the width, out_channels). `kernel_size`, `stride` and
    `padding` are each an int or a pair (vertical, horizontal); unlike PyTorch's, the layer is not told its input channels,
    and takes all but the first two settings by name. The weight is (kernel, kernel, in, out), its first values named by
    `initializer`; the bias (out), unless there is to be none. `weight_decay` is λ of a penalty ½ λ ‖w‖² on this layer's weight
    alone. The formulas are those of `conv2d` and `conv2d_backward`.
    """

    kind = "conv"
    settings = ("out_channels", "kernel_size", "stride", "padding", "bias", "initializer", "weight_decay")

    def __init__(
        self,
        out_channels: int,
        kernel_size: int | IntPair,
        *surplus: Never,
        stride: int | IntPair = 1,
        padding: int | IntPair = 0,
        bias: bool = True,
        initializer: str | float = "he_normal",
        weight_decay: float = 0.0,
    ) -> None:
        refuse_positional(surplus, "Conv2d", "out_channels and kernel_size in that order", "Conv2d(8, 3, padding=1)")
        self.out_channels = whole_number(out_channels, "out_channels")
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = pair(stride, "stride")
        self.padding = pair(padding, "padding", least=0)
        self.has_bias = true_or_false(bias, "bias")
        check_window(self.kernel_size)
        self.initializer = checked_initializer(initializer)
        self.weight_decay = decay_rate(weight_decay)

    def infer_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise self.misfit("images of height×width×channels", input_shape)
        height, width = (
            size + 2 * pad - kernel for size, pad, kernel in zip(input_shape, self.padding, self.kernel_size, strict=False)
        )
        if height < 0 or width < 0:
            raise self.misfit(f"images of at least {self.kernel_size[0]}×{self.kernel_size[1]} with padding", input_shape)
        return height // self.stride[0] + 1, width // self.stride[1] + 1, self.out_channels

    def cost(self, input_shape: Shape) -> Cost:
        """The values are the padded input, the window of every place (the rows of the product), and the output."""
        rows, columns, _ = self.infer_shape(input_shape)
        window_size = math.prod(self.kernel_size) * input_shape[2]
        padded = math.prod(size + 2 * pad for size, pad in zip(input_shape, self.padding, strict=False)) * input_shape[2]
        return Cost(
            parameters=(window_size + self.has_bias) * self.out_channels,
            values=padded + rows * columns * (window_size + self.out_channels),
            multiply_adds=rows * columns * window_size * self.out_channels,
        )

    def _build(self, rng: np.random.Generator) -> None:
        shape = (*self.kernel_size, self.input_shape[2], self.out_channels)
        self.weight = Parameter(initializer(self.initializer)(shape, rng), self.weight_decay)
        self.bias = Parameter(np.zeros(self.out_channels, np.float32)) if self.has_bias else None

    def forward(self, x: Array) -> Array:
        rows, columns = self.padding
        self._x = array_module(x).pad(x, ((0, 0), (rows, rows), (columns, columns), (0, 0)))
        return conv2d(self._x, self.weight.data, None if self.bias is None else self.bias.data, self.stride)

    def backward(self, grad: Array) -> Array:
        grad_x, self.weight.grad, grad_bias = conv2d_backward(self._x, self.weight.data, grad, self.stride)
        if self.bias is not None:
            self.bias.grad = grad_bias
        rows, columns = self.padding
        return grad_x[:, rows : grad_x.shape[1] - rows, columns : grad_x.shape[2] - columns]

    def setting(self, name: str) -> Any:
        return self.has_bias if name == "bias" else super().setting(name)

    def describe(self) -> str:
        return f"conv {self.out_channels} · {self.kernel_size[0]}×{self.kernel_size[1]}"
