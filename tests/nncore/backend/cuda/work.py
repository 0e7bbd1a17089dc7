"""Work for a device, made of a few of the engine's kernels: launched, captured, and streamed through two halves of a buffer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nncore.backend.cuda.device import At, Device, Launch
from nncore.backend.cuda.host import HostDevice
from nncore.backend.cuda.sources import Instance, kernels

BATCH, SIZE, OUT, STEPS = 5, 12, 3, 4
IMAGES = np.random.default_rng(1).integers(0, 256, (9, SIZE), np.uint8)
WEIGHT = np.random.default_rng(2).standard_normal((SIZE, OUT), np.float32)
ORDER = np.random.default_rng(3).integers(0, 9, STEPS * BATCH, np.int32)


def launch(kernel: str, instance: Instance, threads: int, *arguments: Any) -> Launch:
    """One block of a kernel, its arguments in the order of its parameters."""
    named = dict(zip(kernels()[kernel].parameters, arguments, strict=True))
    return Launch(kernel, instance, (1, 1, 1), (threads, 1, 1), named)


class Work:
    """A few of the engine's kernels that hang together: batches are taken, and sums of products added up over the steps."""

    def __init__(self, device: Device, half: int = 0) -> None:
        self.device = device
        self.images, self.order = device.zeros(2 * IMAGES.size, np.uint8), device.zeros(ORDER.size, np.int32)
        self.clock, self.x = device.zeros(3, np.int32), device.zeros(BATCH * SIZE, np.float32)
        self.weight, self.sums = device.zeros(WEIGHT.size, np.float32), device.zeros(2 * BATCH * OUT, np.float32)
        device.put(self.images, IMAGES)
        device.put(self.order, ORDER)
        device.put(self.weight, WEIGHT)
        self.half = half

    def launches(self) -> list[Launch]:
        images, x, weight = At(self.images, self.half * IMAGES.size), At(self.x), At(self.weight)
        sums, total, clock = At(self.sums), At(self.sums, BATCH * OUT), At(self.clock)
        pitch = BATCH * OUT
        return [
            launch("take", ("Byte",), 256, images, At(self.order), clock, 1 / 255, x, SIZE, SIZE, SIZE, SIZE, BATCH, 0, BATCH),
            launch(
                "product", (32,), 64, x, None, SIZE, 1, weight, None, OUT, 1, sums, OUT, pitch, None, 0, BATCH, OUT, SIZE, SIZE, 0
            ),
            launch("finish", (), 256, sums, 2, pitch, weight, total, OUT, 0, pitch),
            launch("tick", (), 1, clock),
        ]

    def result(self) -> bytes:
        return self.device.get(self.sums).tobytes() + self.device.get(self.clock, 2).tobytes()


def on_host(run: Callable[[Device], bytes]) -> bytes:
    return run(HostDevice())


def launched(device: Device) -> bytes:
    with device:
        work = Work(device)
        for _ in range(STEPS):
            device.run(work.launches())
        return work.result()


def captured(device: Device) -> bytes:
    with device:
        work = Work(device)
        again = device.record(work.launches())
        for _ in range(STEPS):
            again()
        return work.result()


def streamed(device: Device) -> bytes:
    """Five blocks of images through the two halves of one buffer, each learnt from while the next is being copied."""
    with device:
        work = [Work(device), Work(device, 1)]
        work[1].images, work[1].sums, work[1].clock = work[0].images, work[0].sums, work[0].clock
        device.put(work[0].images, np.zeros_like(IMAGES))
        again = [device.record(half.launches()) for half in work]
        stages = [device.stage(IMAGES.size, np.uint8) for _ in work]
        for block in range(5):
            stage, half = stages[block % 2], block % 2
            stage.free()
            stage.values[...] = IMAGES.ravel() + np.uint8(block)
            stage.send(work[0].images, half * IMAGES.size, IMAGES.size, overlap=block > 0)
            device.put(work[0].clock, np.zeros(2, np.int32))
            again[half]()
            again[half]()
        return work[0].result()
