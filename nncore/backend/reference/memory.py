"""The memory of tensors: one array a tensor, of which operations take views."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Tensor


def whole(x: Tensor, count: int) -> Array:
    """The first `count` images with their padding: a view (count, rows + 2 · padding, cols + 2 · padding, channels).

    `x.place` is an array (batch, values of an image), so a tensor of another shape may lie in the same memory.
    """
    memory: Array = x.place
    return memory[:count].reshape(count, x.rows + 2 * x.padding[0], x.cols + 2 * x.padding[1], x.channels)


def inside(x: Tensor, count: int) -> Array:
    """The first `count` images without their padding: a view (count, rows, cols, channels)."""
    top, left = x.padding
    return whole(x, count)[:, top : top + x.rows, left : left + x.cols]


def exact(values: Array) -> Array:
    """The values as float64. Operations calculate in float64 and round once, when they store their result as float32."""
    return values.astype(np.float64)
