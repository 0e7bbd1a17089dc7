"""Images, filters and the confusion matrix as drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.colors import DIVERGING
from app.core.report.drawing import Drawing, elided
from nncore.arrays import Array, Shape
from nncore.network import Network

GAP = 8
MOST_FILTERS = 48
MOST_CLASSES = 62
"""Classes of the largest confusion matrix that is drawn: letters and digits."""


def picture_grid(
    title: str, pictures: Sequence[Array], captions: Sequence[tuple[str, str]], width: float, side: float = 56
) -> Drawing:
    """uint8 images (height, width, 1 or 3) in rows, with a caption (words, colour) below each; none where the words are empty."""
    below = 16 if any(words for words, _ in captions) else 0
    columns = max(1, int((width + GAP) // (side + GAP)))
    rows = max(1, -(-len(pictures) // columns))
    drawing = Drawing(width, rows * (side + below + GAP) - GAP, title)
    for place, (pixels, (words, color)) in enumerate(zip(pictures, captions, strict=True)):
        row, column = divmod(place, columns)
        x, y = column * (side + GAP), row * (side + below + GAP)
        drawing.picture(x, y, side, pixels)
        if words:
            drawing.text(x + side / 2, y + side + 13, elided(words, side + GAP, 10.5), color, 10.5, "middle")
    return drawing


@dataclass(frozen=True, eq=False)
class Filters:
    """What the units of a layer look for, as pictures."""

    layer: str
    pictures: list[Array]
    """uint8 (height, width, 3) a unit"""
    most: float
    """The largest weight, whichever its sign: what the strongest colour stands for."""
    is_grey: bool
    """Whether the images are grey, so that colours tell signs; otherwise each colour is the weight of that colour."""


def first_filters(network: Network, image_shape: Shape | None) -> Filters | None:
    """The weights of the first layer that has some, where they can be seen as images; None where they cannot.

    `image_shape` is (height, width, channels) of the images that the network takes, as far as that is known.
    """
    found = ((layer.name, parameter) for layer in network.layers for name, parameter in layer.parameters() if name == "weight")
    name, parameter = next(found, ("", None))
    if parameter is None:
        return None
    weights = np.asarray(parameter.data, np.float32)
    if weights.ndim == 2 and image_shape is not None and len(weights) == math.prod(image_shape):
        weights = weights.reshape(*image_shape, -1)
    if weights.ndim != 4 or weights.shape[2] not in (1, 3):
        return None
    most = float(np.abs(weights).max())
    places = np.clip(np.rint((weights[..., :MOST_FILTERS] / (most or 1.0) + 1) * 127.5), 0, 255).astype(np.uint8)
    is_grey = weights.shape[2] == 1
    pictures = [DIVERGING[unit[..., 0]] if is_grey else unit for unit in np.moveaxis(places, -1, 0)]
    return Filters(name, pictures, most, is_grey)


def confusion_drawing(counts: Array, class_names: Sequence[str]) -> Drawing:
    """Counts, int (classes, classes): rows are what an image shows, columns what it was taken for."""
    classes, margin = len(counts), 44
    cell = max(7.0, min(40.0, 430 / classes))
    side = cell * classes
    drawing = Drawing(margin + side + 2, margin + side + 2, "Confusion matrix: what an image shows, and what it was taken for")
    drawing.text(margin + side / 2, 12, "the network's answer", "dim", 11, "middle")
    drawing.text(12, margin + side / 2, "what the image shows", "dim", 11, "middle", turned=True)
    size = max(5.0, min(12.0, cell * 0.5))
    # Shares of the row; the root makes single mistakes among a thousand visible.
    strength = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    for row in range(classes):
        place = margin + (row + 0.5) * cell
        name = elided(class_names[row], 26, size)
        drawing.text(margin - 7, place + size * 0.36, name, "text", size, "end")
        drawing.text(place, margin - 7, name, "text", size, "middle")
        for column in range(classes):
            _cell(drawing, margin + column * cell, margin + row * cell, cell, int(counts[row, column]), row == column,
                  float(strength[row, column]))  # fmt: skip
    return drawing


def _cell(drawing: Drawing, x: float, y: float, cell: float, count: int, is_right: bool, strength: float) -> None:
    gap = 2 if cell > 12 else 0.5
    drawing.box(x, y, cell - gap, cell - gap, "raised")
    if not count:
        return
    opacity = strength if is_right else min(1.0, 0.25 + 2 * strength)
    drawing.box(x, y, cell - gap, cell - gap, "accent" if is_right else "second", opacity)
    text = f"{count:,}"
    size = min(11.5, (cell - 5) / (0.6 * len(text)))
    if size >= 6:
        color = "on_accent" if opacity > 0.62 else "text"
        drawing.text(x + (cell - gap) / 2, y + (cell - gap) / 2 + size * 0.36, text, color, size, "middle")
