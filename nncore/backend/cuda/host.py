"""A device that needs no GPU: the same kernels, compiled by g++ under shim.h, on NumPy arrays. Slow; to read, and to test."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nncore.arrays import Array
from nncore.backend.cuda.device import Again, At, Launch, checked
from nncore.backend.cuda.sources import Instance, Key, has_barriers, kernels, text
from nncore.backend.threads import cores
from nncore.errors import DeviceError
from nncore.paths import cache_folder

SHIM = Path(__file__).parent / "shim.h"
FLAGS = (
    "-std=c++17",
    "-O2",
    "-shared",
    "-fPIC",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-Wno-unused-function",
    "-Wno-unknown-pragmas",
    "-Werror",
)
MEMORY = 2**33
"""Bytes that this device says it has: as much as a usual GPU."""

_WRONG = {
    1: "a barrier that not every thread of a block reaches",
    2: "a vector at a place that is no multiple of its size",
}
"""What a kernel's status says."""


class HostDevice:
    """Runs kernels one thread after the other. `order` 1 runs threads and blocks backwards: what then differs has a race."""

    name = "cuda-host"
    order = 0

    def __enter__(self) -> HostDevice:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def describe(self) -> str:
        return "the GPU's kernels on the CPU, one thread after the other"

    def asarray(self, array: Array) -> Array:
        return np.asarray(array)

    def zeros(self, count: int, dtype: npt.DTypeLike) -> Array:
        kind = np.dtype(dtype)
        size = max(count, 1) * kind.itemsize
        memory = np.zeros(size + 256, np.uint8)
        start = -memory.ctypes.data % 256
        return memory[start : start + size].view(kind)

    def free_memory(self) -> int:
        return MEMORY

    def put(self, buffer: Array, values: Array) -> None:
        buffer[: values.size] = values.ravel()

    def get(self, buffer: Array, count: int | None = None) -> Array:
        return buffer[:count].copy()

    def stage(self, count: int, dtype: npt.DTypeLike) -> HostStage:
        return HostStage(np.zeros(count, dtype))

    def load(self, keys: Iterable[Key]) -> None:
        wanted = sorted({key for key in keys if not self.has(key)}, key=str)
        with ThreadPoolExecutor(cores()) as pool:
            _functions.update(zip(wanted, pool.map(_function, wanted), strict=True))

    def has(self, key: Key) -> bool:
        return key in _functions

    def run(self, launches: Sequence[Launch]) -> None:
        self.record(launches)()

    def record(self, launches: Sequence[Launch]) -> Again:
        self.load(launch.key for launch in launches)
        calls = [(launch, checked(launch)) for launch in launches]
        ready = [(launch, values, [_c(value) for value in values]) for launch, values in calls]

        def again() -> None:
            for launch, _, arguments in ready:
                self._run(launch, arguments)

        return again

    def wait(self) -> None:
        return None

    def _run(self, launch: Launch, arguments: list[Any]) -> None:
        grid = (max(1, size) for size in launch.grid)  # as CuPy does
        numbers = (ctypes.c_uint * 7)(self.order, *grid, *launch.block)
        with _running:
            status = _functions[launch.key](numbers, *arguments)
        if status:
            raise RuntimeError(f"{launch.kernel}: {_WRONG[status]}")


class HostStage:
    """Room on the host that is the only one."""

    def __init__(self, values: Array) -> None:
        self.values = values

    def send(self, buffer: Array, offset: int, count: int, overlap: bool = False) -> None:
        buffer[offset : offset + count] = self.values[:count]

    def free(self) -> None:
        return None


_functions: dict[Key, Callable[..., int]] = {}
"""The kernels of this process that have been compiled: functions of (launch, arguments)."""
_running = threading.Lock()
"""Held while a kernel runs: under shim.h a kernel keeps its indices and shared memory in variables that there are once."""


def _c(value: np.generic | At | None) -> Any:
    """An argument as ctypes passes it on."""
    if isinstance(value, At):
        return ctypes.c_void_p(value.buffer.ctypes.data + value.offset * value.buffer.itemsize)
    return None if value is None else np.ctypeslib.as_ctypes_type(type(value))(value.item())  # type: ignore[arg-type]


def _function(key: Key) -> Callable[..., int]:
    """One kernel, compiled unless its library is in the cache: that is named by all that it is made from."""
    name, instance = key
    code = SHIM.read_text("utf-8") + text(kernels()[name].file) + _entry(name, instance)
    path = cache_folder() / "cuda-host" / f"{name}-{hashlib.sha256(f'{code}{FLAGS}'.encode()).hexdigest()[:20]}.so"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        try:
            made = subprocess.run(["g++", *FLAGS, "-x", "c++", "-", "-o", part], input=code, text=True, capture_output=True)
        except OSError as error:
            raise DeviceError(
                "The device cuda-host compiles the GPU's kernels with g++, which is not there; install g++."
            ) from error
        if made.returncode:
            raise RuntimeError(f"g++ refused {kernels()[name].expression(instance)}:\n{made.stderr}")
        part.replace(path)
    function: Callable[..., int] = ctypes.CDLL(str(path)).run
    return function


def _entry(name: str, instance: Instance) -> str:
    """A C function that runs one instance: it takes the launch (order, grid, block), then the kernel's own parameters."""
    kernel = kernels()[name]
    parameters = "".join(f", {kind} {parameter}" for parameter, kind in kernel.types(instance).items())
    way = "barriers" if has_barriers(kernel.file) else "loops"
    body = f"[=] {{ {kernel.expression(instance)}({', '.join(kernel.parameters)}); }}"
    return f'\nextern "C" int run(const unsigned* launch_{parameters}) {{ return shim::{way}(launch_, {body}); }}\n'
