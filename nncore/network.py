"""Network: a list of layers, run forward and backward."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nncore.arrays import Array, Shape, shape_text
from nncore.errors import ConfigError, WeightsError
from nncore.layers import Dropout, Layer, layer_from_config
from nncore.parameter import Buffer, Parameter

if TYPE_CHECKING:
    from nncore.backend.contract import Backend

LARGEST_NETWORK = 200_000_000
"""Parameters that a network may have, so that a slip of the pen in a size does not take all memory (800 MB of float32)."""


@dataclass(frozen=True)
class LayerSummary:
    """One line of `Network.summary`: shapes without the batch axis, and how many numbers the layer learns."""

    name: str
    kind: str
    """What the layer is, as `Layer.kind` says it: `conv`, `relu`, …"""
    description: str
    output_shape: Shape
    parameters: int


class Network:
    """Layers in a row, from images (N, *input_shape) to one score a class (N, classes).

    The seed fixes the first weights: the same seed, layers and input shape give the same network, bit for bit.
    Raises ConfigError, naming the layer, where two layers do not fit together.
    """

    def __init__(self, layers: Iterable[Layer], input_shape: Sequence[int], seed: int = 0) -> None:
        self.layers = list(layers)
        self.input_shape: Shape = tuple(input_shape)
        self.seed = seed
        if not self.layers:
            raise ConfigError("A network needs at least one layer.")
        rng = np.random.default_rng(seed)
        shape, count, size = self.input_shape, Counter[str](), 0
        for layer in self.layers:
            count[layer.kind] += 1
            layer.name = f"{layer.kind}{count[layer.kind]}"
            shape = layer.build(shape, rng)
            size += sum(parameter.data.size for _, parameter in layer.parameters())
            if size > LARGEST_NETWORK:
                raise ConfigError(f"This network has over {LARGEST_NETWORK:,} parameters by {layer.name}; make a layer smaller.")
        self.output_shape: Shape = shape

    def forward(self, x: Array) -> Array:
        """The output of the last layer for a float32 batch x (N, *input_shape)."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    __call__ = forward

    def backward(self, grad: Array) -> Array:
        """Set every parameter's gradient from `grad` = dL/d(output) of the last `forward`; return dL/d(input)."""
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad

    def activations(self, x: Array) -> list[tuple[str, Array]]:
        """The output of every layer, by name and in order, for the batch x: what the inspector draws."""
        outputs = []
        for layer in self.layers:
            x = layer.forward(x)
            outputs.append((layer.name, x))
        return outputs

    def in_use(self) -> Network:
        """A network over the same parameters that behaves as in use, and whose `forward` leaves this one's layers as they are."""
        twin = copy.copy(self)
        twin.layers = [copy.copy(layer) for layer in self.layers]
        twin.eval()
        return twin

    def train(self, training: bool = True) -> None:
        """Set every layer to behave as in training (dropout drops, batch norm uses the batch), or as in use."""
        for layer in self.layers:
            layer.training = training

    def eval(self) -> None:
        """Set every layer to behave as in use."""
        self.train(False)

    def parameters(self) -> dict[str, Parameter]:
        """Every parameter by its full name: `conv1.weight`."""
        return {f"{layer.name}.{name}": parameter for layer in self.layers for name, parameter in layer.parameters()}

    def buffers(self) -> dict[str, Buffer]:
        """Every buffer (batch norm's running statistics) by its full name: `norm1.running_mean`."""
        return {f"{layer.name}.{name}": buffer for layer in self.layers for name, buffer in layer.buffers()}

    def state_dict(self) -> dict[str, Array]:
        """A copy of every parameter and buffer by full name, which later training steps leave as it is."""
        return {name: holder.data.copy() for name, holder in (self.parameters() | self.buffers()).items()}

    def random_state(self) -> dict[str, int]:
        """What a checkpoint must keep so that random layers go on as they would have: the calls of every dropout."""
        return {layer.name: layer.calls for layer in self.layers if isinstance(layer, Dropout)}

    def load_random_state(self, state: Mapping[str, int]) -> None:
        """Take over what `random_state` returned; layers it does not name keep theirs."""
        for layer in self.layers:
            if isinstance(layer, Dropout) and layer.name in state:
                layer.calls = int(state[layer.name])

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over the values in `state`. Raises WeightsError, and changes nothing, unless names, shapes and numbers fit."""
        parameters = self.parameters() | self.buffers()
        if missing := parameters.keys() - state.keys():
            raise WeightsError(f"The weights lack {', '.join(sorted(missing))}; they belong to another network.")
        if extra := state.keys() - parameters.keys():
            raise WeightsError(
                f"The weights hold {', '.join(sorted(extra))}, which this network has not; they belong to another one."
            )
        for name, parameter in parameters.items():
            if state[name].shape != parameter.shape:
                raise WeightsError(
                    f"The weights' {name} is {shape_text(state[name].shape)}, but this network's is {shape_text(parameter.shape)}."
                )
            if not np.isfinite(state[name]).all():
                raise WeightsError(f"The weights' {name} holds values that are not numbers; the file is of no use.")
        for name, parameter in parameters.items():
            parameter.data[...] = state[name]

    def draw(self) -> None:
        """Let every random layer go on to its next draw, as a forward pass in training does."""
        for layer in self.layers:
            if isinstance(layer, Dropout) and layer.p > 0:
                layer.calls += 1

    def to(self, backend: Backend) -> Network:
        """Move every parameter and buffer to `backend`; returns the network itself."""
        for holder in (self.parameters() | self.buffers()).values():
            holder.data = backend.asarray(holder.data)
        return self

    def config(self) -> dict[str, Any]:
        """The architecture as plain data (JSON), from which `from_config` builds an equal network."""
        return {"input_shape": list(self.input_shape), "layers": [layer.config() for layer in self.layers]}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], seed: int = 0) -> Network:
        """Build the network that `config` describes. Raises ConfigError where it describes none."""
        try:
            shape, layers = [int(size) for size in config["input_shape"]], list(config["layers"])
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError("The description of the network lacks its input shape or its layers.") from error
        if not 1 <= len(shape) <= 3 or not all(1 <= size <= 4096 for size in shape) or not all(isinstance(c, dict) for c in layers):
            raise ConfigError("The description of the network has an impossible input shape or layer.")
        return cls([layer_from_config(layer) for layer in layers], shape, seed)

    def copy(self) -> Network:
        """A network of its own with the same layers and the same weights, for another thread to use."""
        twin = Network.from_config(self.config(), self.seed)
        twin.load_state_dict(self.state_dict())
        return twin

    def summary(self) -> list[LayerSummary]:
        """One line a layer, in order."""
        return [
            LayerSummary(
                layer.name,
                layer.kind,
                layer.describe(),
                layer.output_shape,
                sum(parameter.data.size for _, parameter in layer.parameters()),
            )
            for layer in self.layers
        ]

    @property
    def parameter_count(self) -> int:
        """How many numbers training changes."""
        return sum(line.parameters for line in self.summary())
