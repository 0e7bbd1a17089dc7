"""The operations of a program: what a row of numbers says, handed to the kernel that does it.

An operation takes two addresses: of its row `p`, and of the replica's context `c` (nncore/backend/cpu/layout.py). Each is
compiled by itself when a program first needs it, and cached; a program calls them by their addresses. So a network pays for
the kernels that it uses, once a machine. The Recorder (nncore/backend/cpu/recorder.py) writes the rows.
"""

from __future__ import annotations

from numba import float32

from nncore.backend.cpu import elementwise, ending, norm, planes, pooled, products
from nncore.backend.cpu.compiling import operation, part
from nncore.backend.cpu.layout import (
    AS_BYTES,
    COUNT,
    DECAY_COUNT,
    DECAYS,
    FIRST,
    GRADIENT,
    INPUT_BYTES,
    INPUT_FLOATS,
    LABELS,
    LEARN,
    MOMENT,
    OUT,
    RATES,
    REAL,
    REPLICA,
    REPLICAS,
    SECOND,
    THETA,
    TOTAL,
    M,
)
from nncore.backend.cpu.memory import get_double, get_long, put


@part
def _images(p, c):
    """How many images, and positions of each: a linear layer (p[1] = 1) has one image, whose positions are the examples."""
    count = get_long(c, COUNT)
    if get_long(p, 1) == 1:
        return min(count, 1), count
    return count, get_long(p, 2)


@operation
def product(p, c):
    """linear, P, x, pitch, places, weight, bias, y, pitch, places, K, pitch, run, O, relu, work, panel"""
    images, P = _images(p, c)
    products.product(
        get_long(c, M), get_long(c, THETA), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6), get_long(p, 7),
        get_long(p, 8), get_long(p, 9), get_long(p, 10), images, P, get_long(p, 11), get_long(p, 12), get_long(p, 13),
        get_long(p, 14), get_long(p, 15) != 0, get_long(p, 16), get_long(p, 17),
    )  # fmt: skip


@operation
def weight_gradient(p, c):
    """P, x, pitch, places, grad, pitch, places, K, pitch, run, O, out, work"""
    products.weight_gradient(
        get_long(c, M), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6), get_long(p, 7),
        get_long(c, COUNT), get_long(p, 1), get_long(p, 8), get_long(p, 9), get_long(p, 10), get_long(p, 11), get_long(p, 12),
        get_long(p, 13),
    )  # fmt: skip


@operation
def linear_weight_gradient(p, c):
    """x, places, grad, places, E, O, out, work, room, places of strips, of panels"""
    products.linear_weight_gradient(
        get_long(c, M), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(c, COUNT), get_long(p, 5),
        get_long(p, 6), get_long(p, 7), get_long(p, 8), get_long(p, 9), get_long(p, 10), get_long(p, 11),
    )  # fmt: skip


@operation
def bias_gradient(p, c):
    """linear, P, grad, pitch, places, O, out"""
    images, P = _images(p, c)
    products.bias_gradient(
        get_long(c, M), get_long(p, 3), get_long(p, 4), get_long(p, 5), images, P, get_long(p, 6), get_long(p, 7)
    )


@operation
def data_gradient(p, c):
    """linear, P, grad, pitch, places, weight, grad_x, pitch, places, K, pitch, run, O, fresh, panel, dump"""
    images, P = _images(p, c)
    products.data_gradient(
        get_long(c, M), get_long(c, THETA), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6), get_long(p, 7),
        get_long(p, 8), get_long(p, 9), images, P, get_long(p, 10), get_long(p, 11), get_long(p, 12), get_long(p, 13),
        get_long(p, 14) != 0, get_long(p, 15), get_long(p, 16),
    )  # fmt: skip


@operation
def turn(p, c):
    """weight, out, K, run, O, run rounded up: the weight (K, run, O) as (O, K, run rounded up)."""
    K, run, O, rounded = get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6)
    for k in range(K):
        at, to = get_long(p, 1) + k * run * O, get_long(p, 2) + k * rounded
        products.turn(get_long(c, THETA), at, get_long(c, M), to, run, O, K * rounded)


@operation
def pooled_convolution(p, c):
    """x, pitch, places, weight, bias, y, pitch, places, winners, P, K, pitch, down, right, run, O, relu, work"""
    pooled.forward(
        get_long(c, M), get_long(c, THETA), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5),
        get_long(p, 6), get_long(p, 7), get_long(p, 8), get_long(p, 9), get_long(c, COUNT), get_long(p, 10), get_long(p, 11),
        get_long(p, 12), get_long(p, 13), get_long(p, 14), get_long(p, 15), get_long(p, 16), get_long(p, 17) != 0,
        get_long(p, 18),
    )  # fmt: skip


@operation
def pooled_convolution_planes(p, c):
    """x, pitch, row, rows, cols, C, weight, bias, y, pitch, row, winners, rows, cols, O, E, places of E, relu, planes, half, …"""
    planes.forward(
        get_long(c, M), get_long(c, THETA), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5),
        get_long(p, 6), get_long(p, 7), get_long(p, 8), get_long(p, 9), get_long(p, 10), get_long(p, 11), get_long(p, 12),
        get_long(c, COUNT), get_long(p, 13), get_long(p, 14), get_long(p, 15), get_long(p, 16), get_long(p, 17),
        get_long(p, 18) != 0, get_long(p, 19), get_long(p, 20), get_long(p, 21),
    )  # fmt: skip


@operation
def pooled_convolution_back(p, c):
    """x, pitch, places, grad, pitch, places, winners, turned, grad_x, out, out of the bias, P, K, run, O, down, right, …"""
    pooled.backward(
        get_long(c, M), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6),
        get_long(p, 7), get_long(p, 8), get_long(p, 9), get_long(p, 10), get_long(p, 11), get_long(c, COUNT), get_long(p, 12),
        get_long(p, 13), get_long(p, 14), get_long(p, 15), get_long(p, 16), get_long(p, 17), get_long(p, 18), get_long(p, 19),
        get_long(p, 20), get_long(p, 21), get_long(p, 22) != 0, get_long(p, 23), get_long(p, 24),
    )  # fmt: skip


@operation
def pooled_convolution_back_few(p, c):
    """x, pitch, places, grad, pitch, places, winners, out, out of the bias, P, E, places of E, O, down, right, work"""
    pooled.backward_few(
        get_long(c, M), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6),
        get_long(p, 7), get_long(p, 8), get_long(p, 9), get_long(c, COUNT), get_long(p, 10), get_long(p, 11), get_long(p, 12),
        get_long(p, 13), get_long(p, 14), get_long(p, 15), get_long(p, 16),
    )  # fmt: skip


@operation
def zero(p, c):
    """x, pitch"""
    m, at = get_long(c, M), get_long(p, 1)
    for i in range(get_long(c, COUNT) * get_long(p, 2)):
        put(m, at + i, float32(0))


@operation
def take(p, c):
    """y, pitch, row, rows, width"""
    m, first, count = get_long(c, M), get_long(c, FIRST), get_long(c, COUNT)
    y, pitch, row, rows, width = get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5)
    if get_long(c, AS_BYTES):
        elementwise.take_bytes(get_long(c, INPUT_BYTES), first, m, y, pitch, row, count, rows, width)
    else:
        elementwise.take_floats(get_long(c, INPUT_FLOATS), first, m, y, pitch, row, count, rows, width)


@operation
def activate(p, c):
    """kind, x, pitch, row, y, pitch, row, rows, width"""
    elementwise.activate(
        get_long(p, 1), get_long(c, M), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6),
        get_long(p, 7), get_long(c, COUNT), get_long(p, 8), get_long(p, 9),
    )  # fmt: skip


@operation
def activate_back(p, c):
    """kind, y, pitch, row, grad, pitch, row, grad_x, pitch, row, rows, width"""
    elementwise.activate_back(
        get_long(p, 1), get_long(c, M), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6),
        get_long(p, 7), get_long(p, 8), get_long(p, 9), get_long(p, 10), get_long(c, COUNT), get_long(p, 11), get_long(p, 12),
    )  # fmt: skip


@operation
def softmax(p, c):
    """x, pitch, row, y, pitch, row, rows, cols, C"""
    elementwise.softmax(
        get_long(c, M), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6),
        get_long(c, COUNT), get_long(p, 7), get_long(p, 8), get_long(p, 9),
    )  # fmt: skip


@operation
def softmax_back(p, c):
    """y, pitch, row, grad, pitch, row, grad_x, pitch, row, rows, cols, C"""
    elementwise.softmax_back(
        get_long(c, M), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6),
        get_long(p, 7), get_long(p, 8), get_long(p, 9), get_long(c, COUNT), get_long(p, 10), get_long(p, 11), get_long(p, 12),
    )  # fmt: skip


@operation
def dropout(p, c):
    """key, threshold, x, pitch, row, y, pitch, row, rows, width; scale"""
    elementwise.dropout(
        get_long(p, 1), get_long(p, 2), float32(get_double(p, REAL)), get_long(c, FIRST), get_long(c, M), get_long(p, 3),
        get_long(p, 4), get_long(p, 5), get_long(p, 6), get_long(p, 7), get_long(p, 8), get_long(c, COUNT), get_long(p, 9),
        get_long(p, 10),
    )  # fmt: skip


@operation
def max_pool(p, c):
    """x, pitch, row, y, pitch, row, winners, rows, cols, C, kernel (2), stride (2)"""
    elementwise.max_pool(
        get_long(c, M), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6),
        get_long(p, 7), get_long(c, COUNT), get_long(p, 8), get_long(p, 9), get_long(p, 10), get_long(p, 11), get_long(p, 12),
        get_long(p, 13), get_long(p, 14),
    )  # fmt: skip


@operation
def max_pool_back(p, c):
    """grad_x, pitch, row, grad, pitch, row, winners, rows, cols, C, kernel (2), stride (2)"""
    elementwise.max_pool_back(
        get_long(c, M), get_long(p, 4), get_long(p, 5), get_long(p, 6), get_long(p, 7), get_long(p, 1), get_long(p, 2),
        get_long(p, 3), get_long(c, COUNT), get_long(p, 8), get_long(p, 9), get_long(p, 10), get_long(p, 11), get_long(p, 12),
        get_long(p, 13), get_long(p, 14),
    )  # fmt: skip


@operation
def mean_pool(p, c):
    """x, pitch, row, y, pitch, row, 0, rows, cols, C, kernel (2), stride (2)"""
    elementwise.mean_pool(
        get_long(c, M), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6),
        get_long(c, COUNT), get_long(p, 8), get_long(p, 9), get_long(p, 10), get_long(p, 11), get_long(p, 12),
        get_long(p, 13), get_long(p, 14),
    )  # fmt: skip


@operation
def mean_pool_back(p, c):
    """grad_x, pitch, row, grad, pitch, row, 0, rows, cols, C, kernel (2), stride (2)"""
    elementwise.mean_pool_back(
        get_long(c, M), get_long(p, 4), get_long(p, 5), get_long(p, 6), get_long(p, 1), get_long(p, 2), get_long(p, 3),
        get_long(c, COUNT), get_long(p, 8), get_long(p, 9), get_long(p, 10), get_long(p, 11), get_long(p, 12),
        get_long(p, 13), get_long(p, 14),
    )  # fmt: skip


# The rows of batch norm are all alike: x (3), y (3), rows, cols, C, mean, 1/σ, partial sums, running, weight, bias, relu,
# work; on the way back then grad (3), out of the weight, out of the bias, grad_x (3), replica 0's two outs, their pitch.


@operation
def norm_sums(p, c):
    C = get_long(p, 9)
    norm.sums(
        get_long(c, M), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(c, COUNT), get_long(p, 7), get_long(p, 8), C,
        get_long(p, 12) + 2 * get_long(c, REPLICA) * C, get_long(p, 17),
    )  # fmt: skip


@operation
def norm_merge(p, c):
    norm.merge(
        get_long(c, M), get_long(p, 12), get_long(c, TOTAL), get_long(p, 7) * get_long(p, 8), get_long(c, REPLICAS),
        get_long(p, 9), get_long(p, 10), get_long(p, 11), float32(get_double(p, REAL)), get_long(c, THETA), get_long(p, 13),
        float32(get_double(p, REAL + 1)), get_long(c, REPLICA) == 0,
    )  # fmt: skip


@operation
def norm_running(p, c):
    norm.from_running(
        get_long(c, M), get_long(c, THETA), get_long(p, 13), get_long(p, 9), get_long(p, 10), get_long(p, 11),
        float32(get_double(p, REAL)),
    )  # fmt: skip


@operation
def norm_apply(p, c):
    norm.apply(
        get_long(c, M), get_long(c, THETA), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5),
        get_long(p, 6), get_long(c, COUNT), get_long(p, 7), get_long(p, 8), get_long(p, 9), get_long(p, 10), get_long(p, 11),
        get_long(p, 14), get_long(p, 15), get_long(p, 16) != 0, get_long(p, 17),
    )  # fmt: skip


@operation
def norm_back_sums(p, c):
    norm.back_sums(
        get_long(c, M), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(p, 5), get_long(p, 6),
        get_long(p, 18), get_long(p, 19), get_long(p, 20), get_long(c, COUNT), get_long(p, 7), get_long(p, 8), get_long(p, 9),
        get_long(p, 10), get_long(p, 11), get_long(p, 16) != 0, get_long(p, 21), get_long(p, 22),
    )  # fmt: skip


@operation
def norm_back(p, c):
    norm.back(
        get_long(c, M), get_long(c, THETA), get_long(p, 1), get_long(p, 2), get_long(p, 3), get_long(p, 18), get_long(p, 19),
        get_long(p, 20), get_long(p, 23), get_long(p, 24), get_long(p, 25), get_long(c, COUNT), get_long(p, 7), get_long(p, 8),
        get_long(p, 9), get_long(p, 10), get_long(p, 11), get_long(p, 14), get_long(p, 26), get_long(p, 27),
        get_long(c, REPLICAS), get_long(p, 28), get_long(c, TOTAL) * get_long(p, 7) * get_long(p, 8), get_long(p, 17),
    )  # fmt: skip


@operation
def loss(p, c):
    """kind, scores, grad, pitch, classes; margin"""
    ending.loss(
        get_long(p, 1), get_long(c, M), get_long(p, 2), get_long(p, 3), get_long(p, 4), get_long(c, LABELS), get_long(c, FIRST),
        get_long(c, COUNT), get_long(p, 5), get_long(c, TOTAL), float32(get_double(p, REAL)), get_long(c, OUT), 0,
    )  # fmt: skip


@operation
def update(p, c):
    """parameters, gradient, pitch, rule, work. Parameters are shared out over replicas as the examples are, by cache lines."""
    lines, r, replicas = get_long(p, 1) // 16, get_long(c, REPLICA), get_long(c, REPLICAS)
    start, end = lines * r // replicas * 16, lines * (r + 1) // replicas * 16
    m, gradient, pitch = get_long(c, M), get_long(p, 2), get_long(p, 3)
    if get_long(c, LEARN):
        ending.update(
            get_long(p, 4), get_long(c, THETA), get_long(c, MOMENT), get_long(c, SECOND), m, gradient, replicas, pitch,
            start, end, get_long(c, DECAYS), get_long(c, DECAY_COUNT), get_long(c, RATES), get_long(p, 5),
        )  # fmt: skip
    else:
        ending.add_up(m, gradient, replicas, pitch, start, end, get_long(c, GRADIENT), start)
