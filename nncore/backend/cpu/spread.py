"""Convolutions whose kernel is spread over its input: dilated, in groups, or with more zeros on one side than on the other.

An output channel o of group o // Og sees the Cg channels of its group, at kh × kw cells that lie dh rows and dw pixels apart. x is
told from the first cell of its first window on, padding included. As in products.py a tile has 6 pixels of a row and two vectors of
channels; where each channel is a group of its own (depthwise), values are multiplied one by one.
"""

from __future__ import annotations

from numba import float32

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, operation, part
from nncore.backend.cpu.memory import get, put
from nncore.backend.cpu.products import ROWS, WIDE, keep
from nncore.backend.cpu.views import Image


def _forward(rows: int):
    @kernel
    def forward(m, theta, at, row, C, w, b, to, kh, kw, dh, dw, sw, Cg, O, width, work):
        """`rows` pixels next to each other, one block of up to WIDE output channels."""
        seen, places = simd.multiples(sw * C, rows), simd.multiples(O, rows)
        tile = simd.same_rows(theta, b, rows, 2)
        for k in range(kh):
            for l in range(kw):
                cell, weight = at + k * dh * row + l * dw * C, w + (k * kw + l) * Cg * O
                for q in range(Cg):
                    tile = simd.outer(tile, m, cell + q, seen, theta, weight + q * O)
        keep(tile, 2, m, to, places, rows, width, work)

    return forward


_forward_many, _forward_one = _forward(ROWS), _forward(1)


@kernel
def _forward_depthwise(m, theta, at, row, C, w, b, to, kh, kw, dh, dw):
    """One pixel, each channel by itself."""
    for c in range(C):
        put(m, to + c, get(theta, b + c))
    for k in range(kh):
        for l in range(kw):
            cell, weight = at + k * dh * row + l * dw * C, w + (k * kw + l) * C
            for c in range(C):
                put(m, to + c, get(m, to + c) + get(m, cell + c) * get(theta, weight + c))


@operation
def spread_conv2d(m, theta, count, x: Image, y: Image, w, b, rows, cols, C, O, groups, kh, kw, sh, sw, dh, dw, work):
    """y = the convolution of x with weight (kh, kw, Cg, O), plus bias (O)."""
    Cg, Og = C // groups, O // groups
    for n in range(count):
        for i in range(rows):
            at, to = x.at + n * x.pitch + i * sh * x.row, y.at + n * y.pitch + i * y.row
            if Cg == 1 and Og == 1:
                for j in range(cols):
                    _forward_depthwise(m, theta, at + j * sw * C, x.row, C, w, b, to + j * C, kh, kw, dh, dw)
                continue
            for g in range(groups):
                for o in range(g * Og, (g + 1) * Og, WIDE):
                    width, j = min(WIDE, (g + 1) * Og - o), 0
                    while j < cols:
                        first, out = at + j * sw * C + g * Cg, to + j * O + o
                        if j + ROWS <= cols:
                            _forward_many(
                                m, theta, first, x.row, C, w + o, b + o, out, kh, kw, dh, dw, sw, Cg, O, width, work
                            )  # fmt: skip
                            j += ROWS
                        else:
                            _forward_one(
                                m, theta, first, x.row, C, w + o, b + o, out, kh, kw, dh, dw, sw, Cg, O, width, work
                            )  # fmt: skip
                            j += 1


@kernel
def _weights_block(m, x, g, count, rows, cols, C, O, sh, sw, seen, out, inputs, width, work):
    """Σ over images and pixels of x · g, for up to 6 channels of x at one cell of the kernel and a block of channels of g."""
    tile, ones, places = simd.zeros(ROWS, 2), simd.multiples(1, ROWS), simd.multiples(O, ROWS)
    for n in range(count):
        for i in range(rows):
            at, grad = x.at + n * x.pitch + i * sh * x.row + seen, g.at + n * g.pitch + i * g.row
            for j in range(cols):
                tile = simd.outer(tile, m, at + j * sw * C, ones, m, grad + j * O)
    keep(tile, 2, m, out, places, inputs, width, work)


@kernel
def _weights_depthwise(m, x, g, count, rows, cols, C, sh, sw, seen, out):
    """The same for one cell of the kernel, each channel by itself."""
    for c in range(C):
        put(m, out + c, float32(0))
    for n in range(count):
        for i in range(rows):
            at, grad = x.at + n * x.pitch + i * sh * x.row + seen, g.at + n * g.pitch + i * g.row
            for j in range(cols):
                for c in range(C):
                    put(m, out + c, get(m, out + c) + get(m, at + j * sw * C + c) * get(m, grad + j * C + c))


@operation
def spread_conv2d_weight_gradient(
    m, count, x: Image, g: Image, rows, cols, C, O, groups, kh, kw, sh, sw, dh, dw, out, out_bias, work
):  # fmt: skip
    """dL/dweight (kh, kw, Cg, O), and dL/dbias (O)."""
    Cg, Og = C // groups, O // groups
    for k in range(kh):
        for l in range(kw):
            seen, to = k * dh * x.row + l * dw * C, out + (k * kw + l) * Cg * O
            if Cg == 1 and Og == 1:
                _weights_depthwise(m, x, g, count, rows, cols, C, sh, sw, seen, to)
                continue
            for group in range(groups):
                for o in range(group * Og, (group + 1) * Og, WIDE):
                    gn, width = Image(g.at + o, g.pitch, g.row), min(WIDE, (group + 1) * Og - o)
                    for q in range(0, Cg, ROWS):
                        of_x, into = seen + group * Cg + q, to + q * O + o
                        _weights_block(
                            m, x, gn, count, rows, cols, C, O, sh, sw, of_x, into, min(ROWS, Cg - q), width, work
                        )  # fmt: skip
    for o in range(O):
        put(m, out_bias + o, float32(0))
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                at = g.at + n * g.pitch + i * g.row + j * O
                for o in range(O):
                    put(m, out_bias + o, get(m, out_bias + o) + get(m, at + o))


def _inputs(rows: int):
    @kernel
    def inputs(m, grad, to, step, O, Og, turned, width, work):
        """`rows` pixels next to each other, one block of up to WIDE channels of x: gx += Σ over o of g[o] · turned[o]."""
        seen, tile = simd.multiples(O, rows), simd.zeros(rows, 2)
        for o in range(Og):
            tile = simd.outer(tile, m, grad + o, seen, m, turned + o * WIDE)
        simd.store(tile, m, work, simd.multiples(WIDE, rows))
        for r in range(rows):
            for c in range(width):
                put(m, to + r * step + c, get(m, to + r * step + c) + get(m, work + r * WIDE + c))

    return inputs


_inputs_of_many, _inputs_of_one = _inputs(ROWS), _inputs(1)


@part
def _turn(m, theta, weight, O, Og, width, panel):
    """panel (Og, WIDE) = the first `width` rows of a weight whose rows are O apart, turned; zeros behind them."""
    for o in range(Og):
        for c in range(WIDE):
            put(m, panel + o * WIDE + c, get(theta, weight + c * O + o) if c < width else float32(0))


@kernel
def _inputs_depthwise(m, theta, g, x, count, rows, cols, C, sh, sw, seen, weight):
    """One cell of the kernel, each channel by itself."""
    for n in range(count):
        for i in range(rows):
            to, grad = x.at + n * x.pitch + i * sh * x.row + seen, g.at + n * g.pitch + i * g.row
            for j in range(cols):
                for c in range(C):
                    place = to + j * sw * C + c
                    put(m, place, get(m, place) + get(m, grad + j * C + c) * get(theta, weight + c))


@operation
def spread_conv2d_input_gradient(
    m, theta, count, g: Image, w, x: Image, rows, cols, C, O, groups, kh, kw, sh, sw, dh, dw, panel, work
):  # fmt: skip
    """dL/dx, added to x, which is zero before."""
    Cg, Og = C // groups, O // groups
    for k in range(kh):
        for l in range(kw):
            seen, weight = k * dh * x.row + l * dw * C, w + (k * kw + l) * Cg * O
            if Cg == 1 and Og == 1:
                _inputs_depthwise(m, theta, g, x, count, rows, cols, C, sh, sw, seen, weight)
                continue
            for group in range(groups):
                for q in range(0, Cg, WIDE):
                    width = min(WIDE, Cg - q)
                    _turn(m, theta, weight + q * O + group * Og, O, Og, width, panel)
                    for n in range(count):
                        for i in range(rows):
                            to, j = x.at + n * x.pitch + i * sh * x.row + seen + group * Cg + q, 0
                            grad = g.at + n * g.pitch + i * g.row + group * Og
                            while j < cols:
                                if j + ROWS <= cols:
                                    _inputs_of_many(m, grad + j * O, to + j * sw * C, sw * C, O, Og, panel, width, work)
                                    j += ROWS
                                else:
                                    _inputs_of_one(m, grad + j * O, to + j * sw * C, sw * C, O, Og, panel, width, work)
                                    j += 1
