"""Whether ink looks as if a pen had been there: what a photograph of anything else gives is too thick or too soft for that."""

from __future__ import annotations

from collections.abc import Sequence

from nncore.arrays import Array
from nncore.vision.centring import ink_box, stroke_width

THICKEST = 0.34
"""Width of the pen over the longer side of what was written."""
SOFTEST = 2.6
"""Half-tones over full ink: a stroke has them along its edges only, even out of focus."""
SMALLEST = 24
"""In what is smaller, in pixels of its longer side, a stroke may be as thick as it is long."""
LEAST = 5
"""Pixels of the longer side of the smallest digit."""
TOO_MANY = 1 / 3
"""Share of what was found from which on none of it is writing."""


def is_written(ink: Array) -> bool:
    """Whether the ink (rows, columns) of one segment may come from a pen, or from print."""
    box = ink_box(ink)
    size = 0 if box is None else max(side.stop - side.start for side in box)
    if size < LEAST:
        return False
    if size < SMALLEST:
        return True
    half, full = int(((ink > 0.1) & (ink < 0.9)).sum()), int((ink >= 0.9).sum())
    return half <= SOFTEST * full and stroke_width(ink) <= THICKEST * size


def written(inks: Sequence[Array]) -> list[bool]:
    """For the ink of each segment of a picture, whether it may be writing; nothing is where too much of it cannot be."""
    found = [is_written(ink) for ink in inks]
    return found if found.count(False) < TOO_MANY * len(found) else [False] * len(found)
