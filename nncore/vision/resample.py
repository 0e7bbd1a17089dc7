"""Changing the size of a picture without jagged edges."""

from __future__ import annotations

from functools import cache

import numpy as np

from nncore.backend import Array


@cache
def _weights(old: int, new: int) -> Array:
    """float32 (new, old): how much each old pixel adds to each new one; a triangle filter as wide as the coarser of the grids."""
    step = old / new
    reach = max(step, 1.0)
    middle = (np.arange(new) + 0.5) * step - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(old)[None, :] - middle[:, None]) / reach)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def resized(picture: Array, size: tuple[int, ...]) -> Array:
    """float32 (rows, columns[, channels]) as float32 of `size` = (rows, columns): smooth when growing, averaged when shrinking."""
    rows, columns = size
    tall = np.tensordot(_weights(picture.shape[0], rows), picture, 1)
    return np.ascontiguousarray(np.moveaxis(np.tensordot(_weights(picture.shape[1], columns), tall, ((1,), (1,))), 0, 1))


def shrunk(picture: Array, longest: int) -> Array:
    """The float32 picture (rows, columns, channels) made smaller, in proportion, until its longer side is at most `longest`."""
    side = max(picture.shape[:2])
    if side <= longest:
        return picture
    # Whole blocks are averaged first, which is fast; the rest is done with care.
    block = side // (2 * longest)
    if block > 1:
        rows, columns = picture.shape[0] // block, picture.shape[1] // block
        if rows and columns:
            picture = picture[: rows * block, : columns * block].reshape(rows, block, columns, block, -1).mean(axis=(1, 3))
            side = max(picture.shape[:2])
    rows, columns = (max(1, round(length * longest / side)) for length in picture.shape[:2])
    return resized(picture, (rows, columns))
