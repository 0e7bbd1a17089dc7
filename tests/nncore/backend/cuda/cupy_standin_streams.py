"""Streams, events and graphs of the stand-in for CuPy (cupy_standin.py), and the errors that it raises."""

from __future__ import annotations

import gc
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.nncore.backend.cuda.cupy_standin import FakeCupy


class Misuse(AssertionError):  # noqa: N818 (it names what was done)
    """CuPy or CUDA would refuse this, or take it and compute nonsense."""


class OutOfMemoryError(MemoryError):
    pass


class CUDARuntimeError(RuntimeError):
    def __init__(self, status: int) -> None:
        super().__init__(f"cudaErrorOfNumber{status}: words of CUDA's")
        self.status = status


class CUDADriverError(CUDARuntimeError):
    pass


class CompileException(Exception):  # noqa: N818 (CuPy's name)
    pass


class Stream:
    def __init__(self, fake: FakeCupy, non_blocking: bool = False, null: bool = False) -> None:
        if not null:
            fake.call()
        if not (non_blocking or null):
            raise Misuse("a stream that waits for the null stream")
        self.fake, self.device, self.null = fake, fake.here.device, null
        self.queue: deque[tuple[Any, str]] = deque()
        self.told = self.finished = 0
        self.captured: list[Callable[[], Any]] | None = None
        self.capturer: int | None = None

    def __enter__(self) -> None:
        if self.device != self.fake.here.device:
            raise RuntimeError("The device that the stream is created on does not match with the current device")
        self.fake.here.streams.append(self)

    def __exit__(self, *_: object) -> None:
        if self.fake.here.streams.pop() is not self:
            raise Misuse("streams are left in another order than they were entered")

    def refuse_capturing(self, what: str) -> None:
        """CuPy refuses copies to and from a stream that captures; CUDA, in the thread that captures, much else."""
        self.fake.call()
        if self.captured is not None or self.fake.here.captures:
            raise Misuse(f"{what} while capturing")

    def tell(self, work: Any, name: str) -> None:
        if self.null:
            raise Misuse(f"{name} in the null stream")
        self.queue.append((work, name))
        self.told += 1
        if self.fake.early and self is not self.fake.here.streams[-1]:
            while self.queue and not (type(self.queue[0][0]) is tuple and not is_over(self.queue[0][0])):
                self.finish(self.finished + 1)

    def finish(self, number: int) -> None:
        """Do what was told, up to that number."""
        while self.finished < number:
            work, name = self.queue.popleft()
            if type(work) is tuple:
                work[0].finish(work[1])
            else:
                self.fake.log.append(name)
                work()
            self.finished += 1

    def record(self, event: Event) -> Event:
        self.refuse_capturing("an event")
        if event.device != self.device:
            raise CUDARuntimeError(400)
        event.point = (self, self.told)
        return event

    def wait_event(self, event: Event) -> None:
        self.refuse_capturing("waiting for an event")
        if event.point is not None:
            self.tell(event.point, "wait")

    def begin_capture(self, mode: int) -> None:
        self.refuse_capturing("capturing")
        if self.null or mode != 1:
            raise Misuse("a capture of the null stream, or in a mode that lets mistakes pass")
        if gc.isenabled():
            raise Misuse("garbage may be destroyed while capturing")
        self.captured, self.capturer = [], threading.get_ident()
        self.fake.here.captures += 1

    def end_capture(self) -> Graph:
        calls, self.captured = self.captured, None
        if calls is None or self.capturer != threading.get_ident():
            raise Misuse("a capture is ended that this thread has not begun")
        self.fake.here.captures -= 1
        self.fake.call()
        return Graph(self, calls)


def is_over(point: tuple[Stream, int]) -> bool:
    return point[0].finished >= point[1]


class Event:
    def __init__(self, fake: FakeCupy, block: bool = False, disable_timing: bool = False) -> None:
        fake.call()
        if not (block and disable_timing):
            raise Misuse("waiting for this event would keep a core busy")
        self.fake, self.device = fake, fake.here.device
        self.point: tuple[Stream, int] | None = None

    @property
    def done(self) -> bool:
        if self.fake.here.captures:
            raise Misuse("an event is asked for while capturing")
        return self.point is None or is_over(self.point)

    def synchronize(self) -> None:
        self.fake.call()
        if self.fake.here.captures:
            raise Misuse("waiting while capturing")
        if self.point is not None:
            self.point[0].finish(self.point[1])


class Graph:
    """Knows addresses only: it keeps no memory alive."""

    def __init__(self, stream: Stream, calls: list[Callable[[], Any]]) -> None:
        self.device, self.calls = stream.device, calls

    def upload(self, stream: Stream) -> None:
        stream.refuse_capturing("uploading a graph")

    def launch(self, stream: Stream) -> None:
        stream.refuse_capturing("launching a graph")
        if stream.device != self.device:
            raise Misuse("a graph of another GPU")
        for make in self.calls:
            stream.tell(make(), "kernel")
