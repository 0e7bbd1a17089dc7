"""The kernels that visit each value once: input, activations, dropout, pooling of any size.

`m` is the address of a program's memory, in which places count floats. An image lies there as rows of `width` floats
(width · channels), `row` apart, images `pitch` apart, with room for the next convolution's padding in between; a vector is
an image of one row.
"""

from __future__ import annotations

import math

from numba import float32, uint32

from nncore.backend.cpu import simd
from nncore.backend.cpu.compiling import kernel
from nncore.backend.cpu.memory import get, get_byte, put
from nncore.backend.cpu.simd import LANES

RELU, SIGMOID, TANH = 0, 1, 2


@kernel
def take_bytes(source, first, m, y, pitch, row, images, rows, width):
    """y = source / 255 for uint8 examples from number `first` on."""
    for n in range(images):
        for i in range(rows):
            at, to = ((first + n) * rows + i) * width, y + n * pitch + i * row
            for c in range(width):
                put(m, to + c, float32(get_byte(source, at + c)) * float32(1 / 255))


@kernel
def take_floats(source, first, m, y, pitch, row, images, rows, width):
    """y = source for float32 examples from number `first` on."""
    for n in range(images):
        for i in range(rows):
            at, to = ((first + n) * rows + i) * width, y + n * pitch + i * row
            for c in range(width):
                put(m, to + c, get(source, at + c))


@kernel
def activate(kind, m, x, x_pitch, x_row, y, y_pitch, y_row, images, rows, width):
    """y = ReLU, sigmoid or tanh of x."""
    for n in range(images):
        for i in range(rows):
            at, to = x + n * x_pitch + i * x_row, y + n * y_pitch + i * y_row
            if kind == RELU:
                for c in range(width):
                    value = get(m, at + c)
                    put(m, to + c, float32(0) if value < float32(0) else value)
            elif kind == SIGMOID:
                for c in range(width):
                    put(m, to + c, float32(0.5) + float32(0.5) * float32(math.tanh(float32(0.5) * get(m, at + c))))
            else:
                for c in range(width):
                    put(m, to + c, float32(math.tanh(get(m, at + c))))


@kernel
def activate_back(kind, m, y, y_pitch, y_row, g, g_pitch, g_row, gx, x_pitch, x_row, images, rows, width):
    """gx = g · the derivative, which for all three follows from the output y. gx may be g itself."""
    for n in range(images):
        for i in range(rows):
            a, b, to = y + n * y_pitch + i * y_row, g + n * g_pitch + i * g_row, gx + n * x_pitch + i * x_row
            for c in range(width):
                value, grad = get(m, a + c), get(m, b + c)
                if kind == RELU:
                    put(m, to + c, grad if value > float32(0) else float32(0))
                elif kind == SIGMOID:
                    put(m, to + c, grad * value * (float32(1) - value))
                else:
                    put(m, to + c, grad * (float32(1) - value * value))


@kernel
def softmax(m, x, x_pitch, x_row, y, y_pitch, y_row, images, rows, cols, C):
    """y = softmax over the channels of x."""
    for n in range(images):
        for i in range(rows):
            for j in range(cols):
                at, to = x + n * x_pitch + i * x_row + j * C, y + n * y_pitch + i * y_row + j * C
                largest, total = get(m, at), float32(0)
                for c in range(1, C):
                    largest = max(largest, get(m, at + c))
                for c in range(C):
                    power = float32(math.exp(get(m, at + c) - largest))
                    put(m, to + c, power)
                    total += power
                for c in range(C):
                    put(m, to + c, get(m, to + c) / total)


@kernel
def softmax_back(m, y, y_pitch, y_row, g, g_pitch, g_row, gx, x_pitch, x_row, images, rows, cols, C):
    """gx = y · (g − Σ g y), the sum over the channels."""
    for n in range(images):
        for i in range(rows):
            for j in range(cols):
                a, b = y + n * y_pitch + i * y_row + j * C, g + n * g_pitch + i * g_row + j * C
                to, total = gx + n * x_pitch + i * x_row + j * C, float32(0)
                for c in range(C):
                    total += get(m, a + c) * get(m, b + c)
                for c in range(C):
                    put(m, to + c, get(m, a + c) * (get(m, b + c) - total))


@kernel
def dropout(key, threshold, scale, first, m, x, x_pitch, x_row, y, y_pitch, y_row, images, rows, width):
    """y = x · scale where the random bits of the value's index in the batch reach the threshold, else 0. Its own backward."""
    for n in range(images):
        for i in range(rows):
            at, to = x + n * x_pitch + i * x_row, y + n * y_pitch + i * y_row
            start = ((first + n) * rows + i) * width
            for c in range(width):
                bits = uint32(start + c) ^ uint32(key)
                bits = uint32((bits ^ (bits >> uint32(16))) * uint32(0x7FEB352D))
                bits = uint32((bits ^ (bits >> uint32(15))) * uint32(0x846CA68B))
                bits = uint32(bits ^ (bits >> uint32(16)))
                put(m, to + c, get(m, at + c) * scale if bits >= uint32(threshold) else float32(0))


@kernel
def max_pool(m, x, x_pitch, x_row, y, y_pitch, y_row, winner, images, rows, cols, C, kh, kw, sh, sw):
    """y = the largest value of each window; `winner` (images, rows, cols, C) where in the window it stood, as a float."""
    whole = C // LANES * LANES
    for n in range(images):
        for i in range(rows):
            for j in range(cols):
                at, to = x + n * x_pitch + i * sh * x_row + j * sw * C, y + n * y_pitch + i * y_row + j * C
                won = winner + ((n * rows + i) * cols + j) * C
                for c in range(0, whole, LANES):
                    best, who = simd.load(m, at + c, (0,), 1), simd.zeros(1, 1)
                    for k in range(1, kh * kw):
                        value = simd.load(m, at + (k // kw) * x_row + (k % kw) * C + c, (0,), 1)
                        who = simd.if_greater(value, best, simd.splat(float32(k)), who)
                        best = simd.if_greater(value, best, value, best)
                    simd.store(best, m, to + c, (0,))
                    simd.store(who, m, won + c, (0,))
                for c in range(whole, C):
                    put(m, to + c, get(m, at + c))
                    put(m, won + c, float32(0))
                    for k in range(1, kh * kw):
                        value = get(m, at + (k // kw) * x_row + (k % kw) * C + c)
                        if value > get(m, to + c):
                            put(m, to + c, value)
                            put(m, won + c, float32(k))


@kernel
def max_pool_back(m, g, g_pitch, g_row, winner, gx, x_pitch, x_row, images, rows, cols, C, kh, kw, sh, sw):
    """gx, zero before, gets each window's gradient at its winner."""
    for n in range(images):
        for i in range(rows):
            for j in range(cols):
                at, start = g + n * g_pitch + i * g_row + j * C, gx + n * x_pitch + i * sh * x_row + j * sw * C
                won = winner + ((n * rows + i) * cols + j) * C
                for k in range(kh * kw):
                    to = start + (k // kw) * x_row + (k % kw) * C
                    for c in range(C):
                        grad = get(m, at + c) if get(m, won + c) == float32(k) else float32(0)
                        put(m, to + c, get(m, to + c) + grad)


@kernel
def mean_pool(m, x, x_pitch, x_row, y, y_pitch, y_row, images, rows, cols, C, kh, kw, sh, sw):
    """y = the mean of each window."""
    share = float32(1 / (kh * kw))
    for n in range(images):
        for i in range(rows):
            for j in range(cols):
                at, to = x + n * x_pitch + i * sh * x_row + j * sw * C, y + n * y_pitch + i * y_row + j * C
                for c in range(C):
                    total = float32(0)
                    for k in range(kh):
                        for l in range(kw):
                            total += get(m, at + k * x_row + l * C + c)
                    put(m, to + c, total * share)


@kernel
def mean_pool_back(m, g, g_pitch, g_row, gx, x_pitch, x_row, images, rows, cols, C, kh, kw, sh, sw):
    """gx, zero before, gets an equal share of each window's gradient."""
    share = float32(1 / (kh * kw))
    for n in range(images):
        for i in range(rows):
            for j in range(cols):
                at, start = g + n * g_pitch + i * g_row + j * C, gx + n * x_pitch + i * sh * x_row + j * sw * C
                for k in range(kh):
                    for l in range(kw):
                        to = start + k * x_row + l * C
                        for c in range(C):
                            put(m, to + c, get(m, to + c) + share * get(m, at + c))
