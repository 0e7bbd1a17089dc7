"""Which devices there are, and the backend behind each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nncore.errors import DeviceError

if TYPE_CHECKING:
    from nncore.backend.contract import Backend


def get_backend(name: str) -> Backend:
    """The backend called `name`. Raises DeviceError where there is none."""
    if name != "cpu":
        raise DeviceError(f"There is no device called {name!r}; there is cpu.")
    from nncore.backend.cpu.backend import CpuBackend

    return CpuBackend()
