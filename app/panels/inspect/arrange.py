"""How the maps of several layers are laid out side by side. Qt-free."""

from __future__ import annotations

import math

from nncore.arrays import Shape

LEAST_WIDTH, SPACING = 84, 20
"""Least width of a layer's column, and the space after it, in pixels."""
LARGEST_MAP, LARGEST_SCALE, GAP = 112, 18, 2
"""Most pixels of a map's side, most pixels of one value's side, and the pixels between two maps."""

Arrangement = tuple[int, int]
"""(columns, scale) of a layer's maps; the scale is a whole number of pixels a value."""


def arrange(shape: Shape, scale: int, height: int) -> Arrangement | None:
    """The fewest columns in which maps (count, height, width) at `scale` stand within `height` pixels; None where none does."""
    rows = (height + GAP) // (shape[1] * scale + GAP)
    return (math.ceil(shape[0] / rows), scale) if rows else None


def width_of(shape: Shape, arrangement: Arrangement) -> int:
    """Pixels that a layer's column takes, with its heading and the space after it."""
    columns, scale = arrangement
    return max(LEAST_WIDTH, columns * (shape[2] * scale + GAP)) + SPACING


def fit(shapes: list[Shape], width: int, height: int) -> list[Arrangement]:
    """Arrange layers of maps (count, height, width) side by side in `width` × `height` pixels, the maps as large as possible.

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
