"""A linear layer of a few examples, by tiles of as many rows as there are examples.

The tile of products.py has six rows, which share each weight that is loaded. With fewer examples it would compute the last one
again and again. One or two leave room for four vectors of columns, so that the weights, whose reading then takes the time, are read
in long runs. Each output is summed in the same order as there: an image's answer is the same, bit for bit, alone and among others.
"""

from __future__ import annotations

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, part
from nncore.backend.cpu.memory import get, put
from nncore.backend.cpu.vectors import LANES

MOST_ROWS = 4
"""Examples up to which these tiles are the sooner ones."""

FOUR, TWO = 4 * LANES, 2 * LANES


def _block(rows: int, cols: int):
    @kernel
    def block(m, theta, x, w, b, y, at, to, E, O, width, relu, work):
        """Columns of `rows` examples, at x + at[r] and y + to[r]: up to cols · LANES, of which `width` are outputs."""
        tile = simd.same_rows(theta, b, rows, cols)
        for q in range(E):
            tile = simd.outer(tile, m, x + q, at, theta, w + q * O)
        if relu:
            tile = simd.positive(tile)
        if width >= cols * LANES:
            simd.store(tile, m, y, to)
        else:
            simd.store(tile, m, work, simd.multiples(cols * LANES, rows))
            for r in range(rows):
                for c in range(width):
                    put(m, y + to[r] + c, get(m, work + r * cols * LANES + c))

    return block


def _columns(rows: int):
    wide, narrow = _block(rows, 4), _block(rows, 2)

    @kernel
    def columns(m, theta, x, w, b, y, E, O, relu, work):
        """Every output of exactly `rows` examples."""
        at = simd.places(m, x.table, 0, rows - 1, 0, rows)
        to = simd.places(m, y.table, 0, rows - 1, 0, rows)
        o = 0
        if rows <= 2:
            while O - o >= FOUR:
                wide(m, theta, x.at, w + o, b + o, y.at + o, at, to, E, O, FOUR, relu, work)
                o += FOUR
        while o < O:  # the last block may read past the weights' end, so it is a narrow one
            narrow(m, theta, x.at, w + o, b + o, y.at + o, at, to, E, O, O - o, relu, work)
            o += TWO

    return columns


_one, _two, _three, _four = map(_columns, (1, 2, 3, 4))


@part
def few_rows(m, theta, x, w, b, y, count, E, O, relu, work):
    """y[p, o] = Σ x[p, e] · weight[e, o] + bias[o], with ReLU where `relu`, for up to MOST_ROWS examples."""
    if count == 1:
        _one(m, theta, x, w, b, y, E, O, relu, work)
    elif count == 2:
        _two(m, theta, x, w, b, y, E, O, relu, work)
    elif count == 3:
        _three(m, theta, x, w, b, y, E, O, relu, work)
    elif count == 4:
        _four(m, theta, x, w, b, y, E, O, relu, work)
