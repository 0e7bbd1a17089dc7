"""Batch normalisation over replicas: each sums its own slice, and after a barrier all add up the same sums in the same order.

Memory and images as in nncore/backend/cpu/elementwise.py; `theta` is the address of the network's flat parameters and buffers.
"""

from __future__ import annotations

import math

from numba import float32

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import operation
from nncore.backend.cpu.memory import get, put
from nncore.backend.cpu.vectors import LANES
from nncore.backend.cpu.views import Image, Real


@operation
def batch_norm_sums(m, count, replica, x: Image, rows, cols, C, partial, work):
    """This replica's mean (C), then its sum of squared distances from that mean (C), to its part of m[partial :].

    Each row of pixels is summed by itself first, which keeps rounding small where there are many.
    """
    out = partial + 2 * replica * C
    share, square = float32(1 / max(count * rows * cols, 1)), out + C
    for c in range(2 * C):
        put(m, out + c, float32(0))
        put(m, work + c, float32(0))
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                at = x.at + n * x.pitch + i * x.row + j * C
                for c in range(C):
                    put(m, work + c, get(m, work + c) + get(m, at + c))
            for c in range(C):
                put(m, out + c, get(m, out + c) + get(m, work + c))
                put(m, work + c, float32(0))
    for c in range(C):
        put(m, out + c, get(m, out + c) * share)
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                at = x.at + n * x.pitch + i * x.row + j * C
                for c in range(C):
                    off = get(m, at + c) - get(m, out + c)
                    put(m, work + c, get(m, work + c) + off * off)
            for c in range(C):
                put(m, square + c, get(m, square + c) + get(m, work + c))
                put(m, work + c, float32(0))


@operation
def batch_norm_merge(m, theta, total, replica, replicas, partial, rows, cols, C, mean, inverse, running, eps: Real, momentum: Real):
    """The batch's mean and 1 / √(variance + ε), from every replica's sums (Chan et al. 1979); replica 0 also keeps running ones.

    `running` is the place of (mean, variance) in theta.
    """
    spatial = rows * cols
    values_in_all = float32(total * spatial)
    for c in range(C):
        middle, square = float32(0), float32(0)
        for r in range(replicas):
            values = float32((total * (r + 1) // replicas - total * r // replicas) * spatial)
            middle += get(m, partial + 2 * r * C + c) * (values / values_in_all)
        for r in range(replicas):
            values = float32((total * (r + 1) // replicas - total * r // replicas) * spatial)
            off = get(m, partial + 2 * r * C + c) - middle
            square += get(m, partial + 2 * r * C + C + c) + values * off * off
        put(m, mean + c, middle)
        put(m, inverse + c, float32(1) / math.sqrt(square / values_in_all + eps))
        if replica == 0:
            rest, unbiased = float32(1) - momentum, square / (values_in_all - float32(1))
            put(theta, running + c, rest * get(theta, running + c) + momentum * middle)
            put(theta, running + C + c, rest * get(theta, running + C + c) + momentum * unbiased)


@operation
def batch_norm_running(m, theta, C, mean, inverse, running, eps: Real):
    """In use: the running mean and variance in the place of the batch's."""
    for c in range(C):
        put(m, mean + c, get(theta, running + c))
        put(m, inverse + c, float32(1) / math.sqrt(get(theta, running + C + c) + eps))


@operation
def batch_norm_apply(m, theta, count, x: Image, y: Image, rows, cols, C, mean, inverse, w, b, relu, work):
    """y = weight · (x − mean) · inverse + bias, as one multiply-add a value, with ReLU where `relu`."""
    shift = work + C
    for c in range(C):
        scale = get(theta, w + c) * get(m, inverse + c)
        put(m, work + c, scale)
        put(m, shift + c, get(theta, b + c) - get(m, mean + c) * scale)
    floor = float32(0) if relu else float32(-math.inf)
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                at, to = x.at + n * x.pitch + i * x.row + j * C, y.at + n * y.pitch + i * y.row + j * C
                for c in range(C):
                    value = get(m, at + c) * get(m, work + c) + get(m, shift + c)
                    put(m, to + c, floor if value < floor else value)


@operation
def batch_norm_back_sums(m, count, x: Image, y: Image, g: Image, rows, cols, C, mean, inverse, relu, grad_w, grad_b):
    """This replica's Σ g x̂ and Σ g: its share of the gradients of weight and bias. With `relu`, g becomes 0 where y is."""
    for c in range(C):
        put(m, grad_b + c, float32(0))
        put(m, grad_w + c, float32(0))
    whole, zero = C // LANES * LANES, simd.zeros(1, 1)
    for n in range(count):
        for i in range(rows):
            a, b, d = x.at + n * x.pitch + i * x.row, y.at + n * y.pitch + i * y.row, g.at + n * g.pitch + i * g.row
            for c in range(0, whole, LANES):
                middle, total, weighted = simd.load(m, mean + c, (0,), 1), zero, zero
                for j in range(c, c + cols * C, C):
                    grad = simd.load(m, d + j, (0,), 1)
                    if relu:
                        grad = simd.if_greater(simd.load(m, b + j, (0,), 1), zero, grad, zero)
                        simd.store(grad, m, d + j, (0,))
                    total = simd.add(total, grad)
                    off = simd.subtract(simd.load(m, a + j, (0,), 1), middle)
                    weighted = simd.add(weighted, simd.multiply(grad, off))
                simd.add_to(total, m, grad_b + c, (0,))
                simd.add_to(weighted, m, grad_w + c, (0,))
            for c in range(whole, C):
                for j in range(c, c + cols * C, C):
                    if relu and not get(m, b + j) > float32(0):
                        put(m, d + j, float32(0))
                    grad = get(m, d + j)
                    put(m, grad_b + c, get(m, grad_b + c) + grad)
                    put(m, grad_w + c, get(m, grad_w + c) + grad * (get(m, a + j) - get(m, mean + c)))
    for c in range(C):
        put(m, grad_w + c, get(m, grad_w + c) * get(m, inverse + c))


@operation
def batch_norm_back(
    m, theta, count, total, replicas, x: Image, g: Image, gx: Image, rows, cols, C, mean, inverse, w, grad_w, grad_b, pitch, work
):  # fmt: skip
    """gx = weight · inverse · (g − Σ g / M − x̂ · Σ g x̂ / M), the sums over all replicas; grad_w, grad_b are replica 0's,
    the other ones' lie `pitch` apart.
    """
    values = float32(total * rows * cols)
    of_x, rest = work + C, work + 2 * C
    for c in range(C):
        of_bias, of_weight = float32(0), float32(0)
        for r in range(replicas):
            of_bias += get(m, grad_b + r * pitch + c)
            of_weight += get(m, grad_w + r * pitch + c)
        scale = get(theta, w + c) * get(m, inverse + c)
        slope = -scale * get(m, inverse + c) * of_weight / values
        put(m, work + c, scale)
        put(m, of_x + c, slope)
        put(m, rest + c, -scale * of_bias / values - slope * get(m, mean + c))
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                at, to = x.at + n * x.pitch + i * x.row + j * C, gx.at + n * gx.pitch + i * gx.row + j * C
                start = g.at + n * g.pitch + i * g.row + j * C
                for c in range(C):
                    value = get(m, work + c) * get(m, start + c) + get(m, of_x + c) * get(m, at + c)
                    put(m, to + c, value + get(m, rest + c))
