"""What a recorder leaves behind: rows of operations, and the places in memory that they name before memory is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nncore.arrays import Array
from nncore.backend.contract import RandomSource, Rule


@dataclass(frozen=True)
class Local:
    """A place in every replica's own stretch of memory: `at` counts floats, `scale` 4 makes bytes of them."""

    at: int
    scale: int = 1

    def __add__(self, distance: int) -> Local:
        return Local(self.at + distance, self.scale)

    @property
    def bytes(self) -> Local:
        return Local(self.at, 4)


@dataclass(frozen=True)
class Temporary:
    """A place in the part of every replica's memory that is anybody's again behind the operations recorded together."""

    at: int


@dataclass(frozen=True)
class First:
    """A place in replica 0's memory, whoever asks."""

    at: int


@dataclass(frozen=True)
class Shared:
    """A place in the memory that replicas share."""

    at: int


@dataclass(frozen=True)
class Table:
    """A table of int32 that all replicas read, by its number among the tables."""

    index: int


@dataclass(frozen=True)
class ReplicaPitch:
    """The distance from one replica's memory to the next, known when all has been recorded."""


@dataclass(frozen=True)
class Row:
    """One recorded operation (empty: a barrier) and its arguments in order: whole numbers, places, and floats."""

    operation: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Record:
    """All that a program is made from."""

    batch: int
    """The most examples of a step."""
    replicas: int
    rows: Sequence[Row]
    sections: Mapping[str, tuple[int, int]]
    """The first row of each section and the one behind its last, by name."""
    tables: Sequence[Array]
    """int32, which a `Table` names by its number."""
    sources: Sequence[RandomSource]
    """The layers that draw random bits, in the order of the keys that they give for each step."""
    local: int
    """Floats of each replica's own memory."""
    temporary: int
    """Where in each replica's own memory its temporary part begins."""
    shared: int
    """Floats of the memory that replicas share."""
    gradient: Local
    """Where each replica's gradient lies."""
    values: Array
    """The network's flat parameters and buffers, float32."""
    parameters: int
    """How many of the values are parameters."""
    moments: Sequence[Array]
    """The optimizer's running averages, flat as the parameters."""
    rule: Rule | None
