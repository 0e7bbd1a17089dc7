"""Convolution, ReLU and 2×2 max pooling in one pass, and the way back that visits only what came through.

Forward, the tile is the pooling window: its four positions are computed in registers, and only the largest is written, with
one byte that says which it was. So the full-size output never exists. (ReLU before or after the pool gives the same values
and the same gradients.) Backward, at most one position in four has a gradient, and where ReLU cut, none. The survivors are
first listed, a list an output channel; then weights and gradients stay in registers while the list is walked.

The spots of x are the windows' upper left positions, `down` and `right` lead to the window's other ones; the names are
otherwise those of products.py. `winner` counts bytes from m.
"""

from __future__ import annotations

from numba import float32

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel, operation, part
from nncore.backend.cpu.memory import get, get_byte, get_int, put, put_byte, put_int
from nncore.backend.cpu.products import TALL, WIDE, transpose, transpose_back
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.views import Patch, Spots

APART = 5
"""Windows between two that follow each other in a list: a CPU waits where it reads parts of what it has just written."""


@kernel
def _keep(m, y, winner, width, work):
    """Copy a window's `width` results from the work area, where there are fewer than a whole tile of them."""
    for c in range(width):
        put(m, y + c, get(m, work + c))
        put_byte(m, winner + c, get_byte(m, 4 * (work + WIDE) + c))


@kernel
def _wide(m, x, theta, w, b, y, winner, P, patch, down, right, O, width, relu, work):
    """Two vectors of channels, one window at a time: eight accumulators."""
    four = (0, right, down, down + right)
    for p in range(P):
        tile = simd.same_rows(theta, b, 4, 2)
        at = x.at + get_int(m, x.table + p)
        for k in range(patch.rows):
            start, row = at + k * patch.pitch, w + k * patch.run * O
            for q in range(patch.run):
                tile = simd.outer(tile, m, start + q, four, theta, row + q * O)
        to = y.at + get_int(m, y.table + p)
        if width >= WIDE:
            simd.pool(tile, 0, relu, m, to, m, winner + p * O)
        else:
            simd.pool(tile, 0, relu, m, work, m, 4 * (work + WIDE))
            _keep(m, to, winner + p * O, width, work)


@kernel
def _tall(m, x, theta, w, b, y, winner, P, patch, down, right, O, width, relu, work):
    """One vector of channels, two windows at a time."""
    for p in range(0, P, 2):
        tile = simd.same_rows(theta, b, 8, 1)
        second = min(p + 1, P - 1)
        at = x.at + get_int(m, x.table + p)
        other = get_int(m, x.table + second) - get_int(m, x.table + p)
        eight = (0, right, down, down + right, other, other + right, other + down, other + down + right)
        for k in range(patch.rows):
            start, row = at + k * patch.pitch, w + k * patch.run * O
            for q in range(patch.run):
                tile = simd.outer(tile, m, start + q, eight, theta, row + q * O)
        simd.pool(tile, 0, relu, m, work, m, 4 * (work + WIDE))
        _keep(m, y.at + get_int(m, y.table + p), winner + p * O, width, work)
        simd.pool(tile, 4, relu, m, work, m, 4 * (work + WIDE))
        _keep(m, y.at + get_int(m, y.table + second), winner + second * O, width, work)


@operation
def conv2d_max_pool(m, theta, count, x: Spots, w, b, y: Spots, winner, P, patch: Patch, down, right, O, relu, work):
    """y[n, p, o] = the largest of the four positions of window p, ReLU where `relu`; winner (count, P, O) in bytes."""
    for n in range(count):
        for o in range(0, O, WIDE):
            xn = Spots(x.at + n * x.pitch, x.pitch, x.table)
            yn = Spots(y.at + n * y.pitch + o, y.pitch, y.table)
            won, width = winner + n * P * O + o, O - o
            if width > LANES:
                _wide(m, xn, theta, w + o, b + o, yn, won, P, patch, down, right, O, width, relu != 0, work)
            else:
                _tall(m, xn, theta, w + o, b + o, yn, won, P, patch, down, right, O, width, relu != 0, work)


@kernel
def _survivors(m, g, g_places, winner, step, x_places, P, down, right, apart, at, values):
    """List where one channel of one image passes a gradient back: int32 m[at :] the position, m[values :] the gradient."""
    count = 0
    for first in range(apart):
        for p in range(first, P, apart):
            who = get_byte(m, winner + p * step)
            put_int(m, at + count, get_int(m, x_places + p) + (who >> 1) * down + (who & 1) * right)
            put(m, values + count, get(m, g + get_int(m, g_places + p)))
            count += who < 4
    return count


def _walk(rows: int, with_input: bool):
    @kernel
    def walk(m, x, gx, pieces, first, at, values, count, transposed, grad):
        """`rows` vectors of one channel's weight: their gradient, and what they add to the input's gradient."""
        offsets = simd.places(m, pieces, first, first + rows - 1, 0, rows)
        run = simd.multiples(LANES, rows)
        sums = simd.load(m, grad + first * LANES, run, 1)
        if with_input:
            weights = simd.load(m, transposed + first * LANES, run, 1)
            for n in range(count):
                factor, place = get(m, values + n), get_int(m, at + n)
                sums = simd.gather(sums, factor, m, x + place, offsets)
                simd.scatter(weights, factor, m, gx + place, offsets)
        else:
            for n in range(count):
                sums = simd.gather(sums, get(m, values + n), m, x + get_int(m, at + n), offsets)
        simd.store(sums, m, grad + first * LANES, run)

    return walk


_both_six, _both_three, _both_one = _walk(6, True), _walk(3, True), _walk(1, True)
_weight_six, _weight_three, _weight_one = _walk(6, False), _walk(3, False), _walk(1, False)


@kernel
def _weight_five_by_two(m, x, pitch, at, values, count, grad):
    """The gradient of one channel's whole weight, where that is five kernel rows of two vectors: ten sums, one walk."""
    second, third, fourth = 2 * pitch, 3 * pitch, 4 * pitch
    offsets = (
        0, LANES, pitch, pitch + LANES, second, second + LANES, third, third + LANES, fourth, fourth + LANES,
    )  # fmt: skip
    run = simd.multiples(LANES, 10)
    sums = simd.load(m, grad, run, 1)
    for n in range(count):
        sums = simd.gather(sums, get(m, values + n), m, x + get_int(m, at + n), offsets)
    simd.store(sums, m, grad, run)


@part
def _walks(m, x, gx, pieces, first, vectors, at, values, count, weight, sums, with_input):
    """All of one channel's weight from vector `first` on, as many vectors at a time as registers hold."""
    while first < vectors:
        left = vectors - first
        if with_input:
            if left >= 6:
                _both_six(m, x, gx, pieces, first, at, values, count, weight, sums)
            elif left >= 3:
                _both_three(m, x, gx, pieces, first, at, values, count, weight, sums)
            else:
                _both_one(m, x, gx, pieces, first, at, values, count, weight, sums)
        elif left >= 6:
            _weight_six(m, x, gx, pieces, first, at, values, count, weight, sums)
        elif left >= 3:
            _weight_three(m, x, gx, pieces, first, at, values, count, weight, sums)
        else:
            _weight_one(m, x, gx, pieces, first, at, values, count, weight, sums)
        first += 6 if left >= 6 else 3 if left >= 3 else 1


@operation
def conv2d_max_pool_back(
    m, count, x: Spots, g: Spots, winner, won_p, won_o, transposed, gx, grad, grad_bias,
    P, patch: Patch, O, down, right, pieces, scratch, at, values, with_input,
):  # fmt: skip
    """From g = dL/dy: the weight's gradient (E, O), the bias's (O) and, where `with_input`, the input's added to gx.

    `transposed` is the weight as (O, K, run rounded up to whole vectors), `pieces` the table of its vectors' places in x,
    `scratch` room for the weight's gradient in that shape, `at` and `values` room for one list of P survivors. `won_p` and
    `won_o` are the distances from one window's winner to the next one's, and from one channel's.
    """
    K, run = patch.rows, patch.run
    rounded = (run + LANES - 1) // LANES * LANES
    vectors, apart = K * rounded // LANES, APART if with_input else 1
    for i in range(O * K * rounded):
        put(m, scratch + i, float32(0))
    for o in range(O):
        put(m, grad_bias + o, float32(0))
    for n in range(count):
        xn, gn, gxn, won = x.at + n * x.pitch, g.at + n * g.pitch, gx + n * x.pitch, winner + n * P * O
        for o in range(O):
            kept = _survivors(m, gn + o, g.table, won + o * won_o, won_p, x.table, P, down, right, apart, at, values)
            total = float32(0)
            for i in range(kept):
                total += get(m, values + i)
            put(m, grad_bias + o, get(m, grad_bias + o) + total)
            weight, sums, first = transposed + o * K * rounded, scratch + o * K * rounded, 0
            if not with_input and K == 5 and vectors == 10:
                _weight_five_by_two(m, xn, get_int(m, pieces + 2), at, values, kept, sums)
                first = vectors
            _walks(m, xn, gxn, pieces, first, vectors, at, values, kept, weight, sums, with_input != 0)
    for k in range(K):
        transpose_back(m, scratch + k * rounded, K * rounded, grad + k * run * O, run, O)


@operation
def conv2d_max_pool_back_few(
    m, count, x: Spots, g: Spots, winner, grad, grad_bias, P, E, inputs, O, down, right, work
):  # fmt: skip
    """`conv2d_max_pool_back` without the input's gradient where each output sums over few inputs (E), as on grey images.

    Lists would cost more than they save: the gradients of a window's four positions are spread out, in registers, over
    vectors of channels, and each of up to TALL inputs keeps its sum in a register. Channels must fill whole vectors.
    """
    _few_weights(m, x, g, winner, grad, count, P, E, inputs, O, down, right, work)
    _few_biases(m, g, winner, grad_bias, count, P, O)


@kernel
def _few_weights(m, x, g, winner, grad, count, P, E, inputs, O, down, right, work):
    """The weight's gradient (E, O)."""
    for o in range(0, O, LANES):
        for e in range(0, E, TALL):
            offsets = simd.places(m, inputs, e, E - 1, get_int(m, inputs), TALL)
            sums = simd.zeros(TALL, 1)
            for n in range(count):
                xn, gn, won = x.at + n * x.pitch, g.at + n * g.pitch + o, winner + n * P * O + o
                for p in range(P):
                    start, grads, who = xn + get_int(m, x.table + p), gn + get_int(m, g.table + p), won + p * O
                    sums = simd.times(sums, m, start, offsets, simd.where_won(m, grads, who, 0))
                    sums = simd.times(sums, m, start + right, offsets, simd.where_won(m, grads, who, 1))
                    sums = simd.times(sums, m, start + down, offsets, simd.where_won(m, grads, who, 2))
                    sums = simd.times(sums, m, start + down + right, offsets, simd.where_won(m, grads, who, 3))
            simd.store(sums, m, work, simd.multiples(LANES, TALL))
            for r in range(min(TALL, E - e)):
                for c in range(LANES):
                    put(m, grad + (e + r) * O + o + c, get(m, work + r * LANES + c))


@kernel
def _few_biases(m, g, winner, grad_bias, count, P, O):
    """The bias's gradient (O)."""
    for o in range(O):
        put(m, grad_bias + o, float32(0))
    for n in range(count):
        for p in range(P):
            start, who = g.at + n * g.pitch + get_int(m, g.table + p), winner + (n * P + p) * O
            for o in range(O):
                passed = get(m, start + o) if get_byte(m, who + o) < 4 else float32(0)
                put(m, grad_bias + o, get(m, grad_bias + o) + passed)


@operation
def transpose_weight(m, theta, w, out, K, run, O, rounded):
    """m[out :] (O, K, rounded) = the weight (K, run, O) in theta; zeros up to `rounded`."""
    for k in range(K):
        transpose(theta, w + k * run * O, m, out + k * rounded, run, O, K * rounded)
