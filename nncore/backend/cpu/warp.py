"""The compiled variation of images: nncore/data/augment.py has the formula, this does the same pixel by pixel without the GIL."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numba import float32, int64

from nncore.arrays import Array
from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import entry, kernel, part
from nncore.backend.cpu.memory import get, get_byte, get_int, put, put_byte
from nncore.backend.cpu.vectors import LANES
from nncore.backend.threads import cores
from nncore.backend.variations import KNOTS, NOISE, Variations

GRID = 2 * KNOTS
"""Floats of a row of the elastic warp's random vectors."""
VECTORS = GRID // LANES
TERMS = KNOTS + 2
"""Functions of the column that a place is the sum of."""
WORTH_A_THREAD = 256
"""Images from which on another thread pays: some two milliseconds of work."""


@part
def _clamped(value, most):
    return min(max(value, float32(0)), most)  # no branch: which way it goes is as good as random


@kernel
def _thicken(source, m, rows, cols, C, t):
    """m = (1 − |t|) x + |t| · the largest (t > 0) or smallest of each pixel of x and its four neighbours."""
    share = abs(t)
    for i in range(rows):
        up, down = -min(i, 1) * cols * C, min(rows - 1 - i, 1) * cols * C
        for j in range(cols):
            left, right = -min(j, 1) * C, min(cols - 1 - j, 1) * C
            for c in range(C):
                at = (i * cols + j) * C + c
                x = get_byte(source, at)
                if t > float32(0):
                    best = max(max(get_byte(source, at + up), get_byte(source, at + down)), x)
                    best = max(max(get_byte(source, at + left), get_byte(source, at + right)), best)
                else:
                    best = min(min(get_byte(source, at + up), get_byte(source, at + down)), x)
                    best = min(min(get_byte(source, at + left), get_byte(source, at + right)), best)
                put(m, at, float32(x) + share * float32(best - x))


@kernel
def _take(source, m, size):
    """m = x."""
    for at in range(size):
        put(m, at, float32(get_byte(source, at)))


@kernel
def _place_row(m, to, linear, shift, control, i, rows, cols, by_row, by_column, wide):
    """Where the pixels of row i look: x at m[to :], y at m[to + wide :], each a sum of TERMS functions of the column."""
    factors = to + 2 * wide
    pulls = simd.zeros(1, VECTORS)
    for k in range(KNOTS):
        pulls = simd.outer(pulls, by_row, i * KNOTS + k, (0,), control, k * GRID)
    simd.store(pulls, m, factors, (0,))
    down = float32(i) - float32(rows - 1) * float32(0.5)
    put(m, factors + GRID, get(linear, 0))
    put(m, factors + GRID + 1, get(linear, 2))
    put(m, factors + GRID + 2, get(linear, 1) * down + get(shift, 0) + float32(cols - 1) * float32(0.5))
    put(m, factors + GRID + 3, get(linear, 3) * down + get(shift, 1) + float32(rows - 1) * float32(0.5))
    for j in range(0, wide, LANES):
        places = simd.zeros(2, 1)
        for l in range(TERMS):
            places = simd.outer(places, m, factors + 2 * l, (0, 1), by_column, l * wide + j)
        simd.store(places, m, to + j, (0, wide))


@kernel
def _sample_row(m, x, y, noise, table, first, out, i, rows, cols, C):
    """Row i of the variation, read from the image in m between its pixels; the image's noise begins at table[first]."""
    most_x, most_y = float32(cols - 1), float32(rows - 1)
    for j in range(cols):
        u, v = _clamped(get(m, x + j), most_x), _clamped(get(m, y + j), most_y)
        left, top = min(int64(u), max(cols - 2, 0)), min(int64(v), max(rows - 2, 0))
        across, down = u - float32(left), v - float32(top)
        right, below = C * min(1, cols - 1 - left), cols * C * min(1, rows - 1 - top)
        for c in range(C):
            at, to = (top * cols + left) * C + c, (i * cols + j) * C + c
            above = get(m, at) + across * (get(m, at + right) - get(m, at))
            under = get(m, at + below) + across * (get(m, at + below + right) - get(m, at + below))
            value = above + down * (under - above) + noise * get(table, (first + to) & (NOISE - 1))
            put_byte(out, to, int64(_clamped(value, float32(255)) + float32(0.5)))


@entry(f"void({', '.join(['int64'] * 17)})")
def _vary(images, out, linear, shift, control, thickness, noise, noise_from, table, by_row, by_column, m, count, rows,
          cols, C, wide):  # fmt: skip
    size = rows * cols * C
    place = size
    for n in range(count):
        source, t = images + n * size, get(thickness, n)
        if t != float32(0):
            _thicken(source, m, rows, cols, C, t)
        else:
            _take(source, m, size)
        for i in range(rows):
            _place_row(m, place, linear + 16 * n, shift + 8 * n, control + 4 * KNOTS * GRID * n, i, rows, cols, by_row, by_column,
                       wide)  # fmt: skip
            _sample_row(m, place, place + wide, get(noise, n), table, get_int(noise_from, n), out + n * size, i, rows, cols, C)


def vary_quickly(images: Array, variations: Variations, by_row: Array, by_column: Array, table: Array) -> Array:
    """A variation of each image: uint8 (N, height, width, channels) in and out; many images are shared out among the cores.

    As nncore.data.augment.vary to the last bits of a float. `by_row` and `by_column` are the splines of the two sides,
    float32 (side, KNOTS); `table` is the noise, float32 (NOISE).
    """
    images, v = np.ascontiguousarray(images), variations.of(slice(len(images)))
    if images.ndim != 4 or images.dtype != np.uint8 or any(len(array) != len(images) for array in vars(v).values()):
        raise ValueError("variations of uint8 images (N, height, width, channels) need as many rows as there are images")
    count, rows, cols, channels = images.shape
    wide = -(-cols // LANES) * LANES
    # A place is a sum of functions of the column: the splines, the column itself, and one.
    terms = np.zeros((TERMS, wide), np.float32)
    terms[:KNOTS, :cols] = by_column.T
    terms[KNOTS, :cols] = np.arange(cols) - (cols - 1) / 2
    terms[KNOTS + 1] = 1
    out = np.empty_like(images)
    of_each = (images, out, v.linear, v.shift, v.control, v.thickness, v.noise, v.noise_from)
    of_all = (table, by_row, terms)

    def run(part: slice) -> None:
        memory = np.empty(rows * cols * channels + 2 * wide + 2 * TERMS, np.float32)
        arrays = (*(array[part] for array in of_each), *of_all, memory)
        _vary(*[*(array.ctypes.data for array in arrays), part.stop - part.start, rows, cols, channels, wide])

    parts = max(1, min(cores(), count // WORTH_A_THREAD))
    slices = [slice(count * i // parts, count * (i + 1) // parts) for i in range(parts)]
    if parts == 1:
        run(slices[0])
    else:
        list(_pool().map(run, slices))
    return out


@cache
def _pool() -> ThreadPoolExecutor:
    """The threads, which are started when they are first needed."""
    return ThreadPoolExecutor(cores(), "augmentation")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has the pool, but none of its threads
