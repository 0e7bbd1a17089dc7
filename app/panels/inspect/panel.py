"""Inspect: what every layer makes of the probe, and what the filters have learned."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QScrollArea, QWidget

from app.core.in_view import NetworkInView
from app.core.look import LAYERS, Look
from app.lab import Lab
from app.panels.base import Panel
from app.panels.inspect.arrange import SPACING, fit
from app.panels.inspect.filters import FilterBlock
from app.panels.inspect.maps import LayerColumn, maps_of
from app.widgets.card import Card, label
from nncore.arrays import Array

HEADING = 46
"""Height of the two lines above a layer's maps, in pixels."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What a column shows: its title, the place of its layer in the network (the input is 0), and the layer's output."""

    title: str
    place: int
    values: Array


class InspectPanel(Panel):
    """Above the feature maps of every layer, below the filters of every convolution. Both are of the same Look."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._look: Look | None = None
        """The last Look with the outputs of the layers."""
        self._columns: dict[str, LayerColumn] = {}
        self._filters: dict[str, FilterBlock] = {}
        self.content.addWidget(self._build_maps(), 5)
        self.content.addWidget(self._build_filters(), 4)
        lab.state.network.subscribe(self._rebuild)
        lab.looking.looked.connect(self._show_look)

    def _build_maps(self) -> Card:
        self._every = QCheckBox("every layer")
        self._every.setToolTip(
            "ReLU keeps what is positive and drops the rest, flatten only lays the numbers in a row. Unticked, ReLU is joined to "
            "the layer before it and flatten is left out."
        )
        self._every.toggled.connect(self._draw)
        colors_key = label("from zero: dark to bright · below zero: blue", "dim")
        card = Card("The network on this probe", colors_key, self._every)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)
        self._hint = label(
            "Draw a digit, open a picture, or click an image in the Data panel: what each layer makes of it appears here.",
            "dim",
            wrap=True,
        )
        card.body.addWidget(self._hint)
        self._scroll = _scrolled(self._row)
        card.body.addWidget(self._scroll, 1)
        return card

    def _build_filters(self) -> Card:
        card = Card("Filters", label("blue negative · white zero · orange positive", "dim"))
        self._filters_row = QHBoxLayout()
        self._filters_row.setContentsMargins(0, 0, 0, 0)
        card.body.addWidget(_scrolled(self._filters_row), 1)
        self._no_filters: QLabel = label("This network has no convolutions, and so no filters.", "dim")
        card.body.addWidget(self._no_filters)
        return card

    def came_into_sight(self) -> None:
        self.lab.looking.want(LAYERS, True)

    def went_out_of_sight(self) -> None:
        self.lab.looking.want(LAYERS, False)

    def _rebuild(self, view: NetworkInView | None) -> None:
        """Remove all columns and filters, since the network is another."""
        self._look = None
        for row, held in ((self._row, self._columns), (self._filters_row, self._filters)):
            held.clear()
            while row.count():
                if widget := row.takeAt(0).widget():
                    widget.deleteLater()
            row.addStretch(1)

    def _show_look(self, look: Look) -> None:
        if LAYERS in look.question.wanted and look.question.network is self.lab.state.network.value:
            self._look = look
            self._draw()

    def _draw(self) -> None:
        if self._look is not None and self.isVisible():
            self._draw_maps(self._look)
            self._draw_filters(self._look)

    # -- maps

    def _draw_maps(self, look: Look) -> None:
        columns = shown_of(look, every=self._every.isChecked())
        port = self._scroll.viewport()
        shapes = [maps_of(each.values).shape for each in columns]
        arranged = fit(shapes, port.width() + SPACING, port.height() - HEADING)
        self._hint.setVisible(not columns)
        titles = {each.title for each in columns}
        for title, column in self._columns.items():
            column.setVisible(title in titles)
        for each, arrangement in zip(columns, arranged, strict=True):
            column = self._column(each)
            if each.place == 0:
                column.show_image(each.values, arrangement)
            else:
                column.show_values(each.values, arrangement)

    def _column(self, shown: Shown) -> LayerColumn:
        """The column of that title. A new one is inserted in the order of the layers."""
        if shown.title not in self._columns:
            column = LayerColumn(shown.title, shown.place)
            before = sum(1 for other in self._columns.values() if other.place <= shown.place)
            self._columns[shown.title] = column
            self._row.insertWidget(before, column)
            column.show()
        return self._columns[shown.title]

    # -- filters

    def _draw_filters(self, look: Look) -> None:
        convolutions = [line.name for line in look.question.network.summary if line.kind == "conv"]
        self._no_filters.setVisible(not convolutions)
        for name in convolutions:
            if name not in self._filters:
                self._filters[name] = FilterBlock(name)
                self._filters_row.insertWidget(len(self._filters) - 1, self._filters[name])
            self._filters[name].show_weight(look.question.moment.state[f"{name}.weight"])


def shown_of(look: Look, every: bool) -> list[Shown]:
    """The columns of a Look in order: the input, then the output of each layer. Empty where there is no digit.

    Unless `every`, a ReLU takes the column of the layer before it, and flatten has none.
    """
    if look.digit is None:
        return []
    shown = [Shown("input", 0, look.digit.image)]
    for place, line in enumerate(look.question.network.summary, 1):
        values = look.results[LAYERS][line.name]
        if not every and line.kind == "flatten":
            continue
        if not every and line.kind == "relu" and shown[-1].place > 0:
            joined = shown.pop()
            shown.append(Shown(f"{joined.title} · {line.kind}", joined.place, values))
        else:
            shown.append(Shown(line.name, place, values))
    return shown


def _scrolled(row: QHBoxLayout) -> QScrollArea:
    holder = QWidget()
    holder.setLayout(row)
    scroll = QScrollArea(widgetResizable=True)
    scroll.setWidget(holder)
    scroll.setAlignment(Qt.AlignmentFlag.AlignTop)
    return scroll
