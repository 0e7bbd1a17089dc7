"""A map of a few places, laid over the image that it is about."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array


def enlarged(values: Array, size: tuple[int, ...]) -> Array:
    """float32 (rows, columns) as float32 of `size` = (height, width): between the middles of its places bilinear, beyond them flat.

    As PyTorch's `interpolate(mode="bilinear", align_corners=False)`.
    """
    rows, columns = (_weights(few, many) for few, many in zip(values.shape, size, strict=True))
    return (rows @ values @ columns.T).astype(np.float32)


def _weights(few: int, many: int) -> Array:
    """How much of each of `few` values goes into each of `many` values in the same length: float64 (many, few)."""
    at = np.clip((np.arange(many) + 0.5) * few / many - 0.5, 0, few - 1)
    return np.maximum(1 - np.abs(at[:, None] - np.arange(few)), 0)
