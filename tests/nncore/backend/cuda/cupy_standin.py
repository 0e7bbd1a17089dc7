"""What cupy_device.py uses of CuPy, on the CPU, as unkind as CUDA may be.

Arrays are NumPy's and kernels run under shim.h. What is told to a stream happens as late as CUDA allows, at the first wait for it
(with `early`, a copy in a stream of its own as soon as CUDA allows), so that a wait that was forgotten shows as wrong values.
Memory is full of rubbish until it has been set, and gone when nobody holds it. What CuPy or CUDA would refuse, or answer
with nonsense, raises Misuse.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from nncore.backend.cuda.device import C_TYPES, At, Launch
from nncore.backend.cuda.host import HostDevice
from nncore.backend.cuda.sources import kernels
from tests.nncore.backend.cuda.cupy_standin_streams import (
    CompileException,
    CUDADriverError,
    CUDARuntimeError,
    Event,
    Misuse,
    OutOfMemoryError,
    Stream,
)


class Memory:
    """A piece of a GPU's memory. It goes back to the pool when nobody holds it any more."""

    def __init__(self, fake: FakeCupy, size: int) -> None:
        self.device, self.bytes = fake.here.device, HostDevice().zeros(size, np.uint8)
        self.bytes[...] = 0xCC
        self.ptr = self.bytes.ctypes.data
        weakref.finalize(self, fake.freed, size)


class DeviceArray(np.ndarray):
    """An array on a GPU."""

    fake: FakeCupy
    memory: Memory

    def __array_finalize__(self, other: Any) -> None:
        self.fake, self.memory = getattr(other, "fake", None), getattr(other, "memory", None)  # type: ignore[assignment]

    @property
    def plain(self) -> np.ndarray:
        return self.view(np.ndarray)

    def set(self, values: np.ndarray, stream: Stream | None = None) -> None:
        stream = self.fake.stream_for(self.memory, stream)
        stream.refuse_capturing("a copy to the GPU")
        if type(values) is not np.ndarray or values.dtype != self.dtype or values.shape != self.shape:
            raise Misuse(f"{values.dtype}{values.shape} is set to {self.dtype}{self.shape}")
        source, to = self.fake.host_source(values), self.plain
        stream.tell(lambda: np.copyto(to, source()), "copy")

    def get(self, *, out: np.ndarray, blocking: bool = True) -> None:
        stream = self.fake.stream_for(self.memory, None)
        stream.refuse_capturing("a copy from the GPU")
        if out.dtype != self.dtype or out.shape != self.shape:
            raise Misuse("a copy into another kind of array")
        if blocking and stream.finished < stream.told:
            raise Misuse("CuPy waits for the stream on a busy core")
        if not (blocking or self.fake.is_page_locked(out)):
            raise Misuse("CUDA does not promise to come back at once from a copy into ordinary memory")
        source = self.plain
        stream.tell(lambda: np.copyto(out, source), "get")
        if blocking:
            stream.finish(stream.told)


class Function:
    def __init__(self, fake: FakeCupy, name: str, instance: tuple[str, ...]) -> None:
        self.fake, self.name, self.instance, self.device = fake, name, instance, fake.here.device
        HostDevice().load([(name, instance)])

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]) -> None:
        here = self.fake.here
        self.fake.call(CUDADriverError)
        if self.device != here.device:
            raise Misuse("a kernel of another GPU")
        types = kernels()[self.name].types(self.instance)
        for kind, value in zip(types.values(), args, strict=True):
            self.check(kind, value)
        stream: Stream = here.streams[-1]
        values = [weakly(value) for value in args]

        def make() -> Callable[[], None]:
            found = [At(value()) if callable(value) else value for value in values]
            launch = Launch(self.name, self.instance, grid, block, dict(zip(types, found, strict=True)))  # type: ignore[arg-type]
            return lambda: HostDevice().run([launch])

        if stream.captured is None:
            here.has_context = True
            stream.tell(make(), "kernel")
        elif not here.has_context:
            raise Misuse("the first launch of a thread asks CUDA for its context: while capturing")
        else:
            stream.captured.append(make)

    def check(self, kind: str, value: Any) -> None:
        wanted = C_TYPES[kind.replace("const", "").replace("*", "").strip()]
        if not kind.endswith("*"):
            right = type(value) is wanted
        else:
            right = value is None or (type(value) is DeviceArray and value.dtype == wanted and value.memory.device == self.device)
        if not right:
            raise Misuse(f"{type(value)} for {kind}")


def weakly(value: Any) -> Any:
    """An argument as a captured kernel holds it: an array by its address, without keeping it alive."""
    if type(value) is not DeviceArray:
        return value
    memory, start, size, dtype = weakref.ref(value.memory), value.ctypes.data - value.memory.ptr, value.nbytes, value.dtype

    def find() -> np.ndarray:
        if (found := memory()) is None:
            raise Misuse("a kernel works on memory that was given to others")
        return found.bytes[start : start + size].view(dtype)

    return find


class FakeCupy:
    """The module: its own functions, and those of cupy.cuda under `cuda`. Take `fake` as the import of CuPy's result."""

    def __init__(self, devices: int = 1, memory: int = 2**30, early: bool = False) -> None:
        self.devices, self.total, self.limit, self.early = devices, memory, 0, early
        self.used = self.cached = self.calls = 0
        self.page_locked = memory
        self.lost: tuple[int, int] | None = None
        """From which call on nothing answers, and CUDA's number of the error."""
        self.log: list[str] = []
        self.compiled: list[tuple[int, tuple[str, ...]]] = []
        self.broken_compiler: Exception | None = None
        self._locked: list[tuple[int, int, Any]] = []
        self._here = threading.local()
        made = lambda kind: lambda **settings: kind(self, **settings)  # noqa: E731
        self.cuda = SimpleNamespace(
            Device=lambda number: FakeDevice(self, number),
            Stream=made(Stream),
            Event=made(Event),
            alloc=lambda size: self.allocate(size),
            alloc_pinned_memory=self.alloc_pinned_memory,
            compiler=SimpleNamespace(CompileException=CompileException),
            device=SimpleNamespace(from_pointer=self.from_pointer),
            runtime=SimpleNamespace(
                streamCaptureModeThreadLocal=1,
                getDeviceCount=lambda: self.call() or devices,
                getDeviceProperties=lambda number: self.call() or {"name": b"Standin 9", "totalGlobalMem": memory},
            ),
        )

    @property
    def here(self) -> Any:
        """What CuPy and CUDA keep for each thread."""
        if not hasattr(self._here, "streams"):
            self._here.device, self._here.streams, self._here.captures, self._here.has_context = 0, [], 0, False
            self._here.streams.append(Stream(self, null=True))
        return self._here

    def call(self, error: type[CUDARuntimeError] = CUDARuntimeError) -> None:
        """What every call of CUDA's begins with."""
        self.calls += 1
        if self.lost is not None and self.calls > self.lost[0]:
            raise error(self.lost[1])

    def stream_for(self, memory: Memory, stream: Stream | None) -> Stream:
        stream = stream or self.here.streams[-1]
        if stream.device != memory.device:
            raise Misuse("a stream of another GPU")
        return stream

    def from_pointer(self, pointer: int) -> None:
        self.call()
        if self.here.captures:
            raise Misuse("asking for the context while capturing")
        self.here.has_context = True

    def zeros(self, count: int, dtype: Any) -> DeviceArray:
        memory = self.allocate(count * np.dtype(dtype).itemsize)
        array = memory.bytes.view(dtype).view(DeviceArray)
        array.fake, array.memory, values = self, memory, memory.bytes
        self.stream_for(memory, None).tell(lambda: values.fill(0), "zeros")
        return array

    def asarray(self, array: np.ndarray) -> Any:
        self.call()
        return SimpleNamespace(values=array.copy(), device=self.here.device, stream=self.here.streams[-1])

    def allocate(self, size: int) -> Memory:
        self.call()
        if self.here.captures:
            raise Misuse("an allocation while capturing")
        # The pool cannot lend pieces that it keeps as one that is larger, until they are given back to CUDA.
        if self.used + self.cached + size > (self.limit or self.total):
            raise OutOfMemoryError(f"Out of memory allocating {size} bytes")
        self.used += size
        return Memory(self, size)

    def freed(self, size: int) -> None:
        self.used -= size
        self.cached += size

    def alloc_pinned_memory(self, size: int) -> np.ndarray:
        self.call()
        if self.here.captures:
            raise Misuse("page-locked memory is made while capturing")
        if size > self.page_locked:
            raise CUDARuntimeError(2)
        memory = np.full(size, 0xCC, np.uint8)
        self._locked.append((memory.ctypes.data, memory.ctypes.data + size, weakref.ref(memory)))
        return memory

    def is_page_locked(self, values: np.ndarray) -> bool:
        return any(memory() is not None and low <= values.ctypes.data < high for low, high, memory in self._locked)

    def host_source(self, values: np.ndarray) -> Callable[[], np.ndarray]:
        """Where a copy finds host values when it comes to them: they must be there, and as they were."""
        start = values.ctypes.data
        locked = [memory for low, high, memory in self._locked if memory() is not None and low <= start < high]
        if not locked:
            return lambda: values  # ordinary memory may be read as late as this
        before, begin, memory, dtype = values.copy(), start - locked[0]().ctypes.data, locked[0], values.dtype

        def find() -> np.ndarray:
            if (found := memory()) is None:
                raise Misuse("page-locked memory was lent anew while it was on its way")
            now = found[begin : begin + before.nbytes].view(dtype)
            if now.tobytes() != before.tobytes():
                raise Misuse("page-locked memory was changed while it was on its way")
            return now

        return find

    def get_default_memory_pool(self) -> Any:
        def free_all_blocks() -> None:
            self.call()
            self.cached = 0

        return SimpleNamespace(
            free_all_blocks=free_all_blocks,
            free_bytes=lambda: self.cached,
            used_bytes=lambda: self.used,
            get_limit=lambda: self.limit,
        )

    def RawModule(self, *, code: str, options: tuple[str, ...], name_expressions: list[str]) -> Any:
        if options != ("-std=c++17",) or "#include" in code:
            raise Misuse("NVRTC does not take this")

        def get_function(expression: str) -> Function:
            self.call()
            if self.here.captures or expression not in name_expressions:
                raise Misuse(f"{expression} is not in this module, or is loaded while capturing")
            if self.broken_compiler is not None:
                raise self.broken_compiler
            self.compiled.append((self.here.device, tuple(name_expressions)))
            name, _, inside = expression.removesuffix(">").partition("<")
            return Function(self, name.rpartition("::")[2], tuple(inside.split(", ")) if inside else ())

        return SimpleNamespace(get_function=get_function)


class FakeDevice:
    def __init__(self, fake: FakeCupy, number: int) -> None:
        self.fake, self.number = fake, number
        self.compute_capability = "90"

    def __enter__(self) -> None:
        self.fake.call()
        here = self.fake.here
        here.before = (*getattr(here, "before", ()), here.device)
        here.device = self.number

    def __exit__(self, *_: object) -> None:
        here = self.fake.here
        *here.before, here.device = here.before
        self.fake.call()

    @property
    def mem_info(self) -> tuple[int, int]:
        self.fake.call()
        return self.fake.total - self.fake.used - self.fake.cached, self.fake.total
