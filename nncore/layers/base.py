"""Layer: what every layer has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from nncore.arrays import Array, Shape, shape_text
from nncore.errors import ConfigError
from nncore.layers.cost import Cost
from nncore.parameter import Buffer, Parameter


class Layer:
    """A function of its input and its parameters, together with that function's derivative.

    A layer learns the shape of its input in `build`, which the network calls once. `forward` keeps what `backward`
    needs, so the two come in pairs. A layer object belongs to one network.

    A subclass lists its constructor arguments in `settings`: from these a network is written to a file and built again.
    It defines `forward`, `backward` and, where they differ from those below, `infer_shape`, `cost` and `_build`.
    """

    kind: ClassVar[str] = "layer"
    """Short lower-case name, numbered by the network: `conv1`, `relu1`, …"""

    settings: ClassVar[tuple[str, ...]] = ()

    kernel: ClassVar[str] = ""
    """For a layer without parameters: the compiled operations `kernel` and `kernel_back` compute the same as its forward and
    backward, which then follow from x, y and numbers alone. Empty where there are none, or where nncore.plan has a step for it.
    A subclass has the kernel that it names itself: what it changes, a kernel would not do."""

    name: str = ""
    training: bool = False
    input_shape: Shape = ()
    output_shape: Shape = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kernel" not in vars(cls):
            cls.kernel = ""

    def kernel_numbers(self) -> dict[str, float]:
        """The numbers that `kernel` takes besides shapes, by the names of its parameters."""
        return {}

    def build(self, input_shape: Shape, rng: np.random.Generator) -> Shape:
        """Create the parameters for inputs of `input_shape` (without the batch axis), and return the output's shape.

        Raises ConfigError naming the layer and both shapes where the input does not fit.
        """
        self.output_shape = self.infer_shape(input_shape)
        self.input_shape = input_shape
        self._build(rng)
        return self.output_shape

    def infer_shape(self, input_shape: Shape) -> Shape:
        """The output's shape for inputs of `input_shape`, both without the batch axis; nothing is created or changed.

        Raises ConfigError naming the layer and both shapes where the input does not fit.
        """
        return input_shape

    def cost(self, input_shape: Shape) -> Cost:
        """What an example of `input_shape` costs, if it fits; nothing is created or changed."""
        size = math.prod(self.infer_shape(input_shape))
        return Cost(values=size, multiply_adds=size)

    def _build(self, rng: np.random.Generator) -> None:
        """Create the parameters and buffers; `input_shape` and `output_shape` are known."""

    def forward(self, x: Array) -> Array:
        """Return the layer's output for a batch `x` of shape (N, *input_shape)."""
        raise TypeError(f"{type(self).__name__} defines no forward")

    def backward(self, grad: Array) -> Array:
        """Set each parameter's `grad` from `grad` = dL/dy of the last `forward`, of the shape of y, and return dL/dx."""
        raise TypeError(f"{type(self).__name__} defines no backward")

    def parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The layer's parameters by name: every attribute that is one, so that none has to be registered."""
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
        return {"type": type(self).__name__, **{name: self.setting(name) for name in self.settings}}

    def setting(self, name: str) -> Any:
        """The value of one of its `settings`, as the constructor takes it."""
        return getattr(self, name)

    def describe(self) -> str:
        """The layer in a few words, for a summary: `conv 16 · 3×3`."""
        return self.kind

    def misfit(self, wants: str, input_shape: Shape) -> ConfigError:
        """The error for an input that does not fit: it names the layer, what it wants and what it got."""
        return ConfigError(
            f"{self.name or self.kind} ({self.describe()}) takes {wants}, but its input is {shape_text(input_shape)}."
        )
