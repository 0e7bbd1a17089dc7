"""Images, filters and the confusion matrix as drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def first_filters(network: Network, image_shape: Shape | None) -> tuple[str, list[Array], float] | None:
    """What the first layer with weights looks for, if that can be seen in an image: its name, pictures uint8 (height, width,
    3), and the weight that is drawn in the darkest colour. None for a network whose first weights are no images.
    """
    layer = next((layer for layer in network.layers if layer.parameters()), None)
    weights = next((parameter.data for name, parameter in layer.parameters() if name == "weight"), None) if layer else None
    if layer is None or weights is None:
        return None
    weights = np.asarray(weights, np.float32)
    if weights.ndim == 2 and image_shape is not None and len(weights) == math.prod(image_shape):
        weights = weights.reshape(*image_shape, -1)
    if weights.ndim != 4 or weights.shape[2] not in (1, 3):
        return None
    most = float(np.abs(weights).max())
    level = weights / (most or 1.0)
    if weights.shape[2] == 1:
        places = np.clip(np.rint((level[:, :, 0] + 1) * 127.5), 0, 255).astype(np.int64)
        pictures = [DIVERGING[places[..., unit]] for unit in range(min(MOST_FILTERS, places.shape[-1]))]
    else:
        bytes_ = np.clip(np.rint((level + 1) * 127.5), 0, 255).astype(np.uint8)
        pictures = [bytes_[..., unit] for unit in range(min(MOST_FILTERS, bytes_.shape[-1]))]
    return layer.name, pictures, most


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
