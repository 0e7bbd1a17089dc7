"""Places: where in memory everything lies that a program is recorded for, before that memory is there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import IntPair, Tensor
from nncore.backend.cpu.record import Local, Shared, Table, Temporary
from nncore.backend.cpu.tuning import MARGIN
from nncore.backend.vector import Vector

Spots: TypeAlias = tuple[Local, int, Table]
"""As views.py has it."""
Image: TypeAlias = tuple[Local, int, int]
"""As views.py has it."""


class Places:
    """Gives out room in the memory of the replicas, and tells where the parts of tensors lie in it."""

    def __init__(self, batch: int, vector: Vector, replicas: int) -> None:
        from nncore.backend.cpu.vectors import LANES  # here, because it imports Numba

        self.lanes, self.batch, self.vector, self.replicas = LANES, batch, vector, replicas
        self.slice = -(-batch // replicas)
        """The most examples that one replica gets."""
        self.tables: list[Array] = []
        self._table_index: dict[bytes, Table] = {}
        self.local = self.shared = 0
        """Floats given out in each replica's memory, and in that which all share."""
        self.most_temporary = 0
        """The most floats that one operation needs for itself."""
        self.work = self.room(4096 + 4 * self._widest())
        self.panel = self.room(self._largest_panel())
        self.gradient = self.room(vector.zeros.end)
        """As the network's numbers are. Behind those of the parameters lies what nobody reads: that of biases which are zeros."""

    def _widest(self) -> int:
        return max((part.shape[-1] for part in self.vector.parts.values()), default=1)

    def _largest_panel(self) -> int:
        """Room for a block of columns of the tallest weight, or of rows of the widest, turned."""
        sides = [max(math.prod(part.shape[:-1]), part.shape[-1]) for part in self.vector.parts.values()]
        return 2 * self.lanes * (max(sides, default=1) + self.lanes)

    def room(self, size: int) -> Local:
        """`size` floats in every replica's memory."""
        place = Local(self.local + MARGIN)
        self.local += -(-size // 16) * 16 + 2 * MARGIN
        return place

    def shared_room(self, size: int) -> Shared:
        """`size` floats in the memory that all replicas share."""
        place = Shared(self.shared)
        self.shared += -(-size // 16) * 16
        return place

    def temporary(self, *sizes: int) -> list[Temporary]:
        """As `room`, for each of the sizes, but only until something else is recorded that asks for temporary memory."""
        places, at = [], 0
        for size in sizes:
            places.append(Temporary(at + MARGIN))
            at += -(-size // 16) * 16 + 2 * MARGIN
        self.most_temporary = max(self.most_temporary, at)
        return places

    def table(self, values: Array) -> Table:
        """A table of places, shared by all that need an equal one."""
        values = np.ascontiguousarray(values, np.int32).ravel()
        key = values.tobytes()
        if key not in self._table_index:
            self._table_index[key] = Table(len(self.tables))
            self.tables.append(values)
        return self._table_index[key]

    def floats(self, values: Sequence[float]) -> Table:
        """A table of float32, as the bits of its numbers."""
        return self.table(np.array(values, np.float32).view(np.int32))

    def tensor(self, rows: int, cols: int, channels: int, padding: IntPair = (0, 0)) -> Tensor:
        shape = Tensor(None, rows, cols, channels, padding)
        start = self.room(self.slice * shape.pitch)
        inside = padding[0] * shape.row_pitch + padding[1] * channels
        return Tensor(start + inside, rows, cols, channels, padding)

    def corner(self, x: Tensor) -> Local:
        """Where a tensor's first value lies, padding included."""
        place: Local = x.place
        return place + -(x.padding[0] * x.row_pitch + x.padding[1] * x.channels)

    def spots(self, x: Tensor, rows: int, cols: int, stride: IntPair, inside: bool = False) -> Spots:
        """The upper left corners of rows × cols windows, `stride` apart, in x and its padding, or only `inside` of it."""
        i, j = np.arange(rows)[:, None], np.arange(cols)[None, :]
        table = self.table(i * stride[0] * x.row_pitch + j * stride[1] * x.channels)
        return x.place if inside else self.corner(x), x.pitch, table

    def pixels(self, y: Tensor) -> Spots:
        """Every pixel of y."""
        return self.spots(y, y.rows, y.cols, (1, 1), inside=True)

    def examples(self, x: Tensor) -> Spots:
        """The examples, for a linear layer, whose spots they are."""
        return x.place, 0, self.table(np.arange(self.slice) * x.pitch)


def image_of(x: Tensor) -> Image:
    """A tensor's values without its padding."""
    return x.place, x.pitch, x.row_pitch
