"""The gradient of a convolution's weight, the exact adjoint of Winograd's filtering: dg = Gᵀ [Σ over tiles of V ⊙ (A dY Aᵀ)] G."""

from __future__ import annotations

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, operation
from nncore.backend.cpu.products import WIDE
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.views import Image, Tiles
from nncore.backend.cpu.winograd.blocks import fetch, rounded
from nncore.backend.cpu.winograd.matrices import FORMS, POSITIONS, N
from nncore.backend.cpu.winograd.rows_in import gradient_tiles, input_tiles
from nncore.backend.cpu.winograd.rule import GAP, SUMS
from nncore.backend.cpu.winograd.transforms import WEIGHT_BACK, apply, number, store_within


def _sums(rows: int, cols: int):
    @kernel
    def sums(m, v, v_pitch, C, g, g_pitch, tiles, out, more):
        """m[out :] (C, WIDE) = Σ over tiles t of v[t]ᵀ · g[t], for one position and block of columns; added where `more`."""
        inputs, to = simd.multiples(1, rows), simd.multiples(WIDE, rows)
        for c in range(0, C, rows):
            tile = simd.load(m, out + c * WIDE, to, cols) if more else simd.zeros(rows, cols)
            for t in range(tiles):
                tile = simd.outer(tile, m, v + t * v_pitch + c, inputs, m, g + t * g_pitch)
            simd.store(tile, m, out + c * WIDE, to)

    return sums


_sums_wide, _sums_tall = _sums(SUMS // 2, 2), _sums(SUMS, 1)


def _weights_back(form: int):
    r, transform = FORMS[form].r, number(form, WEIGHT_BACK)

    @kernel
    def weights_back(m, u, room, C, O, out, scratch):
        """m[out :] (r, r, C, O) = Gᵀ dU G, from m[u :], where dU[s] lies in panels (room, WIDE)."""
        position = rounded(O, WIDE) * room + GAP
        for c in range(C):
            for o in range(0, O, LANES):
                at, to = u + (o // WIDE * room + c) * WIDE + o % WIDE, out + c * O + o
                for j in range(N):
                    column = apply(simd.load(m, at + j * position, simd.multiples(N * position, N), 1), transform)
                    simd.store(column, m, scratch + j * r * LANES, simd.multiples(LANES, r))
                for i in range(r):
                    taps = apply(simd.load(m, scratch + i * LANES, simd.multiples(r * LANES, N), 1), transform)
                    store_within(taps, m, to + i * r * C * O, C * O, r, O - o)

    return weights_back


_u3, _u5 = map(_weights_back, range(len(FORMS)))


@operation
def winograd_weight_gradient(
    m, count, form, side, x: Image, x_rows, x_cols, top, left, C, zeros, g: Image, rows, cols, O, grad, block,
    v: Tiles, out: Tiles, u, room, scratch,
):  # fmt: skip
    """m[grad :] (r, r, C, O) = dL/dweight from g = dL/dy (rows, cols, O). Names as in winograd_conv2d.

    m[u :] has room for dU, whose panels have `room` ≥ C rows: a number that tiles of sums divide.
    """
    tile_rows, tiles = (rows + side - 1) // side, (cols + side - 1) // side
    all_rows, position = count * tile_rows, rounded(O, WIDE) * room + GAP
    for first in range(0, max(all_rows, 1), block):
        end = min(first + block, all_rows)
        for i in range(first, end):
            n, row = i // tile_rows, i % tile_rows * side
            input_tiles(
                m, x.at + n * x.pitch, x.row, row - top, x_rows, -left, x_cols, C, zeros, tiles, side,
                v.at + (i - first) * tiles * v.pitch, v.step, v.pitch, scratch,
            )  # fmt: skip
            gradient_tiles(
                m, form, g.at + n * g.pitch, g.row, row, rows, cols, O, zeros, tiles, side,
                out.at + (i - first) * tiles * out.pitch, out.step, out.pitch, scratch,
            )  # fmt: skip
        n, row, ahead = end // tile_rows, end % tile_rows * side, min(block, all_rows - end) * side
        for s in range(POSITIONS):
            fetch(m, x.at + n * x.pitch + row * x.row, ahead * x.row, s)
            fetch(m, g.at + n * g.pitch + row * g.row, ahead * g.row, s)
            for o in range(0, O, WIDE):
                vs, gs, to = v.at + s * v.step, out.at + s * out.step + o, u + s * position + o * room
                if O - o > LANES:
                    _sums_wide(m, vs, v.pitch, C, gs, out.pitch, (end - first) * tiles, to, first > 0)
                else:
                    _sums_tall(m, vs, v.pitch, C, gs, out.pitch, (end - first) * tiles, to, first > 0)
    if form == 0:
        _u3(m, u, room, C, O, grad, scratch)
    else:
        _u5(m, u, room, C, O, grad, scratch)
