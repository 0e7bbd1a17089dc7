"""The GPU behind the backend contract. Importing this module is cheap; CuPy is imported when the first program is recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Recorder
from nncore.backend.cuda.device import Device
from nncore.backend.vector import Vector


class CudaBackend:
    """NumPy arrays on the host; programs copy what they need to the device, and back. `name` is `cuda`, `cuda:1`, `cuda-host`."""

    evaluation_batch = 4096

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

    def asarray(self, array: Array) -> Array:
        return np.asarray(array)

    def to_numpy(self, array: Array) -> Array:
        return np.asarray(array)

    def record(self, batch: int, vector: Vector, moments: Sequence[Array], replicas: int) -> Recorder:
        from nncore.backend.cuda.recorder import CudaRecorder

        return CudaRecorder(self._device(), batch, vector, moments)

    def _device(self) -> Device:
        from nncore.backend.cuda.host import HostDevice

        return HostDevice()
