"""Tiles out: a row of tiles of products, transformed back, to the rows of an image; or the largest of each 2×2 of them.

Names as in rows_in.py.
"""

from __future__ import annotations

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, part
from nncore.backend.cpu.memory import get, get_byte, put, put_byte
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.winograd.matrices import FORMS, N
from nncore.backend.cpu.winograd.transforms import OUTPUT, apply, number, store_within


@kernel
def _pool(m, at, half, relu, y, y_row, winner, cols, O, rows_left, cols_left, width, spare):
    """The half × half windows of one tile of vectors at m[at :], of which `width` floats exist: the largest, and which it was."""
    down = 2 * half * LANES
    for i in range(min(half, rows_left)):
        for j in range(min(half, cols_left)):
            window = simd.load(m, at + 2 * i * down + 2 * j * LANES, (0, LANES, down, down + LANES), 1)
            to, won = y + i * y_row + j * O, winner + (i * cols + j) * O
            if width >= LANES:
                simd.pool(window, 0, relu, m, to, m, won)
            else:
                simd.pool(window, 0, relu, m, spare, m, 4 * (spare + LANES))
                for c in range(width):
                    put(m, to + c, get(m, spare + c))
                    put_byte(m, won + c, get_byte(m, 4 * (spare + LANES) + c))


def _row_of_tiles(form: int):
    side, transform = FORMS[form].m, number(form, OUTPUT)

    @kernel
    def row_of_tiles(m, at, step, pitch, tiles, bias, relu, pool, y, y_row, winner, rows, cols, O, scratch):
        """y = Aᵀ M A + bias, ReLU where `relu`; the tiles' first row is y's first of `rows` that are left, of `cols` columns.

        Where `pool`, y has a row for two of a tile, and so have the winners. What lies beyond y, or beyond its O channels, is
        not stored. Columns are transformed to m[scratch :], then rows.
        """
        tile = scratch + N * side * LANES
        down, across, positions = simd.multiples(LANES, side), simd.multiples(side * LANES, N), simd.multiples(N * step, N)
        for o in range(0, O, LANES):
            shift = simd.same_rows(m, bias + o, side, 1)
            for t in range(tiles):
                for j in range(N):
                    column = apply(simd.load(m, at + t * pitch + o + j * step, positions, 1), transform)
                    simd.store(column, m, scratch + j * side * LANES, down)
                for i in range(side if pool else min(side, rows)):
                    row = simd.add(apply(simd.load(m, scratch + i * LANES, across, 1), transform), shift)
                    if pool:
                        simd.store(row, m, tile + i * side * LANES, down)
                    else:
                        if relu:
                            row = simd.positive(row)
                        store_within(row, m, y + i * y_row + t * side * O + o, O, cols - t * side, O - o)
                if pool:
                    half = side // 2
                    first = t * half
                    to, won, spare = y + first * O + o, winner + first * O + o, tile + side * side * LANES
                    _pool(m, tile, half, relu, to, y_row, won, cols, O, rows, cols - first, O - o, spare)

    return row_of_tiles


_y3, _y5 = map(_row_of_tiles, range(len(FORMS)))


@part
def output_tiles(m, form, at, step, pitch, tiles, bias, relu, pool, y, y_row, winner, rows, cols, O, scratch):
    """A row of tiles of y."""
    if form == 0:
        _y3(m, at, step, pitch, tiles, bias, relu, pool, y, y_row, winner, rows, cols, O, scratch)
    else:
        _y5(m, at, step, pitch, tiles, bias, relu, pool, y, y_row, winner, rows, cols, O, scratch)
