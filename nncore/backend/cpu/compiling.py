"""How kernels are compiled: without the GIL, and kept in the user's cache folder, so that a machine compiles them once."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numba

from nncore.backend.cpu.cache import kernel_folder

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be taken in any order and multiply-adds fused. Not "nnan", "ninf": a loss that is not a number must stay visible.
RELAXED = {"reassoc", "contract", "nsz", "arcp"}
_lock = threading.RLock()


def kernel(function: Function) -> Function:
    """Compile `function` when it is first called from compiled code."""
    return numba.njit(nogil=True, fastmath=RELAXED, error_model="numpy")(function)


def part(function: Function) -> Function:
    """Compile `function` as a part of whatever calls it.

    For what only calls other kernels: Numba optimises every kernel with all that it calls, so each level of calls between
    an operation and its loops would cost as much time to compile as the first.
    """
    return numba.njit(nogil=True, fastmath=RELAXED, error_model="numpy", inline="always")(function)


class operation:  # noqa: N801 (a decorator)
    """Makes `function(row, context)` an operation of a program, compiled or read from the cache when first asked for."""

    def __init__(self, function: Callable[[Any, Any], None]) -> None:
        self.__doc__ = function.__doc__
        self._function = function

    @property
    def is_loaded(self) -> bool:
        return "address" in vars(self)

    @functools.cached_property
    def address(self) -> int:
        """Where the compiled operation stands in memory."""
        with _own_cache():
            compiled = numba.cfunc("void(int64, int64)", cache=True, fastmath=RELAXED, error_model="numpy")(self._function)
        self._compiled = compiled  # it must stay alive as long as its address is in use
        return int(compiled.address)


def entry(signature: str) -> Callable[[Function], Function]:
    """Compile a function that Python calls, for this signature, when the module is imported; cached."""

    def decorate(function: Function) -> Function:
        with _own_cache():
            return numba.njit(signature, nogil=True, cache=True, fastmath=RELAXED, error_model="numpy")(function)

    return decorate


@contextmanager
def _own_cache() -> Iterator[None]:
    """Let Numba cache in our folder for a while; elsewhere it goes on as it was set."""
    with _lock:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(kernel_folder())
        try:
            yield
        finally:
            numba.config.CACHE_DIR = before
