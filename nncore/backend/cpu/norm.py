"""Batch normalisation over replicas: each sums its own slice, and after a barrier all add up the same sums in the same order.

Memory and images as in nncore/backend/cpu/elementwise.py; `theta` is the address of the network's flat parameters and buffers.
"""

from __future__ import annotations

import math

from numba import float32

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel
from nncore.backend.cpu.memory import get, put
from nncore.backend.cpu.simd import LANES


@kernel
def sums(m, x, pitch, row, images, rows, cols, C, out, work):
    """This replica's mean (C), then its sum of squared distances from that mean (C), to m[out :].

    Each row of pixels is summed by itself first, which keeps rounding small where there are many.
    """
    share, square = float32(1 / max(images * rows * cols, 1)), out + C
    for c in range(2 * C):
        put(m, out + c, float32(0))
        put(m, work + c, float32(0))
    for n in range(images):
        for i in range(rows):
            for j in range(cols):
                at = x + n * pitch + i * row + j * C
                for c in range(C):
                    put(m, work + c, get(m, work + c) + get(m, at + c))
            for c in range(C):
                put(m, out + c, get(m, out + c) + get(m, work + c))
                put(m, work + c, float32(0))
    for c in range(C):
        put(m, out + c, get(m, out + c) * share)
    for n in range(images):
        for i in range(rows):
            for j in range(cols):
                at = x + n * pitch + i * row + j * C
                for c in range(C):
                    off = get(m, at + c) - get(m, out + c)
                    put(m, work + c, get(m, work + c) + off * off)
            for c in range(C):
                put(m, square + c, get(m, square + c) + get(m, work + c))
                put(m, work + c, float32(0))


@kernel
def merge(m, partial, count, spatial, replicas, C, mean, inverse, eps, theta, running, momentum, write):
    """The batch's mean and 1 / √(variance + ε), from every replica's sums (Chan et al. 1979); running ones if `write`.

    `count` examples of `spatial` values a channel were shared out; `running` is the place of (mean, variance) in theta.
    """
    total = float32(count * spatial)
    for c in range(C):
        middle, square = float32(0), float32(0)
        for r in range(replicas):
            values = float32((count * (r + 1) // replicas - count * r // replicas) * spatial)
            middle += get(m, partial + 2 * r * C + c) * (values / total)
        for r in range(replicas):
            values = float32((count * (r + 1) // replicas - count * r // replicas) * spatial)
            off = get(m, partial + 2 * r * C + c) - middle
            square += get(m, partial + 2 * r * C + C + c) + values * off * off
        put(m, mean + c, middle)
        put(m, inverse + c, float32(1) / math.sqrt(square / total + eps))
        if write:
            rest, unbiased = float32(1) - momentum, square / (total - float32(1))
            put(theta, running + c, rest * get(theta, running + c) + momentum * middle)
            put(theta, running + C + c, rest * get(theta, running + C + c) + momentum * unbiased)


@kernel
def from_running(m, theta, running, C, mean, inverse, eps):
    """In use: the running mean and variance in the place of the batch's."""
    for c in range(C):
        put(m, mean + c, get(theta, running + c))
        put(m, inverse + c, float32(1) / math.sqrt(get(theta, running + C + c) + eps))


@kernel
def apply(m, theta, x, x_pitch, x_row, y, y_pitch, y_row, images, rows, cols, C, mean, inverse, w, b, relu, work):
    """y = weight · (x − mean) · inverse + bias, as one multiply-add a value, with ReLU where `relu`."""
    shift = work + C
    for c in range(C):
        scale = get(theta, w + c) * get(m, inverse + c)
        put(m, work + c, scale)
        put(m, shift + c, get(theta, b + c) - get(m, mean + c) * scale)
    floor = float32(0) if relu else float32(-math.inf)
    for n in range(images):
        for i in range(rows):
            for j in range(cols):
                at, to = x + n * x_pitch + i * x_row + j * C, y + n * y_pitch + i * y_row + j * C
                for c in range(C):
                    value = get(m, at + c) * get(m, work + c) + get(m, shift + c)
                    put(m, to + c, floor if value < floor else value)


@kernel
def back_sums(
    m, x, x_pitch, x_row, y, y_pitch, y_row, g, g_pitch, g_row, images, rows, cols, C, mean, inverse, relu, grad_w, grad_b
):
    """This replica's Σ g x̂ and Σ g: its share of the gradients of weight and bias. With `relu`, g becomes 0 where y is."""
    for c in range(C):
        put(m, grad_b + c, float32(0))
        put(m, grad_w + c, float32(0))
    whole, zero = C // LANES * LANES, simd.zeros(1, 1)
    for n in range(images):
        for i in range(rows):
            a, b, d = x + n * x_pitch + i * x_row, y + n * y_pitch + i * y_row, g + n * g_pitch + i * g_row
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


@kernel
def back(
    m, theta, x, x_pitch, x_row, g, g_pitch, g_row, gx, gx_pitch, gx_row,
    images, rows, cols, C, mean, inverse, w, grad_w, grad_b, replicas, grad_pitch, count, work,
):  # fmt: skip
    """gx = weight · inverse · (g − Σ g / M − x̂ · Σ g x̂ / M), the sums over all replicas; grad_w, grad_b are replica 0's."""
    of_x, rest = work + C, work + 2 * C
    for c in range(C):
        total, weighted = float32(0), float32(0)
        for r in range(replicas):
            total += get(m, grad_b + r * grad_pitch + c)
            weighted += get(m, grad_w + r * grad_pitch + c)
        scale = get(theta, w + c) * get(m, inverse + c)
        slope = -scale * get(m, inverse + c) * weighted / float32(count)
        put(m, work + c, scale)
        put(m, of_x + c, slope)
        put(m, rest + c, -scale * total / float32(count) - slope * get(m, mean + c))
    for n in range(images):
        for i in range(rows):
            for j in range(cols):
                at, to = x + n * x_pitch + i * x_row + j * C, gx + n * gx_pitch + i * gx_row + j * C
                start = g + n * g_pitch + i * g_row + j * C
                for c in range(C):
                    value = get(m, work + c) * get(m, start + c) + get(m, of_x + c) * get(m, at + c)
                    put(m, to + c, value + get(m, rest + c))
