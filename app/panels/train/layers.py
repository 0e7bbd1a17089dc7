"""LayerTable: the layers of the network in view."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QScrollArea, QWidget

from app.core.in_view import NetworkInView
from app.lab import Lab
from app.widgets.card import Card, label
from nncore.arrays import shape_text


class LayerTable(Card):
    """A row for each layer: its description, the shape of its output, its number of parameters."""

    def __init__(self, lab: Lab) -> None:
        self._parameters = label("", "dim")
        super().__init__("Layers", self._parameters)
        holder = QWidget()
        self._layers = QGridLayout(holder)
        self._layers.setContentsMargins(0, 0, 0, 0)
        self._layers.setVerticalSpacing(4)
        self._layers.setColumnStretch(0, 1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(holder)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.body.addWidget(scroll)
        lab.state.network.subscribe(self._show_layers)

    def _show_layers(self, view: NetworkInView | None) -> None:
        while self._layers.count():
            self._layers.takeAt(0).widget().deleteLater()
        if view is None:
            return
        self._parameters.setText(f"{view.parameter_count:,} parameters")
        for row, line in enumerate(view.summary):
            self._layers.addWidget(label(line.description), row, 0)
            for column, text in enumerate((shape_text(line.output_shape), f"{line.parameters:,}" if line.parameters else ""), 1):
                cell = label(text, "dim")
                cell.setAlignment(Qt.AlignmentFlag.AlignRight)
                self._layers.addWidget(cell, row, column)
        self._layers.setRowStretch(len(view.summary), 1)
