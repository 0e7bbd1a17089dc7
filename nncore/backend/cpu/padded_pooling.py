"""Pooling of images with a padding, whose windows are cut off at the edges, and the mean of whole images.

Memory and images as in elementwise.py; y has rows × cols pixels of C channels, x has x_rows × x_cols. Windows are kh × kw, lie sh
and sw apart, and begin ph rows above and pw columns to the left of x.
"""

from __future__ import annotations

from numba import float32

from nncore.backend.cpu.compiling import operation, part
from nncore.backend.cpu.memory import get, put
from nncore.backend.cpu.views import Image


@part
def _span(place, stride, size, pad, inputs):
    """Along one side, the first place of x that a window sees, and the one behind its last."""
    first = place * stride - pad
    return max(first, 0), min(first + size, inputs)


@operation
def padded_max_pool2d(m, count, x: Image, y: Image, rows, cols, C, x_rows, x_cols, kh, kw, sh, sw, ph, pw):
    """y = the largest value of each window; what is not a number passes through."""
    for n in range(count):
        for i in range(rows):
            top, bottom = _span(i, sh, kh, ph, x_rows)
            for j in range(cols):
                left, right = _span(j, sw, kw, pw, x_cols)
                at, to = x.at + n * x.pitch, y.at + n * y.pitch + i * y.row + j * C
                for c in range(C):
                    put(m, to + c, get(m, at + top * x.row + left * C + c))
                for k in range(top, bottom):
                    for l in range(left, right):
                        for c in range(C):
                            value, best = get(m, at + k * x.row + l * C + c), get(m, to + c)
                            put(m, to + c, value if value > best or value != value else best)


@operation
def padded_max_pool2d_back(
    m, count, x: Image, y: Image, g: Image, gx: Image, rows, cols, C, x_rows, x_cols, kh, kw, sh, sw, ph, pw
):
    """gx, zero before, gets each window's gradient at the first of its values that is the largest."""
    for n in range(count):
        for i in range(rows):
            top, bottom = _span(i, sh, kh, ph, x_rows)
            for j in range(cols):
                left, right = _span(j, sw, kw, pw, x_cols)
                at, to = x.at + n * x.pitch, gx.at + n * gx.pitch
                best, grad = y.at + n * y.pitch + i * y.row + j * C, g.at + n * g.pitch + i * g.row + j * C
                for c in range(C):
                    is_open = True
                    for k in range(top, bottom):
                        for l in range(left, right):
                            if is_open and get(m, at + k * x.row + l * C + c) == get(m, best + c):
                                place = to + k * gx.row + l * C + c
                                put(m, place, get(m, place) + get(m, grad + c))
                                is_open = False


@operation
def padded_avg_pool2d(m, count, x: Image, y: Image, rows, cols, C, x_rows, x_cols, kh, kw, sh, sw, ph, pw):
    """y = the mean of each window, zeros of the padding among its values."""
    share = float32(1 / (kh * kw))
    for n in range(count):
        for i in range(rows):
            top, bottom = _span(i, sh, kh, ph, x_rows)
            for j in range(cols):
                left, right = _span(j, sw, kw, pw, x_cols)
                at, to = x.at + n * x.pitch, y.at + n * y.pitch + i * y.row + j * C
                for c in range(C):
                    total = float32(0)
                    for k in range(top, bottom):
                        for l in range(left, right):
                            total += get(m, at + k * x.row + l * C + c)
                    put(m, to + c, total * share)


@operation
def padded_avg_pool2d_back(m, count, g: Image, gx: Image, rows, cols, C, x_rows, x_cols, kh, kw, sh, sw, ph, pw):
    """gx, zero before, gets an equal share of each window's gradient."""
    share = float32(1 / (kh * kw))
    for n in range(count):
        for i in range(rows):
            top, bottom = _span(i, sh, kh, ph, x_rows)
            for j in range(cols):
                left, right = _span(j, sw, kw, pw, x_cols)
                at, to = g.at + n * g.pitch + i * g.row + j * C, gx.at + n * gx.pitch
                for k in range(top, bottom):
                    for l in range(left, right):
                        for c in range(C):
                            place = to + k * gx.row + l * C + c
                            put(m, place, get(m, place) + share * get(m, at + c))


@operation
def global_avg_pool2d(m, count, x: Image, y: Image, x_rows, x_cols, C):
    """y = the mean of each channel."""
    share = float32(1 / (x_rows * x_cols))
    for n in range(count):
        to = y.at + n * y.pitch
        for c in range(C):
            put(m, to + c, float32(0))
        for i in range(x_rows):
            for j in range(x_cols):
                at = x.at + n * x.pitch + i * x.row + j * C
                for c in range(C):
                    put(m, to + c, get(m, to + c) + get(m, at + c))
        for c in range(C):
            put(m, to + c, get(m, to + c) * share)


@operation
def global_avg_pool2d_back(m, count, g: Image, gx: Image, x_rows, x_cols, C):
    """gx = an equal share of each channel's gradient."""
    share = float32(1 / (x_rows * x_cols))
    for n in range(count):
        at = g.at + n * g.pitch
        for i in range(x_rows):
            for j in range(x_cols):
                to = gx.at + n * gx.pitch + i * gx.row + j * C
                for c in range(C):
                    put(m, to + c, share * get(m, at + c))
