"""What is shown of one layer, and where a value of it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from nncore.arrays import Array


class Spot(NamedTuple):
    """A value: the layer's number among those that are shown, the map, and row and column in it."""

    layer: int
    unit: int
    row: int = 0
    column: int = 0


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """What is shown of one layer."""

    title: str
    facts: tuple[str, ...]
    """Lines below the title: its shape, its parameters."""
    maps: Array
    """(count, height, width); single numbers are maps of 1×1."""
    table: Array
    """The colours, uint8 (256, 3): the first is `low`, the last `high`."""
    low: float
    high: float
    names: tuple[str, ...] = ()
    """Of the answer: what each number stands for. Each has a row of its own then, with a bar."""
    shares: Array | None = None
    """The lengths of those bars, (count) from 0 to 1."""
    is_colour: bool = False
    """Whether the maps are red, green and blue of a picture, uint8 (3, height, width), each to be shown in its colour."""
