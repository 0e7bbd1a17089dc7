"""Stand-ins for CuPy that know what the program asks before it uses a GPU: which there are, how much memory, which driver."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest

from nncore.backend.cpu.backend import CpuBackend

GB = 2**30


class CudaError(RuntimeError):
    """As CuPy's CUDARuntimeError, which has CUDA's number of the error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Card:
    """A GPU of the stand-in."""

    name: str = "NVIDIA H100"
    total: int = 80 * GB
    free: int = 79 * GB
    capability: tuple[int, int] = (9, 0)
    error: CudaError | None = None
    """What CUDA says when the card is first used."""
    is_lost: bool = False
    """Whether it does not even tell its name."""
    own: int = 0
    """Bytes that this program holds."""
    looks: int = 0
    """How often its memory was asked for, at which CUDA begins to use a card."""


class FakeDevice:
    """As CuPy's Device: the one that is entered is the current one."""

    current: ClassVar[list[Card]] = []

    def __init__(self, card: Card) -> None:
        self._card = card

    def __enter__(self) -> FakeDevice:
        FakeDevice.current.append(self._card)
        return self

    def __exit__(self, *_: object) -> None:
        FakeDevice.current.pop()

    @property
    def mem_info(self) -> tuple[int, int]:
        self._card.looks += 1
        if self._card.error is not None:
            raise self._card.error
        return self._card.free, self._card.total


def fake_cupy(
    cards: Sequence[Card] = (), *, error: CudaError | None = None, driver: int = 12090, runtime: int = 12090, nvrtc: bool = True
) -> ModuleType:
    """A module as CuPy with these cards; `error` is what it raises when it is asked for their number."""

    def count() -> int:
        if error is not None:
            raise error
        return len(cards)

    def properties(number: int) -> dict[str, object]:
        card = cards[number]
        if card.is_lost:
            raise CudaError(719, "cudaErrorLaunchFailure: unspecified launch failure")
        major, minor = card.capability
        return {"name": card.name.encode(), "major": major, "minor": minor, "totalGlobalMem": card.total}

    def compiler() -> tuple[int, int]:
        if not nvrtc:
            raise RuntimeError('Failure finding "libnvrtc.so.12": No such file')
        return 12, 9

    module = ModuleType("cupy")
    module.__spec__ = ModuleSpec("cupy", None)
    module.get_default_memory_pool = lambda: SimpleNamespace(total_bytes=lambda: FakeDevice.current[-1].own)  # type: ignore[attr-defined]
    module.cuda = SimpleNamespace(  # type: ignore[attr-defined]
        Device=lambda number: FakeDevice(cards[number]),
        nvrtc=SimpleNamespace(getVersion=compiler),
        runtime=SimpleNamespace(
            getDeviceCount=count,
            getDeviceProperties=properties,
            driverGetVersion=lambda: driver,
            runtimeGetVersion=lambda: runtime,
        ),
    )
    return module


def install(patch: pytest.MonkeyPatch, module: ModuleType) -> None:
    """Let `import cupy` give this module."""
    patch.setitem(sys.modules, "cupy", module)


def install_broken(patch: pytest.MonkeyPatch, folder: Path, source: str) -> None:
    """Let `import cupy` run this source."""
    (folder / "cupy.py").write_text(source)
    patch.delitem(sys.modules, "cupy", raising=False)
    patch.syspath_prepend(str(folder))


def uninstall(patch: pytest.MonkeyPatch) -> None:
    """Let there be no CuPy, whatever is installed."""
    find = sys.modules["importlib.util"].find_spec
    patch.delitem(sys.modules, "cupy", raising=False)
    patch.setattr("importlib.util.find_spec", lambda name, *rest: None if name == "cupy" else find(name, *rest))


class StandInBackend(CpuBackend):
    """The CPU under the name of a GPU."""

    made: ClassVar[list[str]] = []
    """The names that backends were made for."""

    def __init__(self, name: str) -> None:
        self.name = name
        StandInBackend.made.append(name)


def install_backend(patch: pytest.MonkeyPatch) -> list[str]:
    """Let the CPU stand in for every GPU. Returns the list that the name of each backend is added to when it is made."""
    module = ModuleType("nncore.backend.cuda.backend")
    module.CudaBackend = StandInBackend  # type: ignore[attr-defined]
    patch.setitem(sys.modules, module.__name__, module)
    StandInBackend.made.clear()
    return StandInBackend.made
