"""The CPU behind the backend contract. Importing this module is cheap; Numba is imported when the first program is recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Recorder
from nncore.backend.cpu import cache, warm
from nncore.backend.cpu.recorder import CpuRecorder
from nncore.backend.evaluation import usual_batch
from nncore.backend.threads import cores
from nncore.backend.variations import Variations
from nncore.backend.vector import Vector


class CpuBackend:
    """NumPy arrays in main memory."""

    name = "cpu"

    def is_loaded(self) -> bool:
        return "nncore.backend.cpu.program" in sys.modules

    def is_ready(self) -> bool:
        return cache.is_complete()

    def prepare(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        return warm.compile_apart(give_up)

    def describe(self) -> str:
        count = cores()
        return f"CPU · {count} core" + ("s" if count > 1 else "")

    def evaluation_batch(self, values: int) -> int:
        return usual_batch(values)

    def asarray(self, array: Array) -> Array:
        return np.asarray(array)

    def to_numpy(self, array: Array) -> Array:
        return np.asarray(array)

    def vary(self, images: Array, variations: Variations, by_row: Array, by_column: Array, table: Array) -> Array:
        from nncore.backend.cpu.warp import vary_quickly  # here, because it imports Numba

        return vary_quickly(images, variations, by_row, by_column, table)

    def record(self, batch: int, vector: Vector, moments: Sequence[Array], replicas: int, exact: bool = False) -> Recorder:
        return CpuRecorder(batch, vector, moments, replicas, exact)
