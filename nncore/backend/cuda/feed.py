"""Feed: brings the images that steps ask for to the device, as uint8 where they are, and says where they lie.

A dataset that nobody can write to is copied once, if it takes less than half of the memory that is left; from then on steps take
their images by number. Everything else is gathered on the host and sent some megabytes at a time into the two halves of a ring,
one half while the device computes on the other; so is the first run that takes every image of a dataset, which may be the only one.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Batches
from nncore.backend.cuda.device import Device, Stage

HALF = 2**23
"""Bytes of images in half of the ring, at least a batch."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Steps of a run whose images lie on the device at the same time."""

    steps: range
    images: Any
    """The buffer of the images: uint8 or float32."""
    labels: Any
    """The buffer of their labels: int32."""
    half: int | None = None
    """The half of the ring that it goes through; None where the dataset is there."""


class Feed:
    """For one program, whose images have `size` values and whose batches have at most `batch` of them."""

    def __init__(self, device: Device, batch: int, size: int) -> None:
        self._device, self._batch, self._size = device, batch, size
        self._datasets: dict[int, tuple[Any, Any, Any, Any]] = {}
        self._taken_whole: Any = None
        """A weak reference to the images of the last run that took them all, and had not been copied."""
        self._rings: dict[np.dtype[Any], Ring] = {}
        self.generation = 0
        """Counts the times that buffers were given up, which graphs may have been captured with."""

    @property
    def least_memory(self) -> int:
        """Bytes that the ring of uint8 images, its labels and a few batches' order take."""
        return 2 * max(HALF, self._batch * self._size) + 64 * self._batch

    def plan(self, batches: Batches) -> tuple[list[Chunk], Array]:
        """The chunks of a run, and for each step the places of its images in the chunk's buffer: int32 (steps, batch)."""
        counts = np.asarray(batches.counts, np.int64)
        if (dataset := self._dataset(batches)) is not None:
            return [Chunk(range(len(counts)), *dataset)], self._padded(batches.indices, counts)
        ring = self._ring(batches.images.dtype, int(counts.sum()))
        chunks, places, start = [], np.empty(int(counts.sum()), np.int64), 0
        for number, steps in enumerate(ring.split(counts)):
            end = start + int(counts[steps.start : steps.stop].sum())
            places[start:end] = np.arange(end - start) + number % 2 * ring.half
            chunks.append(Chunk(steps, ring.images, ring.labels, number % 2))
            start = end
        return chunks, self._padded(places, counts)

    def send(self, chunk: Chunk, batches: Batches) -> None:
        """Send a chunk's images and labels, where they are not there. Earlier chunks must have been sent, and launched."""
        if chunk.half is None:
            return
        first = sum(batches.counts[: chunk.steps.start])
        chosen = batches.indices[first : first + sum(batches.counts[chunk.steps.start : chunk.steps.stop])]
        self._rings[chunk.images.dtype].send(chunk.half, batches, chosen)

    def _padded(self, places: Array, counts: Array) -> Array:
        """The places of each step's images, one step a row."""
        if (counts == self._batch).all():
            return places.astype(np.int32).reshape(len(counts), self._batch)
        order = np.zeros((len(counts), self._batch), np.int32)
        order[np.arange(self._batch) < counts[:, None]] = places
        return order

    def _dataset(self, batches: Batches) -> tuple[Any, Any] | None:
        """The buffers of the whole dataset, where it is there or can be brought there."""
        images, labels = batches.images, batches.labels
        self._forget_what_is_gone()
        if labels is None or images.flags.writeable or labels.flags.writeable:
            return None
        known = self._datasets.get(id(images))
        if known is not None and known[0]() is images and known[1]() is labels:
            return known[2], known[3]
        size = images.nbytes + 4 * len(labels)
        if not self._pays(images, len(batches.indices)) or 2 * size > self._device.free_memory():
            return None
        try:
            buffers = self._device.zeros(images.size, images.dtype), self._device.zeros(len(labels), np.int32)
        except MemoryError:
            return None
        self._device.put(buffers[0], np.ascontiguousarray(images).ravel())
        self._device.put(buffers[1], labels.astype(np.int32))
        self._datasets[id(images)] = weakref.ref(images), weakref.ref(labels), *buffers
        return buffers

    def _pays(self, images: Array, wanted: int) -> bool:
        """Whether to copy all images: a run that takes each of them once gains nothing from it, but the next such run does."""
        if wanted < len(images):
            return True
        again = self._taken_whole is not None and self._taken_whole() is images
        self._taken_whole = weakref.ref(images)
        return again

    def _forget_what_is_gone(self) -> None:
        """Free the memory of datasets that nobody has any more."""
        gone = [key for key, (images, labels, *_) in self._datasets.items() if images() is None or labels() is None]
        for key in gone:
            del self._datasets[key]
            self.generation += 1

    def _ring(self, dtype: np.dtype[Any], wanted: int) -> Ring:
        """A ring for images of this kind, of which a run has `wanted`."""
        ring, most = self._rings.get(dtype), max(self._batch, HALF // (self._size * dtype.itemsize))
        if ring is not None and (ring.half >= min(wanted, most) or ring.is_largest):
            return ring
        self.generation += ring is not None
        half, is_largest = (most, True) if ring else (max(self._batch, min(wanted, most)), False)
        self._rings.pop(dtype, None)
        while True:
            try:
                self._rings[dtype] = Ring(self._device, half, self._size, dtype, is_largest)
                return self._rings[dtype]
            except MemoryError:
                if half == self._batch:
                    raise
                half, is_largest = max(self._batch, half // 2), True


class Ring:
    """Two halves of `half` images each on the device, and a stage on the host for each of them.

    `is_largest`: no larger one is wanted, or fits.
    """

    def __init__(self, device: Device, half: int, size: int, dtype: np.dtype[Any], is_largest: bool) -> None:
        self.half, self.is_largest, self._size = half, is_largest, size
        self.images, self.labels = device.zeros(2 * half * size, dtype), device.zeros(2 * half, np.int32)
        self._stages: list[tuple[Stage, Stage]] = [
            (device.stage(half * size, dtype), device.stage(half, np.int32)) for _ in range(2)
        ]

    def split(self, counts: Array) -> Iterator[range]:
        """Steps in a row, as many as have at most `half` images together."""
        first, images = 0, 0
        for step, count in enumerate(counts.tolist()):
            if images + count > self.half:
                yield range(first, step)
                first, images = step, 0
            images += count
        yield range(first, len(counts))

    def send(self, half: int, batches: Batches, chosen: Array) -> None:
        """Gather the chosen images and labels, and send them to their half: what used it was launched before the last send."""
        images, labels = self._stages[half]
        images.free()
        labels.free()
        rows = images.values[: len(chosen) * self._size].reshape(len(chosen), *batches.images.shape[1:])
        np.take(batches.images, chosen, axis=0, out=rows, mode="clip")  # clip, since the default makes a copy first
        images.send(self.images, half * self.half * self._size, rows.size, overlap=True)
        if batches.labels is not None:
            labels.values[: len(chosen)] = batches.labels[chosen]
            labels.send(self.labels, half * self.half, len(chosen), overlap=True)
