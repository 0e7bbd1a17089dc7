"""LayerTable: the layers of the recipe's network, and the way to their editor."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.core.layer_list import Line, total
from app.lab import Lab
from app.panels.train.figures import parameters_text, work_text
from app.widgets.card import Card, label
from nncore.arrays import shape_text

LEAST = 216
"""Least height in pixels: six layers or so are read at once."""


class LayerTable(Card):
    """A row for each layer, as it is for the images in view: its description, its output's shape, its number of parameters."""

    def __init__(self, lab: Lab) -> None:
        self.edit = QPushButton("Edit layers…")
        super().__init__("Layers", self.edit)
        self._lab = lab
        self.setMinimumHeight(LEAST)
        self.edit.setToolTip("Add, change, move and remove layers; a preset stays as it is, and a network of your own begins as it")
        self._parameters, self._work = label("", "dim"), label("", "dim")
        self._parameters.setToolTip("Parameters: numbers that training changes")
        self._work.setToolTip("Multiply-adds and memory: what one image takes on its way through the network")
        cost = QVBoxLayout()
        cost.setSpacing(0)
        cost.addWidget(self._parameters)
        cost.addWidget(self._work)
        holder = QWidget()
        self._grid = QGridLayout(holder)
        self._grid.setContentsMargins(0, 0, 6, 0)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setAccessibleName("layers")
        scroll.setWidget(holder)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.body.addLayout(cost)
        self.body.addWidget(scroll, 1)
        self._shown: list[Line] = []
        self._rows = 0
        lab.state.recipe.subscribe_part(lambda recipe: (recipe.network, recipe.layers), lambda _: self._show())
        lab.state.data.subscribe(lambda _: self._show(), now=False)

    def _show(self) -> None:
        lines = self._lab.recipe_layers().lines()
        if lines == self._shown:
            return
        self._shown = lines
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        self._grid.setRowStretch(self._rows, 0)
        self._rows = len(lines)
        self._parameters.setText(parameters_text(total(lines)))
        self._work.setText(work_text(total(lines)))
        for row, line in enumerate(lines):
            self._grid.addWidget(label(line.description), row, 0)
            shape = "–" if line.output_shape is None else shape_text(line.output_shape)
            for column, text in enumerate((shape, f"{line.cost.parameters:,}" if line.cost.parameters else ""), 1):
                cell = label(text, "dim")
                cell.setAlignment(Qt.AlignmentFlag.AlignRight)
                self._grid.addWidget(cell, row, column)
        self._grid.setRowStretch(self._rows, 1)
