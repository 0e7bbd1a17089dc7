"""The operations that visit each value once: taking a batch, activations, dropout.

`m` is the address of a program's memory, in which places count floats. An image lies there as `rows` rows of `width` floats
(width · channels), with room for the next convolution's padding in between; a vector is an image of one row.
"""

from __future__ import annotations

import math

from numba import float32, uint32

from nncore.backend.cpu.compiling import kernel, operation, part
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


def _forward(name, function):
    """The operation y = function(x), value by value."""

    def forward(m, count, x: Image, y: Image, rows, width):
        for n in range(count):
            for i in range(rows):
                at, to = x.at + n * x.pitch + i * x.row, y.at + n * y.pitch + i * y.row
                for c in range(width):
                    put(m, to + c, function(get(m, at + c)))

    forward.__name__ = name
    return operation(forward)


def _backward(name, gradient):
    """The operation gx = gradient(y, g), value by value. gx may be g itself."""

    def backward(m, count, y: Image, g: Image, gx: Image, rows, width):
        for n in range(count):
            for i in range(rows):
                a, b, to = y.at + n * y.pitch + i * y.row, g.at + n * g.pitch + i * g.row, gx.at + n * gx.pitch + i * gx.row
                for c in range(width):
                    put(m, to + c, gradient(get(m, a + c), get(m, b + c)))

    backward.__name__ = name
    return operation(backward)


@part
def _relu(x):
    return float32(0) if x < float32(0) else x  # what is not a number stays so


@part
def _relu_back(y, g):
    return g if y > float32(0) else float32(0)


@part
def _sigmoid(x):
    return float32(0.5) + float32(0.5) * float32(math.tanh(float32(0.5) * x))


@part
def _sigmoid_back(y, g):
    return g * y * (float32(1) - y)


@part
def _tanh(x):
    return float32(math.tanh(x))


@part
def _tanh_back(y, g):
    return g * (float32(1) - y * y)


relu, relu_back = _forward("relu", _relu), _backward("relu_back", _relu_back)
sigmoid, sigmoid_back = _forward("sigmoid", _sigmoid), _backward("sigmoid_back", _sigmoid_back)
tanh, tanh_back = _forward("tanh", _tanh), _backward("tanh_back", _tanh_back)


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
