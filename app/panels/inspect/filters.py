"""FilterBlock: what one convolution has learned."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.theme import DIVERGING
from app.widgets.card import label
from app.widgets.mosaic import Mosaic
from nncore.arrays import Array


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
