"""Tiles in: a row of tiles of an image, transformed, to the positions of a block.

Names as in products.py; besides, `s` counts the n² positions of a transformed tile. What a block holds of position s lies `step`
behind what it holds of s − 1: tile after tile, `pitch` apart.
"""

from __future__ import annotations

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, part
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.winograd.matrices import FORMS, N
from nncore.backend.cpu.winograd.transforms import INPUT_TRANSFORM, OUTPUT_BACK, apply, number, rows_within


def _row_of_tiles(transform: int, side: int):
    """The kernel that transforms a row of tiles of side × side values."""

    @kernel
    def row_of_tiles(m, x, x_row, first_row, rows, first_col, cols, C, zeros, tiles, apart, to, step, pitch, scratch):
        """Tiles whose upper left corners are x[first_row, first_col], x[first_row, first_col + apart], …; x is one image.

        All beyond its rows × cols pixels is zero; m[zeros :] is a row of zeros. Columns are transformed once for all the tiles
        that they are part of, to m[scratch :], then rows.
        """
        taken = rows_within(x, x_row, first_row, rows, zeros, side)
        down, across, positions = simd.multiples(LANES, N), simd.multiples(N * LANES, side), simd.multiples(step, N)
        for c in range(0, C, LANES):
            for j in range((tiles - 1) * apart + side):
                col = first_col + j
                column = apply(simd.load(m, col * C + c, taken, 1), transform) if 0 <= col < cols else simd.zeros(N, 1)
                simd.store(column, m, scratch + j * N * LANES, down)
            for t in range(tiles):
                for i in range(N):
                    row = apply(simd.load(m, scratch + (t * apart * N + i) * LANES, across, 1), transform)
                    simd.store(row, m, to + i * N * step + t * pitch + c, positions)

    return row_of_tiles


input_tiles = _row_of_tiles(INPUT_TRANSFORM, N)
"""V = Bᵀ d B of a row of tiles."""
_g3, _g5 = (_row_of_tiles(number(n, OUTPUT_BACK), form.m) for n, form in enumerate(FORMS))


@part
def gradient_tiles(m, form, g, g_row, first_row, rows, cols, O, zeros, tiles, side, to, step, pitch, scratch):
    """A dY Aᵀ of a row of tiles of the output's gradient."""
    if form == 0:
        _g3(m, g, g_row, first_row, rows, 0, cols, O, zeros, tiles, side, to, step, pitch, scratch)
    else:
        _g5(m, g, g_row, first_row, rows, 0, cols, O, zeros, tiles, side, to, step, pitch, scratch)
