"""A record on the CPU, ready to run: its memory, its table of operations, and the threads that run it with the calling one."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Batches, Outcome, Tensor
from nncore.backend.cpu.execute import park, release, run
from nncore.backend.cpu.layout import (
    ARRIVED,
    BEGIN,
    COLUMNS,
    CONTEXT,
    CONTROL_SIZE,
    COUNTS,
    END,
    INDICES,
    KEY_COUNT,
    KEYS,
    OUT,
    OUT_PITCH,
    RATE_COUNT,
    RATES,
    REPLICAS,
    STEPS,
    STOP,
    TAKEN,
    TARGET,
)
from nncore.backend.cpu.operations import OPERATIONS
from nncore.backend.cpu.record import First, Local, Record, ReplicaPitch, Row, Shared, Table

PATIENCE = 200_000
"""Looks for a new run (about a millisecond) before a replica goes to sleep."""

GUARD = 1024
"""Floats before and behind the program's memory that a kernel may read."""

SOURCE, AS_BYTES, LABELS = CONTEXT["source"], CONTEXT["as_bytes"], CONTEXT["labels"]

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
        self._decays = np.array(record.rule.decays, np.float64).reshape(-1, 3)
        self._contexts = np.zeros((record.replicas, len(CONTEXT)), np.int64)
        for r in range(record.replicas):
            self._write_context(self._contexts[r], r)
        self._lock = threading.Lock()
        self._wake: list[threading.Event] = []
        _programs.add(self)

    def _write_context(self, line: Array, r: int) -> None:
        """What replica r is told once for all. The kernels see addresses alone, so the arrays must be kept."""
        moments = [array.ctypes.data for array in self._record.moments]
        known = {
            "m": self._m.ctypes.data,
            "theta": self._record.values.ctypes.data,
            **dict(zip(("first_moment", "second_moment"), moments, strict=False)),
            "decays": self._decays.ctypes.data,
            "decay_count": len(self._decays),
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
        steps, largest = len(batches.indices), max(map(len, batches.indices), default=0)
        if largest > self.batch:
            raise ValueError(f"the program was recorded for {self.batch} examples, not {largest}")
        images = np.require(batches.images, np.uint8 if batches.images.dtype == np.uint8 else np.float32, ["C", "ALIGNED"])
        labels = None if batches.labels is None else np.require(batches.labels, np.int64, ["C", "ALIGNED"])
        counts = np.array([len(chosen) for chosen in batches.indices], np.int64)
        indices = np.concatenate(batches.indices, dtype=np.int64, casting="same_kind") if steps else counts
        rates = np.array(batches.rates, np.float32)
        keys = np.array([[source.key(step) for source in self._record.sources] for step in range(1, steps + 1)], np.int64)
        results = np.zeros((self.replicas, steps, 2))
        with self._lock:
            # A handful of examples to look at is answered sooner by one thread than by waking others.
            few = labels is None and steps == 1 and largest <= min(4, -(-self.batch // self.replicas))
            control, replicas = self._control, 1 if few else self.replicas
            control[BEGIN], control[END] = self._record.sections[section]
            control[REPLICAS], control[STEPS], control[TARGET] = replicas, steps, control[ARRIVED]
            control[COUNTS], control[INDICES] = counts.ctypes.data, indices.ctypes.data
            control[RATES], control[RATE_COUNT] = rates.ctypes.data, rates.shape[-1]
            control[KEYS], control[KEY_COUNT] = keys.ctypes.data, len(self._record.sources)
            control[OUT], control[OUT_PITCH] = results.ctypes.data, results.strides[0]
            self._contexts[:, SOURCE], self._contexts[:, AS_BYTES] = images.ctypes.data, images.dtype == np.uint8
            self._contexts[:, LABELS] = 0 if labels is None else labels.ctypes.data
            self._go(replicas)
            taken = int(control[TAKEN])
            values = [self._read(tensor, int(counts[-1]), replicas) for tensor in read]
        sums = results[:replicas, :taken].sum(axis=0)
        return Outcome(sums[:, 0] / np.maximum(counts[:taken], 1), sums[:, 1].astype(np.int64), values)

    def _go(self, replicas: int) -> None:
        """Let the replicas run what the control array says, this thread as the first of them."""
        if replicas > 1:
            if not self._wake:
                self._start()
            if release(self._control.ctypes.data):
                for event in self._wake:
                    event.set()
        run(0, 0, self._program[0].ctypes.data, self._contexts[0].ctypes.data)

    def gradient(self) -> Array:
        with self._lock:
            start = self._resolve(First(self._record.gradient.at), 0)
            return self._m[start : start + self._record.parameters].copy()

    def write(self, tensor: Tensor, values: Array) -> None:
        with self._lock:
            for part, view in self._views(tensor, len(values), self.replicas):
                view[...] = values[part]

    def _read(self, tensor: Tensor, count: int, replicas: int) -> Array:
        out = np.empty((count, tensor.rows, tensor.cols, tensor.channels), np.float32)
        for part, view in self._views(tensor, count, replicas):
            out[part] = view
        return out

    def _views(self, tensor: Tensor, count: int, replicas: int) -> list[tuple[slice, Array]]:
        """The slices of a batch of `count` images, and where each lies in its replica's memory."""
        strides = [4 * step for step in (tensor.pitch, tensor.row_pitch, tensor.channels, 1)]
        views = []
        for r in range(replicas):
            part = slice(count * r // replicas, count * (r + 1) // replicas)
            shape = (part.stop - part.start, tensor.rows, tensor.cols, tensor.channels)
            start = self._resolve(tensor.place, r)
            views.append((part, np.lib.stride_tricks.as_strided(self._m[start:], shape, strides)))
        return views

    def _start(self) -> None:
        """One thread a further replica, asleep until it is needed, gone when this program is."""
        self._wake = [threading.Event() for _ in range(1, self.replicas)]
        kept = (self._program, self._contexts, self._control, self._m, self._record, self._decays)
        for r, event in enumerate(self._wake, 1):
            threading.Thread(target=_replica, args=(r, kept, event), name=f"replica-{r}", daemon=True).start()
        weakref.finalize(self, _stop, self._control, self._wake)

    def forget_threads(self) -> None:
        """After a fork: the child has the memory, but neither the threads nor whoever held the lock."""
        self._lock, self._wake = threading.Lock(), []
        self._control[:] = 0


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


def _forget_threads() -> None:
    for program in list(_programs):
        program.forget_threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
