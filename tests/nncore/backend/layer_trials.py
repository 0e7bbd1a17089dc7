"""Trials of layers that name their own kernels, for the CPU alone."""

from __future__ import annotations

import numpy as np
from trial import Recording, Trial
from trials import Images, real_numbers, whole_numbers

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


POOLED = (7, 8, 5)
POOLS: list[Layer] = [
    pool(size, stride, padding=padding)
    for pool in (MaxPool2d, AvgPool2d)
    for size, stride, padding in ((3, 2, 1), ((2, 5), (1, 3), (1, 2)), (2, 1, (0, 1)))
]
TRIALS = {
    f"{layer.describe()} of {'×'.join(map(str, shape))}": plain(layer, shape)
    for shape in (VECTOR, IMAGE)
    for layer in (LeakyReLU(), LeakyReLU(0.25), GELU(), GELU("tanh"), SiLU())
} | {f"{layer.describe()}": plain(layer, POOLED, 3, 0 if layer.kind == "pool" else 1e-6) for layer in (*POOLS, GlobalAvgPool2d())}
