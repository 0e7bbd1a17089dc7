"""LayerList: the layers of a network that is being built, and what each of them makes and costs. Qt-free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.core.layer_advice import advice, advice_on_end, advice_on_size, largest_that_fits
from nncore.arrays import Shape
from nncore.errors import ConfigError
from nncore.layers import Layer, layer_from_config
from nncore.layers.cost import MOST_LAYERS, Cost
from nncore.network import layers_from_config

BYTES = 4
"""Bytes of a value: float32."""


@dataclass(frozen=True)
class Line:
    """What is known of one layer of a list."""

    name: str
    """As the network will call it: `conv1`."""
    description: str
    output_shape: Shape | None
    """None for the first layer that does not fit, and for all below it, of which nothing can be told."""
    cost: Cost = field(default_factory=Cost)
    """What the layer costs an example."""
    problem: str = ""
    """Why it does not fit and what would, in one sentence; only for the first layer that does not."""

    @property
    def memory(self) -> int:
        """Bytes of the values that it makes of an example."""
        return BYTES * self.cost.values


@dataclass(frozen=True)
class LayerList:
    """Descriptions of layers, as `Layer.config` gives them, and the shape of their input. It need not make a network yet.

    It never changes: each edit gives a new list. An edit raises ConfigError for a layer or a value that there cannot be, and
    IndexError for a place that is not in the list.
    """

    layers: tuple[Mapping[str, Any], ...]
    input_shape: Shape

    @classmethod
    def of(cls, layers: Sequence[Layer], input_shape: Shape) -> LayerList:
        """The list of these layers, which need not be built."""
        return cls(tuple(layer.config() for layer in layers), input_shape)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> LayerList:
        """The list that `as_config` or `Network.config` described. ConfigError where it describes none."""
        return cls.of(*layers_from_config(config))

    def as_config(self) -> dict[str, Any]:
        """The list as plain data (JSON): `input_shape` and `layers`, as in `Network.config`."""
        return {"input_shape": list(self.input_shape), "layers": [dict(layer) for layer in self.layers]}

    def __len__(self) -> int:
        return len(self.layers)

    # -- edits

    def insert(self, place: int, layer: Mapping[str, Any]) -> LayerList:
        """With another layer before the one at `place`; at the end where that is the length of the list."""
        if not 0 <= place <= len(self):
            raise IndexError(place)
        if len(self) >= MOST_LAYERS:
            raise ConfigError(f"A network may have {MOST_LAYERS:,} layers; remove one first.")
        return self._with(*self.layers[:place], _checked(layer), *self.layers[place:])

    def remove(self, place: int) -> LayerList:
        """Without the layer at `place`."""
        self._require(place)
        return self._with(*self.layers[:place], *self.layers[place + 1 :])

    def move(self, place: int, to: int) -> LayerList:
        """With the layer at `place` moved, so that it stands at `to`."""
        self._require(place)
        self._require(to)
        left = [*self.layers[:place], *self.layers[place + 1 :]]
        return self._with(*left[:to], self.layers[place], *left[to:])

    def change(self, place: int, **settings: Any) -> LayerList:
        """With other values for settings of the layer at `place`. The stride of a pool follows its window while they are equal."""
        self._require(place)
        before = self.layers[place]
        if "Pool" in before["type"] and before.get("stride") == before.get("kernel_size") and "kernel_size" in settings:
            settings = {"stride": settings["kernel_size"]} | settings
        return self._with(*self.layers[:place], _checked({**before, **settings}), *self.layers[place + 1 :])

    def on(self, image_shape: Shape) -> LayerList:
        """The same layers on images of that shape.

        A list that takes the same images as vectors begins with a layer that flattens them, so that others can go before it.
        """
        if image_shape == self.input_shape:
            return self
        if len(self.input_shape) == 1 and len(image_shape) == 3:
            return LayerList(({"type": "Flatten"}, *self.layers), image_shape)
        return replace(self, input_shape=image_shape)

    def _with(self, *layers: Mapping[str, Any]) -> LayerList:
        return replace(self, layers=layers)

    def _require(self, place: int) -> None:
        if not 0 <= place < len(self):
            raise IndexError(place)

    # -- what it makes and costs

    def lines(self) -> list[Line]:
        """A line for each layer, in order. Nothing is allocated."""
        found: list[Line] = []
        count = Counter[str]()
        shape: Shape | None = self.input_shape
        total, before = Cost(), list[Layer]()
        for config in self.layers:
            layer = layer_from_config(dict(config))
            count[layer.kind] += 1
            layer.name = f"{layer.kind}{count[layer.kind]}"
            cost, problem = Cost(), ""
            if shape is not None:
                try:
                    made = layer.infer_shape(shape)
                    cost = layer.cost(shape)
                    (total + cost).check(layer.name)
                    total, shape = total + cost, made
                except ConfigError as error:
                    problem = advice(layer, shape, before) or advice_on_size(error, layer, shape, total)
                    shape, cost = None, Cost()
            before.append(layer)
            found.append(Line(layer.name, layer.describe(), shape, cost, problem))
        return found

    def largest(self, place: int, settings: Callable[[int], Mapping[str, Any]], least: int, most: int) -> int | None:
        """The largest number from `least` to `most` that the layer at `place` can have where it stands, `settings` telling which
        settings have it. None where not even `least` is possible.
        """
        self._require(place)
        lines = self.lines()[:place]
        shape = lines[-1].output_shape if lines else self.input_shape
        if shape is None:
            return None
        return largest_that_fits(lambda number: {**self.layers[place], **settings(number)}, shape, total(lines), least, most)

    def problem(self, classes: int = 10) -> str:
        """Why it makes no network for that many classes, in one sentence that says what would; empty where it does."""
        lines = self.lines()
        first = next((line.problem for line in lines if line.problem), "")
        if first:
            return first
        output = lines[-1].output_shape if lines else None
        return advice_on_end(output, any(line.cost.parameters for line in lines), classes)


def total(lines: Sequence[Line]) -> Cost:
    """What an example costs in all layers together, up to the first that does not fit."""
    return sum((line.cost for line in lines), Cost())


def _checked(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The description in full. ConfigError where there is no such layer."""
    return layer_from_config(dict(layer)).config()
