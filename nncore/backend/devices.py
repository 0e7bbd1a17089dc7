"""Which devices there are, and the backend behind each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nncore.errors import DeviceError

if TYPE_CHECKING:
    from nncore.backend.contract import Backend


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
    raise DeviceError(f"There is no device called {name!r}; there are cpu and reference.")
