"""The short way to a few answers: one call from Python that takes arrays, sets what a run is told, runs, and writes the answers.

A run is told where its images lie, how many there are and what to do by some twenty numbers in NumPy's arrays. Each costs Python a
tenth of a microsecond or more: together as much as a small network's answer takes. Here compiled code writes them.
"""

from __future__ import annotations

from threading import Lock
from typing import Protocol

import numpy as np

from nncore.arrays import Array
from nncore.backend.answering import by_runs
from nncore.backend.contract import Program, Tensor
from nncore.backend.cpu.compiling import entry
from nncore.backend.cpu.execute import execute
from nncore.backend.cpu.layout import ARRIVED, BEGIN, CONTEXT, COUNTS, END, INDICES, REPLICAS, STEPS, TARGET
from nncore.backend.cpu.memory import get, get_long, put_long

C_CONTROL, C_MEMORY, C_SOURCE, C_AS_BYTES = CONTEXT["control"], CONTEXT["m"], CONTEXT["source"], CONTEXT["as_bytes"]

FIRST_ROW, LAST_ROW, PLACE, PITCH, ROWS, ROW_PITCH, WIDTH = range(7)
"""What an answer is told once for all: the section's first row and the one behind its last; where the tensor's first value lies,
the distance from one image to the next, rows, the distance from one to the next, and floats of each."""

BYTES, FLOATS = np.dtype(np.uint8), np.dtype(np.float32)


@entry("void(Array(uint8, 1, 'C', readonly=True), boolean, float32[::1], int64, int64, int64, int64)")
def _answer(images: Array, as_bytes: bool, out: Array, count: int, told: int, program: int, context: int) -> None:
    """Take the `count` images through the section on this thread; the tensor's values to `out`, image by image.

    `images` are their bytes: each is a value where `as_bytes`, otherwise four are one. `told`, `program` and `context` are
    addresses: of the numbers above, of replica 0's program and of its context.
    """
    control = get_long(context, C_CONTROL)
    put_long(context, C_SOURCE, images.ctypes.data)
    put_long(context, C_AS_BYTES, as_bytes)
    put_long(control, REPLICAS, 1)
    put_long(control, BEGIN, get_long(told, FIRST_ROW))
    put_long(control, END, get_long(told, LAST_ROW))
    put_long(control, TARGET, get_long(control, ARRIVED))
    put_long(control, STEPS, 1)
    put_long(get_long(control, COUNTS), 0, count)
    indices = get_long(control, INDICES)
    for n in range(count):
        put_long(indices, n, n)
    execute(program, context)
    m, to = get_long(context, C_MEMORY), 0
    for n in range(count):
        for i in range(get_long(told, ROWS)):
            at = get_long(told, PLACE) + n * get_long(told, PITCH) + i * get_long(told, ROW_PITCH)
            for c in range(get_long(told, WIDTH)):
                out[to] = get(m, at + c)
                to += 1


class Asked(Program, Protocol):
    """What is known of the program: of a CpuProgram."""

    few: int
    first_replica: tuple[int, int]
    lock: Lock

    def rows_of(self, section: str) -> tuple[int, int]: ...

    def place_of(self, tensor: Tensor) -> int: ...


class FewAnswers:
    """See `nncore.backend.contract.Program.answering`. Threads share what they write only under the program's lock."""

    __slots__ = ("_addresses", "_few", "_program", "_run", "_size", "_told")

    def __init__(self, program: Asked, section: str, tensor: Tensor) -> None:
        self._program, self._run, self._few = program, by_runs(program, section, tensor), program.few
        self._size = tensor.rows * tensor.cols * tensor.channels
        told = self._told = np.zeros(7, np.int64)  # which is kept, since compiled code sees its address alone
        told[[FIRST_ROW, LAST_ROW]] = program.rows_of(section)
        told[[PLACE, PITCH]] = program.place_of(tensor), tensor.pitch
        told[[ROWS, ROW_PITCH, WIDTH]] = tensor.rows, tensor.row_pitch, tensor.cols * tensor.channels
        self._addresses = told.ctypes.data, *program.first_replica

    def __call__(self, images: Array) -> Array:
        count, kind, flags = len(images), images.dtype, images.flags
        is_plain = (kind is BYTES or kind is FLOATS) and flags.c_contiguous and flags.aligned and type(images) is np.ndarray
        if count > self._few or not is_plain:
            return self._run(images)
        given, out = images.reshape(-1), np.empty(count * self._size, np.float32)
        if kind is FLOATS:
            given = given.view(BYTES)
        with self._program.lock:
            _answer(given, kind is BYTES, out, count, *self._addresses)
        return out.reshape(count, self._size)
