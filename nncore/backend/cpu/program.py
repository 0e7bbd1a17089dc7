"""A record on the CPU, ready to run: its memory, its table of operations, and the threads that run it with the calling one."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Batches, Outcome, Tensor
from nncore.backend.cpu.answering import FewAnswers
from nncore.backend.cpu.execute import park, release, run
from nncore.backend.cpu.layout import ARRIVED, COLUMNS, CONTEXT, CONTROL_SIZE, REPLICAS, STEPS, STOP, TAKEN
from nncore.backend.cpu.operations import OPERATIONS
from nncore.backend.cpu.record import First, Local, Record, ReplicaPitch, Row, Shared, Table, Temporary
from nncore.backend.cpu.stage import Stage
from nncore.backend.cpu.tuning import FEW

PATIENCE = 200_000
"""Looks for a new run (about a millisecond) before a replica goes to sleep."""

GUARD = 1024
"""Floats before and behind the program's memory that a kernel may read."""

SOURCE, AS_BYTES, LABELS = CONTEXT["source"], CONTEXT["as_bytes"], CONTEXT["labels"]

NOTHING = np.zeros(0), np.zeros(0, np.int64)
"""Losses and right answers where there are no labels."""

_programs: weakref.WeakSet[CpuProgram] = weakref.WeakSet()


class CpuProgram:
    """See `nncore.backend.contract.Program`."""

    def __init__(self, record: Record) -> None:
        self.batch, self.replicas, self._record = record.batch, record.replicas, record
        tables, self._starts = _join(record.tables)
        shared = -(-len(tables) // 16) * 16
        # Not a power of two apart: replicas should not share cache sets.
        self._stretch = -(-record.local // 1024) * 1024 + 272
        self._shared, self._begin = shared, shared + record.shared + GUARD
        memory = np.zeros(self._begin + self._stretch * record.replicas + GUARD + 16, np.float32)
        self._m = memory[-(memory.ctypes.data // 4) % 16 :]
        self._m.view(np.int32)[: len(tables)] = tables
        self._program = np.zeros((record.replicas, len(record.rows), COLUMNS), np.int64)
        for index, row in enumerate(record.rows):
            for r in range(self.replicas):
                self._write_row(self._program[r, index], row, r)
        self._control = np.zeros(CONTROL_SIZE, np.int64)
        self._stage = Stage(self._control, record.replicas)
        self._moved = np.array(record.rule.parts if record.rule else (), np.float64).reshape(-1, 4)
        self._contexts = np.zeros((record.replicas, len(CONTEXT)), np.int64)
        for r in range(record.replicas):
            self._write_context(self._contexts[r], r)
        self._addresses = [array.ctypes.data for array in (self._control, self._program[0], self._contexts[0])]
        self.first_replica = self._addresses[1], self._addresses[2]
        """Addresses of its program and its context."""
        self.few = min(FEW, -(-self.batch // self.replicas))
        """Up to so many images to look at are answered sooner by one thread than by waking others."""
        self.lock = threading.Lock()
        """Held by whoever runs something, until it has read what that has made."""
        self._wake: list[threading.Event] = []
        _programs.add(self)

    def _write_context(self, line: Array, r: int) -> None:
        """What replica r is told once for all. The kernels see addresses alone, so the arrays must be kept."""
        moments = [array.ctypes.data for array in self._record.moments]
        known = {
            "m": self._m.ctypes.data,
            "theta": self._record.values.ctypes.data,
            **dict(zip(("first_moment", "second_moment"), moments, strict=False)),
            "moved": self._moved.ctypes.data,
            "moved_count": len(self._moved),
            "control": self._control.ctypes.data,
            "replica": r,
        }
        for name, value in known.items():
            line[CONTEXT[name]] = value

    def _write_row(self, line: Array, row: Row, replica: int) -> None:
        """Write a recorded operation into a replica's program."""
        line[0] = OPERATIONS[row.operation].address if row.operation else 0
        for column, argument in enumerate(row.arguments, 1):
            if isinstance(argument, float):
                line[column : column + 1].view(np.float64)[:] = argument
            else:
                line[column] = self._resolve(argument, replica)

    def _resolve(self, argument: Any, replica: int) -> int:
        """A whole number or a place as the number that the replica's program holds."""
        if isinstance(argument, Local):
            return argument.scale * (self._begin + replica * self._stretch + argument.at)
        if isinstance(argument, Temporary):
            return self._begin + replica * self._stretch + self._record.temporary + argument.at
        if isinstance(argument, Shared):
            return self._shared + argument.at
        if isinstance(argument, First):
            return self._begin + argument.at
        if isinstance(argument, Table):
            return self._starts[argument.index]
        if isinstance(argument, ReplicaPitch):
            return self._stretch
        return int(argument)

    def run(self, section: str, batches: Batches, read: Sequence[Tensor] = ()) -> Outcome:
        steps, largest = len(batches.counts), max(batches.counts, default=0)
        if largest > self.batch:
            raise ValueError(f"the program was recorded for {self.batch} examples, not {largest}")
        images, labels = batches.images, batches.labels
        as_bytes = images.dtype == np.uint8
        if not _is_plain(images) or not (as_bytes or images.dtype == np.float32):
            images = np.require(images, np.uint8 if as_bytes else np.float32, ["C", "A"])
        if labels is not None:
            kind = np.float32 if labels.dtype.kind == "f" else np.int64
            if not (_is_plain(labels) and labels.dtype == kind):
                labels = np.require(labels, kind, ["C", "A"])
        with self.lock:
            replicas = 1 if labels is None and steps == 1 and largest <= self.few else self.replicas
            self._contexts[:, SOURCE], self._contexts[:, AS_BYTES] = images.ctypes.data, as_bytes
            if labels is not None:
                self._contexts[:, LABELS] = labels.ctypes.data
            self._stage.put(batches, self._record.sources)
            self._control[REPLICAS : STEPS + 1] = (replicas, *self._record.sections[section], self._control[ARRIVED], steps)
            self._go(replicas)
            taken = int(self._control[TAKEN])
            losses, right = NOTHING if labels is None else self._stage.results(taken, replicas)
            values = [self._read(tensor, batches.counts[taken - 1], replicas) for tensor in read]
        return Outcome(losses, right, values)

    def _go(self, replicas: int) -> None:
        """Let the replicas run what the control array says, this thread as the first of them."""
        if replicas > 1:
            if not self._wake:
                self._start()
            if release(self._addresses[0]):
                for event in self._wake:
                    event.set()
        run(0, 0, *self._addresses[1:])

    def answering(self, section: str, tensor: Tensor) -> Callable[[Array], Array]:
        return FewAnswers(self, section, tensor)

    def rows_of(self, section: str) -> tuple[int, int]:
        """The section's first row and the one behind its last."""
        return self._record.sections[section]

    def place_of(self, tensor: Tensor) -> int:
        """Where the tensor lies in replica 0's memory."""
        return self._resolve(tensor.place, 0)

    def gradient(self) -> Array:
        with self.lock:
            start = self._resolve(First(self._record.gradient.at), 0)
            return self._m[start : start + self._record.parameters].copy()

    def write(self, tensor: Tensor, values: Array) -> None:
        with self.lock:
            for part, view in self._views(tensor, len(values), self.replicas):
                view[...] = values[part]

    def _read(self, tensor: Tensor, count: int, replicas: int) -> Array:
        out = np.empty((count, tensor.rows, tensor.cols, tensor.channels), np.float32)
        for part, view in self._views(tensor, count, replicas):
            out[part] = view
        return out

    def _views(self, tensor: Tensor, count: int, replicas: int) -> Iterator[tuple[slice, Array]]:
        """The slices of a batch of `count` images, and where each lies in its replica's memory."""
        strides = (4 * tensor.pitch, 4 * tensor.row_pitch, 4 * tensor.channels, 4)
        for r in range(replicas):
            first, last = count * r // replicas, count * (r + 1) // replicas
            shape, start = (last - first, tensor.rows, tensor.cols, tensor.channels), self._resolve(tensor.place, r)
            yield slice(first, last), np.ndarray(shape, np.float32, self._m, 4 * start, strides)

    def _start(self) -> None:
        """One thread a further replica, asleep until it is needed, gone when this program is."""
        self._wake = [threading.Event() for _ in range(1, self.replicas)]
        kept = (self._program, self._contexts, self._control, self._m, self._stage, self._record, self._moved)
        for r, event in enumerate(self._wake, 1):
            threading.Thread(target=_replica, args=(r, kept, event), name=f"replica-{r}", daemon=True).start()
        weakref.finalize(self, _stop, self._control, self._wake)

    def forget_threads(self) -> None:
        """After a fork: the child has the memory, but neither the threads nor whoever held the lock."""
        self.lock, self._wake = threading.Lock(), []
        self._stage.forget_runs()


def _replica(r: int, kept: tuple[Any, ...], event: threading.Event) -> None:
    """The thread of replica r. It holds the program's arrays, but not the program itself, which may therefore die."""
    program, contexts, control = kept[:3]
    seen = 0
    while True:
        seen = run(seen, PATIENCE, program[r].ctypes.data, contexts[r].ctypes.data)
        if seen < 0:
            return
        if park(control.ctypes.data, seen, 1):
            event.wait()
        event.clear()
        park(control.ctypes.data, seen, -1)


def _stop(control: Array, events: list[threading.Event]) -> None:
    control[STOP] = 1
    release(control.ctypes.data)
    for event in events:
        event.set()


def _is_plain(array: Array) -> bool:
    """Whether kernels can read it as it lies there."""
    return array.flags.c_contiguous and array.flags.aligned


def _join(tables: Sequence[Array]) -> tuple[Array, list[int]]:
    """The tables in a row, and where each starts."""
    starts = np.cumsum([0, *[len(table) for table in tables]])
    return np.concatenate([*tables, np.zeros(16, np.int32)]), [int(start) for start in starts[:-1]]


def _forget_threads() -> None:
    for program in list(_programs):
        program.forget_threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
