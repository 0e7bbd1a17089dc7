"""Probe: the one picture that every view looks at. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from nncore.arrays import Array


class Kind(Enum):
    """What kind of picture a probe is, which decides how it is prepared for the network."""

    DRAWING = "drawing"
    """Ink on the program's own sheet: 255 on 0, nothing else in the picture."""
    PICTURE = "picture"
    """Any other picture: the digit has to be found in it."""
    DATASET = "dataset"
    """An image of a dataset, or made from some: in the network's own format, and shown to it as it is."""


@dataclass(frozen=True, eq=False)
class Probe:
    """The picture: uint8 (height, width, 1 or 3), of any size, None where there is none."""

    picture: Array | None = None
    origin: str = "nothing yet"
    """Where it came from, for people: `drawing`, `MNIST test image 4,027`, a file's name."""
    label: int | None = None
    """What it shows, where that is known."""
    kind: Kind = Kind.PICTURE
