"""Probe: the one picture that every view looks at. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from nncore.arrays import Array


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
