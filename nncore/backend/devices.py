"""Which devices there are, and the backend behind each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nncore.backend.cuda import gpus
from nncore.errors import DeviceError
from nncore.files import shown

if TYPE_CHECKING:
    from nncore.backend.contract import Backend


AUTO = "auto"
"""The name of the best device that there is."""
DEVICES = ("cpu", "cuda", "cuda:1", "reference", "cuda-host")
"""What `get_backend` takes; a GPU by any number, from 0."""
GPU_NAME = re.compile(r"cuda:(\d{1,9})", re.ASCII)


@dataclass(frozen=True)
class DeviceChoice:
    """A device as people choose it."""

    name: str
    """`cpu`, `cuda:0`: what --device takes."""
    label: str
    """`CPU`, `NVIDIA H100`; with its name behind it where several GPUs are called the same."""
    details: str
    """`2 cores`, `79.1 of 80 GB free`."""

    @property
    def title(self) -> str:
        """Label and details: `CPU · 2 cores`."""
        return f"{self.label} · {self.details}"


def choose_device(name: str) -> str:
    """The device that a person's choice means, as `get_backend` takes it: `auto` is the first GPU that can be used, else the CPU.

    A choice of a GPU imports CuPy, which takes up to half a second. Raises DeviceError where there is no device of that name, or
    it cannot be used; the message says why.
    """
    if name == AUTO:
        try:
            return choose_device("cuda")
        except DeviceError:
            return "cpu"
    if name == "cuda":
        return f"cuda:{gpus.first_gpu().number}"
    if match := GPU_NAME.fullmatch(name):
        return f"cuda:{gpus.get_gpu(int(match[1])).number}"
    if name not in DEVICES:
        raise DeviceError(f"There is no device called {shown(name)!r}; there are {AUTO}, {', '.join(DEVICES)}.")
    return name


def why_not_cuda() -> str:
    """Why no GPU can be used, in one sentence; empty where one can. Takes as long as `choose_device`."""
    try:
        gpus.first_gpu()
    except DeviceError as error:
        return str(error)
    return ""


def cpu_choice() -> DeviceChoice:
    """The CPU, as people choose it."""
    label, _, details = get_backend("cpu").describe().partition(" · ")
    return DeviceChoice("cpu", label, details)


@dataclass(frozen=True)
class Found:
    """The devices that can be used, the CPU first; and where no GPU is among them, why, in one sentence."""

    devices: tuple[DeviceChoice, ...]
    why_no_gpu: str = ""

    @property
    def best(self) -> DeviceChoice:
        """The device that `auto` means."""
        return self.devices[min(1, len(self.devices) - 1)]

    def device(self, name: str) -> DeviceChoice | None:
        """The device of that name, `auto` being a name of the best one; None where there is none."""
        return self.best if name == AUTO else next((device for device in self.devices if device.name == name), None)


_last_found: Found | None = None


def find_devices() -> Found:
    """Find the CPU and every GPU that can be used. Takes as long as `choose_device`, and a little for each GPU."""
    global _last_found
    reason = ""
    try:
        found = gpus.find_gpus()
    except DeviceError as error:
        found, reason = [], str(error)
    names = [gpu.name for gpu in found]
    choices = (
        DeviceChoice(
            f"cuda:{gpu.number}",
            f"{gpu.name} (cuda:{gpu.number})" if names.count(gpu.name) > 1 else gpu.name,
            f"{gpu.free_memory / 2**30:.1f} of {gpu.total_memory / 2**30:.0f} GB free",
        )
        for gpu in found
    )
    _last_found = Found((cpu_choice(), *choices), reason)
    return _last_found


def known_devices() -> Found:
    """What `find_devices` found the last time that this process asked, at once; the CPU alone where it never did."""
    return _last_found or Found((cpu_choice(),))


def get_backend(name: str) -> Backend:
    """The backend called `name`. Raises DeviceError where there is none.

    `reference` calculates as `cpu` does, but slowly and in plain NumPy: to read, and to test other backends against. `cuda-host`
    runs the GPU's kernels on the CPU, compiled by g++: to read and test them where there is no GPU.
    """
    if name == "cpu":
        from nncore.backend.cpu.backend import CpuBackend

        return CpuBackend()
    if name == "reference":
        from nncore.backend.reference.backend import ReferenceBackend

        return ReferenceBackend()
    if name in ("cuda", "cuda-host") or GPU_NAME.fullmatch(name):
        from nncore.backend.cuda.backend import CudaBackend

        return CudaBackend(name)
    raise DeviceError(f"There is no device called {shown(name)!r}; there are {', '.join(DEVICES)}.")
