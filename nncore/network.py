"""Network: a list of layers, run forward and backward."""

from __future__ import annotations

import copy
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

from nncore.arrays import Array, Shape, array_module, beside, shape_text, to_numpy
from nncore.checks import LARGEST_SIZE, listed, shown, whole_number
from nncore.errors import ConfigError, DataError, WeightsError
from nncore.layers import Dropout, Layer, layer_from_config
from nncore.layers.cost import MOST_LAYERS, Cost
from nncore.parameter import Buffer, Parameter, check_saved

if TYPE_CHECKING:
    from nncore.backend.contract import Backend

LARGEST_SEED = 2**64 - 1
"""The largest seed, and the most calls of a dropout layer that a saved state may count: what 64 bits hold."""

_in_networks: WeakSet[Layer] = WeakSet()
"""Every layer that belongs to a network. A set by identity, so that a copy of a layer belongs to none yet."""


@dataclass(frozen=True)
class LayerSummary:
    """One line of `Network.summary`: shapes without the batch axis, and what the layer costs an example."""

    name: str
    kind: str
    """What the layer is, as `Layer.kind` says it: `conv`, `relu`, …"""
    description: str
    output_shape: Shape
    parameters: int
    """Numbers that the layer learns."""
    values: int
    """Values made for each example, padding and work areas included."""
    multiply_adds: int
    """Multiply-adds for each example, forward."""


class Network:
    """Layers in a row, from images (N, *input_shape) to the output of the last: for a recogniser one score a class (N, classes).

    The seed fixes the first weights: the same seed, layers and input shape give the same network, bit for bit. A layer
    object belongs to one network. Raises ConfigError, naming the layer, where two layers do not fit together, where a
    layer belongs to a network already, and, before anything is allocated, where the network would be too large to be meant
    (nncore/layers/cost.py).
    """

    def __init__(self, layers: Iterable[Layer], input_shape: Sequence[int], seed: int = 0) -> None:
        self.layers = _checked_layers(layers)
        self.input_shape: Shape = _checked_shape(input_shape)
        self.seed = whole_number(seed, "The seed", 0, LARGEST_SEED)
        self._last_shape: Shape | None = None
        count = Counter[str]()
        for layer in self.layers:
            count[layer.kind] += 1
            layer.name = f"{layer.kind}{count[layer.kind]}"
        total_cost(self.layers, self.input_shape)
        rng, shape = np.random.default_rng(self.seed), self.input_shape
        for layer in self.layers:
            with _memory_for(layer, "its parameters; make it smaller"):
                shape = layer.build(shape, rng)
        self.output_shape: Shape = shape
        _in_networks.update(self.layers)

    def __copy__(self) -> Network:
        """A network over the same parameters whose `forward` leaves this one's layers as they are."""
        twin = object.__new__(type(self))
        twin.__setstate__(self.__dict__ | {"layers": [copy.copy(layer) for layer in self.layers]})
        return twin

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the attributes of another network, for `copy` and `pickle`; the layers among them belong to this one."""
        self.__dict__.update(state)
        _in_networks.update(self.layers)

    @property
    def classes(self) -> int:
        """How many classes the network tells apart. Raises ConfigError where it ends in an image instead of one score a class."""
        if len(self.output_shape) != 1:
            raise ConfigError(
                f"The network ends in {shape_text(self.output_shape)} instead of one score a class; end it in Flatten and Linear."
            )
        return self.output_shape[0]

    def forward(self, x: Array) -> Array:
        """The output of the last layer for a batch x (N, *input_shape) of float32, or of float64 for float64 parameters.

        Raises DataError where x is no such array, and ConfigError, naming the first layer and both shapes, where its shape
        does not fit or memory runs out. N may be 0, but for batch norm in training.
        """
        return deque(self._run(x), maxlen=1)[0][1]

    __call__ = forward

    def backward(self, grad: Array) -> Array:
        """Set every parameter's gradient from `grad` = dL/d(output) of the last `forward`; return dL/d(input).

        Raises ConfigError where there was no `forward` or `grad` has not the shape of its output, DataError where it is no
        array of floats.
        """
        if self._last_shape is None:
            raise ConfigError("The network has no output to go back from yet; call forward before backward.")
        _check_floats(grad, "The gradient of the network's output")
        if grad.shape != self._last_shape:
            raise ConfigError(f"The gradient is {grad.shape}, but {self.layers[-1].name} gave an output of {self._last_shape}.")
        for layer in reversed(self.layers):
            with _memory_for(layer, f"the gradients of {len(grad):,} examples; take fewer at a time"):
                grad = layer.backward(grad)
        return grad

    def activations(self, x: Array) -> list[tuple[str, Array]]:
        """The output of every layer, by name and in order, for the batch x (N, *input_shape). Raises what `forward` raises."""
        return list(self._run(x))

    def _run(self, x: Array) -> Iterator[tuple[str, Array]]:
        """Run the layers forward one after the other, yielding each one's name and output."""
        _check_floats(x, f"The input of {self.layers[0].name}")
        if x.shape[1:] != self.input_shape:
            first = self.layers[0]
            raise ConfigError(
                f"{first.name} ({first.describe()}) takes batches of {shape_text(self.input_shape)}, that is "
                f"(N, {', '.join(map(str, self.input_shape))}), but its input is {x.shape}."
            )
        self._last_shape = None
        for layer in self.layers:
            with _memory_for(layer, f"{len(x):,} examples; take fewer at a time"):
                x = layer.forward(x)
            yield layer.name, x
        self._last_shape = x.shape

    def in_use(self) -> Network:
        """A network over the same parameters that behaves as in use, and whose `forward` leaves this one's layers as they are."""
        return copy.copy(self).eval()

    def train(self, training: bool = True) -> Network:
        """Set every layer to behave as in training (dropout drops, batch norm uses the batch) or as in use; return the network."""
        for layer in self.layers:
            layer.training = training
        return self

    def eval(self) -> Network:
        """Set every layer to behave as in use; return the network."""
        return self.train(False)

    def parameters(self) -> dict[str, Parameter]:
        """Every parameter by its full name: `conv1.weight`."""
        return {f"{layer.name}.{name}": parameter for layer in self.layers for name, parameter in layer.parameters()}

    def buffers(self) -> dict[str, Buffer]:
        """Every buffer (batch norm's running statistics) by its full name: `norm1.running_mean`."""
        return {f"{layer.name}.{name}": buffer for layer in self.layers for name, buffer in layer.buffers()}

    def state_dict(self) -> dict[str, Array]:
        """A copy of every parameter and buffer by full name, on the host, which later training steps leave as it is."""
        return {name: to_numpy(holder.data.copy()) for name, holder in (self.parameters() | self.buffers()).items()}

    def random_state(self) -> dict[str, int]:
        """How often each dropout layer has been called: what a checkpoint keeps so that it goes on dropping as it would have."""
        return {layer.name: layer.calls for layer in self.layers if isinstance(layer, Dropout)}

    def load_random_state(self, state: Mapping[str, int]) -> None:
        """Take over what `random_state` returned; layers it does not name keep theirs. WeightsError where it is no such thing."""
        if not isinstance(state, Mapping):
            raise WeightsError(f"The state of the random layers is {shown(state)} instead of a count for each of them.")
        try:
            calls = {name: whole_number(value, f"The calls of {listed([name])}", 0, LARGEST_SEED) for name, value in state.items()}
        except ConfigError as error:
            raise WeightsError(str(error)) from error
        for layer in self.layers:
            if isinstance(layer, Dropout) and layer.name in calls:
                layer.calls = calls[layer.name]

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over the values in `state`, arrays by the names that `state_dict` gives.

        Raises WeightsError, and changes nothing, unless names and shapes fit and every value is a real number that float32
        can hold, and no variance is negative.
        """
        if not isinstance(state, Mapping):
            raise WeightsError(f"The weights are {shown(state)} instead of arrays by their names.")
        parameters, buffers = self.parameters(), self.buffers()
        holders: dict[str, Parameter | Buffer] = {**parameters, **buffers}
        if missing := holders.keys() - state.keys():
            raise WeightsError(f"The weights lack {listed(missing)}; they belong to another network.")
        if extra := state.keys() - holders.keys():
            raise WeightsError(f"The weights hold {listed(extra)}, which this network has not; they belong to another one.")
        for name, parameter in parameters.items():
            check_saved(name, state[name], parameter.data)
        for name, buffer in buffers.items():
            check_saved(name, state[name], buffer.data, buffer.least)
        for name, holder in holders.items():
            holder.data[...] = beside(state[name], holder.data)

    def advance_dropout(self, calls: int = 1) -> None:
        """Count `calls` more calls of every dropout layer, as forward passes in training do: it drops other values next."""
        for layer in self.layers:
            if isinstance(layer, Dropout) and layer.p > 0:
                layer.calls += calls

    def to(self, backend: Backend) -> Network:
        """Move every parameter and buffer to `backend`, so that forward and backward run there; returns the network itself.

        A plan, which brings to its device what it needs, moves them back to the host.
        """
        for holder in (self.parameters() | self.buffers()).values():
            holder.data = backend.asarray(holder.data)
        return self

    def config(self) -> dict[str, Any]:
        """The architecture and the seed as plain data (JSON), from which `from_config` builds an equal network."""
        return {"input_shape": list(self.input_shape), "layers": [layer.config() for layer in self.layers], "seed": self.seed}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], seed: int | None = None) -> Network:
        """Build the network that `config` describes, from its seed unless another is given. ConfigError where it describes none."""
        layers, shape = layers_from_config(config)
        return cls(layers, shape, config.get("seed", 0) if seed is None else seed)

    def copy(self) -> Network:
        """A network of its own for another thread to use: the same layers, weights, weight decays, mode and random state."""
        twin = Network.from_config(self.config())
        twin.load_state_dict(self.state_dict())
        twin.load_random_state(self.random_state())
        for name, parameter in self.parameters().items():
            twin.parameters()[name].weight_decay = parameter.weight_decay
        for layer, original in zip(twin.layers, self.layers, strict=True):
            layer.training = original.training
        return twin

    def summary(self) -> list[LayerSummary]:
        """One line a layer, in order."""
        return [
            LayerSummary(
                layer.name,
                layer.kind,
                layer.describe(),
                layer.output_shape,
                _parameter_count(layer),
                cost.values,
                cost.multiply_adds,
            )
            for layer in self.layers
            for cost in [layer.cost(layer.input_shape)]
        ]

    @property
    def parameter_count(self) -> int:
        """How many numbers training changes."""
        return sum(map(_parameter_count, self.layers))


def layers_from_config(config: Mapping[str, Any]) -> tuple[list[Layer], Shape]:
    """The layers, not built yet, and the input shape that `Network.config` described. ConfigError where it describes none."""
    if not isinstance(config, Mapping) or not all(isinstance(config.get(key), (list, tuple)) for key in ("input_shape", "layers")):
        raise ConfigError("The description of the network lacks its input shape or its layers.")
    if len(config["layers"]) > MOST_LAYERS:
        raise ConfigError(f"The network has {len(config['layers']):,} layers; it may have {MOST_LAYERS:,}.")
    return [layer_from_config(layer) for layer in config["layers"]], _checked_shape(config["input_shape"])


def total_cost(layers: Iterable[Layer], input_shape: Shape) -> Cost:
    """What an example costs in all of the layers together; nothing is allocated.

    Raises ConfigError, naming the layer, where two layers do not fit together or the sum becomes too large to be meant.
    """
    total, shape = Cost(), input_shape
    for layer in layers:
        total += layer.cost(shape)
        total.check(layer.name or layer.kind)
        shape = layer.infer_shape(shape)
    return total


def _checked_layers(layers: Iterable[Layer]) -> list[Layer]:
    """The layers as a list. ConfigError unless each is a layer that belongs to no network and stands there once."""
    if not isinstance(layers, Iterable):
        raise ConfigError(f"A network takes a list of layers, not {shown(layers)}.")
    found = list(layers)
    if not 1 <= len(found) <= MOST_LAYERS:
        raise ConfigError(f"A network needs at least one layer and at most {MOST_LAYERS:,}, not {len(found):,}.")
    places: dict[int, int] = {}
    for place, layer in enumerate(found, 1):
        if not isinstance(layer, Layer):
            raise ConfigError(f"Layer {place} of the network is {shown(layer)}, which is no layer.")
        if (first := places.setdefault(id(layer), place)) != place:
            raise ConfigError(
                f"Layers {first} and {place} of the network are one {type(layer).__name__} object; make a new one for each place."
            )
        if layer in _in_networks:
            raise ConfigError(
                f"Layer {place} ({layer.describe()}) belongs to a network already, as {layer.name}; make a new one for this one."
            )
    return found


def _checked_shape(input_shape: Sequence[int]) -> Shape:
    """The input shape as a tuple. ConfigError unless it is one to three sizes."""
    if not isinstance(input_shape, (list, tuple)) or not 1 <= len(input_shape) <= 3:
        raise ConfigError(f"The input shape is (height, width, channels), or (size,) for vectors, not {shown(input_shape)}.")
    return tuple(whole_number(size, "A size of the input shape", 1, LARGEST_SIZE) for size in input_shape)


def _check_floats(x: Any, what: str) -> None:
    """Raise DataError unless `x` is an array of float32 or float64 with a batch axis."""
    if not isinstance(x, array_module(x).ndarray):
        raise DataError(f"{what} must be an array of float32, not {shown(x)}.")
    if x.dtype.kind != "f" or x.dtype.itemsize not in (4, 8):
        hint = "; divide bytes by 255 first (nncore.prediction.as_input)" if x.dtype.kind in "iu" else ""
        raise DataError(f"{what} must be an array of float32, not {x.dtype} of shape {x.shape}{hint}.")
    if x.ndim == 0:
        raise DataError(f"{what} must be a batch of examples, not a single number.")


@contextmanager
def _memory_for(layer: Layer, what: str) -> Iterator[None]:
    """Turn running out of memory into a ConfigError that names the layer."""
    try:
        yield
    except MemoryError as error:
        raise ConfigError(f"There is not enough memory for {layer.name} and {what}.") from error


def _parameter_count(layer: Layer) -> int:
    return sum(parameter.data.size for _, parameter in layer.parameters())
