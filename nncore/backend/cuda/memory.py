"""What a record asks memory for before memory is there, and how large a part of a batch fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nncore.backend.cuda.device import At
from nncore.errors import DeviceError

LARGEST = 2**31 - 1
"""Values that a buffer may have, since kernels count them in 32 bits."""
LINE = 64
"""Copies of gradients begin at multiples of so many floats."""


@dataclass(eq=False)
class Room:
    """Memory for so many values of each example of a pass."""

    per_example: int
    dtype: npt.DTypeLike = np.float32
    what: str = ""
    """In words, for people: `24×24×16 values`."""
    buffer: Any = None
    """The memory, once it is there."""

    @property
    def bytes_per_example(self) -> int:
        return self.per_example * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, eq=False)
class Place:
    """A place in a room, `offset` values from its beginning."""

    room: Room
    offset: int = 0

    @property
    def at(self) -> At:
        return At(self.room.buffer, self.offset)


@dataclass(frozen=True)
class Pass:
    """A part of a step's batch, as many examples as fit into memory at a time, and where they come from."""

    first: int
    """Which of the batch's examples is its first."""
    count: int
    """How many examples it has."""
    total: int
    """How many the whole batch has."""
    number: int = 0
    """Which pass of the step it is."""
    last: bool = True
    images: Any = None
    """The buffer that the step's images are taken from, …"""
    labels: Any = None
    """… and their labels."""
    pixel: str = "Byte"
    """What an image's values are: Byte or float."""


@dataclass(frozen=True)
class Copies:
    """Where the copies of one layer's gradient lie: each is the sum over a share of the examples."""

    start: int
    """The first one's place among the copies of a pass."""
    parts: int
    """How many of them a pass writes."""
    size: int
    """Values from one to the next."""


def passes(count: int, capacity: int, images: Any, labels: Any, pixel: str) -> list[Pass]:
    """A batch of `count` examples in passes of at most `capacity`; one pass of none where it is empty."""
    starts = range(0, max(count, 1), capacity)
    return [
        Pass(first, min(capacity, count - first), count, number, number == len(starts) - 1, images, labels, pixel)
        for number, first in enumerate(starts)
    ]


def capacity_for(free: int, batch: int, rooms: Sequence[Room], fixed: int, copies: int, whole: str) -> int:
    """How many of `batch` examples a pass can take at a time, in `free` bytes.

    `fixed` are the bytes that a program needs in any case, `copies` those that each pass needs for its gradient. `whole` is
    what cannot do with a part of the batch, in words, or empty. Raises DeviceError, saying what to make smaller, where not
    even one example fits, or the whole batch must and does not.
    """
    each, capacity = sum(room.bytes_per_example for room in rooms), batch
    most = max((room.per_example for room in rooms), default=0)
    while (needed := fixed + capacity * each + copies * -(-batch // capacity)) > free or capacity * most > LARGEST:
        if whole or capacity == 1:
            raise DeviceError(_too_much(needed, free, batch, rooms, whole, fixed + each + copies <= free))
        capacity = -(-capacity // 2)
    return capacity


def _too_much(needed: int, free: int, batch: int, rooms: Sequence[Room], whole: str, one_fits: bool) -> str:
    """What needs more memory than there is, and what to make smaller. `one_fits`: a batch of one image would do."""
    largest = max(rooms, key=lambda room: room.bytes_per_example, default=Room(0))
    of_most = f", most of it for {largest.what} each" if largest.what else ""
    what, smaller = "Even a single image", "network"
    if batch > 1 and (whole or one_fits):
        what, smaller = f"A batch of {batch:,}" + (f" with {whole}, which needs it whole," if whole else ""), "batch"
    if one_fits and not whole:
        of_most = ", most of it for gradients"
    return (
        f"{what} needs {_megabytes(needed)} of the GPU's memory{of_most}, but only {_megabytes(free)} are free; take a smaller "
        f"{smaller}, or the device cpu."
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
