"""FiltersCard: what the layer of the chosen unit has learned, as pictures, and how its weights are spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea

from app.colors import DIVERGING
from app.lab import Lab
from app.panels.inspect.card import InspectCard
from app.panels.inspect.columns import LEFT_OUT
from app.panels.inspect.explained import origin_of
from app.panels.inspect.inspected import Inspected, Unit
from app.panels.inspect.latest import Latest
from app.widgets.elided import Elided
from app.widgets.export import Export
from app.widgets.map_sections import Histogram, Maps
from app.widgets.sheet import Section, Sheet
from nncore.arrays import Array, Shape
from nncore.explain.forward_pass import ForwardPass

QUICK = 200_000
"""Weights up to which the pictures are made at once: a few milliseconds."""
STRONGEST = 3
"""Slices of a kernel that are added up where there is no room for all."""
BINS = 41
"""Bars of a histogram: an odd number, so that one of them is about zero."""
NONE = "No layer up to here has weights; choose a unit of a convolution or of a linear layer."
NOTION = "Orange weights let a bright input raise the unit, blue ones lower it. Click one to see its unit explained."


class FiltersCard(InspectCard):
    """The kernels of a convolution, or the weights of a linear layer: that of the chosen unit, or the last one before it."""

    name = "Filters"

    def __init__(self, lab: Lab, inspected: Inspected) -> None:
        self.facts = Elided()
        super().__init__(lab, inspected)
        self.sheet = Sheet("filters", "filters")
        self.sheet.notion = NOTION
        self.sheet.clicked.connect(self._choose)
        self.weight: Array | None = None
        """The weight that is shown: (height, width, in, out), or (in, out)."""
        self._layer = ""
        self._latest = Latest(lab, self)
        self._latest.found.connect(self.sheet.show_sections)
        scroll = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.sheet)
        self.body.addWidget(self.facts)
        self.body.addWidget(scroll, 1)

    def draw(self) -> None:
        look, done, unit = self.inspected.look.value, self.inspected.forward_pass, self.inspected.unit
        place = 0 if done is None or unit is None else weighted_place(done, done.place(unit.layer))
        if look is None or look.digit is None or done is None or unit is None or place == 0:
            self.weight, self._layer = None, ""
            self._latest.forget()
            self.facts.show_words(NONE if unit is not None else "")
            self.sheet.show_sections(())
            return
        before, self._layer = self._layer, done.name(place)
        (self.weight,) = done.parameters(place, "weight")
        units = self.weight.shape[-1]
        origin = origin_of(done, done.place(unit.layer), unit.index)  # behind flatten, which counts its units otherwise
        chosen = min(origin.unit, units - 1)
        self.facts.show_words(f"{self._layer}: {units:,} units, {self.weight.size // units:,} weights each")
        self.sheet.rows = self._rows
        make = partial(filter_sections, done, place, chosen, look.digit.image.shape)
        if self.weight.size <= QUICK:
            self._latest.forget()
            self.sheet.show_sections(make())
        else:
            self.sheet.show_sections(self.sheet.sections if self._layer == before else (), is_faded=True)
            self._latest.ask(make)

    def export(self) -> Export | None:
        if self.weight is None:
            return None
        return Export(f"filters of {self._layer}", self.sheet, self.sheet.table, {f"{self._layer}.weight": self.weight})

    def _rows(self) -> Iterator[Sequence[object]]:
        yield "parameter", "index", "weight"
        if self.weight is not None:
            for index in np.ndindex(self.weight.shape):
                yield f"{self._layer}.weight", " ".join(map(str, index)), f"{self.weight[index]:.6g}"

    def _choose(self, key: Any) -> None:
        """Explain the unit of the kernel that was clicked, at the place that is chosen, or in the middle."""
        done, unit = self.inspected.forward_pass, self.inspected.unit
        if done is None or unit is None:
            return
        values = done.values[done.place(self._layer)]
        if done.values[done.place(unit.layer)].shape == values.shape:
            self.inspected.choose(Unit(unit.layer, (*unit.index[:-1], key[1])))
        else:
            self.inspected.choose(Unit(self._layer, (*(size // 2 for size in values.shape[:-1]), key[1])))


def filter_sections(done: ForwardPass, place: int, chosen: int, picture: Shape) -> list[Section]:
    """The weights of the layer at a place as pictures, and how they are spread; `picture` is the shape of the image."""
    (weight,) = done.parameters(place, "weight")
    kernels, layer = as_kernels(weight, _image_shape(done, place, picture)), done.name(place)
    units, _, _, inputs = kernels.shape
    top = float(np.abs(weight).max()) or 1.0
    keys = [("kernel", unit) for unit in range(units)]
    words = [f"unit {unit}" for unit in range(units)]
    if inputs == 1:
        maps = Maps(f"the weights of every unit of {layer}", kernels[..., 0], DIVERGING, top, keys, words, chosen)
        return [maps, _spread(weight)]
    slices = kernels[chosen].transpose(2, 0, 1)
    channels = [f"unit {chosen}, input channel {channel}" for channel in range(inputs)]
    own = Maps(f"unit {chosen}: its slice for each of {inputs} channels", slices, DIVERGING, top, [None] * inputs, channels)
    sums = strongest_sum(kernels)
    most = float(np.abs(sums).max()) or 1.0
    title = f"every unit: the sum of its {min(STRONGEST, inputs)} strongest slices"
    return [own, Maps(title, sums, DIVERGING, most, keys, words, chosen), _spread(weight)]


def weighted_place(done: ForwardPass, place: int) -> int:
    """The last layer up to `place` that has a weight of more than one axis; 0 where none has."""
    while place and (name := f"{done.name(place)}.weight") and (name not in done.state or done.state[name].ndim < 2):
        place -= 1
    return place


def _image_shape(done: ForwardPass, place: int, picture: Shape) -> Shape:
    """The shape of what a layer looks at, before it was flattened; `picture` is that of the picture."""
    place -= 1
    while place and done.layers[place - 1].kind in LEFT_OUT:
        place -= 1
    return done.values[place].shape if place else picture


def as_kernels(weight: Array, image_shape: Shape) -> Array:
    """A weight as pictures (units, height, width, channels): those of a linear layer as what they look at is laid out.

    A linear layer behind a vector has pictures that are about square, filled up with zeros.
    """
    if weight.ndim == 4:
        return weight.transpose(3, 0, 1, 2)
    inputs, units = weight.shape
    if len(image_shape) == 3:
        return weight.T.reshape(units, *image_shape)
    side = math.isqrt(inputs - 1) + 1
    rows = math.ceil(inputs / side)
    padded = np.zeros((units, rows * side), weight.dtype)
    padded[:, :inputs] = weight.T
    return padded.reshape(units, rows, side, 1)


def strongest_sum(kernels: Array) -> Array:
    """The sum of the STRONGEST slices of each kernel (units, height, width, channels), those with the largest weights."""
    strength = np.abs(kernels).sum(axis=(1, 2))
    order = np.argsort(-strength, axis=1, kind="stable")[:, :STRONGEST]
    return np.take_along_axis(kernels, order[:, None, None, :], axis=3).sum(axis=3)


def _spread(weight: Array) -> Histogram:
    """How the weights of a layer are spread, around zero."""
    top = float(np.abs(weight).max()) or 1.0
    counts, _ = np.histogram(weight, BINS, (-top, top))
    return Histogram(f"how the layer's {weight.size:,} weights are spread", counts, -top, top)
