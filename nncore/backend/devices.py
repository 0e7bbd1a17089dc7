"""Which devices there are, and the backend behind each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nncore.errors import DeviceError

if TYPE_CHECKING:
    from nncore.backend.contract import Backend


DEVICES = ("cpu", "reference", "cuda-host")
"""What `get_backend` takes."""


def choose_device(name: str) -> str:
    """The device that a person's choice means: `auto` is the best there is. Raises DeviceError where there is none of that name."""
    if name == "auto":
        return "cpu"
    if name == "cuda" or name.startswith("cuda:"):
        raise DeviceError("This version of DigitLab computes on the CPU only; choose the device cpu or auto.")
    if name not in DEVICES:
        raise DeviceError(f"There is no device called {name!r}; there are auto, {', '.join(DEVICES)}.")
    return name


def get_backend(name: str) -> Backend:
    """The backend called `name`. Raises DeviceError where there is none.

    `reference` calculates as `cpu` does, but slowly and in plain NumPy: to read, and to test other backends against.
    """
    if name == "cpu":
        from nncore.backend.cpu.backend import CpuBackend

        return CpuBackend()
    if name == "reference":
        from nncore.backend.reference.backend import ReferenceBackend

        return ReferenceBackend()
    if name.startswith("cuda"):
        from nncore.backend.cuda.backend import CudaBackend

        return CudaBackend(name)
    raise DeviceError(f"There is no device called {name!r}; there are {', '.join(DEVICES)}.")
