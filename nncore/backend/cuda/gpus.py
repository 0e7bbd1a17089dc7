"""Which GPUs there are, and why none can be used. CuPy is imported when that is first asked, and not before."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nncore.backend.cuda import cupy_import
from nncore.errors import DeviceError
from nncore.files import printable

LEAST_CAPABILITY = (7, 5)
"""The oldest kind of GPU that the kernels are compiled for in tests."""
LEAST_MEMORY = 256 * 2**20
"""Bytes of a GPU's memory that must be free: CUDA itself and a small training take about as much."""
OLDEST_DRIVERS = {12: 525, 13: 580}
"""The oldest NVIDIA driver for each version of CUDA."""
DRIVER = ("/proc/driver/nvidia", "nvidia-smi")
"""A folder on Linux and a program on any system that come with NVIDIA's driver."""
ELSEWHERE = "or choose the device cpu"
OUT_OF_MEMORY, INSUFFICIENT_DRIVER, NO_DEVICE = 2, 35, 100
"""CUDA's numbers of errors (cudaError_t)."""


@dataclass(frozen=True)
class Gpu:
    """A GPU as CUDA knows it. Memory in bytes, free at the moment when it was looked at."""

    number: int
    name: str
    total_memory: int
    free_memory: int
    capability: tuple[int, int]
    """CUDA's compute capability: (9, 0) for an H100."""
    own_memory: int = 0
    """What this program holds of it already, and can use again."""
    failure: str = ""
    """What CUDA said where it could not use this GPU at all."""

    @property
    def why_not(self) -> str:
        """Why it cannot be used and what to do, in one sentence; empty where it can."""
        if self.capability < LEAST_CAPABILITY:
            needed, has = (".".join(map(str, version)) for version in (LEAST_CAPABILITY, self.capability))
            return f"{self.name} is too old: it has the compute capability {has}, DigitLab needs {needed}; choose the device cpu."
        if self.failure:
            return f"{self.name} cannot be used ({self.failure}); end what else uses it and start DigitLab again, {ELSEWHERE}."
        if self.free_memory + self.own_memory < LEAST_MEMORY:
            free, least = self.free_memory // 2**20, LEAST_MEMORY // 2**20
            return (
                f"{self.name} has {free} MB of its memory free, and a training takes at least {least} MB; "
                f"end other programs that use it, {ELSEWHERE}."
            )
        return ""


def find_gpus() -> list[Gpu]:
    """The GPUs that can be used, by their numbers. DeviceError, saying why in one sentence, where there is none.

    Importing CuPy takes up to half a second, and CUDA begins to use each GPU, so this is nothing for an interface's thread.
    """
    cupy = import_cupy()
    gpus = [_look_at(cupy, number) for number in range(_count(cupy))]
    usable = [gpu for gpu in gpus if not gpu.why_not]
    if not usable:
        raise DeviceError(gpus[0].why_not)
    return usable


def first_gpu() -> Gpu:
    """The first GPU that can be used; CUDA does not touch those behind it. DeviceError as `find_gpus`."""
    cupy = import_cupy()
    reasons = []
    for number in range(_count(cupy)):
        gpu = _look_at(cupy, number)
        if not gpu.why_not:
            return gpu
        reasons.append(gpu.why_not)
    raise DeviceError(reasons[0])


def get_gpu(number: int) -> Gpu:
    """The GPU of that number. DeviceError, saying why in one sentence, where there is none or it cannot be used."""
    cupy = import_cupy()
    count = _count(cupy)
    if number >= count:
        names = [f"cuda:{n} ({_named(cupy, n).name})" for n in range(count)]
        there = f"there is one, {names[0]}" if count == 1 else f"there are {', '.join(names[:-1])} and {names[-1]}"
        raise DeviceError(f"There is no GPU number {number}; {there}.")
    gpu = _look_at(cupy, number)
    if gpu.why_not:
        raise DeviceError(gpu.why_not)
    return gpu


def is_gpu_expected() -> bool:
    """Whether somebody has prepared this machine for a GPU: CuPy is installed, or an NVIDIA driver. Takes no time."""
    folder, program = DRIVER
    return _is_installed() or Path(folder).exists() or shutil.which(program) is not None


def import_cupy() -> Any:
    """The module `cupy`. DeviceError, saying what to do, where it is not here or does not load."""
    if not _is_installed():
        raise DeviceError(
            "CuPy, which DigitLab needs to use a GPU, is not installed; install DigitLab with the extra cuda12 or cuda13: "
            "pip install 'digitlab[cuda12]'."
        )
    try:
        return cupy_import.import_cupy()
    except Exception as error:  # besides ImportError an OSError where a library or a folder is out of reach
        raise DeviceError(
            f"CuPy is installed but cannot be loaded ({_first_line(error.__cause__ or error)}); install it anew: "
            "pip install --force-reinstall 'digitlab[cuda12]', or cuda13."
        ) from error


def _is_installed() -> bool:
    return "cupy" in sys.modules or importlib.util.find_spec("cupy") is not None


def _count(cupy: Any) -> int:
    """How many GPUs there are, at least one, and a compiler for them. DeviceError where there is none."""
    runtime = cupy.cuda.runtime
    try:
        # Asked first of all: a stream or an event that cannot be made prints an error of its own.
        count = int(runtime.getDeviceCount())
    except Exception as error:
        status = getattr(error, "status", None)
        if status == INSUFFICIENT_DRIVER:
            raise DeviceError(_driver_trouble(runtime)) from error
        if status != NO_DEVICE:
            said = _first_line(error)
            raise DeviceError(f"The NVIDIA driver reports an error ({said}); restart the computer, {ELSEWHERE}.") from error
        count = 0
    if count == 0:
        raise DeviceError("There is no NVIDIA GPU in this computer that its driver can use; choose the device cpu.")
    try:
        cupy.cuda.nvrtc.getVersion()
    except Exception as error:
        extra = f"digitlab[cuda{_cuda_of(runtime)}]"
        raise DeviceError(f"CuPy does not find NVRTC, CUDA's compiler; install it: pip install '{extra}'.") from error
    return count


def _driver_trouble(runtime: Any) -> str:
    """Why CUDA finds the driver insufficient: CUDA says the same of none at all and of one that is too old."""
    version, needed = int(runtime.driverGetVersion()), _cuda_of(runtime)
    if version == 0:
        return f"There is no NVIDIA driver on this computer; install the one for its GPU, {ELSEWHERE}."
    knows = f"{version // 1000}.{version % 1000 // 10}"
    oldest = f", {OLDEST_DRIVERS[needed]} or newer" if needed in OLDEST_DRIVERS else ""
    return (
        f"The NVIDIA driver is too old: it knows CUDA {knows}, and the CuPy that is installed needs CUDA {needed}; "
        f"install a newer driver{oldest}, {ELSEWHERE}."
    )


def _cuda_of(runtime: Any) -> int:
    """The version of CUDA that CuPy was built for: 12, 13."""
    return int(runtime.runtimeGetVersion()) // 1000


def _look_at(cupy: Any, number: int) -> Gpu:
    """A GPU with its memory, for which CUDA begins to use it."""
    gpu = _named(cupy, number)
    if gpu.why_not:
        return gpu
    try:
        with cupy.cuda.Device(number) as device:
            free, total = map(int, device.mem_info)
            own = int(cupy.get_default_memory_pool().total_bytes())
    except Exception as error:
        if getattr(error, "status", None) == OUT_OF_MEMORY:  # for CUDA itself
            return replace(gpu, free_memory=0)
        return replace(gpu, failure=_first_line(error))
    return replace(gpu, total_memory=total, free_memory=free, own_memory=own)


def _named(cupy: Any, number: int) -> Gpu:
    """A GPU as CUDA describes it without beginning to use it: all of its memory counts as free."""
    try:
        found = cupy.cuda.runtime.getDeviceProperties(number)
    except Exception as error:
        return Gpu(number, f"The GPU cuda:{number}", 0, 0, LEAST_CAPABILITY, failure=_first_line(error))
    name, memory = found["name"], int(found["totalGlobalMem"])
    text = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
    return Gpu(number, printable(text), memory, memory, (int(found["major"]), int(found["minor"])))


def _first_line(error: BaseException) -> str:
    """The first line of an error's message that says something, at most 200 characters of it."""
    said = (line.strip() for line in str(error).splitlines() if any(map(str.isalnum, line)))
    return printable(next(said, type(error).__name__))[:200]
