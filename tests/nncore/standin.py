"""A stand-in for CuPy: arrays of its own kind that refuse to become NumPy arrays, or to be mixed with them, silently."""

from __future__ import annotations

import types
from typing import Any

import numpy as np


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):  # noqa: N801 (CuPy's own name)
    """Wraps a NumPy array. Everything done with it gives another of its kind; a NumPy array among the arguments is an error."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("silent conversion to a NumPy array")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        result = getattr(ufunc, method)(*map(unwrap, inputs), **{key: unwrap(value) for key, value in kwargs.items()})
        return out[0] if out else wrap(result)

    def __array_function__(self, function: Any, kinds: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(f"numpy.{function.__name__} was called on an array of another library")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # NumPy would look for __array_interface__ and read the memory
        value = getattr(self._values, name)
        if not callable(value) or isinstance(value, np.dtype):
            return wrap(value)
        return lambda *args, **kwargs: wrap(value(*map(unwrap, args), **{key: unwrap(v) for key, v in kwargs.items()}))

    def __getitem__(self, index: Any) -> Any:
        return wrap(self._values[unwrap(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._values[unwrap(index)] = unwrap(value)

    def __len__(self) -> int:
        return len(self._values)

    def __float__(self) -> float:
        return float(self._values)

    def __int__(self) -> int:
        return int(self._values)

    def __bool__(self) -> bool:
        return bool(self._values)


def wrap(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ndarray(value)
    if isinstance(value, np.generic):
        return ndarray(np.asarray(value))  # a reduction stays on the device
    return [wrap(part) for part in value] if isinstance(value, list) else value


def unwrap(value: Any) -> Any:
    if isinstance(value, ndarray):
        return value._values
    if isinstance(value, np.ndarray):
        raise TypeError("a NumPy array was mixed with arrays of another library")
    if isinstance(value, (tuple, list)):
        return type(value)(map(unwrap, value))
    return value


class _Names(types.ModuleType):
    """A module that answers with the functions of another one, wrapped."""

    def __init__(self, name: str, source: Any) -> None:
        super().__init__(name)
        self.__dict__["source"] = source

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.source, name)
        if isinstance(value, types.ModuleType):
            return _Names(name, value)
        if isinstance(value, type) or not callable(value):
            return value
        return lambda *args, **kwargs: wrap(value(*map(unwrap, args), **{key: unwrap(v) for key, v in kwargs.items()}))


def module_like(source: types.ModuleType) -> types.ModuleType:
    """The stand-in for the module of CuPy's that is like this one of SciPy's."""
    return _Names(source.__name__, source)


def module() -> types.ModuleType:
    """The stand-in for `import cupy`."""
    cupy = _Names("cupy", np)
    cupy.ndarray, cupy.asarray, cupy.asnumpy = ndarray, wrap, unwrap
    return cupy
