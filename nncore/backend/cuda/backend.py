"""The GPU behind the backend contract. Importing this module is cheap; CuPy is imported when the first program is recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nncore.arrays import Array, to_numpy
from nncore.backend.contract import Recorder
from nncore.backend.cuda.device import Device
from nncore.backend.variations import Variations
from nncore.backend.vector import Vector


class CudaBackend:
    """NumPy arrays on the host; programs copy what they need to the device, and back. `name` is `cuda`, `cuda:1`, `cuda-host`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def is_loaded(self) -> bool:
        return True

    def is_ready(self) -> bool:
        return True

    def prepare(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        return True

    def describe(self) -> str:
        return "cuda-host · the GPU's kernels on one core"

    def evaluation_batch(self, values: int) -> int:
        """Enough to keep a GPU busy; where they do not fit, a program takes them in parts."""
        return 4096

    def asarray(self, array: Array) -> Array:
        return np.asarray(array)

    def to_numpy(self, array: Array) -> Array:
        return to_numpy(array)

    def vary(self, images: Array, variations: Variations, by_row: Array, by_column: Array, table: Array) -> Array:
        from nncore.backend.cuda.vary import vary

        return vary(self._device(), images, variations, by_row, by_column, table)

    def record(self, batch: int, vector: Vector, moments: Sequence[Array], replicas: int) -> Recorder:
        from nncore.backend.cuda.recorder import CudaRecorder

        return CudaRecorder(self._device(), batch, vector, moments)

    def _device(self) -> Device:
        from nncore.backend.cuda.host import HostDevice

        return HostDevice()
