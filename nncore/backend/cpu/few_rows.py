"""A linear layer of a few examples, by tiles of few rows.

The tile of products.py has six rows, which share each weight that is loaded. With fewer examples it would compute the last one
again and again. One or two leave room for four vectors of columns, so that the weights, whose reading then takes the time, are read
in long runs. Each output is summed in the same order as there: an image's answer is the same, bit for bit, alone and among others.
"""

from __future__ import annotations

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, part
from nncore.backend.cpu.memory import get, get_int, put
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.views import Spots

MOST_ROWS = 4
"""Examples up to which these tiles are the sooner ones."""

WIDE, NARROW = 4 * LANES, 2 * LANES


def _block(rows: int, cols: int):
    @kernel
    def block(m, theta, x, w, b, y, count, E, O, width, relu, work):
        """`count` examples, at most `rows`; of up to cols · LANES columns, the first `width`."""
        last = count - 1
        seen = simd.places(m, x.table, 0, last, get_int(m, x.table + last), rows)
        to = simd.places(m, y.table, 0, last, get_int(m, y.table + last), rows)
        tile = simd.same_rows(theta, b, rows, cols)
        for q in range(E):
            tile = simd.outer(tile, m, x.at + q, seen, theta, w + q * O)
        if relu:
            tile = simd.positive(tile)
        if width == cols * LANES:
            simd.store(tile, m, y.at, to)
        else:
            simd.store(tile, m, work, simd.multiples(cols * LANES, rows))
            for r in range(count):
                for c in range(width):
                    put(m, y.at + get_int(m, y.table + r) + c, get(m, work + r * cols * LANES + c))

    return block


_one, _two, _any = _block(1, 4), _block(2, 4), _block(MOST_ROWS, 2)


@part
def few_rows(m, theta, x, w, b, y, count, E, O, relu, work):
    """y[p, o] = Σ x[p, e] · weight[e, o] + bias[o], with ReLU where `relu`, for 1 to MOST_ROWS examples."""
    o = 0
    while o < O:
        at = Spots(y.at + o, y.pitch, y.table)
        if count <= 2 and O - o >= WIDE:
            if count == 1:
                _one(m, theta, x, w + o, b + o, at, count, E, O, WIDE, relu, work)
            else:
                _two(m, theta, x, w + o, b + o, at, count, E, O, WIDE, relu, work)
            o += WIDE
        else:  # the last columns may be fewer than a vector: a wider tile would read too far past the weights' end
            _any(m, theta, x, w + o, b + o, at, count, E, O, min(NARROW, O - o), relu, work)
            o += NARROW
