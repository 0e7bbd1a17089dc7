"""The GPU behind the backend contract. Importing this module is cheap; CuPy is imported when the first program is recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from nncore.arrays import Array, to_numpy
from nncore.backend.contract import Recorder
from nncore.backend.cuda.device import Device
from nncore.backend.variations import Variations
from nncore.backend.vector import Vector

HOST = "cuda-host"
"""The name of the device that runs the GPU's kernels on the CPU."""
EVALUATION_BATCH = 4096
"""Images at a time: enough to keep a GPU busy. Where they do not fit into its memory, a program takes them in parts."""

_devices: dict[str, Device] = {}
"""By name, the device that `describe`, `asarray` and `vary` use. Each program has one of its own."""


class CudaBackend:
    """Programs on the GPU called `name`: `cuda` (the first), `cuda:1`; or on the CPU, `cuda-host`.

    A plan's numbers stay on the host, and programs copy what they need. `asarray` puts arrays on the GPU, for the readable path.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def is_loaded(self) -> bool:
        return self.name == HOST or "cupy" in sys.modules

    def is_ready(self) -> bool:
        """True: compiling the kernels of a network takes about a second, and CuPy keeps them."""
        return True

    def prepare(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        return True

    def describe(self) -> str:
        return self._shared_device().describe()

    def evaluation_batch(self, values: int) -> int:
        return EVALUATION_BATCH

    def asarray(self, array: Array) -> Array:
        return self._shared_device().asarray(array)

    def to_numpy(self, array: Array) -> Array:
        return to_numpy(array)

    def vary(self, images: Array, variations: Variations, by_row: Array, by_column: Array, table: Array) -> Array:
        from nncore.backend.cuda.vary import vary

        return vary(self._shared_device(), images, variations, by_row, by_column, table)

    def record(self, batch: int, vector: Vector, moments: Sequence[Array], replicas: int, exact: bool = False) -> Recorder:
        """One device takes the whole batch, whatever `replicas` says."""
        from nncore.backend.cuda.recorder import CudaRecorder

        return CudaRecorder(self._new_device(), batch, vector, moments)

    def _shared_device(self) -> Device:
        """One device for all calls beside programs.

        CuPy keeps freed memory for the stream in which it was used, so that a new stream for each call would find none of it.
        """
        if self.name not in _devices:
            _devices[self.name] = self._new_device()
        return _devices[self.name]

    def _new_device(self) -> Device:
        """A device of its own for each program, so that none waits for another's work."""
        if self.name == HOST:
            from nncore.backend.cuda.host import HostDevice

            return HostDevice()
        from nncore.backend.cuda.cupy_device import CupyDevice

        return CupyDevice(int(self.name.partition(":")[2] or 0))
