"""LayerColumn: what one layer makes of the probe."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.panels.inspect.arrange import Arrangement
from app.theme import DIVERGING, GREY, MAGMA
from app.widgets.card import label
from app.widgets.mosaic import Mosaic
from nncore.arrays import Array, shape_text


class LayerColumn(QWidget):
    """One layer, or a layer joined with the ReLU after it: its name, its output's shape, its maps."""

    def __init__(self, name: str, place: int) -> None:
        """`place` is the number of the layer in the network; the input is 0."""
        super().__init__()
        self.place = place
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


def maps_of(values: Array) -> Array:
    """A layer's output as maps (count, height, width): channels of an image, or single numbers."""
    return values.transpose(2, 0, 1) if values.ndim == 3 else values.reshape(-1, 1, 1)
