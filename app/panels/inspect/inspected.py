"""Inspected: what all cards of the panel look at: a Look, and in it a unit, and perhaps a weight. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.in_view import NetworkInView
from app.core.look import LAYERS, Look
from app.core.observable import Observable
from nncore.explain.forward_pass import ForwardPass
from nncore.explain.pixel import Index
from nncore.layers import Layer
from nncore.network import layers_from_config


@dataclass(frozen=True)
class Unit:
    """One number of a layer's output."""

    layer: str
    """The layer's name in the network, or `input`."""
    index: Index
    """Where it stands in the layer's output: (row, column, unit), or (unit,)."""

    @property
    def unit(self) -> int:
        """The channel of a feature map, or the number of a vector's unit."""
        return self.index[-1]

    def __str__(self) -> str:
        words = f"{self.layer}, unit {self.unit}"
        return words if len(self.index) == 1 else f"{words}, row {self.index[0]}, column {self.index[1]}"


@dataclass(frozen=True)
class Weight:
    """One number of a parameter."""

    parameter: str
    """The parameter's full name: `conv1.weight`."""
    index: Index


class Inspected:
    """A card subscribes to the parts that it draws. Set them from the interface thread only."""

    def __init__(self) -> None:
        self.look: Observable[Look | None] = Observable(None)
        """The last Look with the outputs of the layers, always at the network in view; None until there is one."""
        self.trail: Observable[tuple[Unit, ...]] = Observable(())
        """The unit that is chosen, last, and those from which it was reached; empty where none is."""
        self.weight: Observable[Weight | None] = Observable(None)
        """The weight that is chosen besides; None where none is."""
        self._pass: tuple[Look, ForwardPass | None] | None = None
        self._layers: tuple[object, tuple[Layer, ...]] | None = None
        """Those of the last architecture: making them anew for every look takes as long as drawing a card."""

    @property
    def unit(self) -> Unit | None:
        """The unit that is chosen."""
        return self.trail.value[-1] if self.trail.value else None

    @property
    def forward_pass(self) -> ForwardPass | None:
        """How the digit that is looked at goes through the network; None where there is none."""
        look = self.look.value
        if look is None:
            return None
        if self._pass is None or self._pass[0] is not look:
            self._pass = look, self._pass_of(look)
        return self._pass[1]

    def _pass_of(self, look: Look) -> ForwardPass | None:
        if look.digit is None or LAYERS not in look.results:
            return None
        question = look.question
        architecture = question.network.architecture
        if self._layers is None or self._layers[0] is not architecture:
            self._layers = architecture, tuple(layers_from_config(architecture)[0])
        shape, image, outputs = question.network.input_shape, look.digit.image, look.results[LAYERS]
        return ForwardPass.of_outputs(self._layers[1], shape, question.moment.state, image, outputs)

    def choose(self, unit: Unit) -> None:
        """Look at another unit, from no other."""
        self._set((unit,))

    def walk_to(self, unit: Unit) -> None:
        """Look at a unit that the present one was made of."""
        self._set((*self.trail.value, unit))

    def go_back(self, steps: int) -> None:
        """Look again at the unit so many steps before on the way; 0 leaves only the weight."""
        trail = self.trail.value
        self._set(trail[: max(len(trail) - steps, 1)])

    def choose_weight(self, weight: Weight | None) -> None:
        """Look at a weight, too, or at none."""
        self.weight.set(weight)

    def forget(self, network: NetworkInView | None) -> None:
        """Forget the look, and unless the network has the same layers, on images of the same shape, what was chosen in it."""
        look = self.look.value
        before = None if look is None else _layers_of(look.question.network)
        self.look.set(None)
        if network is None or before != _layers_of(network):
            self.weight.put(None)
            self._set(())

    def _set(self, trail: tuple[Unit, ...]) -> None:
        self.weight.put(None)
        self.trail.set(trail)
        self.weight.tell()


def _layers_of(network: NetworkInView) -> tuple[object, object]:
    return network.architecture.get("input_shape"), network.architecture.get("layers")
