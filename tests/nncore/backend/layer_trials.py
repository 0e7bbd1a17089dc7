"""Trials of layers that name their own kernels, for the CPU alone."""

from __future__ import annotations

import numpy as np
from trial import Recording, Trial
from trials import Images, real_numbers, weights_of, whole_numbers

from nncore.backend.contract import IntPair, Spread
from nncore.layers import GELU, AvgPool2d, GlobalAvgPool2d, Layer, LeakyReLU, MaxPool2d, SiLU
from nncore.plan.steps import as_image

VECTOR, IMAGE = (1, 1, 33), (4, 5, 3)


def plain(layer: Layer, x: Images, count: int = 2, tolerance: float = 1e-6) -> Trial:
    """The layer forward, and back from the same input. Its numbers are whole ones where no tolerance is given."""
    layer.build(x, np.random.default_rng(0))
    y = as_image(layer.output_shape)

    def build(recording: Recording) -> None:
        values, grads = (real_numbers, real_numbers) if tolerance else (whole_numbers, whole_numbers)
        given, made = recording.given(values(count, *x), (1, 0)), recording.wanted(y, (0, 1))
        recording.record.plain(layer, given, made)
        grad = recording.given(grads(count, *y, seed=5), (2, 1))
        recording.record.plain_backward(layer, given, made, grad, recording.wanted(x, (1, 0)))

    return Trial(build, count=count, tolerance=tolerance)


def spread_conv(x: Images, outputs: int, spread: Spread, padding: IntPair, with_input: bool = True, count: int = 2) -> Trial:
    """A convolution of images with that padding, and its way back."""
    rows, cols = (
        (size + before + pad - far * (kernel - 1) - 1) // stride + 1
        for size, before, pad, far, kernel, stride in zip(
            x, spread.before, padding, spread.dilation, spread.size, spread.stride, strict=False
        )
    )

    def build(recording: Recording) -> None:
        given, made = recording.given(whole_numbers(count, *x), padding), recording.wanted((rows, cols, outputs), (0, 1))
        recording.record.spread_conv2d(given, recording.weights, spread, made)
        grad = recording.given(whole_numbers(count, rows, cols, outputs, seed=5), (2, 1))
        grad_x = recording.wanted(x, padding) if with_input else None
        recording.record.spread_conv2d_backward(given, recording.weights, spread, grad, grad_x)
        recording.record.sum_gradients()

    return Trial(build, weights_of(*spread.size, x[2] // spread.groups, outputs), count)


SPREAD = {
    f"spread conv of {C} to {O} in {groups}, {number}": spread_conv((9, 10, C), O, spread, padding, number != 1)
    for C, O, groups in ((3, 5, 1), (17, 33, 1), (6, 9, 3), (5, 5, 5), (33, 33, 33), (4, 8, 4))
    for number, (spread, padding) in enumerate(
        (
            (Spread((3, 3), (1, 1), (2, 2), groups, (2, 2)), (2, 2)),
            (Spread((2, 3), (2, 1), (1, 3), groups, (0, 1)), (1, 2)),
            (Spread((4, 2), (1, 1), (1, 1), groups, (1, 0)), (2, 1)),
        )
    )
}
POOLED = (7, 8, 5)
POOLS: list[Layer] = [
    pool(size, stride, padding=padding)
    for pool in (MaxPool2d, AvgPool2d)
    for size, stride, padding in ((3, 2, 1), ((2, 5), (1, 3), (1, 2)), (2, 1, (0, 1)))
]
TRIALS = (
    SPREAD
    | {
        f"{layer.describe()} of {'×'.join(map(str, shape))}": plain(layer, shape)
        for shape in (VECTOR, IMAGE)
        for layer in (LeakyReLU(), LeakyReLU(0.25), GELU(), GELU("tanh"), SiLU())
    }
    | {f"{layer.describe()}": plain(layer, POOLED, 3, 0 if layer.kind == "pool" else 1e-6) for layer in (*POOLS, GlobalAvgPool2d())}
)
