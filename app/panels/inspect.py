"""Inspect: what every layer makes of the probe, and what the filters have learned."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.in_view import NetworkInView
from app.core.look import Look
from app.core.timeline import Moment
from app.lab import Lab
from app.panels.base import Panel
from app.theme import DIVERGING, GREY, MAGMA
from app.widgets.card import Card, label
from app.widgets.mosaic import Mosaic
from nncore.arrays import Array, Shape, shape_text

HEADING = 46
"""Pixels of the two lines above a layer's maps."""
LEAST_WIDTH, SPACING = 84, 20
"""Pixels that a layer's heading takes, and that lie between layers."""
LARGEST_MAP, LARGEST_SCALE, GAP = 112, 18, 2
"""Pixels of a map's side and of one value's, beyond which nothing is seen better, and between two maps."""


class LayerColumn(QWidget):
    """One layer: its name, its output's shape, its maps."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.shape = label(name, "value"), label("", "dim")
        self.maps = Mosaic(f"output of {name}")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(4)
        layout.addWidget(self.name)
        layout.addWidget(self.shape)
        layout.addWidget(self.maps, 0, Mosaic.aligned())
        layout.addStretch(1)

    def show_image(self, image: Array, arrangement: Arrangement) -> None:
        """Show the network's input, uint8 (height, width, channels), in grey, a map a channel."""
        self.shape.setText(shape_text(image.shape))
        self.maps.set_maps(image.transpose(2, 0, 1), GREY, 0, 255, *arrangement)

    def show_values(self, values: Array, arrangement: Arrangement) -> None:
        """Show a layer's output: (height, width, channels) as maps, (n) as a field of squares."""
        self.shape.setText(shape_text(values.shape))
        maps, (columns, scale) = maps_of(values), arrangement
        top = float(np.abs(maps).max()) or 1.0
        if maps.min() < 0:
            self.maps.set_maps(maps, DIVERGING, -top, top, columns, scale)
        else:
            self.maps.set_maps(maps, MAGMA, 0.0, top, columns, scale)


class FilterBlock(QWidget):
    """The filters of one convolution: a tile a unit; with several input channels, a row a unit and a tile a channel."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.title, self._name = label(name, "value"), name
        self.facts = label("", "dim")
        self.maps = Mosaic(f"filters of {name}", self._caption)
        self._inputs = 1
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 16, 0)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addWidget(self.facts)
        layout.addWidget(self.maps, 0, Mosaic.aligned())
        layout.addStretch(1)

    def _caption(self, index: int) -> str:
        return f"unit {index // self._inputs}" + (f", input channel {index % self._inputs}" if self._inputs > 1 else "")

    def show_weight(self, weight: Array) -> None:
        """Show a weight (height, width, in, out)."""
        height, width, self._inputs, units = weight.shape
        maps = weight.transpose(3, 2, 0, 1).reshape(-1, height, width)
        top = float(np.abs(maps).max()) or 1.0
        if self._inputs == 1:
            columns, scale = max(1, math.ceil(units / 2)), max(2, 45 // width)
        elif self._inputs == 3:
            columns, scale = 3 * max(1, units // 4), max(2, 24 // width)
        else:
            columns, scale = self._inputs, max(2, 15 // width)
        self.facts.setText(f"{units} units × {self._inputs} input channel{'s' * (self._inputs > 1)}, ±{top:.2f}")
        self.maps.set_maps(maps, DIVERGING, -top, top, columns, scale, gap=3 if self._inputs == 1 else 2)


class InspectPanel(Panel):
    """Above the feature maps of every layer for the probe, below the filters of every convolution."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._every = QCheckBox("every layer")
        self._every.setToolTip(
            "ReLU keeps what is positive and drops the rest, flatten only lays the numbers in a row. Unticked, ReLU is joined to "
            "the layer before it and flatten is left out."
        )
        self._every.toggled.connect(lambda: self._show_look(self._look))
        colors_key = label("from zero: dark to bright · below zero: blue", "dim")
        self._maps_card = Card("The network on this probe", colors_key, self._every)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)
        self._hint = label(
            "Draw a digit, open a picture, or click an image in the Data panel: what each layer makes of it appears here.",
            "dim",
            wrap=True,
        )
        self._maps_card.body.addWidget(self._hint)
        self._scroll = _scrolled(self._row)
        self._maps_card.body.addWidget(self._scroll, 1)
        self._columns: dict[str, LayerColumn] = {}
        self._filters_card = Card("Filters", label("blue negative · white zero · orange positive", "dim"))
        self._filters_row = QHBoxLayout()
        self._filters_row.setContentsMargins(0, 0, 0, 0)
        self._filters_card.body.addWidget(_scrolled(self._filters_row), 1)
        self._filters: dict[str, FilterBlock] = {}
        self._no_filters: QLabel = label("This network has no convolutions, and so no filters.", "dim")
        self._filters_card.body.addWidget(self._no_filters)
        self.content.addWidget(self._maps_card, 5)
        self.content.addWidget(self._filters_card, 4)
        self._look: Look | None = None
        lab.state.network.subscribe(self._rebuild)
        lab.state.moment.subscribe(self._show_filters)
        lab.looking.looked.connect(self._show_look)

    def shown(self) -> None:
        self.lab.looking.want_layers(True)
        self._show_filters(self.lab.state.moment.value)

    def hidden(self) -> None:
        self.lab.looking.want_layers(False)

    def _rebuild(self, view: NetworkInView | None) -> None:
        """Another network: throw the old columns and filters away."""
        for row, held in ((self._row, self._columns), (self._filters_row, self._filters)):
            held.clear()
            while row.count():
                if widget := row.takeAt(0).widget():
                    widget.deleteLater()
            row.addStretch(1)

    def _show_look(self, look: Look | None) -> None:
        self._look = look
        if look is None or not self.isVisible():
            return
        shown = self._merged(look)
        port = self._scroll.viewport()
        shapes = [maps_of(values).shape for values in shown.values()]
        arranged = dict(zip(shown, fit(shapes, port.width() + SPACING, port.height() - HEADING), strict=True))
        self._hint.setVisible(not shown)
        for name, column in self._columns.items():
            column.setVisible(name in shown)
        for name, values in shown.items():
            if name not in self._columns:
                self._columns[name] = LayerColumn(name)
                self._row.insertWidget(self._place(name, look), self._columns[name])
                self._columns[name].show()
            if name == "input":
                self._columns[name].show_image(values, arranged[name])
            else:
                self._columns[name].show_values(values, arranged[name])

    def _merged(self, look: Look) -> dict[str, Array]:
        """What to show, by title and in order: the input and each layer's output, with a ReLU joined to the layer before."""
        if look.seen.image is None or not look.layers:
            return {}
        shown: dict[str, Array] = {"input": look.seen.image}
        previous = "input"
        for name, values in look.layers:
            if not self._every.isChecked():
                if name.startswith("flatten"):
                    continue
                if name.startswith("relu") and previous != "input":
                    del shown[previous]
                    name = f"{previous} · relu"
            shown[name] = values
            previous = name
        return shown

    def _place(self, name: str, look: Look) -> int:
        """Where a new column belongs among those that are there: in the order of the layers."""
        order = ["input", *(layer for layer, _ in look.layers)]
        rank = {layer: index for index, layer in enumerate(order)}
        mine = rank[name.split(" · ")[0]]
        return sum(1 for other in self._columns if other != name and rank[other.split(" · ")[0]] <= mine)

    def _show_filters(self, moment: Moment | None) -> None:
        if moment is None or not self.isVisible():
            return
        weights = {name.removesuffix(".weight"): value for name, value in moment.state.items() if value.ndim == 4}
        self._no_filters.setVisible(not weights)
        for name, weight in weights.items():
            if name not in self._filters:
                self._filters[name] = FilterBlock(name)
                self._filters_row.insertWidget(len(self._filters) - 1, self._filters[name])
            self._filters[name].show_weight(weight)


Arrangement = tuple[int, int]
"""How the maps of a layer lie: in how many columns, at which whole-number scale."""


def arrange(shape: Shape, scale: int, height: int) -> Arrangement | None:
    """The fewest columns in which maps (count, height, width) at `scale` stand within `height` pixels; None where none does."""
    rows = (height + GAP) // (shape[1] * scale + GAP)
    return (math.ceil(shape[0] / rows), scale) if rows else None


def width_of(shape: Shape, arrangement: Arrangement) -> int:
    """Pixels that a layer's column takes, with its heading and the space after it."""
    columns, scale = arrangement
    return max(LEAST_WIDTH, columns * (shape[2] * scale + GAP)) + SPACING


def fit(shapes: list[Shape], width: int, height: int) -> list[Arrangement]:
    """Arrange layers of maps (count, height, width) side by side in `width` × `height` pixels, every map as large as goes.

    The smallest maps grow first. Where even scale 1 is too wide, the row is wider than `width` and scrolls.
    """
    chosen = [arrange(shape, 1, height) or (shape[0], 1) for shape in shapes]
    growing = set(range(len(shapes)))
    while growing:
        smallest = min(growing, key=lambda n: shapes[n][1] * chosen[n][1])
        larger = arrange(shapes[smallest], chosen[smallest][1] + 1, height)
        trial = chosen.copy()
        if larger is not None:
            trial[smallest] = larger
        total = sum(width_of(shape, arrangement) for shape, arrangement in zip(shapes, trial, strict=True))
        if larger is None or total > width or shapes[smallest][1] * larger[1] > LARGEST_MAP or larger[1] > LARGEST_SCALE:
            growing.discard(smallest)
        else:
            chosen = trial
    return chosen


def maps_of(values: Array) -> Array:
    """A layer's output as maps (count, height, width): channels of an image, or single numbers."""
    return values.transpose(2, 0, 1) if values.ndim == 3 else values.reshape(-1, 1, 1)


def _scrolled(row: QHBoxLayout) -> QScrollArea:
    holder = QWidget()
    holder.setLayout(row)
    scroll = QScrollArea(widgetResizable=True)
    scroll.setWidget(holder)
    scroll.setAlignment(Qt.AlignmentFlag.AlignTop)
    return scroll
