"""Batch normalisation: each channel of a batch brought to mean 0 and variance 1, then scaled and shifted as learnt."""

from __future__ import annotations

import math
from typing import Never

import numpy as np

from nncore.arrays import Array, Shape, array_module
from nncore.checks import positive_number, real_number, refuse_positional
from nncore.errors import DataError
from nncore.layers.base import Layer
from nncore.layers.cost import Cost
from nncore.parameter import Buffer, Parameter


class BatchNorm(Layer):
    """y = γ x̂ + β with x̂ = (x − μ) / √(σ² + ε), a channel (the last axis) at a time.

    In training μ and σ² are the mean and the (biased) variance of the batch over all other axes: N for vectors (N, C),
    N·H·W for images (N, H, W, C). `running_mean` and `running_var` follow them: r ← (1 − m) r + m · batch, with the
    unbiased variance, as in PyTorch. In use, μ and σ² are the running ones. `weight` is γ (C), `bias` is β (C).

    Backward in training, with M values a channel and g = dL/dy:
    dL/dγ = Σ g x̂,  dL/dβ = Σ g,  dL/dx = γ / √(σ² + ε) · (g − dL/dβ / M − x̂ · dL/dγ / M).
    Ioffe and Szegedy 2015, arXiv 1502.03167. Raises DataError for one value a channel in training: it has no variance.
    """

    kind = "norm"
    settings = ("momentum", "eps")

    def __init__(self, *surplus: Never, momentum: float = 0.1, eps: float = 1e-5) -> None:
        refuse_positional(surplus, "BatchNorm", "no setting without its name", "BatchNorm(momentum=0.1)")
        self.momentum = real_number(momentum, "Batch norm's momentum", "between 0 and 1", lambda number: 0 <= number <= 1)
        self.eps = positive_number(eps, "Batch norm's eps")

    def infer_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) not in (1, 3):
            raise self.misfit("vectors, or images of height×width×channels", input_shape)
        return input_shape

    def cost(self, input_shape: Shape) -> Cost:
        size = math.prod(self.infer_shape(input_shape))
        return Cost(2 * input_shape[-1], 2 * size, 2 * size)

    def _build(self, rng: np.random.Generator) -> None:
        channels = self.input_shape[-1]
        self.weight = Parameter(np.ones(channels, np.float32))
        self.bias = Parameter(np.zeros(channels, np.float32))
        self.running_mean = Buffer(np.zeros(channels, np.float32))
        self.running_var = Buffer(np.ones(channels, np.float32), least=0.0)

    def forward(self, x: Array) -> Array:
        axes = tuple(range(x.ndim - 1))
        if self.training:
            count = x.size // x.shape[-1]
            if count < 2:
                raise DataError(f"{self.name or self.kind} needs at least two values a channel to train on, but got {count}.")
            mean, variance = x.mean(axis=axes), x.var(axis=axes)
            for buffer, value in ((self.running_mean, mean), (self.running_var, variance * (count / (count - 1)))):
                buffer.data[...] = (1 - self.momentum) * buffer.data + self.momentum * value
        else:
            mean, variance = self.running_mean.data, self.running_var.data
        self._inverse = 1 / array_module(x).sqrt(variance + self.eps)
        self._normal = (x - mean) * self._inverse
        return self.weight.data * self._normal + self.bias.data

    def backward(self, grad: Array) -> Array:
        axes = tuple(range(grad.ndim - 1))
        self.weight.grad = (grad * self._normal).sum(axis=axes)
        self.bias.grad = grad.sum(axis=axes)
        if self.training:
            count = grad.size // grad.shape[-1]
            grad = grad - self.bias.grad / count - self._normal * (self.weight.grad / count)
        return grad * (self.weight.data * self._inverse)

    def describe(self) -> str:
        return "batch norm"
