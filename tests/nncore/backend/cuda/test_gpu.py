"""The class that talks to CuPy on a real GPU: what no stand-in can show."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nncore.backend.cuda.cupy_device import STAGED, CupyDevice
from nncore.backend.cuda.device import Device
from tests.nncore.backend.cuda.work import STEPS, Work, captured, launched, on_host, streamed

pytestmark = pytest.mark.gpu

ROOT = Path(__file__).parents[4]
OUTSIDE = """
from nncore.backend.cuda.cupy_device import CupyDevice
from nncore.backend.cuda.device import At
from nncore.errors import DeviceError
from tests.nncore.backend.cuda.work import launch

device = CupyDevice()
cuda = device._cupy.cuda
nowhere = device._cupy.ndarray(3, "int32", cuda.MemoryPointer(cuda.UnownedMemory(64, 12, None, 0), 0))
try:
    device.run([launch("tick", (), 1, At(nowhere))])
    device.wait()
except DeviceError as error:
    print(error)
"""
"""A kernel that writes where there is no memory. The process can use the GPU no more."""


def values(result: bytes) -> tuple[np.ndarray, np.ndarray]:
    return np.frombuffer(result[:-8], np.float32), np.frombuffer(result[-8:], np.int32)


@pytest.mark.parametrize("run", [launched, captured, streamed])
def test_operations_agree_with_the_host_and_twice_to_the_bit(run: Callable[[Device], bytes]) -> None:
    first, second = run(CupyDevice()), run(CupyDevice())
    assert first == second
    (sums, clock), (expected, steps) = values(first), values(on_host(run))
    assert clock.tolist() == steps.tolist()
    assert np.abs(sums - expected).max() <= 1e-5 * np.abs(expected).max()


def test_operations_launched_and_captured_have_the_same_bits() -> None:
    assert launched(CupyDevice()) == captured(CupyDevice())


@pytest.mark.parametrize("size", [1, 1000, STAGED // 4 + 1])
def test_operations_on_values_that_are_changed_at_once_after_they_were_put(size: int) -> None:
    device, given = CupyDevice(), np.arange(size, dtype=np.float32)
    buffers = [device.zeros(size, np.float32) for _ in range(20)]
    for number, buffer in enumerate(buffers):
        given += 1
        device.put(buffer, given)
        given[0] = -number
    found = [device.get(buffer) for buffer in buffers]
    assert all(np.array_equal(array[1:], np.arange(1, size) + number + 1) for number, array in enumerate(found))
    assert [array[0] for array in found] == [1, *(1.0 - number for number in range(19))]


def test_stretches_of_threads_that_take_turns() -> None:
    device, errors = CupyDevice(), []
    with device:
        work = Work(device)
        again = device.record(work.launches())
        again()

    def turn(call: Callable[[], object]) -> None:
        def run() -> None:
            try:
                call()
            except Exception as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    turn(again)
    turn(lambda: device.record(work.launches())())
    for _ in range(STEPS - 3):
        turn(lambda: device.run(work.launches()))
    assert not errors
    assert work.result() == launched(CupyDevice())


def test_memory_that_is_not_there() -> None:
    device = CupyDevice()
    before = device.free_memory()
    with pytest.raises(MemoryError):
        device.zeros(before + 2**20, np.uint8)
    kept = device.zeros(before // 2, np.uint8)
    assert device.free_memory() <= before - len(kept)
    assert device.get(kept, 10).tolist() == [0] * 10
    del kept
    assert device.free_memory() >= before - 2**24


def test_what_it_says_of_itself() -> None:
    device = CupyDevice()
    assert device.architecture.startswith("sm_")
    assert device.describe().endswith(" GB")


def test_a_gpu_that_is_lost_ends_in_one_sentence() -> None:
    done = subprocess.run([sys.executable, "-c", OUTSIDE], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.stdout.startswith("The GPU has stopped answering (CUDA error 700, cudaErrorIllegalAddress"), done.stderr
    assert done.stdout.count("\n") == 1
