"""The reference backend's recorder: every operation is a function that reads and writes plain arrays.

Formulas are those of the layers, in float64; what an operation stores is float32. See nncore/backend/contract.py for what each
method means. There is one replica, so gradients need no summing, and nobody waits at a barrier.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from nncore.arrays import Array, Shape, array_module
from nncore.backend.contract import Constant, IntPair, PlainLayer, Program, RandomSource, Rule, Spread, Tensor, Weights, Window
from nncore.backend.reference.memory import exact, inside, whole
from nncore.backend.reference.program import Operation, ReferenceProgram, Step
from nncore.backend.vector import Vector
from nncore.errors import NotCompilable
from nncore.layers import AvgPool2d, BatchNorm, MaxPool2d
from nncore.layers.activations import ACTIVATIONS, relu_backward
from nncore.layers.activations import relu as positive
from nncore.layers.conv import conv2d, conv2d_backward
from nncore.layers.dropout import kept
from nncore.layers.pooling import Pool
from nncore.losses import LOSSES
from nncore.optimizers import clip_gradients

PIXEL, TWO_BY_TWO = Window((1, 1), (1, 1)), Window((2, 2), (2, 2))


class ReferenceRecorder:
    """Records functions; `finish` makes a program of them."""

    def __init__(self, batch: int, vector: Vector, moments: Sequence[Array]) -> None:
        self.batch, self.vector, self.moments = batch, vector, moments
        self.xp = array_module(vector.values)
        self.gradient = self.xp.zeros(vector.parameters, np.float32)
        self.operations: list[Operation] = []
        self.sections: dict[str, slice] = {}

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        start = len(self.operations)
        yield
        self.sections[name] = slice(start, len(self.operations))

    def barrier(self) -> None:
        """One replica has nobody to wait for."""

    def is_loaded(self) -> bool:
        return True

    def finish(self) -> Program:
        return ReferenceProgram(self.batch, self.operations, self.sections, self.gradient)

    def tensor(self, rows: int, cols: int, channels: int, padding: IntPair = (0, 0)) -> Tensor:
        pitch = Tensor(None, rows, cols, channels, padding).pitch
        return Tensor(self.xp.zeros((self.batch, pitch), np.float32), rows, cols, channels, padding)

    def _values(self, at: int, shape: Shape) -> Array:
        """The view of the network's numbers that begins at `at`."""
        return self.vector.values[at : at + math.prod(shape)].reshape(shape)

    def _gradients(self, at: int, shape: Shape) -> Array:
        """The view of the gradient that begins at `at`; an array of its own for a bias that there is not."""
        if at >= self.vector.parameters:
            return self.xp.zeros(shape, np.float32)
        return self.gradient[at : at + math.prod(shape)].reshape(shape)

    def take(self, y: Tensor) -> None:
        def operation(step: Step) -> None:
            images = step.images.reshape(step.count, y.rows, y.cols, y.channels)
            inside(y, step.count)[...] = images * np.float32(1 / 255) if images.dtype == np.uint8 else images

        self.operations.append(operation)

    def linear(self, x: Tensor, weights: Weights, y: Tensor, relu: bool) -> None:
        """A vector is an image of one pixel, and a linear layer a convolution by a kernel of one pixel."""
        self.conv2d(x, weights, PIXEL, y, relu)

    def linear_backward(self, x: Tensor, weights: Weights, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None) -> None:
        self.conv2d_backward(x, weights, PIXEL, y, relu, grad, grad_x)

    def conv2d(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> None:
        weight = self._values(weights.weight, (*window.size, x.channels, y.channels))
        bias = self._values(weights.bias, (y.channels,))

        def operation(step: Step) -> None:
            values = conv2d(exact(whole(x, step.count)), exact(weight), exact(bias), window.stride)
            inside(y, step.count)[...] = positive(values) if relu else values

        self.operations.append(operation)

    def conv2d_backward(
        self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        shape = (*window.size, x.channels, y.channels)
        weight, grad_weight = self._values(weights.weight, shape), self._gradients(weights.weight, shape)
        grad_bias = self._gradients(weights.bias, (y.channels,))

        def operation(step: Step) -> None:
            of_y, padded = exact(inside(grad, step.count)), exact(whole(x, step.count))
            if relu:
                of_y = relu_backward(inside(y, step.count), of_y)
            of_x, grad_weight[...], grad_bias[...] = conv2d_backward(padded, exact(weight), of_y, window.stride)
            if grad_x is not None:
                whole(grad_x, step.count)[...] = of_x

        self.operations.append(operation)

    def spread_conv2d(self, x: Tensor, weights: Weights, spread: Spread, y: Tensor) -> None:
        weight = self._values(weights.weight, (*spread.size, x.channels // spread.groups, y.channels))
        bias = self._values(weights.bias, (y.channels,))

        def operation(step: Step) -> None:
            seen, more = _seen(whole(x, step.count), x, spread, y), (spread.stride, spread.dilation, spread.groups)
            inside(y, step.count)[...] = conv2d(exact(seen), exact(weight), exact(bias), *more)

        self.operations.append(operation)

    def spread_conv2d_backward(self, x: Tensor, weights: Weights, spread: Spread, grad: Tensor, grad_x: Tensor | None) -> None:
        shape = (*spread.size, x.channels // spread.groups, grad.channels)
        weight, grad_weight = self._values(weights.weight, shape), self._gradients(weights.weight, shape)
        grad_bias = self._gradients(weights.bias, (grad.channels,))

        def operation(step: Step) -> None:
            seen, more = _seen(whole(x, step.count), x, spread, grad), (spread.stride, spread.dilation, spread.groups)
            of_y = exact(inside(grad, step.count))
            of_x, grad_weight[...], grad_bias[...] = conv2d_backward(exact(seen), exact(weight), of_y, *more)
            if grad_x is not None:
                padded = whole(grad_x, step.count)
                padded[...] = 0
                _seen(padded, grad_x, spread, grad)[...] = of_x

        self.operations.append(operation)

    def conv2d_max_pool(self, x: Tensor, weights: Weights, window: Window, y: Tensor, relu: bool) -> Any:
        """The two operations one after the other. Returns the convolution's output, whether ReLU follows it, and the winners."""
        rows, cols = (
            (size + 2 * pad - kernel) // stride + 1
            for size, pad, kernel, stride in zip((x.rows, x.cols), x.padding, window.size, window.stride, strict=True)
        )
        full = self.tensor(rows, cols, y.channels)
        self.conv2d(x, weights, window, full, relu)
        return full, relu, self.max_pool2d(full, TWO_BY_TWO, y)

    def conv2d_max_pool_backward(
        self, x: Tensor, weights: Weights, window: Window, winners: Any, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        full, relu, winners = winners
        grad_full = self.tensor(full.rows, full.cols, full.channels)
        self.max_pool2d_backward(TWO_BY_TWO, winners, grad, grad_full)
        self.conv2d_backward(x, weights, window, full, relu, grad_full, grad_x)

    def activation(self, name: str, x: Tensor, y: Tensor) -> None:
        function = _known(ACTIVATIONS, name, "activation").function

        def operation(step: Step) -> None:
            inside(y, step.count)[...] = function(exact(inside(x, step.count)))

        self.operations.append(operation)

    def activation_backward(self, name: str, y: Tensor, grad: Tensor, grad_x: Tensor) -> None:
        gradient = _known(ACTIVATIONS, name, "activation").gradient

        def operation(step: Step) -> None:
            inside(grad_x, step.count)[...] = gradient(exact(inside(y, step.count)), exact(inside(grad, step.count)))

        self.operations.append(operation)

    def plain(self, layer: PlainLayer, x: Tensor, y: Tensor) -> None:
        def operation(step: Step) -> None:
            values = exact(inside(x, step.count)).reshape(step.count, *layer.input_shape)
            made = copy.copy(layer).forward(values)  # a copy, since a layer keeps what its backward needs
            inside(y, step.count)[...] = made.reshape(step.count, y.rows, y.cols, y.channels)

        self.operations.append(operation)

    def plain_backward(self, layer: PlainLayer, x: Tensor, y: Tensor, grad: Tensor, grad_x: Tensor) -> None:
        def operation(step: Step) -> None:
            mine = copy.copy(layer)
            mine.forward(exact(inside(x, step.count)).reshape(step.count, *layer.input_shape))
            made = mine.backward(exact(inside(grad, step.count)).reshape(step.count, *layer.output_shape))
            inside(grad_x, step.count)[...] = made.reshape(step.count, x.rows, x.cols, x.channels)

        self.operations.append(operation)

    def max_pool2d(self, x: Tensor, window: Window, y: Tensor) -> Any:
        """Returns the layer, which keeps the winners of its last forward."""
        return self._pool(MaxPool2d(window.size, stride=window.stride), x, y)

    def max_pool2d_backward(self, window: Window, winners: Any, grad: Tensor, grad_x: Tensor) -> None:
        self._pool_backward(winners, grad, grad_x)

    def avg_pool2d(self, x: Tensor, window: Window, y: Tensor) -> None:
        self._pool(AvgPool2d(window.size, stride=window.stride), x, y)

    def avg_pool2d_backward(self, window: Window, grad: Tensor, grad_x: Tensor) -> None:
        pool = AvgPool2d(window.size, stride=window.stride)
        pool.build((grad_x.rows, grad_x.cols, grad_x.channels), np.random.default_rng())
        self._pool_backward(pool, grad, grad_x)

    def _pool(self, pool: Pool, x: Tensor, y: Tensor) -> Pool:
        pool.build((x.rows, x.cols, x.channels), np.random.default_rng())

        def operation(step: Step) -> None:
            inside(y, step.count)[...] = pool.forward(exact(inside(x, step.count)))

        self.operations.append(operation)
        return pool

    def _pool_backward(self, pool: Pool, grad: Tensor, grad_x: Tensor) -> None:
        def operation(step: Step) -> None:
            inside(grad_x, step.count)[...] = pool.backward(exact(inside(grad, step.count)))

        self.operations.append(operation)

    def batch_norm(
        self, x: Tensor, weights: Weights, running: int, momentum: float, eps: float, y: Tensor, relu: bool, training: bool
    ) -> Any:
        """Returns the layer, which keeps what its backward needs. Its numbers are views of the network's."""
        shape, layer = (x.channels,), BatchNorm(momentum=momentum, eps=eps)
        layer.build((x.rows, x.cols, x.channels), np.random.default_rng())
        layer.training = training
        layer.weight.data, layer.bias.data = self._values(weights.weight, shape), self._values(weights.bias, shape)
        layer.running_mean.data, layer.running_var.data = self._values(running, (2, x.channels))

        def operation(step: Step) -> None:
            values = layer.forward(exact(inside(x, step.count)))
            inside(y, step.count)[...] = positive(values) if relu else values

        self.operations.append(operation)
        return layer

    def batch_norm_backward(
        self, x: Tensor, weights: Weights, kept: Any, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None
    ) -> None:
        grad_weight, grad_bias = self._gradients(weights.weight, (y.channels,)), self._gradients(weights.bias, (y.channels,))

        def operation(step: Step) -> None:
            of_y = exact(inside(grad, step.count))
            of_x = kept.backward(relu_backward(inside(y, step.count), of_y) if relu else of_y)
            grad_weight[...], grad_bias[...] = kept.weight.grad, kept.bias.grad
            if grad_x is not None:
                inside(grad_x, step.count)[...] = of_x

        self.operations.append(operation)

    def dropout(self, x: Tensor, p: float, y: Tensor, source: RandomSource) -> None:
        def operation(step: Step) -> None:
            values = exact(inside(x, step.count))
            inside(y, step.count)[...] = values * kept(values, source.key(step.number), source.threshold) / (1 - p)

        self.operations.append(operation)

    def dropout_backward(self, p: float, grad: Tensor, grad_x: Tensor, source: RandomSource) -> None:
        self.dropout(grad, p, grad_x, source)

    def loss(self, name: str, constants: Sequence[Constant], scores: Tensor, grad: Tensor) -> None:
        loss = _known(LOSSES, name, "loss")(*constants)

        def operation(step: Step) -> None:
            assert step.labels is not None, "a loss needs labels"
            values = exact(inside(scores, step.count)).reshape(step.count, scores.channels)
            step.loss = loss(values, step.labels)
            labels = step.labels.argmax(axis=1) if loss.takes_rows else step.labels
            step.right = int((values.argmax(axis=1) == labels).sum())
            inside(grad, step.count)[...] = loss.backward().reshape(step.count, 1, 1, scores.channels)

        self.operations.append(operation)

    def sum_gradients(self) -> None:
        """One replica's gradient is that of the whole batch."""

    def freeze(self, places: Sequence[tuple[int, int]]) -> None:
        def operation(step: Step) -> None:
            for start, end in places:
                self.gradient[start:end] = 0

        self.operations.append(operation)

    def clip_gradients(self, max_norm: float) -> None:
        self.operations.append(lambda step: clip_gradients([self.gradient], max_norm))

    def update(self, rule: Rule) -> None:
        def operation(step: Step) -> None:
            rate, *others = step.rates
            for start, end, decay, lr_mult in rule.parts:
                values, part = self.vector.values[start:end], slice(start, end)
                moments = [moment[part] for moment in self.moments]
                rule.move(values, exact(self.gradient[part]), moments, decay, rate * lr_mult, *others)

        self.operations.append(operation)


def _seen(padded: Array, x: Tensor, spread: Spread, y: Tensor) -> Array:
    """What the windows of a convolution reach over, as a view of x and its padding."""
    rows, cols = (
        slice(pad - before, pad - before + stride * (count - 1) + far * (size - 1) + 1)
        for pad, before, stride, count, far, size in zip(
            x.padding, spread.before, spread.stride, (y.rows, y.cols), spread.dilation, spread.size, strict=True
        )
    )
    return padded[:, rows, cols]


def _known(table: dict[str, Any], name: str, what: str) -> Any:
    """What the table holds under `name`. Raises NotCompilable where it holds nothing."""
    if name not in table:
        raise NotCompilable(f"The reference backend has no {what} called {name}; it has {', '.join(table)}.")
    return table[name]
