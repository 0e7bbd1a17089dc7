"""What kernels are told of a tensor: small tuples of whole numbers, which cost nothing once compiled.

Places and distances count floats, from the beginning of the program's memory where nothing else is said.
"""

from __future__ import annotations

from typing import NamedTuple

from numba import types

Real = types.float32
"""Marks a parameter of an operation that is no whole number."""


class Image(NamedTuple):
    """A batch of images."""

    at: int
    """Place of the first value of the first image."""
    pitch: int
    """Distance from one image to the next."""
    row: int
    """Distance from one row of an image to the next."""


class Spots(NamedTuple):
    """Positions that lie scattered over each image of a batch."""

    at: int
    """Place of the first image."""
    pitch: int
    """Distance from one image to the next."""
    table: int
    """Place of a table (int32) with the position of each spot in its image."""


class Patch(NamedTuple):
    """What an output of a convolution sees from its spot on."""

    rows: int
    """Rows of the kernel."""
    pitch: int
    """Distance from one row to the next."""
    run: int
    """Neighbouring floats of a row: kernel width · channels."""


class Tiles(NamedTuple):
    """Transformed tiles of a block: a matrix of tiles × channels for each position of a tile."""

    at: int
    """Place of the first tile of the first position."""
    step: int
    """Distance from one position to the next."""
    pitch: int
    """Distance from one tile to the next."""


class Matrix(NamedTuple):
    """Rows of weights."""

    memory: int
    """Address that the place counts from: of the program's memory or of the network's numbers."""
    at: int
    """Place of the first row."""
    pitch: int
    """Distance from one row to the next."""
