"""Launches, and what a device must do to run them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from nncore.arrays import Array
from nncore.backend.cuda.sources import Instance, Key, kernels

Size: TypeAlias = tuple[int, int, int]
"""Blocks of a grid, or threads of a block, along x, y and z."""
Again: TypeAlias = Callable[[], None]
"""Runs a recorded list of launches once more."""


@dataclass(frozen=True, eq=False)
class At:
    """A place in a buffer of the device, `offset` values from its beginning."""

    buffer: Any
    offset: int = 0


@dataclass(frozen=True, eq=False)
class Launch:
    """One kernel to be run: which instance, how many blocks and threads, and its arguments by the names of its parameters.

    A pointer's argument is an `At`, or None for no array at all; every other one is a number.
    """

    kernel: str
    instance: Instance
    grid: Size
    block: Size
    arguments: Mapping[str, Any]

    @property
    def key(self) -> Key:
        return self.kernel, self.instance


class Device(Protocol):
    """Memory, and kernels that run on it. All but `get` and `wait` may return before the work is done; its order is kept.

    Use it as a context manager around every use: it is then the current device of the calling thread.
    """

    name: str
    """What --device takes: `cuda:0`."""

    def __enter__(self) -> Device: ...

    def __exit__(self, *_: object) -> None: ...

    def describe(self) -> str:
        """The device in a few words, for people."""

    def asarray(self, array: Array) -> Array:
        """The array in the device's memory, for array code; itself where it is there already."""

    def zeros(self, count: int, dtype: npt.DTypeLike) -> Any:
        """A buffer of at least one value, all zero. It lives as long as anyone holds it, and begins at a multiple of 256 bytes.

        Raises MemoryError where the device has no room for it.
        """

    def free_memory(self) -> int:
        """How many bytes the device has left for buffers."""

    def put(self, buffer: Any, values: Array) -> None:
        """Copy host values, of the buffer's dtype, to the beginning of a buffer; they may be changed as soon as this returns."""

    def get(self, buffer: Any, count: int | None = None) -> Array:
        """A copy on the host of the first `count` values (of all, by default); waits for what was asked for before."""

    def stage(self, count: int, dtype: npt.DTypeLike) -> Stage:
        """Room on the host for values that are on their way to the device."""

    def load(self, keys: Iterable[Key]) -> None:
        """Compile and load these kernels, where that has not been done yet."""

    def has(self, key: Key) -> bool:
        """Whether that kernel is loaded."""

    def run(self, launches: Sequence[Launch]) -> None:
        """Run these launches once, in their order."""

    def record(self, launches: Sequence[Launch]) -> Again:
        """These launches as one thing, to be run again and again. Keeps their buffers alive."""

    def wait(self) -> None:
        """Return when all is done. Raises DeviceError where the device has stopped answering."""


class Stage(Protocol):
    """Room on the host (page-locked, where there is such a thing) from which copies run while the device computes."""

    values: Array
    """To be filled before `send`, and not to be changed before `free`."""

    def send(self, buffer: Any, offset: int, count: int, overlap: bool = False) -> None:
        """Copy the first `count` values into the buffer, behind what the device was told before; what it is told next waits.

        `overlap` says that nothing that was told since the last `send` (of any stage of the device) uses that place: the copy then
        need not wait for it, and runs beside it.
        """

    def free(self) -> None:
        """Wait until the last copy is done, so that `values` may be filled again."""


C_TYPES: dict[str, type[np.generic]] = {"int": np.int32, "unsigned": np.uint32, "float": np.float32, "Byte": np.uint8}
"""What numbers and buffers must be for a C++ type, to the bit: a wider one would be misread silently."""


@dataclass(frozen=True)
class Parameter:
    """What a kernel takes in one place: its C++ type, and the NumPy type of the number or of the buffer that is given for it."""

    kind: str
    dtype: type[np.generic]
    is_pointer: bool


@cache
def parameters(key: Key) -> dict[str, Parameter]:
    """The parameters of one instance of a kernel by name, in order."""
    name, instance = key
    kinds = kernels()[name].types(instance)
    plain = {kind: kind.replace("const", "").replace("*", "").strip() for kind in kinds.values()}
    return {name: Parameter(kind, C_TYPES[plain[kind]], kind.endswith("*")) for name, kind in kinds.items()}


def checked(launch: Launch) -> list[np.generic | At | None]:
    """A launch's arguments in their order, as the signature wants them: numbers of the exact type, places of the exact dtype.

    Raises TypeError where the kernel has other parameters, or a buffer another dtype.
    """
    wanted = parameters(launch.key)
    if wanted.keys() != launch.arguments.keys():
        raise TypeError(
            f"{launch.kernel} lacks {sorted(wanted.keys() - launch.arguments.keys())} and has no "
            f"{sorted(launch.arguments.keys() - wanted.keys())}"
        )
    found: list[np.generic | At | None] = []
    for name, parameter in wanted.items():
        value = launch.arguments[name]
        if not parameter.is_pointer:
            found.append(parameter.dtype(value))
        elif value is None or value.buffer.dtype == parameter.dtype:
            found.append(value)
        else:
            raise TypeError(f"{launch.kernel}: {name} is {parameter.kind}, not {value.buffer.dtype}")
    return found
