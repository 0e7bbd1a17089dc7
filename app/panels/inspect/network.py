"""NetworkCard: every layer of the network with what it makes of the probe."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QPushButton, QScrollArea

from app.colors import DIVERGING, GREY, MAGMA
from app.core.look import LAYERS
from app.lab import Lab
from app.panels.inspect.card import InspectCard
from app.panels.inspect.columns import Shown, first_unit, place_of, shown_of, unit_of
from app.panels.inspect.inspected import Inspected
from app.panels.inspect.links import strongest
from app.widgets.card import label
from app.widgets.connections import Line
from app.widgets.export import Export
from app.widgets.layer_maps import LayerMaps, Spot
from app.widgets.network_map import NetworkMap

BY_LAYER, FOR_ALL = "per layer", "one for all"
MOST_ROWS = 40
"""Classes up to which each has a row of its own."""
HINT = "Draw a digit, open a picture, or click an image in the Data panel: what each layer makes of it appears here."
NOTION = (
    "From left to right what each layer makes of the picture. Bright is far from zero; blue is below it. Click a value to see how "
    "it was made, a layer's name to see it alone. Arrows and Return do the same, L the layer."
)


class _Port(QScrollArea):
    """Tells the map how much room there is."""

    def __init__(self, shown: NetworkMap) -> None:
        super().__init__(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._map = shown
        self.setWidget(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._map.set_room(QSize(self.width() - 1, self.height() - 1))


class NetworkCard(InspectCard):
    """The layers side by side; a click on a value chooses its unit for all cards."""

    name = "The network on this probe"
    wants = frozenset({LAYERS})
    least_height = 250
    goes_first = True

    def __init__(self, lab: Lab, inspected: Inspected) -> None:
        self.every, self.scales, self.back = QCheckBox("every layer"), QComboBox(), QPushButton("All layers")
        super().__init__(lab, inspected, self.back, self.scales, self.every)
        self.every.setToolTip(
            "ReLU keeps what is positive and drops the rest, batch norm brings each channel to a common scale, flatten only lays "
            "the numbers in a row. Unticked, those that change each number by itself are joined to the layer before them, and "
            "flatten and dropout, which change nothing in use, are left out."
        )
        self.every.toggled.connect(self.refresh)
        self.scales.addItems([BY_LAYER, FOR_ALL])
        self.scales.setAccessibleName("colour scale")
        self.scales.setToolTip(
            "A scale a layer shows what is in every layer. One scale for all shows which layers have large numbers."
        )
        self.scales.currentIndexChanged.connect(self.refresh)
        self.back.setToolTip("Show all layers again (Esc)")
        self.back.hide()
        self.columns: list[Shown] = []
        self.map = NetworkMap(self._lines, self._words)
        self.back.clicked.connect(lambda: self.map.show_alone(None))
        self.map.notion = NOTION
        self.map.chosen.connect(self._choose)
        self.map.opened.connect(self._show_opened)
        self.port = _Port(self.map)
        self.setMinimumHeight(self.least_height)
        self._hint = label(HINT, "dim", wrap=True)
        self.body.addWidget(self._hint)
        self.body.addWidget(self.port, 1)
        lab.state.data.subscribe(self.refresh, now=False)

    def draw(self) -> None:
        look, done = self.inspected.look.value, self.inspected.forward_pass
        self.columns = [] if look is None or done is None else shown_of(look, self.every.isChecked())
        self._hint.setVisible(not self.columns)
        self.map.show_layers(self._layers())
        if done is not None and (self.inspected.unit is None or self.inspected.unit.layer not in ("input", *done.names)):
            unit = first_unit(self.columns, done)
            if unit is not None:
                self.inspected.choose(unit)
        unit = self.inspected.unit
        place = place_of(self.columns, done, unit) if done is not None and unit is not None else None
        self.map.show_mark(None if place is None else Spot(*place))

    def export(self) -> Export | None:
        if not self.columns:
            return None
        sight = [self.columns[n] for n in ([self.map.alone] if self.map.alone is not None else range(len(self.columns)))]
        return Export("network", self.map, self.map.table, {shown.title: shown.values for shown in sight})

    # -- what is shown of each layer

    def _layers(self) -> list[LayerMaps]:
        hidden = [shown.maps for shown in self.columns if shown.place]
        top = max((_largest(maps) for maps in hidden), default=1.0) if self.scales.currentText() == FOR_ALL else 0.0
        return [self._maps_of(shown, top) for shown in self.columns]

    def _maps_of(self, shown: Shown, top: float) -> LayerMaps:
        """What is shown of a layer, on a scale up to `top`, or its own where that is 0."""
        maps = shown.maps
        if not shown.place:
            return LayerMaps(shown.title, shown.facts, maps, GREY, 0.0, 255.0, is_colour=len(maps) == 3)
        top = top or _largest(maps)
        is_last = shown.last == len(self._summary) and shown.values.ndim == 1 and len(maps) <= MOST_ROWS
        names = self._class_names(len(maps)) if is_last else ()
        shares = self._probabilities() if is_last else None
        if maps.min(initial=0.0) < 0:
            return LayerMaps(shown.title, shown.facts, maps, DIVERGING, -top, top, names, shares)
        return LayerMaps(shown.title, shown.facts, maps, MAGMA, 0.0, top, names, shares)

    @property
    def _summary(self) -> tuple[object, ...]:
        look = self.inspected.look.value
        return () if look is None else look.question.network.summary

    def _class_names(self, count: int) -> tuple[str, ...]:
        """What the network's answers stand for: the classes of the data in view, where they are as many, or numbers."""
        data = self.lab.state.data.value
        names = () if data is None else tuple(data.train.class_names)
        return names if len(names) == count else tuple(map(str, range(count)))

    def _probabilities(self) -> np.ndarray | None:
        look = self.inspected.look.value
        return None if look is None or look.digit is None else look.digit.answer.probabilities

    # -- pointing and choosing

    def _lines(self, spot: Spot) -> list[Line]:
        done = self.inspected.forward_pass
        if done is None or spot.layer >= len(self.columns):
            return []
        links = strongest(self.columns, done, unit_of(self.columns[spot.layer], done, *spot[1:]))
        return [Line(link.column, link.unit, link.place, link.part, _signed(link.part)) for link in links]

    def _words(self, spot: Spot) -> str:
        shown = self.columns[spot.layer]
        value = self.map.layers[spot.layer].maps[spot[1:]]
        where = f", row {spot.row}, column {spot.column}" if shown.values.ndim == 3 else ""
        names = self.map.layers[spot.layer].names
        unit = f"unit {spot.unit}" if shown.place else f"channel {spot.unit}"
        return f"{shown.title}, {unit}{f' ({names[spot.unit]})' if names else ''}{where}: {_number(value)}"

    def _choose(self, spot: Spot) -> None:
        done = self.inspected.forward_pass
        if done is not None:
            self.inspected.choose(unit_of(self.columns[spot.layer], done, *spot[1:]))

    def _show_opened(self, layer: int | None) -> None:
        self.back.setVisible(layer is not None)
        self.map.setFocus()
        self.room_wanted.emit(layer is not None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.map.alone is not None:
            self.map.show_alone(None)
        else:
            super().keyPressEvent(event)


def _largest(maps: np.ndarray) -> float:
    """How far from zero the values go; 1 where all are zero."""
    return float(np.abs(maps).max(initial=0.0)) or 1.0


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _number(value: float) -> str:
    return (f"{value:.3f}" if isinstance(value, float | np.floating) else str(value)).replace("-", "−")
