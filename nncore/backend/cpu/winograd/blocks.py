"""Blocks: n² products of matrices at a time, and how a block of tiles lies in memory.

A block is a number of whole rows of tiles, across images, so that small images share one. Its tiles lie one after the other.
"""

from __future__ import annotations

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, part
from nncore.backend.cpu.products import ROWS, TALL, WIDE
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.winograd.matrices import POSITIONS
from nncore.backend.cpu.winograd.rule import GAP
from nncore.backend.cpu.winograd.transforms import prefetch

LINE = 16
"""Floats in a cache line."""


@part
def rounded(count, to):
    """`count`, rounded up to a multiple of `to`."""
    return (count + to - 1) // to * to


@kernel
def fetch(m, at, count, s):
    """Ask for the part of m[at : at + count] that position s is to ask for: what tiles are read from, or written to, next.

    Without this each block would begin by waiting for memory: a step's maps are larger than the second-level cache.
    """
    for line in range(count * s // (POSITIONS * LINE), count * (s + 1) // (POSITIONS * LINE)):
        prefetch(m, at + LINE * line, 0)


def _product(rows: int, cols: int):
    @kernel
    def product(m, v, v_pitch, C, u, out, out_pitch, tiles):
        """out[t] = v[t] · u, for one position and one block of columns; some tiles beyond the last are computed too."""
        seen, to = simd.multiples(v_pitch, rows), simd.multiples(out_pitch, rows)
        for t in range(0, tiles, rows):
            tile, at = simd.zeros(rows, cols), v + t * v_pitch
            for c in range(C):
                tile = simd.outer(tile, m, at + c, seen, m, u + c * WIDE)
            simd.store(tile, m, out + t * out_pitch, to)

    return product


_product_wide, _product_tall = _product(ROWS, 2), _product(TALL, 1)


@part
def products(m, v, v_step, v_pitch, C, u, out, out_step, out_pitch, O, tiles, x, x_count, y, y_count):
    """M[s] = V[s] · U[s] for all positions s. U[s] lies in panels (C, WIDE), and GAP behind U[s − 1].

    Meanwhile the x of the next block is fetched, and the y of this one.
    """
    position = rounded(O, WIDE) * C + GAP
    for s in range(POSITIONS):
        fetch(m, x, x_count, s)
        fetch(m, y, y_count, s)
        for o in range(0, O, WIDE):
            panel, to = u + s * position + o * C, out + s * out_step + o
            if O - o > LANES:
                _product_wide(m, v + s * v_step, v_pitch, C, panel, to, out_pitch, tiles)
            else:
                _product_tall(m, v + s * v_step, v_pitch, C, panel, to, out_pitch, tiles)
