"""First values of the weights. Their scale keeps the variance of the signal the same from layer to layer.

Each initializer takes (shape, rng) and returns float32. The last axis of a weight counts its outputs, the others what
each output sums over: (in, out) for Linear, (kernel, kernel, in, out) for Conv2d. ConfigError for an impossible shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from nncore.arrays import Array, Shape
from nncore.checks import real_number, shown, whole_number
from nncore.errors import ConfigError

Initializer: TypeAlias = Callable[[Shape, np.random.Generator], Array]

LARGEST_WEIGHT = 200_000_000
"""Numbers that one weight may hold (800 MB of float32), so that a slip in a size does not take all memory."""
LARGEST_DEVIATION = 1e6
"""The most that a standard deviation may be: far beyond any use, and products of such weights are still finite in float32."""


def fan_in(shape: Shape) -> int:
    """How many inputs each output of a weight of `shape` sums over: (in, out) or (kernel, kernel, in, out)."""
    return math.prod(_checked(shape)[:-1])


def fan_out(shape: Shape) -> int:
    """How many outputs each input of a weight of `shape` reaches: out, or kernel · kernel · out."""
    return math.prod(_checked(shape)[:-2]) * shape[-1]


def he_normal(shape: Shape, rng: np.random.Generator) -> Array:
    """Normal with variance 2 / fan_in, which a ReLU halves again (He et al. 2015, arXiv 1502.01852, eq. 10). float32."""
    return _normal(shape, rng, math.sqrt(2 / fan_in(shape)))


def he_uniform(shape: Shape, rng: np.random.Generator) -> Array:
    """Uniform within ±√(6 / fan_in): the same variance 2 / fan_in as `he_normal` (He et al. 2015)."""
    return _uniform(shape, rng, math.sqrt(6 / fan_in(shape)))


def xavier_normal(shape: Shape, rng: np.random.Generator) -> Array:
    """Normal with variance 2 / (fan_in + fan_out), for tanh and sigmoid (Glorot and Bengio 2010, eq. 12)."""
    return _normal(shape, rng, math.sqrt(2 / (fan_in(shape) + fan_out(shape))))


def xavier_uniform(shape: Shape, rng: np.random.Generator) -> Array:
    """Uniform within ±√(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16)."""
    return _uniform(shape, rng, math.sqrt(6 / (fan_in(shape) + fan_out(shape))))


def normal(std: float) -> Initializer:
    """The initializer that draws from a normal with standard deviation `std`, whatever the shape. ConfigError for a bad `std`."""
    deviation = _deviation(std)
    return lambda shape, rng: _normal(_checked(shape), rng, deviation)


def zeros(shape: Shape, rng: np.random.Generator) -> Array:
    """All zeros: right for biases; weights that all start equal stay equal."""
    return np.zeros(_checked(shape), np.float32)


def _normal(shape: Shape, rng: np.random.Generator, deviation: float) -> Array:
    values = rng.standard_normal(shape)
    values *= deviation  # in place: a second array of float64 would double the memory that a large weight takes
    return values.astype(np.float32)


def _uniform(shape: Shape, rng: np.random.Generator, limit: float) -> Array:
    return rng.uniform(-limit, limit, shape).astype(np.float32)


INITIALIZERS: dict[str, Initializer] = {
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "xavier_normal": xavier_normal,
    "xavier_uniform": xavier_uniform,
    "zeros": zeros,
}

INITIALIZER_CHOICES: dict[str, str | float | None] = {
    "network": None,
    **{name: name for name in INITIALIZERS if name != "zeros"},
    "normal": 0.01,
    "zeros": "zeros",
}
"""What all weights of a network can begin with, by name: the initializer of each layer; None: the layer's own."""


def initializer(choice: str | float) -> Initializer:
    """The initializer called `choice`, or, where `choice` is a number, the normal one with that standard deviation.

    Raises ConfigError where there is none of that name, or the number is negative, infinite, or none at all.
    """
    choice = checked_initializer(choice)
    return INITIALIZERS[choice] if isinstance(choice, str) else normal(choice)


def checked_initializer(choice: str | float) -> str | float:
    """`choice` as it can be written to a file. Raises ConfigError where `initializer` knows nothing of it."""
    if not isinstance(choice, str):
        return _deviation(choice)
    if choice not in INITIALIZERS:
        raise ConfigError(f"There is no initializer {shown(choice)}; there are {', '.join(INITIALIZERS)}, or a standard deviation.")
    return choice


def _deviation(std: float) -> float:
    wants = f"of at least 0 and at most {LARGEST_DEVIATION:,.0f}, or a name ({', '.join(INITIALIZERS)})"
    return real_number(std, "The standard deviation of an initializer", wants, lambda number: 0 <= number <= LARGEST_DEVIATION)


def _checked(shape: Shape) -> Shape:
    """The shape of a weight. ConfigError where it is none, or one of more than LARGEST_WEIGHT numbers, before that is made."""
    if not isinstance(shape, (tuple, list)) or not shape:
        raise ConfigError(f"A weight's shape is a row of sizes such as (in, out), not {shown(shape)}.")
    sizes = tuple(whole_number(size, "A size of a weight") for size in shape)
    if math.prod(sizes) > LARGEST_WEIGHT:
        raise ConfigError(f"A weight of {'×'.join(map(str, sizes))} has over {LARGEST_WEIGHT:,} numbers; use a smaller layer.")
    return sizes
