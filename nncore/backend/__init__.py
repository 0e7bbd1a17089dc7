"""What an array is. The readable path of every layer runs on NumPy and CuPy arrays alike, by asking each array where it lives."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nncore.errors import DeviceError

if TYPE_CHECKING:
    from nncore.backend.contract import Backend

Array: TypeAlias = npt.NDArray[Any]
"""A NumPy array, or a CuPy array, which answers to the same names."""

Shape: TypeAlias = tuple[int, ...]


def array_module(array: Array) -> ModuleType:
    """Return the module whose functions work on `array`: `numpy`, or `cupy` for arrays on a GPU.

    CuPy is only looked at where it has been imported already: without it no array can be one of its.
    """
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(array, cupy.ndarray):
        return cupy
    return np


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def get_backend(name: str) -> Backend:
    """The backend called `name`. Raises DeviceError where there is none."""
    if name != "cpu":
        raise DeviceError(f"There is no device called {name!r}; there is cpu.")
    from nncore.backend.cpu import CpuBackend  # here, because it builds on this module

    return CpuBackend()
