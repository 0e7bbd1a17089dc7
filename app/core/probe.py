"""Probe: the one picture that every view looks at. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from app.stroke import Stroke
from nncore.arrays import Array

AT_ONCE = 2**20
"""Bytes of pictures that are compared at a time."""


class Kind(Enum):
    """The kind of a picture. It decides how the picture is prepared for the network."""

    DRAWING = "drawing"
    """Drawn on the program's own sheet: ink is 255, the rest 0."""
    PICTURE = "picture"
    """A photo or scan, in which the digit has to be found."""
    DATASET = "dataset"
    """An image of a dataset, or made from such images. The network sees it as it is."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A picture, uint8 (height, width, 1 or 3) of any size, or None where there is none."""

    picture: Array | None = None
    origin: str = "nothing yet"
    """Where it came from, as shown to the user: `drawing`, `MNIST test image 4,027`, a file's name."""
    label: int | None = None
    """The digit that it shows, or None where that is not known."""
    kind: Kind = Kind.PICTURE
    strokes: tuple[Stroke, ...] = ()
    """The strokes of a drawing, as the sheet made them."""
    together: tuple[Path, ...] = ()
    """The picture files that were dropped or pasted together with this one and it itself; empty where it came alone."""
    place: int = 0
    """Its place among `together`."""

    @property
    def nbytes(self) -> int:
        return 0 if self.picture is None else self.picture.nbytes

    def shows_same(self, other: Probe) -> bool:
        """Whether the other is the same picture from the same place."""
        if self.picture is None or other.picture is None:
            return self.picture is other.picture
        ours, others = (self.kind, self.origin, self.strokes), (other.kind, other.origin, other.strokes)
        return ours == others and _same(self.picture, other.picture)


def _same(one: Array, other: Array) -> bool:
    """Whether two pictures have the same pixels. Most others differ at once, and those that are large are not gone through."""
    if one is other or one.shape != other.shape:
        return one is other
    step = max(1, AT_ONCE // max(one[:1].size, 1))
    return all(np.array_equal(one[top : top + step], other[top : top + step]) for top in range(0, len(one), step))


NO_DRAWING = Probe(kind=Kind.DRAWING)
"""An empty sheet."""
