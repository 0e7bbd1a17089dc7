"""Stroke: one movement of the pen over the drawing sheet, and the size of that. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass, field

HEIGHT = 336
"""Pixels of the sheet's height: twelve times 28."""
WIDEST = 2.6
"""A sheet is at most so many times as wide as it is high: more pixels would answer a stroke later, and nobody has the room."""


@dataclass(eq=False)
class Stroke:
    """In the pixels of the sheet, from its upper left corner on."""

    erases: bool
    sheet: int
    """Pixels of the width of the sheet that it is drawn on."""
    points: list[tuple[float, float]] = field(default_factory=list)
    """(x, y) of each; the pen may leave the sheet."""
    widths: list[float] = field(default_factory=list)
    """The pen's width at each point."""
