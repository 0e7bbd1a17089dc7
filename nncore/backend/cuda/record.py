"""What a recorder leaves behind: kernels as functions from a pass to a launch, and the memory that they work on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Moved, RandomSource
from nncore.backend.cuda.device import At, Device, Launch
from nncore.backend.cuda.geometry import threads
from nncore.backend.cuda.memory import Copies, Pass, Room, capacity_for
from nncore.backend.cuda.sources import Key
from nncore.backend.vector import ALIGN, Vector

RATES = 8
"""Numbers of the optimizer that a step has room for."""


@dataclass(frozen=True)
class Row:
    """One recorded kernel."""

    launch: Callable[[Pass], Launch]
    once: bool = False
    """Whether it runs once a step, and not for each pass over a part of its batch."""


@dataclass(frozen=True)
class Section:
    """The rows of a section, and what is among them: take, loss, gradients, update, statistics."""

    rows: slice
    marks: frozenset[str]


@dataclass(eq=False)
class Record:
    """Rows and sections as recorded; from `allocate` on, the buffers that their launches name."""

    device: Device
    batch: int
    """The most examples of a step."""
    vector: Vector
    moments: list[Array]
    rows: list[Row] = field(default_factory=list)
    sections: dict[str, Section] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)
    """What has been recorded since the section began that is being recorded."""
    rooms: list[Room] = field(default_factory=list)
    fixed_rooms: list[Room] = field(default_factory=list)
    """Memory whose size does not follow from the number of examples."""
    sources: list[RandomSource] = field(default_factory=list)
    """The layers that draw, in the order of their keys."""
    gradients: dict[int, Copies] = field(default_factory=dict)
    """By a parameter's place: where the copies of its gradient lie."""
    copies_size: int = 0
    """Values that a pass leaves as copies of gradients."""
    moved: dict[int, Moved] = field(default_factory=dict)
    """By a parameter's place: how it is moved; those that stay as they are have no entry."""
    frozen: set[int] = field(default_factory=set)
    """The places of the parameters whose gradients count as zero."""
    image_size: int = 1
    """Values of an image of the batches."""
    whole: str = ""
    """What needs a batch as a whole, in words; empty where nothing does."""
    capacity: int = 0
    """Examples of a pass."""

    theta: Any = None
    moment_buffers: list[Any] = field(default_factory=list)
    copies: Any = None
    table: Any = None
    owner: Any = None
    decay_buffer: Any = None
    lr_mult_buffer: Any = None
    clock: Any = None
    order: Any = None
    rates: Any = None
    random: Any = None
    results: Any = None

    def allocate(self, fixed: int) -> None:
        """Make all buffers but those whose size follows from the length of a run.

        `fixed` are the bytes that the program needs besides. Raises DeviceError where they do not fit.
        """
        numbers = 4 * (self.vector.values.size + sum(moment.size for moment in self.moments))
        numbers += sum(room.bytes_per_example for room in self.fixed_rooms)
        free = self.device.free_memory()
        while True:
            self.capacity = capacity_for(free, self.batch, self.rooms, fixed + numbers, 4 * self.copies_size, self.whole)
            try:
                self._make_buffers()
                break
            except MemoryError:  # others have taken some of it, or it lies in pieces
                self._drop_buffers()
                free = free * 3 // 4
        self._make_table()

    def _make_buffers(self) -> None:
        zeros = self.device.zeros
        self.theta = zeros(self.vector.values.size, np.float32)
        self.moment_buffers = [zeros(moment.size, np.float32) for moment in self.moments]
        for room in self.rooms:
            room.buffer = zeros(self.capacity * room.per_example, room.dtype)
        for room in self.fixed_rooms:
            room.buffer = zeros(room.per_example, room.dtype)
        self.copies = zeros(-(-self.batch // self.capacity) * self.copies_size, np.float32)
        self.clock = zeros(3, np.int32)

    def _drop_buffers(self) -> None:
        self.theta = self.copies = self.clock = None
        self.moment_buffers = []
        for room in (*self.rooms, *self.fixed_rooms):
            room.buffer = None

    def give_up(self) -> None:
        """Free the device's memory at once: rows name the record that they are in, so that it would wait for the collector."""
        self._drop_buffers()
        self.table = self.owner = self.decay_buffer = self.lr_mult_buffer = None
        self.order = self.rates = self.random = self.results = None

    def _make_table(self) -> None:
        """What kernels/update.cu reads of each parameter: its place and that of its copies, its decay, its factor of the rate."""
        parts = sorted((part for part in self.vector.parts.values() if part.start < self.vector.parameters), key=lambda p: p.start)
        nothing, owner = Copies(0, 0, 0), np.zeros(max(self.vector.parameters // ALIGN, 1), np.int32)
        rows = [[0, 0, 0, 0, 0]] if not parts else []
        for number, part in enumerate(parts):
            copies = nothing if part.start in self.frozen else self.gradients.get(part.start, nothing)
            rows.append([part.start, part.end, copies.start, copies.parts, copies.size])
            owner[part.start // ALIGN : -(-part.end // ALIGN)] = number
        stays = Moved(0, 0, lr_mult=0.0)
        moved = [self.moved.get(part.start, stays) for part in parts] or [stays]
        decays, lr_mults = (np.array(values, np.float32) for values in ([m.decay for m in moved], [m.lr_mult for m in moved]))
        self.table, self.owner, self.decay_buffer, self.lr_mult_buffer = (
            self._filled(values) for values in (np.array(rows, np.int32), owner, decays, lr_mults)
        )

    def _filled(self, values: Array) -> Any:
        buffer = self.device.zeros(values.size, values.dtype)
        self.device.put(buffer, values.ravel())
        return buffer

    def table_arguments(self, passes: int) -> dict[str, Any]:
        """What kernels that add the copies up are told, besides the parameters."""
        return {
            "copies": At(self.copies), "table": At(self.table), "owner": At(self.owner), "passes": passes,
            "pass_pitch": self.copies_size, "size": self.vector.parameters,
        }  # fmt: skip

    def launches(self, section: str, parts: Sequence[Pass]) -> list[Launch]:
        """What a step of a section consists of."""
        each = [launch for part in parts for launch in self.launches_of(section, part)]
        return each + self.launches_once(section, parts)

    def launches_of(self, section: str, part: Pass) -> list[Launch]:
        """What a pass over a part of a step's batch consists of."""
        return [row.launch(part) for row in self.rows[self.sections[section].rows] if not row.once]

    def launches_once(self, section: str, parts: Sequence[Pass]) -> list[Launch]:
        """What follows the last pass of a step."""
        return [row.launch(parts[-1]) for row in self.rows[self.sections[section].rows] if row.once]

    def sum_of_gradients(self, gradient: Any, passes: int) -> Launch:
        """The copies of the last step, added up."""
        return Launch(
            "sum_copies", (), *threads(self.vector.parameters), {"gradient": At(gradient), **self.table_arguments(passes)}
        )

    def kernel_keys(self) -> Iterable[Key]:
        """Every kernel that a program of this record may launch."""
        found: set[Key] = {("tick", ()), ("sum_copies", ())}
        for pixel in ("Byte", "float"):
            part = Pass(0, self.batch, self.batch, pixel=pixel)
            found |= {row.launch(part).key for row in self.rows}
        return found
