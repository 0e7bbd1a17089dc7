"""The directional gradient check: what backward claims, against what forward does, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nncore.arrays import Array, beside, to_numpy
from nncore.layers import Layer
from nncore.network import Network
from nncore.parameter import Parameter

STEP = 1e-6
TOLERANCE = 1e-6


Place = Callable[[Array], Array]
"""Puts an array where it shall lie."""


def as_it_is(array: Array) -> Array:
    return array


def to_float64(thing: Layer | Network, place: Place = as_it_is) -> None:
    """Give every parameter and buffer float64 values, so that differences of nearly equal numbers keep their digits."""
    parameters = thing.parameters()
    for _, parameter in parameters.items() if isinstance(parameters, dict) else parameters:
        parameter.data = place(parameter.data.astype(np.float64))
    buffers = thing.buffers()
    for _, buffer in buffers.items() if isinstance(buffers, dict) else buffers:
        buffer.data = place(buffer.data.astype(np.float64))


def check_direction(f: Callable[[], float], values: Array, claimed: Array, rng: np.random.Generator, name: str) -> None:
    """Compare (f(v + h d) − f(v − h d)) / 2h with ⟨claimed, d⟩ along random unit directions d; `values` is changed in place.

    A direction that looks only at some of the values comes along, since one wrong entry among many hides in a full one.
    """
    assert claimed.shape == values.shape, name
    for share in (1.0, 1.0, 0.05):
        direction = rng.standard_normal(values.shape) * (rng.random(values.shape) < share)
        direction.flat[rng.integers(values.size)] += 1
        direction = beside(direction / np.linalg.norm(direction), values)
        before = values.copy()
        values[...] = before + STEP * direction
        above = f()
        values[...] = before - STEP * direction
        below = f()
        values[...] = before
        measured, expected = (above - below) / (2 * STEP), float((claimed * direction).sum())
        # Below a thousandth of the gradient's own size a direction says nothing: it stands at a right angle to it.
        scale = max(abs(measured), abs(expected), 1e-3 * float(np.linalg.norm(to_numpy(claimed))), 1e-6)
        assert abs(measured - expected) / scale < TOLERANCE, f"{name}: forward says {measured}, backward {expected}"


def check_layer(layer: Layer, x: Array, rng: np.random.Generator, place: Place = as_it_is) -> None:
    """Check dL/dx and the gradient of every parameter for L = ⟨forward(x), r⟩ with random r, on arrays where `place` puts them."""
    to_float64(layer, place)
    x = place(x)
    for _, parameter in layer.parameters():
        parameter.data += place(0.1 * rng.standard_normal(parameter.shape))
    weights = place(rng.standard_normal(layer.forward(x).shape))

    def loss() -> float:
        return float((layer.forward(x) * weights).sum())

    loss()
    grad_x = layer.backward(weights)
    assert grad_x.dtype == np.float64
    claims: list[tuple[str, Array, Array]] = [("x", x, grad_x)]
    claims += [(name, parameter.data, parameter.grad) for name, parameter in layer.parameters()]
    for name, values, claimed in claims:
        check_direction(loss, values, claimed.copy(), rng, f"{layer.describe()}: {name}")


def check_parameters(f: Callable[[], float], parameters: dict[str, Parameter], rng: np.random.Generator) -> None:
    """Check the gradients that `parameters` hold now against f."""
    for name, values, claimed in [(name, p.data, p.grad.copy()) for name, p in parameters.items()]:
        check_direction(f, values, claimed, rng, name)
