"""What an array is. The readable path of every layer runs on NumPy and CuPy arrays alike, by asking each array where it lives."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""A NumPy array, or a CuPy array, which answers to the same names."""

Shape: TypeAlias = tuple[int, ...]


def array_module(array: Array) -> ModuleType:
    """Return the module whose functions work on `array`: `numpy`, or `cupy` for arrays on a GPU.

    CuPy is only looked at where it has been imported already: without it no array can be one of its.
    """
    cupy = sys.modules.get("cupy")
    kind = getattr(cupy, "ndarray", None)  # which is not there yet while another thread imports CuPy
    if cupy is not None and kind is not None and isinstance(array, kind):
        return cupy
    return np


def to_numpy(array: Array) -> Array:
    """The array on the host: itself where it is a NumPy array, otherwise a copy of the CuPy array."""
    module = array_module(array)
    return array if module is np else module.asnumpy(array)


def beside(values: Array, array: Array) -> Array:
    """The values where `array` lives: themselves where they are there already, otherwise a copy of them."""
    module = array_module(array)
    return to_numpy(values) if module is np else module.asarray(values)


def shape_text(shape: Shape) -> str:
    """A shape as people write it: (28, 28, 1) is `28×28×1`."""
    return "×".join(map(str, shape)) or "a single number"
