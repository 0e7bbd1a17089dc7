"""Which layers are shown side by side, and how a unit of the network and a place on the screen belong together. Qt-free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.core.look import LAYERS, Look
from app.panels.inspect.inspected import Unit
from nncore.arrays import Array, Shape, shape_text
from nncore.explain.forward_pass import ForwardPass
from nncore.explain.pixel import Index, explain

JOINED = ("relu", "leakyrelu", "gelu", "silu", "sigmoid", "tanh", "norm")
"""Kinds of layers that change each number by itself: they are shown together with the layer before them."""
LEFT_OUT = ("flatten", "dropout")
"""Kinds of layers whose output is their input, in use."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A layer as it is shown, or several that are joined."""

    title: str
    place: int
    """The number of its first layer in the network; the input is 0."""
    last: int
    """The number of its last layer."""
    values: Array
    """The output of the last layer, or the image."""
    parameters: int = 0
    """Of all its layers."""

    @property
    def maps(self) -> Array:
        """The values as maps (count, height, width): channels of an image, or single numbers."""
        return self.values.transpose(2, 0, 1) if self.values.ndim == 3 else self.values.reshape(-1, 1, 1)

    @property
    def facts(self) -> tuple[str, ...]:
        """Its shape, and its parameters where it has any."""
        return (shape_text(self.values.shape), f"{self.parameters:,} params" if self.parameters else "")


def shown_of(look: Look, every: bool) -> list[Shown]:
    """What is shown of a Look in order: the input, then the output of each layer. Empty where there is no digit.

    Unless `every`, layers of JOINED kinds are joined to the one before, and those LEFT_OUT are left out.
    """
    if look.digit is None:
        return []
    shown = [Shown("input", 0, 0, look.digit.image)]
    for place, line in enumerate(look.question.network.summary, 1):
        values = look.results[LAYERS][line.name]
        if not every and line.kind in LEFT_OUT:
            continue
        before = shown[-1]
        if not every and line.kind in JOINED and before.place > 0:
            parameters = before.parameters + line.parameters
            shown[-1] = replace(before, title=f"{before.title} · {line.kind}", last=place, values=values, parameters=parameters)
        else:
            shown.append(Shown(line.name, place, place, values, line.parameters))
    return shown


def unit_of(shown: Shown, done: ForwardPass, unit: int, row: int, column: int) -> Unit:
    """The unit of the network that a place in the maps of `shown` belongs to."""
    index: Index = (row, column, unit) if shown.values.ndim == 3 else (unit,)
    if shown.place == 0 and done.values[0].ndim == 1:  # a network that takes vectors is shown images all the same
        index = (int(np.ravel_multi_index(index, shown.values.shape)),)
    return Unit(done.name(shown.last), index)


def place_of(columns: Sequence[Shown], done: ForwardPass, unit: Unit) -> tuple[int, int, int, int] | None:
    """Where a unit is shown: (number of the column, map, row, column in the map); None where nowhere.

    A layer that is left out is shown where its number comes from, and one that is joined where the joined ones are.
    """
    place, index = done.place(unit.layer), unit.index
    while True:
        for number, shown in enumerate(columns):
            if shown.place <= place <= shown.last:
                return number, *_in_maps(shown.values.shape, index)
        if place == 0:
            return None
        origin = explain(done, place, index).source(()) if _passes_on(done, place) else None
        if origin is None:
            return None
        place, index = place - 1, origin


def _passes_on(done: ForwardPass, place: int) -> bool:
    return done.layers[place - 1].kind in LEFT_OUT


def _in_maps(shape: Shape, index: Index) -> tuple[int, int, int]:
    """(map, row, column) of an index into values of that shape, or into the same values laid in a row."""
    if len(shape) == 3:
        row, column, unit = index if len(index) == 3 else (int(at) for at in np.unravel_index(index[0], shape))
        return unit, row, column
    return index[0], 0, 0


def first_unit(columns: Sequence[Shown], done: ForwardPass) -> Unit | None:
    """The unit to begin with: the largest number of the first layer that has weights, or of the first of all."""
    layers = [shown for shown in columns if shown.place]
    found = next((shown for shown in layers if shown.parameters), layers[0] if layers else None)
    if found is None or not math.prod(found.values.shape):
        return None
    index = np.unravel_index(int(found.values.argmax()), found.values.shape)
    return Unit(done.name(found.last), tuple(int(at) for at in index))
