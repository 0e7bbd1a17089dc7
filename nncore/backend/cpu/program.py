"""A recorded step on the CPU: its memory, its program table, and the threads that run it with the calling one."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Tensor
from nncore.backend.cpu import operations
from nncore.backend.cpu.layout import (
    ARRIVED,
    BEGIN,
    COLUMNS,
    CONTEXT,
    CONTROL_SIZE,
    DECAY_COUNT,
    END,
    INPUT_BYTES,
    INPUT_FLOATS,
    REAL,
    REPLICA,
    STEP_AS_BYTES,
    STEP_COUNT,
    STEP_LEARN,
    STEP_REPLICAS,
    STOP,
    TARGET,
)
from nncore.backend.cpu.machine import park, release, run
from nncore.backend.cpu.record import First, Local, Record, ReplicaPitch, Row, Shared, Table
from nncore.errors import ConfigError

PATIENCE = 200_000
"""Looks for a new step (about a millisecond) before a replica goes to sleep."""

GUARD = 1024


class CpuProgram:
    """See `nncore.backend.contract.Program`. Runs one step at a time; a second thread's `run` waits for the first's."""

    def __init__(self, record: Record) -> None:
        self.batch, self.replicas = record.batch, record.replicas
        tables, starts = _join(record.tables)
        shared = -(-len(tables) // 16) * 16
        stretch = -(-record.local // 1024) * 1024 + 272  # not a power of two: replicas should not share cache sets
        begin = shared + record.shared + GUARD
        memory = np.zeros(begin + stretch * record.replicas + GUARD + 16, np.float32)
        lead = -(memory.ctypes.data // 4) % 16
        self._m = memory[lead:]
        self._m.view(np.int32)[: len(tables)] = tables
        self._stretch, self._begin, self._shared = stretch, begin, shared
        self._sections = dict(record.sections)
        self._program = np.zeros((record.replicas, len(record.rows), COLUMNS), np.int64)
        self._sources: list[tuple[int, Any]] = []
        for index, row in enumerate(record.rows):
            self._write(index, row, starts)
        self._control = np.zeros(CONTROL_SIZE, np.int64)
        self._labels, self._rates = np.zeros(self.batch, np.int64), np.zeros(8, np.float32)
        self._out = np.zeros((record.replicas, 8))
        self.gradient: Array = np.zeros(record.parameters, np.float32)
        self._decays = np.array(record.rule.decays, np.float64).reshape(-1, 3)
        if len(record.moments) > 2:
            raise ConfigError(f"The CPU's update knows at most two running averages a parameter, not {len(record.moments)}.")
        self._moments = [*record.moments, *[self._rates] * (2 - len(record.moments))]
        self._theta = record.values
        self._contexts = np.zeros((record.replicas, CONTEXT), np.int64)
        for r in range(record.replicas):
            self._contexts[r, : REPLICA + 1] = self._context(r)
        self._lock = threading.Lock()
        self._wake: list[threading.Event] = []

    def _context(self, r: int) -> list[int]:
        """Replica r's context, in the order of layout.py. The kernels see addresses alone, so the arrays must be kept."""
        arrays = (
            self._m, self._theta, *self._moments, None, None, self._labels, self._out[r], self.gradient,
            self._decays, None, self._rates, self._control,
        )  # fmt: skip
        line = [0 if array is None else array.ctypes.data for array in arrays] + [r]
        line[DECAY_COUNT] = len(self._decays)
        return line

    def _write(self, index: int, row: Row, starts: Sequence[int]) -> None:
        """Write a recorded operation into every replica's program."""
        if row.source is not None:
            self._sources.append((index, row.source))
        for r in range(self.replicas):
            line = self._program[r, index]
            line[0] = getattr(operations, row.operation).address if row.operation else 0
            for column, argument in enumerate(row.arguments, 1):
                line[column] = self._resolve(argument, r, starts)
            line[REAL : REAL + len(row.reals)].view(np.float64)[:] = row.reals

    def _resolve(self, argument: Any, replica: int, starts: Sequence[int]) -> int:
        """An argument as the number that replica's program holds."""
        if isinstance(argument, Local):
            return argument.scale * (self._begin + replica * self._stretch + argument.at)
        if isinstance(argument, Shared):
            return self._shared + argument.at
        if isinstance(argument, First):
            return self._begin + argument.at
        if isinstance(argument, Table):
            return starts[argument.index]
        if isinstance(argument, ReplicaPitch):
            return self._stretch
        return int(argument)

    def run(self, section: str, images: Array, labels: Array | None, rates: Sequence[float] = ()) -> tuple[float, int]:
        count = len(images)
        if count > self.batch:
            raise ValueError(f"the program was recorded for {self.batch} examples, not {count}")
        images = np.require(images, np.uint8 if images.dtype == np.uint8 else np.float32, ["C", "ALIGNED"])
        with self._lock:
            self._stage(images, labels, rates)
            control = self._control
            # A handful of examples to look at is answered sooner by one thread than by waking others.
            replicas = 1 if labels is None and count <= min(4, -(-self.batch // self.replicas)) else self.replicas
            control[STEP_COUNT], control[STEP_REPLICAS] = count, replicas
            control[BEGIN], control[END] = self._sections[section]
            control[STEP_LEARN] = len(rates) > 0
            control[TARGET] = control[ARRIVED]
            if replicas > 1:
                if not self._wake:
                    self._start()
                if release(control.ctypes.data):
                    for event in self._wake:
                        event.set()
            run(0, 0, self._program[0].ctypes.data, self._contexts[0].ctypes.data)
            if labels is None:
                return 0.0, 0
            return float(self._out[:, 0].sum()) / max(count, 1), int(self._out[:, 1].sum())

    def _stage(self, images: Array, labels: Array | None, rates: Sequence[float]) -> None:
        """Put what a step needs where the replicas look for it. The images are read where they lie."""
        as_bytes = images.dtype == np.uint8
        self._contexts[:, INPUT_BYTES if as_bytes else INPUT_FLOATS] = images.ctypes.data
        self._control[STEP_AS_BYTES] = as_bytes
        if labels is not None:
            self._labels[: len(images)] = labels
        self._rates[: len(rates)] = rates
        for index, source in self._sources:
            self._program[:, index, 1] = source.key()

    def read(self, tensor: Tensor, count: int) -> Array:
        out = np.empty((count, tensor.rows, tensor.cols, tensor.channels), np.float32)
        replicas = int(self._control[STEP_REPLICAS])
        for r in range(replicas):
            first, last = count * r // replicas, count * (r + 1) // replicas
            start = self._resolve(tensor.place, r, ())
            strides = [4 * step for step in (tensor.pitch, tensor.row_pitch, tensor.channels, 1)]
            shape = (last - first, tensor.rows, tensor.cols, tensor.channels)
            out[first:last] = np.lib.stride_tricks.as_strided(self._m[start:], shape, strides)
        return out

    def _start(self) -> None:
        """One thread a further replica, asleep until it is needed, gone when this program is."""
        self._wake = [threading.Event() for _ in range(1, self.replicas)]
        kept = (self._program, self._contexts, self._control, self._m, self._theta, self._moments)
        more = (self._labels, self._rates, self._out, self.gradient, self._decays)
        for r, event in enumerate(self._wake, 1):
            threading.Thread(target=_replica, args=(r, kept + more, event), name=f"replica-{r}", daemon=True).start()
        weakref.finalize(self, _stop, self._control, self._wake)


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


def _join(tables: Sequence[Array]) -> tuple[Array, list[int]]:
    """The tables in a row, and where each starts."""
    starts = np.cumsum([0, *[len(table) for table in tables]])
    return np.concatenate([*tables, np.zeros(16, np.int32)]), [int(start) for start in starts[:-1]]
