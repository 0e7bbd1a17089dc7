"""The operations that visit each value once: taking a batch, activations, dropout.

`m` is the address of a program's memory, in which places count floats. An image lies there as `rows` rows of `width` floats
(width · channels), with room for the next convolution's padding in between; a vector is an image of one row.
"""

from __future__ import annotations

import math

from numba import float32, uint32

from nncore.backend.cpu.compiling import kernel, operation
from nncore.backend.cpu.memory import get, get_byte, get_long, put
from nncore.backend.cpu.views import Image, Real


@operation
def zero(m, count, x, pitch):
    """x = 0 for `count` images, padding included."""
    for i in range(count * pitch):
        put(m, x + i, float32(0))


@operation
def take(m, source, as_bytes, indices, first, count, y: Image, rows, width):
    """y = the batch's images from number `first` on, gathered from `source`: uint8 divided by 255, or float32."""
    if as_bytes:
        _take_bytes(m, source, indices, first, count, y, rows, width)
    else:
        _take_floats(m, source, indices, first, count, y, rows, width)


@kernel
def _take_bytes(m, source, indices, first, count, y, rows, width):
    for n in range(count):
        image = get_long(indices, first + n) * rows * width
        for i in range(rows):
            at, to = image + i * width, y.at + n * y.pitch + i * y.row
            for c in range(width):
                put(m, to + c, float32(get_byte(source, at + c)) * float32(1 / 255))


@kernel
def _take_floats(m, source, indices, first, count, y, rows, width):
    for n in range(count):
        image = get_long(indices, first + n) * rows * width
        for i in range(rows):
            at, to = image + i * width, y.at + n * y.pitch + i * y.row
            for c in range(width):
                put(m, to + c, get(source, at + c))


@operation
def relu(m, count, x: Image, y: Image, rows, width):
    """y = max(x, 0); what is not a number stays so."""
    for n in range(count):
        for i in range(rows):
            at, to = x.at + n * x.pitch + i * x.row, y.at + n * y.pitch + i * y.row
            for c in range(width):
                value = get(m, at + c)
                put(m, to + c, float32(0) if value < float32(0) else value)


@operation
def relu_back(m, count, y: Image, g: Image, gx: Image, rows, width):
    """gx = g where y > 0, else 0. gx may be g itself."""
    for n in range(count):
        for i in range(rows):
            a, b, to = y.at + n * y.pitch + i * y.row, g.at + n * g.pitch + i * g.row, gx.at + n * gx.pitch + i * gx.row
            for c in range(width):
                value, grad = get(m, a + c), get(m, b + c)  # both, whatever comes: a choice of two values needs no branch
                put(m, to + c, grad if value > float32(0) else float32(0))


@operation
def sigmoid(m, count, x: Image, y: Image, rows, width):
    """y = (1 + tanh(x/2)) / 2."""
    for n in range(count):
        for i in range(rows):
            at, to = x.at + n * x.pitch + i * x.row, y.at + n * y.pitch + i * y.row
            for c in range(width):
                put(m, to + c, float32(0.5) + float32(0.5) * float32(math.tanh(float32(0.5) * get(m, at + c))))


@operation
def sigmoid_back(m, count, y: Image, g: Image, gx: Image, rows, width):
    """gx = g · y (1 − y). gx may be g itself."""
    for n in range(count):
        for i in range(rows):
            a, b, to = y.at + n * y.pitch + i * y.row, g.at + n * g.pitch + i * g.row, gx.at + n * gx.pitch + i * gx.row
            for c in range(width):
                value = get(m, a + c)
                put(m, to + c, get(m, b + c) * value * (float32(1) - value))


@operation
def tanh(m, count, x: Image, y: Image, rows, width):
    """y = tanh(x)."""
    for n in range(count):
        for i in range(rows):
            at, to = x.at + n * x.pitch + i * x.row, y.at + n * y.pitch + i * y.row
            for c in range(width):
                put(m, to + c, float32(math.tanh(get(m, at + c))))


@operation
def tanh_back(m, count, y: Image, g: Image, gx: Image, rows, width):
    """gx = g · (1 − y²). gx may be g itself."""
    for n in range(count):
        for i in range(rows):
            a, b, to = y.at + n * y.pitch + i * y.row, g.at + n * g.pitch + i * g.row, gx.at + n * gx.pitch + i * gx.row
            for c in range(width):
                value = get(m, a + c)
                put(m, to + c, get(m, b + c) * (float32(1) - value * value))


@operation
def softmax(m, count, x: Image, y: Image, rows, cols, C):
    """y = softmax over the channels of x."""
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                at, to = x.at + n * x.pitch + i * x.row + j * C, y.at + n * y.pitch + i * y.row + j * C
                largest, total = get(m, at), float32(0)
                for c in range(1, C):
                    largest = max(largest, get(m, at + c))
                for c in range(C):
                    power = float32(math.exp(get(m, at + c) - largest))
                    put(m, to + c, power)
                    total += power
                for c in range(C):
                    put(m, to + c, get(m, to + c) / total)


@operation
def softmax_back(m, count, y: Image, g: Image, gx: Image, rows, cols, C):
    """gx = y · (g − Σ g y), the sum over the channels."""
    for n in range(count):
        for i in range(rows):
            for j in range(cols):
                a, b = y.at + n * y.pitch + i * y.row + j * C, g.at + n * g.pitch + i * g.row + j * C
                to, total = gx.at + n * gx.pitch + i * gx.row + j * C, float32(0)
                for c in range(C):
                    total += get(m, a + c) * get(m, b + c)
                for c in range(C):
                    put(m, to + c, get(m, a + c) * (get(m, b + c) - total))


@operation
def dropout(m, keys, first, count, key, threshold, scale: Real, x: Image, y: Image, rows, width):
    """y = x · scale where the random bits of the value's index in the batch reach the threshold, else 0. Its own backward.

    `key` is the number of the layer among those that draw; layers/dropout.py has the formula.
    """
    for n in range(count):
        for i in range(rows):
            at, to = x.at + n * x.pitch + i * x.row, y.at + n * y.pitch + i * y.row
            start = ((first + n) * rows + i) * width
            for c in range(width):
                bits = uint32(start + c) ^ uint32(get_long(keys, key))
                bits = uint32((bits ^ (bits >> uint32(16))) * uint32(0x7FEB352D))
                bits = uint32((bits ^ (bits >> uint32(15))) * uint32(0x846CA68B))
                bits = uint32(bits ^ (bits >> uint32(16)))
                value = get(m, at + c) * scale
                put(m, to + c, value if bits >= uint32(threshold) else float32(0))
