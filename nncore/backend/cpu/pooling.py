"""Pooling of windows of any size that no convolution takes along.

Memory and images as in elementwise.py; y has rows × cols pixels of C channels, windows are kh × kw and lie sh and sw apart.
"""

from __future__ import annotations

from numba import float32

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, operation
from nncore.backend.cpu.memory import get, put
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.views import Image


@kernel
def _max_of_window(m, at, row, to, won, C, kh, kw):
    """One window: the largest value of each channel to m[to :], where in the window it stood to m[won :]."""
    whole = C // LANES * LANES
    for c in range(0, whole, LANES):
        best, who = simd.load(m, at + c, (0,), 1), simd.zeros(1, 1)
        for k in range(1, kh * kw):
            value = simd.load(m, at + (k // kw) * row + (k % kw) * C + c, (0,), 1)
            who = simd.if_larger(value, best, simd.splat(float32(k)), who)
            best = simd.if_larger(value, best, value, best)
        simd.store(best, m, to + c, (0,))
        simd.store(who, m, won + c, (0,))
    for c in range(whole, C):
        put(m, to + c, get(m, at + c))
        put(m, won + c, float32(0))
        for k in range(1, kh * kw):
            value = get(m, at + (k // kw) * row + (k % kw) * C + c)
            if value > get(m, to + c) or value != value:  # what is not a number passes through
                put(m, to + c, value)
                put(m, won + c, float32(k))


@operation
def max_pool2d(m, count, x: Image, y: Image, winner, rows, cols, C, kh, kw, sh, sw):
    """y = the largest value of each window; `winner` (count, rows, cols, C) where in the window it stood, as a float."""
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                at, to = x.at + n * x.pitch + i * sh * x.row + j * sw * C, y.at + n * y.pitch + i * y.row + j * C
                _max_of_window(m, at, x.row, to, winner + ((n * rows + i) * cols + j) * C, C, kh, kw)


@operation
def max_pool2d_back(m, count, gx: Image, g: Image, winner, rows, cols, C, kh, kw, sh, sw):
    """gx, zero before, gets each window's gradient at its winner."""
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                at, start = g.at + n * g.pitch + i * g.row + j * C, gx.at + n * gx.pitch + i * sh * gx.row + j * sw * C
                won = winner + ((n * rows + i) * cols + j) * C
                for k in range(kh * kw):
                    to = start + (k // kw) * gx.row + (k % kw) * C
                    for c in range(C):
                        grad, who = get(m, at + c), get(m, won + c)
                        put(m, to + c, get(m, to + c) + (grad if who == float32(k) else float32(0)))


@operation
def avg_pool2d(m, count, x: Image, y: Image, rows, cols, C, kh, kw, sh, sw):
    """y = the mean of each window."""
    share = float32(1 / (kh * kw))
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                at, to = x.at + n * x.pitch + i * sh * x.row + j * sw * C, y.at + n * y.pitch + i * y.row + j * C
                for c in range(C):
                    total = float32(0)
                    for k in range(kh):
                        for l in range(kw):
                            total += get(m, at + k * x.row + l * C + c)
                    put(m, to + c, total * share)


@operation
def avg_pool2d_back(m, count, gx: Image, g: Image, rows, cols, C, kh, kw, sh, sw):
    """gx, zero before, gets an equal share of each window's gradient."""
    share = float32(1 / (kh * kw))
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                at, start = g.at + n * g.pitch + i * g.row + j * C, gx.at + n * gx.pitch + i * sh * gx.row + j * sw * C
                for k in range(kh):
                    for l in range(kw):
                        to = start + k * gx.row + l * C
                        for c in range(C):
                            put(m, to + c, get(m, to + c) + share * get(m, at + c))
