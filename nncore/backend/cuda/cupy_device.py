"""A GPU, through CuPy: memory, compiled kernels, streams, graphs. The only file that computes with CuPy."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nncore.arrays import Array
from nncore.backend.cuda.cupy_errors import translated, translating
from nncore.backend.cuda.device import Again, At, Launch, Size, checked
from nncore.backend.cuda.gpus import import_cupy
from nncore.backend.cuda.sources import Key, kernels, text
from nncore.errors import DeviceError

OPTIONS = ("-std=c++17",)
"""What NVRTC is told besides what CuPy tells it. CuPy finds a kernel in its cache on disk by these and by the whole source."""
STAGED = 2**24
"""Bytes up to which `put` and `get` go through page-locked memory: the GPU itself copies from there and to there, several times
faster than its driver does with ordinary memory, and `put` need not wait for it."""

Call: TypeAlias = tuple[Any, Size, Size, tuple[Any, ...]]
"""A kernel of CuPy's and what it is called with: blocks, threads, arguments."""

_functions: dict[tuple[int, Key], Any] = {}
"""The kernels that this process has loaded, by the number of the GPU and their key."""
_loading = threading.Lock()


class CupyDevice:
    """One GPU, with a stream of its own in which everything happens in order.

    Any thread may use it, but only one at a time: a thread that has entered it keeps others out until it leaves. Every method
    enters it by itself, so that none can run on another GPU or another stream. CUDA's errors arrive as DeviceError or MemoryError.
    """

    def __init__(self, number: int = 0) -> None:
        """Raises DeviceError where CuPy or a GPU of that number is not there."""
        self.number, self.name = number, f"cuda:{number}"
        self._cupy = import_cupy()
        self._lock = threading.RLock()
        self._entered: list[ExitStack] = []
        self._on_their_way: list[tuple[Any, Array]] = []
        cuda = self._cupy.cuda
        with translating():
            count = cuda.runtime.getDeviceCount()
            if not 0 <= number < count:
                raise DeviceError(f"There is no GPU number {number}: they are counted from 0, and CUDA finds {count}.")
            self._device = cuda.Device(number)
            with self._device:
                self._stream, self._copies = cuda.Stream(non_blocking=True), cuda.Stream(non_blocking=True)
                self._done, self._told = self._event(), self._event()
                self._somewhere = cuda.alloc(1)

    def __enter__(self) -> CupyDevice:
        with ExitStack() as stack:
            stack.enter_context(self._lock)
            stack.enter_context(translating())
            stack.enter_context(self._device)
            stack.enter_context(self._stream)
            self._entered.append(stack.pop_all())
        return self

    def __exit__(self, *error: Any) -> None:
        self._entered.pop().__exit__(*error)

    @property
    def architecture(self) -> str:
        """What its kernels are compiled for: `sm_90`."""
        with self:
            return f"sm_{self._device.compute_capability}"

    def describe(self) -> str:
        """The GPU in a few words, for people: `NVIDIA H100 PCIe · 79 GB`."""
        with self:
            found = self._cupy.cuda.runtime.getDeviceProperties(self.number)
        return f"{found['name'].decode(errors='replace')} · {found['totalGlobalMem'] / 2**30:.0f} GB"

    def asarray(self, array: Array) -> Array:
        """The array on this GPU. Its memory belongs to the stream that is the caller's, as array code will use it there."""
        with translating(), self._device:
            return self._cupy.asarray(array)

    def zeros(self, count: int, dtype: npt.DTypeLike) -> Any:
        with self:
            try:
                buffer = self._cupy.zeros(max(count, 1), dtype)
            except MemoryError:
                self._cupy.get_default_memory_pool().free_all_blocks()
                buffer = self._cupy.zeros(max(count, 1), dtype)
            self._stream.record(self._told)  # no copy may overtake the zeros
        return buffer

    def free_memory(self) -> int:
        with self:
            pool = self._cupy.get_default_memory_pool()
            free = self._device.mem_info[0] + pool.free_bytes()
            limit = pool.get_limit()  # what CUPY_GPU_MEMORY_LIMIT says; 0 where there is none
            return int(min(free, limit - pool.used_bytes()) if limit else free)

    def put(self, buffer: Any, values: Array) -> None:
        values = np.ascontiguousarray(values).ravel()
        with self:
            if values.nbytes > STAGED:
                buffer[: values.size].set(values)
                self.wait()  # CUDA does not promise to have read ordinary memory when it returns
                return
            locked = self._page_locked(values.size, values.dtype)
            locked[...] = values
            buffer[: values.size].set(locked)
            self._keep(self._stream.record(self._event()), locked)

    def get(self, buffer: Any, count: int | None = None) -> Array:
        with self:
            buffer = buffer[:count]
            if buffer.nbytes > STAGED:
                self.wait()
                values: Array = np.empty(buffer.shape, buffer.dtype)
                buffer.get(out=values)
            else:
                values = self._page_locked(buffer.size, buffer.dtype)
                buffer.get(out=values, blocking=False)
                self.wait()  # asleep: CuPy's own waiting keeps a core busy
        return values

    def stage(self, count: int, dtype: npt.DTypeLike) -> CupyStage:
        with self:
            return CupyStage(self, self._page_locked(count, np.dtype(dtype)), self._event())

    def load(self, keys: Iterable[Key]) -> None:
        with self, _loading:
            wanted = {key for key in keys if not self.has(key)}
            for file in sorted({kernels()[name].file for name, _ in wanted}):
                self._load(file, sorted((key for key in wanted if kernels()[key[0]].file == file), key=str))

    def has(self, key: Key) -> bool:
        return (self.number, key) in _functions

    def run(self, launches: Sequence[Launch]) -> None:
        with self:
            for function, grid, block, arguments in self._calls(launches):
                function(grid, block, arguments)

    def record(self, launches: Sequence[Launch]) -> Again:
        with self:
            calls = self._calls(launches)
            graph = self._captured(calls)
            graph.upload(self._stream)
        return Recorded(graph, self._stream, calls)

    def wait(self) -> None:
        with self:
            self._stream.record(self._done)
            self._done.synchronize()

    def send(self, values: Array, buffer: Any, sent: Any, overlap: bool) -> None:
        """Copy page-locked values into a buffer of the same length, and record the event `sent` behind the copy.

        The copy waits for what this device was told before, or with `overlap` before the last copy or `zeros`; what it is told
        next waits for the copy.
        """
        with self:
            if not overlap:
                self._stream.record(self._told)
            self._copies.wait_event(self._told)
            buffer.set(values, stream=self._copies)
            self._copies.record(sent)
            self._keep(sent, values)
            self._stream.record(self._told)
            self._stream.wait_event(sent)

    def _event(self) -> Any:
        """An event on which a thread waits asleep."""
        return self._cupy.cuda.Event(block=True, disable_timing=True)

    def _page_locked(self, count: int, dtype: np.dtype[Any]) -> Array:
        """An array on the host from which the GPU itself can copy."""
        memory = self._cupy.cuda.alloc_pinned_memory(max(count, 1) * dtype.itemsize)
        return np.ndarray((count,), dtype, memory)

    def _keep(self, event: Any, values: Array) -> None:
        """Keep page-locked values until the event: CuPy would lend their memory anew while it is still being read."""
        while self._on_their_way and self._on_their_way[0][0].done:
            self._on_their_way.pop(0)
        self._on_their_way.append((event, values))

    def _load(self, file: str, keys: Sequence[Key]) -> None:
        """Compile, or find on disk, and load these kernels of one file: they make a module."""
        names = [kernels()[name].expression(instance) for name, instance in keys]
        module = self._cupy.RawModule(code=text(file), options=OPTIONS, name_expressions=names)
        try:
            found = {(self.number, key): module.get_function(name) for key, name in zip(keys, names, strict=True)}
        except (OSError, RuntimeError, self._cupy.cuda.compiler.CompileException) as error:
            if translated(error) is not None:
                raise  # no fault of the compiler's
            said = next(iter(str(error).splitlines()), "")
            raise DeviceError(f"CuPy could not compile kernels for the GPU ({said}); choose the device cpu.") from error
        _functions.update(found)

    def _calls(self, launches: Sequence[Launch]) -> list[Call]:
        """The launches as CuPy takes them, their kernels loaded. One that is there several times is prepared once."""
        self.load(launch.key for launch in launches)
        calls: dict[Launch, Call] = {}
        for launch in launches:
            if launch not in calls:
                arguments = tuple(value.buffer[value.offset :] if isinstance(value, At) else value for value in checked(launch))
                calls[launch] = _functions[self.number, launch.key], launch.grid, launch.block, arguments
        return [calls[launch] for launch in launches]

    def _captured(self, calls: Sequence[Call]) -> Any:
        """A graph of these calls. Meanwhile this thread asks nothing else of CUDA, which would end the capture."""
        # CuPy asks for CUDA's context at the first launch of every thread; this makes it ask now.
        self._cupy.cuda.device.from_pointer(self._somewhere.ptr)
        with _no_garbage:
            # CuPy's own choice would let an allocation that was forgotten pass; the strictest would break on other threads' calls.
            self._stream.begin_capture(self._cupy.cuda.runtime.streamCaptureModeThreadLocal)
            try:
                for function, grid, block, arguments in calls:
                    function(grid, block, arguments)
            except BaseException:
                with suppress(RuntimeError):  # that the capture has failed is being said already
                    self._stream.end_capture()
                raise
            return self._stream.end_capture()


class CupyStage:
    """Page-locked memory on the host, from which copies run in a stream of their own."""

    def __init__(self, device: CupyDevice, values: Array, sent: Any) -> None:
        self.values = values
        self._device, self._sent = device, sent

    def send(self, buffer: Any, offset: int, count: int, overlap: bool = False) -> None:
        self._device.send(self.values[:count], buffer[offset : offset + count], self._sent, overlap)

    def free(self) -> None:
        with self._device:
            self._sent.synchronize()


class Recorded:
    """A captured graph. It knows addresses only, so the arrays that it was captured with are kept here."""

    def __init__(self, graph: Any, stream: Any, calls: Sequence[Call]) -> None:
        self._graph, self._stream, self._calls = graph, stream, calls

    def __call__(self) -> None:
        try:
            self._graph.launch(self._stream)
        except RuntimeError as error:
            if (ours := translated(error)) is not None:
                raise ours from error
            raise


class NoGarbage:
    """Python's collector stays off while any thread is inside: what it destroys may call CUDA."""

    def __init__(self) -> None:
        self._lock, self._inside, self._was_enabled = threading.Lock(), 0, False

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._was_enabled:
                gc.enable()


_no_garbage = NoGarbage()
