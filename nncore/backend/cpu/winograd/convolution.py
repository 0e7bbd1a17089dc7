"""A convolution by Winograd's filtering: the operations for its weight and for its tiles. See this package's docstring."""

from __future__ import annotations

from numba import float32

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, operation
from nncore.backend.cpu.memory import get, put
from nncore.backend.cpu.products import WIDE
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.views import Image, Tiles
from nncore.backend.cpu.winograd.blocks import products, rounded
from nncore.backend.cpu.winograd.matrices import FORMS, N
from nncore.backend.cpu.winograd.rows_in import input_tiles
from nncore.backend.cpu.winograd.rows_out import output_tiles
from nncore.backend.cpu.winograd.rule import GAP
from nncore.backend.cpu.winograd.transforms import WEIGHT, apply, number


def _weights(form: int):
    r, transform = FORMS[form].r, number(form, WEIGHT)

    @kernel
    def weights(source, w, tap, row, C, O, m, u, scratch):
        """U = G g Gᵀ for every pair of channels: m[u :] as products of blocks.py take it, from taps `tap` apart."""
        position = rounded(O, WIDE) * C + GAP
        for c in range(C):
            for o in range(0, O, LANES):
                at, to = w + c * row + o, u + (o // WIDE * C + c) * WIDE + o % WIDE
                for j in range(r):
                    column = apply(simd.load(source, at + j * tap, simd.multiples(r * tap, r), 1), transform)
                    simd.store(column, m, scratch + j * N * LANES, simd.multiples(LANES, N))
                for i in range(N):
                    line = apply(simd.load(m, scratch + i * LANES, simd.multiples(N * LANES, r), 1), transform)
                    simd.store(line, m, to + i * N * position, simd.multiples(position, N))

    return weights


_w3, _w5 = map(_weights, range(len(FORMS)))


@operation
def winograd_weights(m, theta, form, turned, w, tap, row, C, O, with_bias, b, u, bias, scratch):
    """m[u :] = the weight, transformed; m[bias :] (O) = the bias, or zeros where there is none.

    The weight, r×r taps, C inputs, O outputs, lies in theta or, where `turned`, in m: w + (i · r + j) · tap + c · row + o. For the
    input's gradient outputs and inputs have been exchanged, and `tap` is negative, from the last tap on.
    """
    source = m if turned else theta
    if form == 0:
        _w3(source, w, tap, row, C, O, m, u, scratch)
    else:
        _w5(source, w, tap, row, C, O, m, u, scratch)
    for o in range(O):
        put(m, bias + o, get(theta, b + o) if with_bias else float32(0))


@operation
def winograd_conv2d(
    m, count, form, side, x: Image, x_rows, x_cols, top, left, C, zeros, y: Image, rows, cols, O, relu, pool, winner, u, bias,
    block, v: Tiles, out: Tiles, scratch,
):  # fmt: skip
    """y (rows, cols, O) = the convolution of x by the weight in u, plus bias, with ReLU where `relu`; or, where `pool`, the
    largest of each 2×2 of its values, with the winners (count, rows · cols, O) in bytes, as conv2d_max_pool.

    A tile has side × side outputs of the convolution. Above and left of x there are `top` rows and `left` columns of zeros. A
    block has `block` rows of tiles; v and out have room for it before and after the products.
    """
    across = side // 2 if pool else side
    tile_rows, tiles = (rows + across - 1) // across, (cols + across - 1) // across
    all_rows = count * tile_rows
    for first in range(0, all_rows, block):
        end = min(first + block, all_rows)
        for i in range(first, end):
            n, row = i // tile_rows, i % tile_rows
            input_tiles(
                m, x.at + n * x.pitch, x.row, row * side - top, x_rows, -left, x_cols, C, zeros, tiles, side,
                v.at + (i - first) * tiles * v.pitch, v.step, v.pitch, scratch,
            )  # fmt: skip
        next_x = x.at + end // tile_rows * x.pitch + end % tile_rows * side * x.row
        this_y = y.at + first // tile_rows * y.pitch + first % tile_rows * across * y.row
        x_count, y_count = min(block, all_rows - end) * side * x.row, (end - first) * across * y.row
        products(
            m, v.at, v.step, v.pitch, C, u, out.at, out.step, out.pitch, O, (end - first) * tiles, next_x, x_count, this_y, y_count
        )
        for i in range(first, end):
            n, row = i // tile_rows, i % tile_rows * across
            output_tiles(
                m, form, out.at + (i - first) * tiles * out.pitch, out.step, out.pitch, tiles, bias, relu != 0, pool != 0,
                y.at + n * y.pitch + row * y.row, y.row, winner + (n * rows + row) * cols * O, rows - row, cols, O, scratch,
            )  # fmt: skip
