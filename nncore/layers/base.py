"""Layer: what every layer has, and the checks of settings that layers share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from nncore.arrays import Array, Shape, shape_text
from nncore.errors import ConfigError
from nncore.parameter import Buffer, Parameter


class Layer:
    """A function of its input and its parameters, together with that function's derivative.

    A layer learns the shape of its input in `build`, which the network calls once. `forward` keeps what `backward`
    needs, so the two come in pairs. Subclasses list their constructor arguments in `settings`: from these a network is
    written to a file and built again.
    """

    kind: ClassVar[str] = "layer"
    """Short lower-case name, numbered by the network: `conv1`, `relu1`, …"""

    settings: ClassVar[tuple[str, ...]] = ()

    name: str = ""
    training: bool = False
    input_shape: Shape = ()
    output_shape: Shape = ()

    def build(self, input_shape: Shape, rng: np.random.Generator) -> Shape:
        """Check that inputs of `input_shape` (without the batch axis) fit, create the parameters, return the output's shape.

        Raises ConfigError naming the layer and both shapes where the input does not fit.
        """
        self.input_shape = input_shape
        self.output_shape = self._build(input_shape, rng)
        return self.output_shape

    def _build(self, input_shape: Shape, rng: np.random.Generator) -> Shape:
        return input_shape

    def forward(self, x: Array) -> Array:
        """Return the layer's output for a batch `x` of shape (N, *input_shape)."""
        raise TypeError(f"{type(self).__name__} defines no forward")

    def backward(self, grad: Array) -> Array:
        """From dL/dy of the last `forward` set each parameter's `grad`, and return dL/dx. `grad` has the shape of y."""
        raise TypeError(f"{type(self).__name__} defines no backward")

    def parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The layer's parameters by name, found by walking the object, so that none has to be registered."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield name, value

    def buffers(self) -> Iterator[tuple[str, Buffer]]:
        """The layer's buffers by name, found in the same way."""
        for name, value in vars(self).items():
            if isinstance(value, Buffer):
                yield name, value

    def config(self) -> dict[str, Any]:
        """The layer as plain data, from which `nncore.layers.layer_from_config` builds an equal one."""
        return {"type": type(self).__name__, **{name: getattr(self, name) for name in self.settings}}

    def describe(self) -> str:
        """The layer in a few words, for a summary: `conv 16 · 3×3`."""
        return self.kind

    def misfit(self, wants: str, input_shape: Shape) -> ConfigError:
        """The error for an input that does not fit: it names the layer, what it wants and what it got."""
        return ConfigError(
            f"{self.name or self.kind} ({self.describe()}) takes {wants}, but its input is {shape_text(input_shape)}."
        )


def pair(value: int | tuple[int, int] | list[int], what: str, least: int = 1) -> tuple[int, int]:
    """An int or a pair as a pair (vertical, horizontal); ConfigError where it is neither, or below `least`."""
    numbers = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(numbers) != 2 or not all(is_count(number, least) for number in numbers):
        raise ConfigError(f"{what} must be a whole number of at least {least}, or a pair of them, not {value!r}.")
    return numbers[0], numbers[1]


def is_count(value: object, least: int = 1) -> bool:
    """Whether `value` is a whole number of at least `least` (True and False are none)."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_number(value: object) -> bool:
    """Whether `value` is a real number (True and False are none)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def checked_decay(weight_decay: float) -> float:
    """`weight_decay` as a float; ConfigError where it is no number of at least zero."""
    if not (is_number(weight_decay) and 0 <= weight_decay < float("inf")):
        raise ConfigError(f"weight_decay must be a number of at least 0, not {weight_decay!r}.")
    return float(weight_decay)
