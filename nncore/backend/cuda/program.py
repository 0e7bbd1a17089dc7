"""A recorded step, run as a graph: one step, or as many as a run has, without a look at the host in between."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.backend.answering import by_runs
from nncore.backend.contract import Batches, Outcome, Tensor
from nncore.backend.cuda.device import Again, At, Launch
from nncore.backend.cuda.feed import Chunk, Feed
from nncore.backend.cuda.memory import Pass, passes
from nncore.backend.cuda.record import RATES, Record, Section
from nncore.errors import DeviceError

NEXT, NOW, STOPPED = 0, 1, 2
"""The places of the clock, as in kernels/common.cuh."""
BUNDLES = (64, 8, 1)
"""Steps of one graph. Each launch of a graph may have to wait for Python's interpreter, so there should be few of them."""
BEGUN, REPEATED = (0, 0, 0), (0, 0, 1)
"""The clock before a run, and before a step is done again that must change nothing."""


class CudaProgram:
    """See `nncore.backend.contract.Program`.

    The network's numbers and the optimizer's averages stay on the host. A run copies them to the device and, where it has
    changed them, back: all at once and at its end, so that a device that is lost meanwhile leaves them as before the run.
    """

    def __init__(self, record: Record) -> None:
        self.record, self._device = record, record.device
        self._feed = Feed(record.device, record.batch, record.image_size)
        self._graphs: dict[Any, Again] = {}
        self._once: set[Any] = set()
        """What has run once, launch by launch: a graph pays from the second time on."""
        self._room = 0
        """Steps that there is room for in what steps are given."""
        self._passes = 1
        """Passes of the last step that left a gradient."""
        self._gradient: Any = None
        self._lock = threading.Lock()
        weakref.finalize(self, record.give_up).atexit = False
        with self._device:
            record.allocate(self._feed.least_memory)
            self._make_room(1)
            self._device.load(record.kernel_keys())

    def run(self, section: str, batches: Batches, read: Sequence[Tensor] = ()) -> Outcome:
        record, steps = self.record, len(batches.counts)
        if max(batches.counts, default=0) > record.batch:
            raise ValueError(f"the program was recorded for {record.batch} examples, not {max(batches.counts)}")
        if batches.images.dtype not in (np.uint8, np.float32):
            batches = replace(batches, images=batches.images.astype(np.float32))
        if not steps:
            return Outcome(np.zeros(0), np.zeros(0, np.int64), [])
        kind = record.sections[section]
        with self._lock, _enough_memory(), self._device:
            self._upload(kind)
            taken, values = self._take(section, kind, batches, read)
            results = self._device.get(record.results, 2 * steps).reshape(steps, 2)[:taken]
            self._download(kind)
        if batches.labels is None:
            results = results[:0]
        return Outcome(results[:, 0].astype(np.float64), results[:, 1].astype(np.int64), values)

    def answering(self, section: str, tensor: Tensor) -> Callable[[Array], Array]:
        return by_runs(self, section, tensor)

    def gradient(self) -> Array:
        record = self.record
        with self._lock, _enough_memory(), self._device:
            if self._gradient is None:
                self._gradient = self._device.zeros(record.vector.parameters, np.float32)
            self._device.run([record.sum_of_gradients(self._gradient, self._passes)])
            return self._device.get(self._gradient, record.vector.parameters)

    def write(self, tensor: Tensor, values: Array) -> None:
        with self._lock, self._device:
            memory = self._device.get(tensor.place.room.buffer)
            _images(tensor, memory, len(values))[...] = values
            self._device.put(tensor.place.room.buffer, memory)

    def launches(self, section: str, count: int, pixel: str = "Byte") -> list[Launch]:
        """What a step of `count` examples consists of: to count and to weigh."""
        nothing = self._device.zeros(1, np.uint8 if pixel == "Byte" else np.float32)
        labels = self._device.zeros(1, np.int32)
        return self.record.launches(section, passes(count, self.record.capacity, nothing, labels, pixel))

    def _take(self, section: str, kind: Section, batches: Batches, read: Sequence[Tensor]) -> tuple[int, list[Array]]:
        """Take all steps, and say how many were taken; what was to be read, as after the last of them."""
        device, steps = self._device, len(batches.counts)
        chunks, order = self._plan(batches)
        self._give(order, batches, range(steps))
        device.put(self.record.clock, np.array(BEGUN, np.int32))
        in_parts = batches.counts[-1] > self.record.capacity
        self._note_passes(kind, batches.counts[-1])
        values: list[Array] = []
        counts, by_passes = batches.counts, bool(read) and in_parts
        bundles = (1,) if by_passes or "take" not in kind.marks else BUNDLES
        ticks = steps > 1 and "take" in kind.marks and "loss" not in kind.marks
        for chunk in chunks:
            self._feed.send(chunk, batches)
            for step, times in _bundled(counts, chunk.steps, bundles):
                if "take" not in kind.marks:
                    device.put(self.record.clock, np.array((step, step, 0), np.int32))
                if by_passes and step == steps - 1:
                    values = self._read_passes(section, chunk, counts[step], read)
                else:
                    self._again(section, chunk, counts[step], times, ticks, steps > 1)
        done = int(device.get(self.record.clock)[NEXT]) if "loss" in kind.marks else steps
        if done < steps:
            values = self._end_at(section, kind, batches, done, read)
        elif read and not values:
            values = [self._read(tensor, batches.counts[-1]) for tensor in read]
        return min(done + 1, steps), values

    def _end_at(self, section: str, kind: Section, batches: Batches, step: int, read: Sequence[Tensor]) -> list[Array]:
        """Take the step whose loss was not finite once more, and end the run with it.

        The launches queued behind it have used the memory in which its tensors and its gradient were. While it is repeated the
        clock stands at STOPPED, so that nothing changes; then the parameters follow the gradient, as after any step.
        """
        device, first, count = self._device, sum(batches.counts[:step]), batches.counts[step]
        alone = Batches(
            batches.images, batches.labels, batches.indices[first : first + count], (count,), batches.rates[step : step + 1]
        )
        chunks, order = self._plan(alone)
        self._give(order, alone, range(step, step + 1))
        device.put(self.record.clock, np.array(REPEATED, np.int32))
        self._note_passes(kind, count)
        self._feed.send(chunks[0], alone)
        parts = self._parts(chunks[0], count)
        values = self._read_each(section, parts, read)
        device.put(self.record.clock, np.array(BEGUN, np.int32))
        device.run(self.record.launches_once(section, parts))
        return values

    def _note_passes(self, kind: Section, count: int) -> None:
        """Remember how many passes have left copies of the gradient, where the section makes one."""
        if "gradients" in kind.marks:
            self._passes = max(1, -(-count // self.record.capacity))

    def _plan(self, batches: Batches) -> tuple[list[Chunk], Array]:
        """The feed's plan; where it has given buffers up, the graphs that hold them are given up too."""
        before = self._feed.generation
        planned = self._feed.plan(batches)
        if self._feed.generation != before:
            self._graphs.clear()
        return planned

    def _parts(self, chunk: Chunk, count: int) -> list[Pass]:
        pixel = "Byte" if chunk.images.dtype == np.uint8 else "float"
        return passes(count, self.record.capacity, chunk.images, chunk.labels, pixel)

    def _again(self, section: str, chunk: Chunk, count: int, times: int, ticks: bool, pays: bool) -> None:
        """Take so many steps of `count` images: by their graph, or launch by launch where none is there and none pays yet.

        `ticks`: the steps have no loss that would count them.
        """
        key = section, count, id(chunk.images), id(chunk.labels), times, ticks
        if again := self._graphs.get(key):
            again()
            return
        launches = self.record.launches(section, self._parts(chunk, count))
        if ticks:
            launches.append(Launch("tick", (), (1, 1, 1), (1, 1, 1), {"clock": At(self.record.clock)}))
        if pays or key in self._once:
            self._graphs[key] = self._device.record(launches * times)
            self._graphs[key]()
        else:
            self._once.add(key)
            self._device.run(launches)

    def _read_passes(self, section: str, chunk: Chunk, count: int, read: Sequence[Tensor]) -> list[Array]:
        """Take a step pass by pass, and read what each has made."""
        parts = self._parts(chunk, count)
        values = self._read_each(section, parts, read)
        self._device.run(self.record.launches_once(section, parts))
        return values

    def _read_each(self, section: str, parts: Sequence[Pass], read: Sequence[Tensor]) -> list[Array]:
        found = []
        for part in parts:
            self._device.run(self.record.launches_of(section, part))
            found.append([self._read(tensor, part.count) for tensor in read])
        return [np.concatenate(of_tensor) for of_tensor in zip(*found, strict=True)]

    def _read(self, tensor: Tensor, count: int) -> Array:
        place = tensor.place
        return _images(tensor, self._device.get(place.room.buffer, place.offset + count * tensor.pitch), count).copy()

    def _give(self, order: Array, batches: Batches, steps: range) -> None:
        """Put what steps are given in its place: their images' places, rates and random keys."""
        record, device = self.record, self._device
        self._make_room(len(steps))
        device.put(record.order, order)
        if len(batches.rates):
            rates = np.zeros((len(steps), RATES), np.float32)
            rates[:, : len(batches.rates[0])] = batches.rates
            device.put(record.rates, rates)
        if record.sources:
            keys = [[source.key(step + 1) for source in record.sources] for step in steps]
            device.put(record.random, np.array(keys, np.uint32))

    def _make_room(self, steps: int) -> None:
        """Buffers for a longer run. Graphs that were captured with the old ones are of no use any more."""
        if steps <= self._room:
            return
        record, zeros = self.record, self._device.zeros
        room = max(steps, 2 * self._room)
        self._graphs.clear()
        self._room = 0  # until all of it is there
        record.order = zeros(room * record.batch, np.int32)
        record.rates, record.results = zeros(room * RATES, np.float32), zeros(room * 2, np.float32)
        record.random = zeros(room * max(len(record.sources), 1), np.uint32)
        self._room = room

    def _upload(self, kind: Section) -> None:
        record = self.record
        self._device.put(record.theta, record.vector.values)
        if "update" in kind.marks:
            for buffer, moment in zip(record.moment_buffers, record.moments, strict=True):
                self._device.put(buffer, moment)

    def _download(self, kind: Section) -> None:
        record, hosts, buffers = self.record, list[Array](), list[Any]()
        if kind.marks & {"update", "statistics"}:
            hosts, buffers = [record.vector.values], [record.theta]
        if "update" in kind.marks:
            hosts, buffers = hosts + record.moments, buffers + record.moment_buffers
        found = [self._device.get(buffer, host.size) for host, buffer in zip(hosts, buffers, strict=True)]
        for host, values in zip(hosts, found, strict=True):
            host[...] = values


@contextmanager
def _enough_memory() -> Iterator[None]:
    """What a run needs besides the program's own memory may not be there any more: others use the GPU as well."""
    try:
        yield
    except MemoryError as error:
        raise DeviceError(
            "The GPU's memory is full; end other programs that use it, take a smaller batch, or the device cpu."
        ) from error


def _bundled(counts: Sequence[int], steps: range, bundles: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first step, how many) for steps of one count in a row, in the largest bundles that they fill."""
    for _, alike in groupby(steps, key=counts.__getitem__):
        row = list(alike)
        step, end = row[0], row[-1] + 1
        for bundle in bundles:
            for _ in range((end - step) // bundle):
                yield step, bundle
                step += bundle


def _images(tensor: Tensor, memory: Array, count: int) -> Array:
    """The first `count` images of a tensor, as a view (count, rows, cols, channels) of its memory on the host."""
    strides = [4 * step for step in (tensor.pitch, tensor.row_pitch, tensor.channels, 1)]
    shape = (count, tensor.rows, tensor.cols, tensor.channels)
    return np.lib.stride_tricks.as_strided(memory[tensor.place.offset :], shape, strides)
