"""Trials of every operation of the contract, for any sizes. Numbers are small whole ones wherever that makes all sums exact."""

from __future__ import annotations

import math

import numpy as np
from trial import Recording, Trial

from nncore.arrays import Array
from nncore.backend.contract import Constant, IntPair, Moved, Rule, Window
from nncore.layers import Dropout
from nncore.losses import LOSSES, softmax
from nncore.optimizers import SGD, Adam, AdamW

Images = tuple[int, int, int]
"""rows, cols, channels"""


def whole_numbers(*shape: int, seed: int = 0, top: int = 3) -> Array:
    """Whole numbers from −top to top: many are equal, and their sums are exact."""
    return np.random.default_rng(seed).integers(-top, top, shape, endpoint=True).astype(np.float32)


def real_numbers(*shape: int, seed: int = 0, scale: float = 1.0) -> Array:
    return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def output_size(x: Images, window: Window, padding: IntPair = (0, 0)) -> IntPair:
    """Rows and cols of what a convolution or a pool makes of x."""
    rows, cols = (
        (size + 2 * pad - kernel) // stride + 1
        for size, pad, kernel, stride in zip(x, padding, window.size, window.stride, strict=False)
    )
    return rows, cols


def weights_of(*shape: int) -> dict[str, Array]:
    return {"weight": whole_numbers(*shape, seed=1, top=2), "bias": whole_numbers(shape[-1], seed=2)}


def take(x: Images, as_bytes: bool, padding: IntPair = (0, 0), count: int = 3) -> Trial:
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(9, *x), dtype=np.uint8) if as_bytes else real_numbers(9, *x)
    build = lambda recording: recording.record.take(recording.wanted(x, padding))  # noqa: E731
    return Trial(build, count=count, images=images, indices=rng.integers(9, size=count), labels=np.zeros(9, np.int64))


def linear(inputs: int, outputs: int, relu: bool = False, count: int = 2) -> Trial:
    def build(recording: Recording) -> None:
        x = recording.given(whole_numbers(count, 1, 1, inputs))
        recording.record.linear(x, recording.weights, recording.wanted((1, 1, outputs)), relu)

    return Trial(build, weights_of(inputs, outputs), count)


def linear_backward(inputs: int, outputs: int, relu: bool = False, with_input: bool = True, count: int = 2) -> Trial:
    def build(recording: Recording) -> None:
        x, y, grad = (
            recording.given(whole_numbers(count, 1, 1, size, seed=seed)) for seed, size in ((3, inputs), (4, outputs), (5, outputs))
        )
        grad_x = recording.wanted((1, 1, inputs)) if with_input else None
        recording.record.linear_backward(x, recording.weights, y, relu, grad, grad_x)
        recording.record.sum_gradients()

    return Trial(build, weights_of(inputs, outputs), count)


def conv(x: Images, outputs: int, window: Window, padding: IntPair = (0, 0), relu: bool = False, count: int = 2) -> Trial:
    def build(recording: Recording) -> None:
        given = recording.given(whole_numbers(count, *x), padding)
        y = recording.wanted((*output_size(x, window, padding), outputs), (2, 1))
        recording.record.conv2d(given, recording.weights, window, y, relu)

    return Trial(build, weights_of(*window.size, x[2], outputs), count)


def conv_backward(
    x: Images, outputs: int, window: Window, padding: IntPair = (0, 0), relu: bool = False, with_input: bool = True, count: int = 2
) -> Trial:
    def build(recording: Recording) -> None:
        of_y = (count, *output_size(x, window, padding), outputs)
        given = recording.given(whole_numbers(count, *x), padding)
        y, grad = recording.given(whole_numbers(*of_y, seed=4), (1, 2)), recording.given(whole_numbers(*of_y, seed=5), (1, 2))
        grad_x = recording.wanted(x, padding) if with_input else None
        recording.record.conv2d_backward(given, recording.weights, window, y, relu, grad, grad_x)
        recording.record.sum_gradients()

    return Trial(build, weights_of(*window.size, x[2], outputs), count)


def conv_pool(
    x: Images,
    outputs: int,
    window: Window,
    padding: IntPair = (0, 0),
    relu: bool = False,
    backward: bool = True,
    with_input: bool = True,
    count: int = 2,
    values: Array | None = None,
) -> Trial:
    def build(recording: Recording) -> None:
        rows, cols = output_size(x, window, padding)
        pooled = (rows // 2, cols // 2, outputs)
        given = recording.given(whole_numbers(count, *x) if values is None else values, padding)
        winners = recording.record.conv2d_max_pool(given, recording.weights, window, recording.wanted(pooled, (1, 2)), relu)
        if backward:
            grad = recording.given(whole_numbers(count, *pooled, seed=5), (1, 2))
            grad_x = recording.wanted(x, padding) if with_input else None
            recording.record.conv2d_max_pool_backward(given, recording.weights, window, winners, grad, grad_x)
            recording.record.sum_gradients()

    return Trial(build, weights_of(*window.size, x[2], outputs), count)


def activation(name: str, x: Images, padding: IntPair = (0, 0), count: int = 2, values: Array | None = None) -> Trial:
    def build(recording: Recording) -> None:
        given = recording.given(real_numbers(count, *x, scale=3) if values is None else values, (1, 0))
        recording.record.activation(name, given, recording.wanted(x, padding))

    return Trial(build, count=count, tolerance=0 if name == "relu" else 1e-6)


def activation_backward(name: str, x: Images, in_place: bool = False, count: int = 2) -> Trial:
    def build(recording: Recording) -> None:
        y = recording.given(real_numbers(count, *x), (0, 1))
        grad = recording.given(real_numbers(count, *x, seed=1), (1, 1))
        grad_x = grad if in_place else recording.wanted(x, (2, 0))
        recording.record.activation_backward(name, y, grad, grad_x)
        if in_place:
            recording.outputs.append(grad)

    return Trial(build, count=count, tolerance=0 if name == "relu" else 1e-6)


def max_pool(x: Images, window: Window, backward: bool = True, count: int = 2, values: Array | None = None) -> Trial:
    def build(recording: Recording) -> None:
        pooled = (*output_size(x, window), x[2])
        given = recording.given(whole_numbers(count, *x) if values is None else values, (1, 0))
        winners = recording.record.max_pool2d(given, window, recording.wanted(pooled, (0, 1)))
        if backward:
            grad = recording.given(whole_numbers(count, *pooled, seed=5), (0, 1))
            recording.record.max_pool2d_backward(window, winners, grad, recording.wanted(x, (1, 0)))

    return Trial(build, count=count)


def avg_pool(x: Images, window: Window, count: int = 2) -> Trial:
    def build(recording: Recording) -> None:
        pooled = (*output_size(x, window), x[2])
        recording.record.avg_pool2d(recording.given(whole_numbers(count, *x), (1, 0)), window, recording.wanted(pooled, (0, 1)))
        grad = recording.given(whole_numbers(count, *pooled, seed=5), (0, 1))
        recording.record.avg_pool2d_backward(window, grad, recording.wanted(x, (1, 0)))

    return Trial(build, count=count, tolerance=1e-6)


def batch_norm(
    x: Images, relu: bool = False, training: bool = True, with_input: bool = True, count: int = 7, offset: float = 0.0
) -> Trial:
    channels = x[2]

    def build(recording: Recording) -> None:
        given = recording.given(real_numbers(count, *x, scale=2) + whole_numbers(channels, seed=6) + np.float32(offset), (1, 0))
        y = recording.wanted(x, (0, 1))
        running, weights = recording.parts["running_mean"].start, recording.weights
        kept = recording.record.batch_norm(given, weights, running, 0.3, 1e-3, y, relu, training)
        if training:
            grad_x = recording.wanted(x, (1, 0)) if with_input else None
            grad = recording.given(real_numbers(count, *x, seed=1), (0, 1))
            recording.record.batch_norm_backward(given, weights, kept, y, relu, grad, grad_x)
            recording.record.sum_gradients()

    numbers = {
        "weight": real_numbers(channels, seed=7) + 2,
        "bias": real_numbers(channels, seed=8),
        "running_mean": real_numbers(channels, seed=9),
        "running_var": np.abs(real_numbers(channels, seed=10)) + 0.5,
    }
    return Trial(build, numbers, count, tolerance=2e-5)


def dropout(x: Images, p: float, count: int = 5) -> Trial:
    layers = [Dropout(p), Dropout(p)]
    for layer in layers:
        layer.build(x, np.random.default_rng(3))
    layers[1].calls = 5

    def build(recording: Recording) -> None:
        given = recording.given(real_numbers(count, *x), (1, 0))
        recording.record.dropout(given, p, recording.wanted(x, (0, 1)), layers[0])
        recording.record.dropout(given, p, recording.wanted(x, (0, 1)), layers[1])
        grad = recording.given(real_numbers(count, *x, seed=1), (0, 1))
        recording.record.dropout_backward(p, grad, recording.wanted(x, (1, 0)), layers[1])

    return Trial(build, count=count, tolerance=3e-7)


def loss(name: str, classes: int, constants: tuple[Constant, ...] | None = None, count: int = 7) -> Trial:
    """`constants` None: those that the loss has unless told otherwise."""
    if constants is None:
        constants = LOSSES[name]().constants if name in LOSSES else ()

    def build(recording: Recording) -> None:
        values = real_numbers(count, 1, 1, classes, scale=2)
        if name == "probability":
            values = np.abs(values) / (1 + np.abs(values).sum(axis=-1, keepdims=True))
            values[:, ..., 0] = 0  # the logarithm has a floor
        recording.record.loss(name, constants, recording.given(values), recording.wanted((1, 1, classes)))

    rng = np.random.default_rng(1)
    size = max(20, count)
    images, indices = np.zeros((size, 1), np.float32), rng.permutation(size)[:count]
    labels = rng.integers(classes, size=size)
    if "soft_target" in name:
        labels = softmax(real_numbers(size, classes, seed=2, scale=2))
    return Trial(build, count=count, images=images, indices=indices, labels=labels, tolerance=1e-6)


MOVES = {
    "sgd": SGD({}, 0.1).move,
    "momentum": SGD({}, 0.1, 0.9).move,
    "nesterov": SGD({}, 0.1, 0.9, nesterov=True).move,
    "adam": Adam({}).move,
    "adamw": AdamW({}).move,
}
"""The optimizers' own formulas, by their rule."""


def update(name: str, rates: tuple[float, ...], decay: float, inputs: int = 5, outputs: int = 3, lr_mult: float = 1.0) -> Trial:
    """The gradient of a linear layer, then a step by it: of the weight with decay and `lr_mult`, of the bias without."""

    def build(recording: Recording) -> None:
        x, y = recording.given(real_numbers(7, 1, 1, inputs)), recording.given(real_numbers(7, 1, 1, outputs))
        grad = recording.given(real_numbers(7, 1, 1, outputs, seed=5))
        recording.record.linear_backward(x, recording.weights, y, False, grad, None)
        recording.record.sum_gradients()
        weight, bias = recording.parts["weight"], recording.parts["bias"]
        parts = [Moved(weight.start, weight.end, decay, lr_mult), Moved(bias.start, bias.end)]
        recording.record.update(Rule(name, parts, MOVES[name]))

    moments = {"sgd": 0, "momentum": 1, "nesterov": 1, "adam": 2, "adamw": 2}[name]
    shape = (inputs, outputs)
    parameters = {"weight": real_numbers(*shape, seed=1), "bias": real_numbers(outputs, seed=2)}
    return Trial(build, parameters, count=7, moments=moments, rates=rates, tolerance=1e-6)


def clip(max_norm: float, inputs: int = 5, outputs: int = 3, values: Array | None = None) -> Trial:
    """The gradient of a linear layer (of its weight `values`, where given), made no longer than `max_norm`, and a step by it."""

    def build(recording: Recording) -> None:
        x = recording.given(real_numbers(7, 1, 1, inputs) if values is None else values)
        grad = recording.given(real_numbers(7, 1, 1, outputs, seed=5))
        recording.record.linear_backward(x, recording.weights, grad, False, grad, None)
        recording.record.sum_gradients()
        recording.record.clip_gradients(max_norm)
        weight, bias = recording.parts["weight"], recording.parts["bias"]
        recording.record.update(Rule("sgd", [Moved(part.start, part.end) for part in (weight, bias)], MOVES["sgd"]))

    parameters = {"weight": np.zeros((inputs, outputs)), "bias": np.zeros(outputs)}
    return Trial(build, parameters, count=7, rates=(1.0,), tolerance=1e-6)


def freeze(what: str, inputs: int = 33, outputs: int = 17) -> Trial:
    """The gradient of a linear layer, the weight or the bias frozen, clipped, and a step by Adam from averages in mid training."""

    def build(recording: Recording) -> None:
        x, grad = recording.given(real_numbers(7, 1, 1, inputs)), recording.given(real_numbers(7, 1, 1, outputs, seed=5))
        recording.record.linear_backward(x, recording.weights, grad, False, grad, None)
        recording.record.sum_gradients()
        frozen = recording.parts[what]
        recording.record.freeze([(frozen.start, frozen.end)])
        recording.record.clip_gradients(0.5)
        parts = [Moved(part.start, part.end) for name, part in recording.parts.items() if name != what]
        recording.record.update(Rule("adam", parts, MOVES["adam"]))

    parameters = {"weight": real_numbers(inputs, outputs, seed=1), "bias": real_numbers(outputs, seed=2)}
    return Trial(build, parameters, count=7, moments=2, rates=adam_rates(0.1, 0.9, 0.999, 1e-8, 3), tolerance=1e-6)


def square(size: int, stride: int = 1) -> Window:
    return Window((size, size), (stride, stride))


def adam_rates(lr: float, beta: float, beta2: float, eps: float, step: int) -> tuple[float, ...]:
    """As contract.Batches takes them; see nncore/optimizers.py."""
    unbias = 1 / (1 - math.pow(beta2, step))
    return lr / (1 - math.pow(beta, step)), beta, beta2, eps, 1 - beta, 1 - beta2, unbias


def adamw_rates(lr: float, beta: float, beta2: float, eps: float, step: int) -> tuple[float, ...]:
    """The same for AdamW."""
    return lr, *adam_rates(lr, beta, beta2, eps, step)[1:], 1 / (1 - math.pow(beta, step))
