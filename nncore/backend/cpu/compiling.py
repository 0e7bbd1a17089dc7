"""How kernels are compiled: without the GIL, and kept in the user's cache folder, so that a machine compiles them once."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numba

from nncore.backend.cpu import memory, views
from nncore.backend.cpu.cache import kernel_folder
from nncore.backend.cpu.layout import COLUMNS, CONTEXT

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
    """Makes a kernel an operation of a program, which is called with two addresses: of a row, and of a replica's context.

    The kernel's own signature says what stands where: a parameter named as an entry of the context (layout.CONTEXT) is
    taken from there; all others come from the row in their order, a tuple of views.py number by number, a Real as float64.
    An operation is compiled, or read from the cache, when its address is first asked for: a network pays for what it uses.
    """

    def __init__(self, function: Callable[..., None]) -> None:
        self.__doc__ = function.__doc__
        self.name = function.__name__
        self._function = function
        self.fields: dict[str, str] = {}
        """The parameters that a row holds, in order, with their kind: `int`, `Real` or the name of a tuple in views.py."""
        for parameter in inspect.signature(function).parameters.values():
            if parameter.name not in CONTEXT:
                kind = parameter.annotation
                self.fields[parameter.name] = "int" if kind is parameter.empty else str(kind)
        size = sum(_width(kind) for kind in self.fields.values())
        if size >= COLUMNS:
            raise TypeError(f"{self.name} takes {size} numbers, but a row holds {COLUMNS - 1}")

    def row(self, arguments: dict[str, Any]) -> list[Any]:
        """The arguments, given by name, as the numbers of a row. TypeError for a missing, a surplus or a misshapen one."""
        if arguments.keys() != self.fields.keys():
            wrong = ", ".join(sorted(arguments.keys() ^ self.fields.keys()))
            raise TypeError(f"{self.name} takes {', '.join(self.fields)}: {wrong} is missing or too much")
        numbers: list[Any] = []
        for name, kind in self.fields.items():
            value = arguments[name]
            parts = tuple(value) if isinstance(value, tuple) else (value,)
            if len(parts) != _width(kind):
                raise TypeError(f"{self.name} takes {name} as {kind}, which is {_width(kind)} numbers, not {len(parts)}")
            numbers += map(float, parts) if kind == "Real" else parts
        return numbers

    @property
    def is_loaded(self) -> bool:
        """Whether the address is known already."""
        return "address" in vars(self)

    @functools.cached_property
    def address(self) -> int:
        """Where the compiled operation stands in memory."""
        made: dict[str, Any] = {"kernel": part(self._function), **vars(memory), **vars(views)}
        # `source` is built from this program's own kernels alone; nothing that is read from a file or typed comes into it.
        # The kernel's own file, so that Numba finds a source to hold its cache against; the name tells operations apart.
        exec(compile(self.source(), inspect.getfile(self._function), "exec"), made)
        with _own_cache():
            compiled = numba.cfunc("void(int64, int64)", cache=True, fastmath=RELAXED, error_model="numpy")(made[self.name])
        self._compiled = compiled  # it must stay alive as long as its address is in use
        return int(compiled.address)

    def source(self) -> str:
        """The function that reads row and context and calls the kernel."""
        column, arguments = 1, []
        for name in inspect.signature(self._function).parameters:
            if name in CONTEXT:
                arguments.append(f"get_long(context, {CONTEXT[name]})")
                continue
            kind = self.fields[name]
            columns = range(column, column + _width(kind))
            column = columns.stop
            if kind == "Real":
                arguments.append(f"Real(get_double(row, {columns[0]}))")
            else:
                numbers = ", ".join(f"get_long(row, {number})" for number in columns)
                arguments.append(numbers if kind == "int" else f"{kind}({numbers})")
        call = ",\n        ".join(arguments)
        return f"def {self.name}(row, context):\n    kernel(\n        {call},\n    )\n"


def _width(kind: str) -> int:
    """How many numbers of a row an argument of this kind takes."""
    return 1 if kind in ("int", "Real") else len(getattr(views, kind)._fields)


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
