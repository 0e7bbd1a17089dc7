"""ForwardPass: one image on its way through a network, all that explaining a number of it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nncore.arrays import Array, Shape, to_numpy
from nncore.layers import Layer
from nncore.network import Network
from nncore.prediction import as_input


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """The layers of a network, their numbers, and the values before the first and after each of them, as in use.

    A place is a number of a layer in it, counted from 1; 0 is the input.
    """

    layers: tuple[Layer, ...]
    """Only their settings are read, so they need not be built."""
    names: tuple[str, ...]
    """The name of each layer: `conv1`."""
    state: Mapping[str, Array]
    """Parameters and buffers by full name, as `Network.state_dict` returns them."""
    values: tuple[Array, ...]
    """The input, float32, then the output of each layer; without a batch axis."""

    @classmethod
    def of(cls, network: Network, image: Array) -> ForwardPass:
        """The pass of an image, uint8 (height, width, channels), through `network`, which stays as it is."""
        x = as_input(image[None], network.input_shape)
        outputs = [(name, to_numpy(values)[0]) for name, values in network.in_use().activations(x)]
        names, values = (tuple(column) for column in zip(*outputs, strict=True))
        return cls(tuple(network.layers), names, network.state_dict(), (x[0], *values))

    @classmethod
    def of_outputs(
        cls, layers: Sequence[Layer], input_shape: Shape, state: Mapping[str, Array], image: Array, outputs: Mapping[str, Array]
    ) -> ForwardPass:
        """The pass whose `outputs` by layer are known (`explain.layers`); `layers` may be `layers_from_config` of the network's."""
        return cls(tuple(layers), tuple(outputs), state, (as_input(image[None], input_shape)[0], *outputs.values()))

    def name(self, place: int) -> str:
        """The name of the layer at a place; `input` for the input."""
        return self.names[place - 1] if place else "input"

    def place(self, name: str) -> int:
        """The place of a layer, or of `input`. ValueError where there is none of that name."""
        return 0 if name == "input" else self.names.index(name) + 1

    def parameters(self, place: int, *names: str) -> Iterable[Array]:
        """Parameters or buffers of the layer at a place."""
        return (self.state[f"{self.name(place)}.{name}"] for name in names)
