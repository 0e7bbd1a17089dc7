"""Switching parts of a network off, or changing a weight: what the rest then answers.

What is silent gives 0 to whatever reads it. Of a unit (a channel of a convolution, or one number of a linear layer) the weights
and the bias become 0, and so do γ and β of a batch norm behind it, so that its maps show zeros; and, since a sigmoid or a norm of
zero need not be zero, the weights by which the next convolution or linear layer reads it. So the answer is exactly that of the
network in which the unit's output is 0 behind all that follows it before the next weights. A silent unit of the last layer has the
score 0.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from nncore.arrays import Array
from nncore.checks import as_whole, real_number, shown, whole_number
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError
from nncore.explain.networks import own_copy, place_of
from nncore.explain.progress import Progress
from nncore.layers import BatchNorm, Conv2d, Linear
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.prediction import Predictor

AT_ONCE = 2000
"""Images between two reports."""


@dataclass(frozen=True)
class Silent:
    """One unit of a layer, or all of it, that is to be switched off."""

    layer: str
    """A convolution or linear layer, or any layer behind it before the next one or Flatten: `conv1`, `relu1`, `pool1`."""
    unit: int | None = None
    """The channel or number; None for the whole layer."""


@dataclass(frozen=True)
class WeightEdit:
    """A weight or bias that is to have another value."""

    parameter: str
    """Its full name: `conv1.weight`."""
    index: tuple[int, ...]
    """Where in that array it stands."""
    value: float


@dataclass(frozen=True)
class Edits:
    """What is changed of a network. It never changes itself: undo is a list of these."""

    silent: frozenset[Silent] = frozenset()
    weights: tuple[WeightEdit, ...] = field(default=())
    """In the order in which they are made; what is silent is so whatever they say."""

    def __bool__(self) -> bool:
        return bool(self.silent or self.weights)

    def silencing(self, layer: str, unit: int | None = None) -> Edits:
        """With one more unit, or layer, switched off."""
        return replace(self, silent=self.silent | {Silent(layer, unit)})

    def restoring(self, layer: str, unit: int | None = None) -> Edits:
        """With that unit, or layer, switched on again."""
        return replace(self, silent=self.silent - {Silent(layer, unit)})

    def setting(self, parameter: str, index: tuple[int, ...], value: float) -> Edits:
        """With one weight set to a value, in the place of any earlier edit of it."""
        others = tuple(edit for edit in self.weights if (edit.parameter, edit.index) != (parameter, index))
        return replace(self, weights=(*others, WeightEdit(parameter, index, value)))

    def apply(self, network: Network) -> Network:
        """A copy of the network, as in use, with the edits. Raises ConfigError where there is no such layer, unit or weight."""
        twin = own_copy(network)
        for edit in self.weights:
            _set(twin, edit)
        for silent in sorted(self.silent, key=lambda each: (each.layer, -1 if each.unit is None else each.unit)):
            _silence(twin, silent)
        return twin


def owner_of(network: Network, layer: str) -> str:
    """The layer whose units the outputs of `layer` are: the last convolution or linear layer up to it.

    Raises ConfigError where there is none, or a Flatten lies in between, behind which a unit is one place of a map.
    """
    for before in reversed(network.layers[: place_of(network, layer) + 1]):
        if isinstance(before, (Conv2d, Linear)):
            return before.name
        if len(before.input_shape) != len(before.output_shape):
            break
    raise ConfigError(f"Units of {layer} cannot be switched off; take a convolution, a linear layer, or what follows it directly.")


def _silence(network: Network, silent: Silent) -> None:
    """Write the zeros into the network's own arrays."""
    at = place_of(network, owner_of(network, silent.layer))
    owner = network.layers[at]
    assert isinstance(owner, (Conv2d, Linear))
    count = owner.output_shape[-1]
    if silent.unit is None:
        units = np.arange(count)
    else:
        units = np.array([whole_number(silent.unit, f"The unit of {silent.layer}", 0, count - 1)])
    owner.weight.data[..., units] = 0
    if owner.bias is not None:
        owner.bias.data[units] = 0
    for layer in network.layers[at + 1 :]:
        if isinstance(layer, Conv2d):
            _unread(layer, units)
            return
        if isinstance(layer, Linear):
            # Behind Flatten the channels of one place follow each other, place after place.
            layer.weight.data.reshape(-1, count, layer.out_features)[:, units] = 0
            return
        if isinstance(layer, BatchNorm) and layer.input_shape[-1] == count:
            layer.weight.data[units] = 0
            layer.bias.data[units] = 0


def _unread(layer: Conv2d, units: Array) -> None:
    """Let a convolution read zeros of these channels of its input."""
    inputs, outputs = layer.weight.shape[2], layer.out_channels // layer.groups
    for unit in units:
        group, channel = divmod(int(unit), inputs)
        layer.weight.data[:, :, channel, group * outputs : (group + 1) * outputs] = 0


def _set(network: Network, edit: WeightEdit) -> None:
    parameters = network.parameters()
    if edit.parameter not in parameters:
        raise ConfigError(f"The network has no {shown(edit.parameter)}; it has {', '.join(parameters)}.")
    data = parameters[edit.parameter].data
    inside = len(edit.index) == data.ndim and all(
        as_whole(index, 0, size - 1) is not None for index, size in zip(edit.index, data.shape, strict=True)
    )
    if not inside:
        raise ConfigError(f"{edit.parameter} is {data.shape}; there is no weight at {shown(edit.index)} in it.")
    data[edit.index] = real_number(edit.value, "A weight", "of a size that float32 holds", lambda number: True)


def evaluate_in_parts(predictor: Predictor, data: Dataset) -> Generator[Progress[Evaluation]]:
    """Evaluate a network, edited or not, on labelled images; yields a Progress every two thousand, each with the Evaluation of
    the images so far: accuracy, confusion, mistakes. Raises DataError where labels and network do not fit.
    """
    total, parts = len(data), list[Evaluation]()
    for start in range(0, max(total, 1), AT_ONCE):
        parts.append(predictor.evaluate(data.subset(slice(start, start + AT_ONCE))))
        yield Progress(min(start + AT_ONCE, total), total, _joined(parts))


def _joined(parts: list[Evaluation]) -> Evaluation:
    counts = np.array([len(part.labels) for part in parts])
    loss = float(np.average([part.loss for part in parts], weights=counts)) if counts.sum() else parts[0].loss
    return Evaluation(loss, np.concatenate([part.probabilities for part in parts]), np.concatenate([part.labels for part in parts]))


def changes(before: Evaluation, after: Evaluation) -> Mapping[str, Array]:
    """Which of the same images are answered rightly only before (`lost`) or only after (`gained`): int64 indices."""
    right_before, right_after = (each.predicted == each.labels for each in (before, after))
    return {"lost": np.flatnonzero(right_before & ~right_after), "gained": np.flatnonzero(right_after & ~right_before)}
