"""Activations whose way back asks for their input: leaky ReLU, GELU, SiLU. Memory and images as in elementwise.py."""

from __future__ import annotations

import math

from numba import float32

from nncore.backend.cpu.compiling import operation, part
from nncore.backend.cpu.memory import get, put
from nncore.backend.cpu.views import Image, Real

ROOT_HALF, ROOT_TWO_BY_PI = float32(math.sqrt(0.5)), float32(math.sqrt(2 / math.pi))
DENSITY = float32(1 / math.sqrt(2 * math.pi))
CUBIC = float32(0.044715)
HALF, ONE = float32(0.5), float32(1)


def _forward(name, function):
    """The operation y = function(x, number), value by value."""

    def forward(m, count, x: Image, y: Image, rows, width, number):
        for n in range(count):
            for i in range(rows):
                at, to = x.at + n * x.pitch + i * x.row, y.at + n * y.pitch + i * y.row
                for c in range(width):
                    put(m, to + c, function(get(m, at + c), number))

    forward.__name__ = name
    return part(forward)


def _backward(name, slope):
    """The operation gx = g · slope(x, number), value by value."""

    def backward(m, count, x: Image, g: Image, gx: Image, rows, width, number):
        for n in range(count):
            for i in range(rows):
                a, b, to = x.at + n * x.pitch + i * x.row, g.at + n * g.pitch + i * g.row, gx.at + n * gx.pitch + i * gx.row
                for c in range(width):
                    put(m, to + c, get(m, b + c) * slope(get(m, a + c), number))

    backward.__name__ = name
    return part(backward)


@part
def _leaky_relu(x, negative_slope):
    return x if x > float32(0) else x * negative_slope


@part
def _leaky_relu_slope(x, negative_slope):
    return ONE if x > float32(0) else negative_slope


@part
def _tanh_of(x):
    return float32(math.tanh(ROOT_TWO_BY_PI * (x + CUBIC * x * x * x)))


@part
def _gelu(x, by_tanh):
    return HALF * x * (ONE + (_tanh_of(x) if by_tanh else float32(math.erf(x * ROOT_HALF))))


@part
def _gelu_slope(x, by_tanh):
    if by_tanh:
        t = _tanh_of(x)
        return HALF * (ONE + t + x * (ONE - t * t) * (ROOT_TWO_BY_PI * (ONE + float32(3) * CUBIC * x * x)))
    return HALF * (ONE + float32(math.erf(x * ROOT_HALF))) + x * DENSITY * float32(math.exp(-HALF * x * x))


@part
def _share(x):
    return HALF + HALF * float32(math.tanh(HALF * x))


@part
def _silu(x, _):
    return x * _share(x)


@part
def _silu_slope(x, _):
    share = _share(x)
    return share * (ONE + x * (ONE - share))


_leaky_relu_of, _leaky_relu_gradient = _forward("leaky_relu_of", _leaky_relu), _backward("leaky_relu_gradient", _leaky_relu_slope)
_gelu_of, _gelu_gradient = _forward("gelu_of", _gelu), _backward("gelu_gradient", _gelu_slope)
_silu_of, _silu_gradient = _forward("silu_of", _silu), _backward("silu_gradient", _silu_slope)


@operation
def leaky_relu(m, count, x: Image, y: Image, rows, cols, C, negative_slope: Real):
    """y = x where x > 0, else negative_slope · x."""
    _leaky_relu_of(m, count, x, y, rows, cols * C, negative_slope)


@operation
def leaky_relu_back(m, count, x: Image, g: Image, gx: Image, rows, cols, C, negative_slope: Real):
    """gx = g where x > 0, else negative_slope · g."""
    _leaky_relu_gradient(m, count, x, g, gx, rows, cols * C, negative_slope)


@operation
def gelu(m, count, x: Image, y: Image, rows, cols, C, by_tanh):
    """y = x Φ(x), Φ by the error function or, where `by_tanh`, by a tanh."""
    _gelu_of(m, count, x, y, rows, cols * C, by_tanh)


@operation
def gelu_back(m, count, x: Image, g: Image, gx: Image, rows, cols, C, by_tanh):
    """gx = g (Φ(x) + x φ(x)), or the slope of the approximation."""
    _gelu_gradient(m, count, x, g, gx, rows, cols * C, by_tanh)


@operation
def silu(m, count, x: Image, y: Image, rows, cols, C):
    """y = x σ(x)."""
    _silu_of(m, count, x, y, rows, cols * C, 0)


@operation
def silu_back(m, count, x: Image, g: Image, gx: Image, rows, cols, C):
    """gx = g σ(x) (1 + x (1 − σ(x)))."""
    _silu_gradient(m, count, x, g, gx, rows, cols * C, 0)
