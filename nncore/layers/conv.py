"""The two-dimensional convolution (as in all of deep learning, a cross-correlation)."""

from __future__ import annotations

import math
from typing import Any, Never, TypeAlias

import numpy as np

from nncore.arrays import Array, Shape, array_module, shape_text
from nncore.checks import decay_rate, pair, refuse_positional, true_or_false, whole_number
from nncore.errors import ConfigError
from nncore.initializers import checked_initializer, initializer
from nncore.layers.base import Layer
from nncore.layers.cost import LARGEST_WINDOW, Cost, check_window
from nncore.matmul import matmul
from nncore.parameter import Parameter

IntPair: TypeAlias = tuple[int, int]
SAME = "same"
"""The padding that keeps the size of an image."""


def patches(x: Array, kernel: IntPair, stride: IntPair, dilation: IntPair = (1, 1)) -> Array:
    """Every kernel-sized window of x (N, H, W, C), as a view of shape (N, out height, out width, kernel, kernel, C)."""
    spans = tuple(far * (size - 1) + 1 for size, far in zip(kernel, dilation, strict=True))
    windows = array_module(x).lib.stride_tricks.sliding_window_view(x, spans, axis=(1, 2))
    return windows[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]].transpose(0, 1, 2, 4, 5, 3)


def conv2d(
    x: Array, weight: Array, bias: Array | None, stride: IntPair = (1, 1), dilation: IntPair = (1, 1), groups: int = 1
) -> Array:
    """y[n,i,j,o] = b[o] + Σ_{k,l,c} x[n, i·stride + k·dilation, j·stride + l·dilation, c] · w[k,l,c,o], for x already padded.

    x (N, H, W, in), weight (kernel, kernel, in / groups, out), bias (out) or None; y (N, out height, out width, out). With groups
    the channels of x and of y are split into as many parts, and each part of y sees its part of x alone.
    """
    kernel, out_channels = weight.shape[:2], weight.shape[3]
    windows = patches(x, kernel, stride, dilation)
    if groups == 1:
        rows = windows.reshape(-1, weight[..., 0].size)
        y = matmul(rows, weight.reshape(-1, out_channels)).reshape(*windows.shape[:3], out_channels)
    else:
        apart, of_groups = _in_groups(windows, groups), _in_groups(weight, groups)
        y = array_module(x).einsum("nijklgc,klcgo->nijgo", apart, of_groups).reshape(*windows.shape[:3], out_channels)
    return y if bias is None else y + bias


def conv2d_backward(
    x: Array, weight: Array, grad: Array, stride: IntPair = (1, 1), dilation: IntPair = (1, 1), groups: int = 1
) -> tuple[Array, Array, Array]:
    """dL/dx, dL/dw and dL/db of `conv2d` for the padded x, from `grad` = dL/dy (N, out height, out width, out)."""
    kernel, out_channels = weight.shape[:2], weight.shape[3]
    windows = patches(x, kernel, stride, dilation)
    flat = grad.reshape(-1, out_channels)
    if groups == 1:
        grad_weight = matmul(windows.reshape(-1, weight[..., 0].size).T, flat).reshape(weight.shape)
        grad_windows = matmul(flat, weight.reshape(-1, out_channels).T).reshape(windows.shape)
    else:
        einsum, of_groups = array_module(x).einsum, _in_groups(grad, groups)
        grad_weight = einsum("nijklgc,nijgo->klcgo", _in_groups(windows, groups), of_groups).reshape(weight.shape)
        grad_windows = einsum("nijgo,klcgo->nijklgc", of_groups, _in_groups(weight, groups)).reshape(windows.shape)
    grad_x = array_module(x).zeros_like(x)
    for k in range(kernel[0]):
        for l in range(kernel[1]):
            down, across = window(k * dilation[0], grad.shape[1], stride[0]), window(l * dilation[1], grad.shape[2], stride[1])
            grad_x[:, down, across] += grad_windows[:, :, :, k, l]
    return grad_x, grad_weight, flat.sum(axis=0)


def _in_groups(values: Array, groups: int) -> Array:
    """The last axis as two: the groups, and the channels of each."""
    return values.reshape(*values.shape[:-1], groups, values.shape[-1] // groups)


def window(first: int, count: int, stride: int) -> slice:
    """The `count` positions that kernel element `first` meets as the kernel moves on by `stride`."""
    return slice(first, first + stride * (count - 1) + 1, stride)


class Conv2d(Layer):
    """Convolution with `out_channels` kernels over (N, H, W, C) images, zeros padded around them.

    Output (N, ⌊(H + 2·padding − span) / stride⌋ + 1, likewise the width, out_channels), span = dilation·(kernel − 1) + 1 being
    what the kernel reaches over. `kernel_size`, `stride`, `padding` and `dilation` are each an int or a pair (vertical,
    horizontal). `padding="same"` keeps the image's size, for a stride of 1; of an odd number of zeros one more lies below and at
    the right. `groups` splits the channels into as many parts, whose outputs see their own part alone; with as many groups as
    channels the convolution is depthwise. All of it is as in PyTorch; unlike PyTorch's, the layer is not told its input channels,
    and takes all but the first two settings by name. The weight is (kernel, kernel, in / groups, out), its first values named by
    `initializer`; the bias (out), unless there is to be none. `weight_decay` is λ of a penalty ½ λ ‖w‖² on this layer's weight
    alone. The formulas are those of `conv2d` and `conv2d_backward`.
    """

    kind = "conv"
    settings = ("out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "initializer", "weight_decay")

    def __init__(
        self,
        out_channels: int,
        kernel_size: int | IntPair,
        *surplus: Never,
        stride: int | IntPair = 1,
        padding: int | IntPair | str = 0,
        dilation: int | IntPair = 1,
        groups: int = 1,
        bias: bool = True,
        initializer: str | float = "he_normal",
        weight_decay: float = 0.0,
    ) -> None:
        refuse_positional(surplus, "Conv2d", "out_channels and kernel_size in that order", "Conv2d(8, 3, padding=1)")
        self.out_channels = whole_number(out_channels, "out_channels")
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = pair(stride, "stride")
        self.padding: IntPair | str = SAME if isinstance(padding, str) and padding == SAME else pair(padding, "padding", least=0)
        self.dilation = pair(dilation, "dilation", most=LARGEST_WINDOW)
        self.groups = whole_number(groups, "groups")
        self.has_bias = true_or_false(bias, "bias")
        check_window(self.kernel_size)
        if self.padding == SAME and self.stride != (1, 1):
            raise ConfigError(f'padding="same" needs a stride of 1, not {shape_text(self.stride)}; give the padding as a number.')
        if self.out_channels % self.groups:
            raise ConfigError(
                f"{self.out_channels:,} channels cannot be split into {self.groups:,} groups; take a multiple of them."
            )
        self.initializer = checked_initializer(initializer)
        self.weight_decay = decay_rate(weight_decay)

    def infer_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise self.misfit("images of height×width×channels", input_shape)
        if input_shape[2] % self.groups:
            raise self.misfit(f"images whose channels are a multiple of its {self.groups} groups", input_shape)
        height, width = (size + sum(pad) - span for size, pad, span in zip(input_shape, self.margins, self.span, strict=False))
        if height < 0 or width < 0:
            raise self.misfit(f"images of at least {shape_text(self.span)} with padding", input_shape)
        return height // self.stride[0] + 1, width // self.stride[1] + 1, self.out_channels

    @property
    def span(self) -> IntPair:
        """Rows and columns of the input that a window reaches over."""
        (height, width), (down, across) = self.kernel_size, self.dilation
        return down * (height - 1) + 1, across * (width - 1) + 1

    @property
    def margins(self) -> tuple[IntPair, IntPair]:
        """Rows of zeros (above, below), and columns (left, right)."""
        if isinstance(self.padding, str):
            height, width = (size - 1 for size in self.span)
            return (height // 2, height - height // 2), (width // 2, width - width // 2)
        rows, columns = self.padding
        return (rows, rows), (columns, columns)

    def cost(self, input_shape: Shape) -> Cost:
        """The values are the padded input, the window of every place (the rows of the product), and the output."""
        rows, columns, _ = self.infer_shape(input_shape)
        window_size = math.prod(self.kernel_size) * input_shape[2]
        padded = math.prod(size + sum(pad) for size, pad in zip(input_shape, self.margins, strict=False)) * input_shape[2]
        return Cost(
            parameters=(window_size // self.groups + self.has_bias) * self.out_channels,
            values=padded + rows * columns * (window_size + self.out_channels),
            multiply_adds=rows * columns * (window_size // self.groups) * self.out_channels,
        )

    def _build(self, rng: np.random.Generator) -> None:
        shape = (*self.kernel_size, self.input_shape[2] // self.groups, self.out_channels)
        self.weight = Parameter(initializer(self.initializer)(shape, rng), self.weight_decay)
        self.bias = Parameter(np.zeros(self.out_channels, np.float32)) if self.has_bias else None

    def forward(self, x: Array) -> Array:
        self._x = array_module(x).pad(x, ((0, 0), *self.margins, (0, 0)))
        bias = None if self.bias is None else self.bias.data
        return conv2d(self._x, self.weight.data, bias, self.stride, self.dilation, self.groups)

    def backward(self, grad: Array) -> Array:
        grad_x, self.weight.grad, grad_bias = conv2d_backward(
            self._x, self.weight.data, grad, self.stride, self.dilation, self.groups
        )
        if self.bias is not None:
            self.bias.grad = grad_bias
        (above, below), (left, right) = self.margins
        return grad_x[:, above : grad_x.shape[1] - below, left : grad_x.shape[2] - right]

    def setting(self, name: str) -> Any:
        return self.has_bias if name == "bias" else super().setting(name)

    def describe(self) -> str:
        dilation = "" if self.dilation == (1, 1) else f" · dilation {shape_text(self.dilation)}"
        groups = "" if self.groups == 1 else f" · {self.groups} groups"
        return f"conv {self.out_channels} · {self.kernel_size[0]}×{self.kernel_size[1]}{dilation}{groups}"
