"""Chain: the layers that have been read of an ONNX graph so far, and what lies behind the last of them.

In the file an image is (N, channels, height, width), in nncore (N, height, width, channels). The two number the values of a
flattened image differently, so a chain remembers from which image a vector came until a layer has weights for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nncore.arrays import Array, Shape, shape_text
from nncore.errors import ConfigError
from nncore.exchange.onnx_file import FLOATS, KINDS, Node
from nncore.layers import BatchNorm, Conv2d, Layer, Linear
from nncore.layers.conv import IntPair
from nncore.layers.cost import MOST_LAYERS, Cost
from nncore.network import Network

IMAGE, IMAGE_LAST, GREY, VECTOR = "CHW", "HWC", "HW", "V"
"""Orders in which the axes behind the batch stand in the file: channels first or last, without channels, or a vector."""
FLOAT_TYPES = tuple(np.dtype(KINDS[kind]) for kind in FLOATS)


class UnfitError(Exception):
    """A part of the graph is none that nncore has; the message is a sentence that names it."""


@dataclass(eq=False)
class Chain:
    """Layers with their weights, in a row."""

    input_shape: Shape
    """As nncore has it: (height, width, channels) or (size)."""
    axes: str
    batch: int | None
    """The number of examples that the file is fixed to, if it is."""
    shape: Shape = ()
    """Of what lies behind the last layer, as nncore has it."""
    flattened: Shape = ()
    """(height, width, channels) of the image that the vector here was, where the file numbers its values by channels first."""
    layers: list[Layer] = field(default_factory=list)
    _values: list[dict[str, Array]] = field(default_factory=list)
    _cost: Cost = field(default_factory=Cost)

    def __post_init__(self) -> None:
        self.shape = self.input_shape

    @property
    def is_image(self) -> bool:
        return self.axes != VECTOR

    @property
    def sizes(self) -> Shape:
        """The shape in the file, behind the batch."""
        return tuple(self.shape["HWC".index(axis)] for axis in self.axes) if self.is_image else self.shape

    def add(self, layer: Layer, **values: Array) -> None:
        """Put a layer behind the others, with the values of its parameters by name, of the shapes that nncore gives them.

        Raises ConfigError where it does not fit or the network becomes too large; nothing is allocated.
        """
        layer.name = f"layer {len(self.layers) + 1}"
        if len(self.layers) >= MOST_LAYERS:
            raise ConfigError(f"The network has over {MOST_LAYERS:,} layers.")
        self._cost += layer.cost(self.shape)
        self._cost.check(layer.name)
        self.shape = layer.infer_shape(self.shape)
        self.layers.append(layer)
        self._values.append(values)

    def drop_last(self) -> None:
        """Take the last layer away again; only one that leaves the shape as it is."""
        del self.layers[-1], self._values[-1]

    def scale(self, factor: Array, offset: Array) -> None:
        """Put y = factor · x + offset behind the layers, both float32 (channels) and in nncore's order.

        A bias that is added behind a convolution or a linear layer becomes its own; whatever else is a batch norm, or becomes part
        of the one before it.
        """
        last = self.layers[-1] if self.layers else None
        if isinstance(last, BatchNorm):
            values = self._values[-1]
            values["weight"], values["bias"] = values["weight"] * factor, values["bias"] * factor + offset
        elif isinstance(last, Conv2d | Linear) and (factor == 1).all():
            last.has_bias = True
            self._values[-1]["bias"] = self._values[-1].get("bias", np.float32(0)) + offset
        else:
            norm, size = BatchNorm(), self.shape[-1]
            still = {"running_mean": np.zeros(size, np.float32), "running_var": np.full(size, 1 - norm.eps, np.float32)}
            self.add(norm, weight=factor, bias=offset, **still)

    def ordered(self, values: Array) -> Array:
        """`values`, whose first axis counts the values of the vector as the file does, in nncore's order."""
        if not self.flattened:
            return values
        height, width, channels = self.flattened
        by_axis = values.reshape(channels, height, width, *values.shape[1:])
        return np.moveaxis(by_axis, 0, 2).reshape(values.shape)

    def network(self) -> Network:
        """The layers as a network with their weights. Raises ConfigError or WeightsError where they make none."""
        if self.is_image:
            raise UnfitError(
                f"It ends in an image, {shape_text(self.shape)}; DigitLab opens networks that end in one score a class"
            )
        if self.flattened:
            raise UnfitError("It ends where an image is flattened; DigitLab opens networks that end in one score a class")
        network = Network(self.layers, self.input_shape)
        network.load_state_dict(
            {
                f"{layer.name}.{name}": array
                for layer, values in zip(network.layers, self._values, strict=True)
                for name, array in values.items()
            }
        )
        return network


@dataclass(frozen=True, eq=False)
class Call:
    """An operator applied to what lies behind a chain, with its other inputs."""

    node: Node
    chain: Chain
    known: dict[str, Array]
    """Constants by name."""
    opset: int

    def unfit(self, why: str) -> UnfitError:
        """The error for an operator that nncore's layer cannot do; `why` goes on from its name."""
        return UnfitError(f"{self.node} {why}")

    def attribute(self, name: str, default: Any) -> Any:
        """An attribute of the kind that `default` has. UnfitError where it is of another."""
        found = self.node.attributes.get(name, default)
        if default is not None and type(found) is not type(default):
            raise self.unfit(f"has a {name} of the wrong kind")
        return found

    def numbers(self, name: str, default: Shape) -> Shape:
        """An attribute that is as many whole numbers as `default`; an attribute that lists none has the default."""
        found = self.attribute(name, default) or default
        if len(found) != len(default) or not all(isinstance(number, int) for number in found):
            raise self.unfit(
                f"has a {name} of {len(found)} numbers instead of {len(default)}; DigitLab works on images in two dimensions"
            )
        return found

    def pair(self, name: str, default: IntPair) -> IntPair:
        """An attribute of two whole numbers, vertical and horizontal."""
        first, second = self.numbers(name, default)
        return first, second

    def has(self, place: int) -> bool:
        """Whether there is an input at that place."""
        return len(self.node.inputs) > place and bool(self.node.inputs[place])

    def constant(self, place: int, what: str) -> Array:
        """The input at a place, float32. UnfitError, calling it `what`, where it is not in the file as numbers of that kind."""
        found = self.known.get(self.node.inputs[place]) if self.has(place) else None
        if found is None or found.dtype not in FLOAT_TYPES:
            raise self.unfit(f"has a {what} that does not lie in the file as plain numbers")
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as such
            return found.astype(np.float32, copy=False)

    def whole_numbers(self, place: int, what: str) -> Shape:
        """The input at a place as whole numbers."""
        found = self.known.get(self.node.inputs[place]) if self.has(place) else None
        if found is None or found.dtype.kind != "i" or found.ndim > 1 or found.size > 8:
            raise self.unfit(f"has a {what} that does not lie in the file as a few whole numbers")
        return tuple(found.reshape(-1).tolist())

    def wants(self, axes: str, what: str) -> None:
        """Raise UnfitError unless what lies behind the chain has these axes, and so is `what`."""
        if self.chain.axes != axes:
            raise self.unfit(f"is applied to {shape_text(self.chain.sizes)}, where DigitLab takes {what}")
