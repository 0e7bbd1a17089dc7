"""What every part of the recorder builds on: memory, sections, and how a kernel is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import IntPair, Tensor, Weights, Window
from nncore.backend.cuda.device import At, Device, Launch, Size
from nncore.backend.cuda.geometry import threads
from nncore.backend.cuda.memory import LINE, Copies, Pass, Place, Room
from nncore.backend.cuda.record import Record, Row, Section
from nncore.backend.cuda.sources import Instance, kernels
from nncore.backend.vector import Vector
from nncore.errors import ConfigError, NotCompilable

MOST_MOMENTS = 2
"""Running averages that the kernels know of each parameter."""

Arguments: TypeAlias = dict[str, Any]


class BaseRecorder:
    """Keeps a `Record`: each kernel as a function from a pass over (a part of) a step's batch to a launch."""

    def __init__(self, device: Device, batch: int, vector: Vector, moments: Sequence[Array]) -> None:
        if len(moments) > MOST_MOMENTS:
            raise ConfigError(f"The GPU's kernels keep {MOST_MOMENTS} running averages a parameter, not {len(moments)}.")
        self.record = Record(device, batch, vector, list(moments))
        self.batch = batch

    # Memory

    def room(self, per_example: int, dtype: Any = np.float32, what: str = "") -> Place:
        """So many values for each example."""
        room = Room(per_example, dtype, what)
        self.record.rooms.append(room)
        return Place(room)

    def once_for_all(self, size: int) -> Place:
        """So many values, however many examples there are."""
        room = Room(size)
        self.record.fixed_rooms.append(room)
        return Place(room)

    def tensor(self, rows: int, cols: int, channels: int, padding: IntPair = (0, 0)) -> Tensor:
        shape = Tensor(None, rows, cols, channels, padding)
        place = self.room(shape.pitch, what=f"{rows}×{cols}×{channels} values")
        return Tensor(Place(place.room, padding[0] * shape.row_pitch + padding[1] * channels), rows, cols, channels, padding)

    def theta(self, at: int) -> Callable[[], At]:
        """The network's numbers from `at` on."""
        return lambda: At(self.record.theta, at)

    def copies(self, weights: Weights, inputs: int, outputs: int, parts: int) -> Copies:
        """Room for `parts` copies of a layer's gradient, each its weight (inputs, outputs) and behind it its bias (outputs)."""
        record, size = self.record, (inputs + 1) * outputs
        copies = Copies(record.copies_size, parts, size)
        record.copies_size += -(-parts * size // LINE) * LINE
        record.gradients[weights.weight] = copies
        record.gradients[weights.bias] = Copies(copies.start + inputs * outputs, parts, size)
        return copies

    def of_pass(self, copies: Copies, part: Pass) -> At:
        """The first copy that a pass writes."""
        return At(self.record.copies, part.number * self.record.copies_size + copies.start)

    # Recording

    def add(
        self,
        kernel: str,
        size: Callable[[Pass], tuple[Size, Size]],
        arguments: Callable[[Pass], Arguments],
        instance: Instance | Callable[[Pass], Instance] = (),
        once: bool = False,
    ) -> None:
        """Record a kernel; NotCompilable where there is none. `once`: once a step, not once for each pass over its batch."""
        if kernel not in kernels():
            raise NotCompilable(f"There is no kernel called {kernel} for the GPU.")

        def row(part: Pass) -> Launch:
            chosen = instance(part) if callable(instance) else instance
            return Launch(kernel, chosen, *size(part), arguments(part))

        self.record.rows.append(Row(row, once))

    def each(self, kernel: str, per_example: int, arguments: Callable[[Pass], Arguments]) -> None:
        """Record a kernel that has a thread for each of so many values of an example."""
        self.add(kernel, lambda part: threads(part.count * per_example), arguments)

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        start, marks = len(self.record.rows), set(self.record.marks)
        self.record.marks.clear()
        yield
        self.record.sections[name] = Section(slice(start, len(self.record.rows)), frozenset(self.record.marks))
        self.record.marks |= marks

    def barrier(self) -> None:
        """Launches follow each other: what one has written, the next can read."""


def image(name: str, x: Tensor) -> Arguments:
    """An image as kernels take it: its first value inside the padding, and the distances of images and rows."""
    return {name: x.place.at, f"{name}_pitch": x.pitch, f"{name}_row": x.row_pitch}


def corner(name: str, x: Tensor) -> Arguments:
    """An image from the corner of its padding on."""
    inside: Place = x.place
    start = inside.offset - x.padding[0] * x.row_pitch - x.padding[1] * x.channels
    return image(name, x) | {name: Place(inside.room, start).at}


def pixels(y: Tensor, prefix: str = "") -> Arguments:
    """Rows, cols and channels."""
    return {f"{prefix}rows": y.rows, f"{prefix}cols": y.cols, f"{prefix}C": y.channels}


def sizes(window: Window) -> Arguments:
    """A window's size and stride."""
    (kh, kw), (sh, sw) = window.size, window.stride
    return {"kh": kh, "kw": kw, "sh": sh, "sw": sw}


def slice_of(part: Pass) -> Arguments:
    """Which examples of the batch a pass has."""
    return {"first": part.first, "count": part.count}


def matrix(name: str, values: At, strides: IntPair, mask: At | None = None) -> Arguments:
    """A matrix as `product` takes it: the distances of its rows and columns, and what it counts as 0 where that is not positive."""
    return {name: values, f"{name}_mask": mask, f"{name}_row": strides[0], f"{name}_col": strides[1]}
