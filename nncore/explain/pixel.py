"""One number of a layer's output, taken apart: what it was made of, so that the parts add up to it.

`explain` takes one layer's step apart. `explain_joined` begins at the last layer before that looks at more than one number, so that
a convolution comes with the batch norm and the activation after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nncore.arrays import Array
from nncore.errors import ConfigError
from nncore.explain.forward_pass import ForwardPass
from nncore.layers import AvgPool2d, BatchNorm, Conv2d, Dropout, Flatten, GlobalAvgPool2d, Layer, Linear, MaxPool2d, Softmax
from nncore.layers.activations import Activation
from nncore.layers.pooling import Pool

Index: TypeAlias = tuple[int, ...]
"""Where a number stands in a layer's output: (row, column, channel), or (unit,)."""


@dataclass(frozen=True, eq=False)
class Parts:
    """A number of a layer's output, and what it was made of, in float64. `parts` add up to `value`."""

    place: int
    """The place of the layer in the network, from 1."""
    index: Index
    """Where in the layer's output the number stands."""
    output: float
    """The number as the layer put it out, in float32."""
    value: float
    """The number as it follows from the parts."""
    parts: Array
    """float64, of the shape of the inputs that it was made of, or (n,) where it says so."""
    inputs: Array
    """float64: the numbers of the layer's input that had a say in it, of any shape."""

    def source(self, at: Index) -> Index | None:
        """Where in the layer's input the number at `at` of `inputs` stands; None for the zeros of a padding."""
        raise TypeError(f"{type(self).__name__} does not say where its inputs stand")


@dataclass(frozen=True, eq=False)
class Weighted(Parts):
    """y = b + Σ x · w: convolution and linear. `parts` are the products; the bias comes on top of them."""

    weights: Array
    """float64, of the shape of `inputs`: (kernel height, kernel width, channels in) or (in,)."""
    bias: float
    """0 where the layer has none."""
    has_bias: bool
    corner: tuple[int, int] = (0, 0)
    """Row and column of the layer's input under the kernel's first cell; negative where that lies in the padding."""
    input_shape: Index = ()
    dilation: tuple[int, int] = (1, 1)
    """How many rows and columns of the input neighbouring cells lie apart."""
    channel: int = 0
    """The channel of the input that is the first of `inputs`: another one than 0 in a later group."""

    def source(self, at: Index) -> Index | None:
        if len(at) == 1:
            return at
        row, column = (corner + far * cell for corner, far, cell in zip(self.corner, self.dilation, at, strict=False))
        is_inside = 0 <= row < self.input_shape[0] and 0 <= column < self.input_shape[1]
        return (row, column, self.channel + at[2]) if is_inside else None


@dataclass(frozen=True, eq=False)
class Pooled(Parts):
    """The largest number of a window, or the mean of all: `inputs` and `parts` are (height, width), of what is no padding."""

    corner: tuple[int, int]
    """Row and column of the layer's input at the first of them."""
    winner: tuple[int, int] | None
    """Where among them the largest number stands, the first in reading order; None for a mean."""
    count: int
    """How many numbers the window has, zeros of a padding among them."""

    def source(self, at: Index) -> Index | None:
        return self.corner[0] + at[0], self.corner[1] + at[1], self.index[2]


@dataclass(frozen=True, eq=False)
class Normalised(Parts):
    """y = γ x̂ + β with x̂ = (x − μ) / √(σ² + ε) by the running mean and variance. `parts` are γ x̂ and β (2)."""

    mean: float
    variance: float
    eps: float
    scale: float
    shift: float

    @property
    def normal(self) -> float:
        """x̂"""
        return float((self.inputs - self.mean) / np.sqrt(self.variance + self.eps))

    def source(self, at: Index) -> Index | None:
        return self.index


@dataclass(frozen=True, eq=False)
class Activated(Parts):
    """y = f(x): ReLU, sigmoid, tanh. `inputs` and `parts` are single numbers."""

    kind: str
    """`relu`, `sigmoid`, `tanh`, …"""

    def source(self, at: Index) -> Index | None:
        return self.index


@dataclass(frozen=True, eq=False)
class Share(Parts):
    """pᵢ = exp(xᵢ) / Σⱼ exp(xⱼ): softmax. `inputs` are all x of the place (n); `parts` has pᵢ at i, and else zeros."""

    powers: Array
    """float64 (n): exp(xⱼ − max x), of which the number is one over their sum."""

    def source(self, at: Index) -> Index | None:
        return *self.index[:-1], *at


@dataclass(frozen=True, eq=False)
class Passed(Parts):
    """y = x: flatten, and dropout in use, which drops nothing then. `inputs` and `parts` are single numbers."""

    kind: str
    origin: Index
    """Where in the layer's input the number stands."""

    def source(self, at: Index) -> Index | None:
        return self.origin


def explain(done: ForwardPass, place: int, index: Index) -> Parts:
    """Take apart the number at `index` of the output of the layer at `place`, from 1.

    IndexError where there is no such number, ConfigError for a layer of a kind that is not known here.
    """
    y, layer = done.values[place], done.layers[place - 1]
    if len(index) != y.ndim or not all(0 <= at < size for at, size in zip(index, y.shape, strict=True)):
        raise IndexError(f"{done.name(place)} has no number at {index}; its output is {y.shape}.")
    for kind, take_apart in KINDS.items():
        if isinstance(layer, kind):
            return take_apart(done, place, index, layer)
    raise ConfigError(f"How {done.name(place)} makes its numbers is not known; {type(layer).__name__} is no layer of this program.")


def explain_joined(done: ForwardPass, place: int, index: Index) -> tuple[Parts, ...]:
    """The steps in which a number was made, in order: the last layer that looks at more than one number, then those that follow it.

    These change each number by itself (activations, batch norm) or pass it on (flatten, dropout). The last step is that of the
    layer at `place`. Raises what `explain` raises.
    """
    steps = [explain(done, place, index)]
    while isinstance(steps[0], Normalised | Activated | Passed) and steps[0].place > 1:
        origin = steps[0].source(())
        assert origin is not None, "such a layer has no padding"
        steps.insert(0, explain(done, steps[0].place - 1, origin))
    return tuple(steps)


# -- the kinds of layers


def _conv(done: ForwardPass, place: int, index: Index, layer: Conv2d) -> Parts:
    """y[i,j,o] = b[o] + Σ x[i·stride + k·dilation − padding, …] · w[k,l,c,o], zeros outside of the image, c of the group of o."""
    x, (weight,) = done.values[place - 1], done.parameters(place, "weight")
    row, column = (at * stride - before for at, stride, (before, _) in zip(index, layer.stride, layer.margins, strict=False))
    size, first = weight.shape[2], index[2] // (weight.shape[3] // layer.groups) * weight.shape[2]
    inputs = np.zeros(weight.shape[:3])
    reached = [
        corner + far * np.arange(cells) for corner, far, cells in zip((row, column), layer.dilation, weight.shape, strict=False)
    ]
    down, across = (np.flatnonzero((at >= 0) & (at < whole)) for at, whole in zip(reached, x.shape, strict=False))
    inputs[np.ix_(down, across)] = x[np.ix_(reached[0][down], reached[1][across])][..., first : first + size]
    weights = weight[..., index[2]].astype(np.float64)
    return _weighted(done, place, index, inputs, weights, (row, column), x.shape, layer.dilation, first)


def _linear(done: ForwardPass, place: int, index: Index, layer: Linear) -> Parts:
    """y[j] = b[j] + Σᵢ x[i] · w[i,j]"""
    x, (weight,) = done.values[place - 1], done.parameters(place, "weight")
    weights = weight[:, index[0]].astype(np.float64)
    return _weighted(done, place, index, x.astype(np.float64), weights, (0, 0), x.shape)


def _weighted(
    done: ForwardPass,
    place: int,
    index: Index,
    inputs: Array,
    weights: Array,
    corner: tuple[int, int],
    input_shape: Index,
    dilation: tuple[int, int] = (1, 1),
    channel: int = 0,
) -> Weighted:
    products, shift = inputs * weights, done.state.get(f"{done.name(place)}.bias")
    bias = 0.0 if shift is None else float(shift[index[-1]])
    value, output = float(products.sum()) + bias, float(done.values[place][index])
    more = corner, input_shape, dilation, channel
    return Weighted(place, index, output, value, products, inputs, weights, bias, shift is not None, *more)


def _pool(done: ForwardPass, place: int, index: Index, layer: Pool) -> Parts:
    x, count = done.values[place - 1], math.prod(layer.kernel_size)
    row, column = (at * stride - pad for at, stride, pad in zip(index, layer.stride, layer.padding, strict=False))
    corner, (height, width) = (max(row, 0), max(column, 0)), layer.kernel_size
    window = x[corner[0] : row + height, corner[1] : column + width, index[2]].astype(np.float64)
    output = float(done.values[place][index])
    if isinstance(layer, AvgPool2d):
        parts = window / count
        return Pooled(place, index, output, float(parts.sum()), parts, window, corner, None, count)
    winner = divmod(int(window.argmax()), window.shape[1])
    parts = np.zeros_like(window)
    parts[winner] = window[winner]
    return Pooled(place, index, output, float(window[winner]), parts, window, corner, winner, count)


def _global_pool(done: ForwardPass, place: int, index: Index, layer: GlobalAvgPool2d) -> Parts:
    x = done.values[place - 1][..., index[2]].astype(np.float64)
    parts = x / x.size
    return Pooled(place, index, float(done.values[place][index]), float(parts.sum()), parts, x, (0, 0), None, x.size)


def _norm(done: ForwardPass, place: int, index: Index, layer: BatchNorm) -> Parts:
    x, channel = np.float64(done.values[place - 1][index]), index[-1]
    names = ("running_mean", "running_var", "weight", "bias")
    mean, variance, scale, shift = (float(values[channel]) for values in done.parameters(place, *names))
    scaled = float(scale * (x - mean) / np.sqrt(variance + layer.eps))
    output = float(done.values[place][index])
    return Normalised(
        place, index, output, scaled + shift, np.array([scaled, shift]), np.array(x), mean, variance, layer.eps, scale, shift
    )


def _softmax(done: ForwardPass, place: int, index: Index, layer: Softmax) -> Parts:
    x, at = done.values[place - 1][index[:-1]].astype(np.float64), index[-1]
    powers = np.exp(x - x.max())
    parts = np.zeros_like(powers)
    parts[at] = powers[at] / powers.sum()
    return Share(place, index, float(done.values[place][index]), float(parts[at]), parts, x, powers)


def _activation(done: ForwardPass, place: int, index: Index, layer: Activation) -> Parts:
    x = np.array(done.values[place - 1][index], np.float64)
    y = np.asarray(layer.of(x))
    return Activated(place, index, float(done.values[place][index]), float(y), y, x, layer.kind)


def _passed(done: ForwardPass, place: int, index: Index, layer: Layer) -> Parts:
    before = done.values[place - 1]
    found = np.unravel_index(index[0], before.shape) if isinstance(layer, Flatten) else index
    origin = tuple(int(at) for at in found)
    x = np.array(before[origin], np.float64)
    return Passed(place, index, float(done.values[place][index]), float(x), x, x, layer.kind, origin)


KINDS: dict[type[Layer], Callable[..., Parts]] = {
    Conv2d: _conv,
    Linear: _linear,
    MaxPool2d: _pool,
    AvgPool2d: _pool,
    GlobalAvgPool2d: _global_pool,
    BatchNorm: _norm,
    Softmax: _softmax,
    Activation: _activation,
    Flatten: _passed,
    Dropout: _passed,
}
"""What takes a number of each kind of layer apart; the first that fits does."""
