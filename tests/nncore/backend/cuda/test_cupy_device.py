"""The class that talks to CuPy, on a stand-in for CuPy, against the host device: to the same bits, and without misuse."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nncore.backend.cuda import cupy_device
from nncore.backend.cuda.cupy_device import CupyDevice
from nncore.backend.cuda.device import At, Device, Launch, checked
from nncore.backend.cuda.sources import kernels
from nncore.errors import DeviceError
from tests.nncore.backend.cuda.cupy_standin import FakeCupy
from tests.nncore.backend.cuda.cupy_standin_streams import CompileException, CUDADriverError, CUDARuntimeError, Misuse
from tests.nncore.backend.cuda.work import IMAGES, STEPS, Work, captured, launch, launched, on_host, streamed


@pytest.mark.parametrize("run", [launched, captured, streamed])
def test_the_same_bits_as_the_host_device(fake: FakeCupy, run: Callable[[Device], bytes]) -> None:
    assert run(CupyDevice()) == on_host(run)


def test_without_being_entered_everything_still_runs_on_its_own_gpu_and_stream(fake: FakeCupy) -> None:
    device = CupyDevice(1)
    work = Work(device)
    again = device.record(work.launches())
    device.run(work.launches())
    for _ in range(STEPS - 1):
        again()
    assert work.result() == on_host(launched)
    assert work.sums.memory.device == 1


def test_threads_take_turns(fake: FakeCupy) -> None:
    """What one thread has recorded another one runs; a third that has never seen CUDA records."""
    device, found = CupyDevice(), []
    with device:
        work = Work(device)
        again = device.record(work.launches())
        again()
    in_thread(lambda: again())
    in_thread(lambda: device.record(work.launches())())
    in_thread(lambda: device.run(work.launches()))
    in_thread(lambda: found.append(work.result()))
    assert found == [on_host(launched)]


def in_thread(call: Callable[[], Any]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def test_whoever_has_entered_keeps_other_threads_out(fake: FakeCupy) -> None:
    device, order = CupyDevice(), []

    def second() -> None:
        waiting.set()
        with device:
            order.append("second")

    waiting, thread = threading.Event(), threading.Thread(target=second)
    with device:
        thread.start()
        waiting.wait()
        device.put(device.zeros(3, np.float32), np.ones(3, np.float32))
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_the_callers_gpu_and_stream_are_restored(fake: FakeCupy) -> None:
    first, second = CupyDevice(0), CupyDevice(1)
    before = list(fake.here.streams)
    with pytest.raises(KeyError), first, second, first:
        assert fake.here.device == 0
        raise KeyError
    assert fake.here.device == 0
    assert fake.here.streams == before
    with second:
        first.wait()
        assert fake.here.device == 1


@pytest.mark.parametrize("staged", [cupy_device.STAGED, 4], ids=["page-locked", "waits"])
def test_values_may_be_changed_as_soon_as_they_have_been_put(fake: FakeCupy, monkeypatch: pytest.MonkeyPatch, staged: int) -> None:
    monkeypatch.setattr(cupy_device, "STAGED", staged)
    device = CupyDevice()
    buffer, values = device.zeros(6, np.float32), np.arange(6, dtype=np.float32).reshape(2, 3)
    device.put(buffer, values.T)
    values[...] = -1
    ready = np.arange(6, dtype=np.float32)
    device.put(other := device.zeros(6, np.float32), ready)
    ready[...] = -1
    for value in range(3):  # the page-locked memory of the first is not lent to these
        device.put(device.zeros(6, np.float32), np.full(6, value, np.float32))
    assert device.get(buffer).tolist() == [0, 3, 1, 4, 2, 5]
    assert device.get(other, 2).tolist() == [0, 1]
    device.put(buffer, np.zeros(0, np.float32))
    assert device.get(buffer, 0).tolist() == []


@pytest.mark.parametrize("staged", [cupy_device.STAGED, 4], ids=["page-locked", "ordinary"])
def test_what_was_got_stays_as_it_is(fake: FakeCupy, monkeypatch: pytest.MonkeyPatch, staged: int) -> None:
    """Also in page-locked memory, which many share: by those that are got later, and those that are put."""
    monkeypatch.setattr(cupy_device, "STAGED", staged)
    device, found = CupyDevice(), []
    buffer = device.zeros(6, np.float32)
    for value in range(4):
        device.put(buffer, np.full(6, value, np.float32))
        found.append(device.get(buffer, 3))
    assert [values.tolist() for values in found] == [[value] * 3 for value in range(4)]


def test_a_copy_to_the_host_goes_to_page_locked_memory_and_is_waited_for_once(
    fake: FakeCupy, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, waits, wait = CupyDevice(), [], CupyDevice.wait
    buffer = device.zeros(6, np.float32)
    monkeypatch.setattr(CupyDevice, "wait", lambda device: waits.append(wait(device)))
    assert fake.is_page_locked(device.get(buffer))
    assert len(waits) == 1


def test_page_locked_memory_is_let_go_when_its_copy_is_done(fake: FakeCupy) -> None:
    device = CupyDevice()
    buffer = device.zeros(6, np.float32)
    for _ in range(20):
        device.put(buffer, np.ones(6, np.float32))
        device.wait()
    assert len(device._on_their_way) == 1


def test_a_copy_runs_beside_the_work_that_does_not_need_it(install: Callable[[FakeCupy], FakeCupy]) -> None:
    fake = install(FakeCupy(early=True))
    device = CupyDevice()
    work = Work(device)
    stage, other = (device.stage(IMAGES.size, np.uint8) for _ in range(2))
    device.load(launch.key for launch in work.launches())
    for overlap in (False, True):
        stage.send(work.images, 0, IMAGES.size)
        device.wait()
        device.run(work.launches())
        fake.log.clear()
        other.send(work.images, IMAGES.size, IMAGES.size, overlap=overlap)
        assert fake.log == (["copy"] if overlap else [])
        device.wait()
        assert fake.log == (["copy"] + 4 * ["kernel"] if overlap else 4 * ["kernel"] + ["copy"])


def test_a_stage_that_is_filled_before_it_is_free_is_noticed(fake: FakeCupy) -> None:
    device = CupyDevice()
    buffer, stage = device.zeros(4, np.float32), device.stage(4, np.float32)
    stage.values[...] = 1
    device.run([])
    stage.send(buffer, 0, 4)
    if not fake.early:
        stage.values[...] = 2
        with pytest.raises(Misuse, match="changed while it was on its way"):
            device.wait()


def test_a_stage_that_nobody_holds_still_arrives(fake: FakeCupy) -> None:
    device = CupyDevice()
    buffer, stage = device.zeros(4, np.float32), device.stage(4, np.float32)
    stage.values[...] = 1
    stage.send(buffer, 0, 4)
    del stage
    device.stage(4, np.float32).values[...] = 3
    assert device.get(buffer).tolist() == [1, 1, 1, 1]


def test_a_copy_does_not_overtake_the_zeros_of_its_buffer(fake: FakeCupy) -> None:
    device = CupyDevice()
    stages = [device.stage(4, np.float32) for _ in range(2)]
    for stage in stages:
        buffer = device.zeros(4, np.float32)
        stage.values[...] = 1
        stage.send(buffer, 0, 4, overlap=True)
        assert device.get(buffer).tolist() == [1, 1, 1, 1]


def test_an_array_for_array_code_belongs_to_the_callers_stream(fake: FakeCupy) -> None:
    before = fake.here.streams[-1]
    array: Any = CupyDevice(1).asarray(np.arange(3))
    assert (array.values.tolist(), array.device, array.stream) == ([0, 1, 2], 1, before)
    assert fake.here.device == 0


def test_a_recorded_graph_keeps_its_buffers(fake: FakeCupy) -> None:
    device = CupyDevice()
    work = Work(device)
    again, sums = device.record(work.launches()), work.sums
    clock = work.clock
    del work
    for _ in range(STEPS):
        again()
    assert device.get(sums).tobytes() + device.get(clock, 2).tobytes() == on_host(launched)


def test_launches_that_are_recorded_many_times_are_prepared_once(fake: FakeCupy, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[Launch] = []

    def noted(launch: Launch) -> list[Any]:
        prepared.append(launch)
        return list(checked(launch))

    monkeypatch.setattr(cupy_device, "checked", noted)
    device = CupyDevice()
    work = Work(device)
    launches = work.launches()
    device.record(launches * STEPS)()
    assert prepared == launches
    assert work.result() == on_host(launched)


def test_kernels_are_compiled_once_for_each_gpu_and_only_those_asked_for(fake: FakeCupy) -> None:
    keys = [("take", ("Byte",)), ("finish", ()), ("tick", ())]
    device = CupyDevice(0)
    assert not device.has(keys[0])
    device.load(keys)
    device.load(keys)
    CupyDevice(0).load(keys[:1])
    take, finish, tick = (kernels()[name].expression(instance) for name, instance in keys)
    assert fake.compiled == [(0, (finish,)), (0, (take, tick)), (0, (take, tick))]
    assert device.has(keys[0])
    CupyDevice(1).load(keys[1:2])
    assert fake.compiled[3:] == [(1, (finish,))]
    assert not device.has(("take", ("float",)))


@pytest.mark.parametrize(
    "error",
    [
        CompileException("take.cu(3): error: no such thing"),
        OSError(28, "No such space left on device"),
        RuntimeError("CuPy failed to load libnvrtc.so.12: no such file"),
    ],
)
def test_kernels_that_cannot_be_compiled_are_told_in_one_sentence(fake: FakeCupy, error: Exception) -> None:
    device = CupyDevice()
    fake.broken_compiler = error
    with pytest.raises(DeviceError, match=r"^CuPy could not compile .*[Nn]o such.*; choose the device cpu\.$"):
        device.load([("tick", ())])
    fake.broken_compiler = CUDARuntimeError(719)
    with pytest.raises(DeviceError, match="stopped answering"):
        device.load([("tick", ())])
    fake.broken_compiler = None
    device.load([("tick", ())])


def test_wrong_arguments_are_refused_while_recording_and_the_device_goes_on(fake: FakeCupy) -> None:
    device = CupyDevice()
    work = Work(device)
    wrong = [*work.launches(), launch("tick", (), 1, At(work.sums))]
    with pytest.raises(TypeError, match="clock"):
        device.record(wrong)
    again = device.record(work.launches())
    for _ in range(STEPS):
        again()
    assert work.result() == on_host(launched)


@pytest.mark.parametrize("collects", [True, False])
def test_a_capture_that_fails_ends_and_garbage_is_collected_as_before(fake: FakeCupy, collects: bool) -> None:
    device = CupyDevice()
    work = Work(device)
    device.run(work.launches())
    before = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        key = (0, ("tick", ()))
        function, cupy_device._functions[key] = cupy_device._functions[key], failing
        with pytest.raises(DeviceError, match="701"):
            device.record(work.launches())
        assert gc.isenabled() == collects
        cupy_device._functions[key] = function
        again = device.record(work.launches())
        assert gc.isenabled() == collects
    finally:
        (gc.enable if before else gc.disable)()
    for _ in range(STEPS - 1):
        again()
    assert work.result() == on_host(launched)


def test_garbage_waits_for_the_last_of_captures_that_overlap(fake: FakeCupy) -> None:
    """Two threads capture; while the second still does, the first one is done."""
    before, device, seen = gc.isenabled(), CupyDevice(), []
    work = Work(device)
    device.load(launch.key for launch in work.launches())
    begun, may_end = threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        begun.set()
        may_end.wait()
        seen.append(gc.isenabled())

    other = CupyDevice()
    key = (0, ("tick", ()))
    function = cupy_device._functions[key]
    gc.enable()
    try:
        cupy_device._functions[key] = lambda *_: in_between()

        def in_between() -> None:  # the first capture is under way: the second begins
            cupy_device._functions[key] = slow
            thread.start()
            begun.wait()

        thread = threading.Thread(target=lambda: other.record([launch("tick", (), 1, At(work.clock))]))
        device.record([launch("tick", (), 1, At(work.clock))])
        may_end.set()
        thread.join()
        assert seen == [False]
        assert gc.isenabled()
    finally:
        cupy_device._functions[key] = function
        (gc.enable if before else gc.disable)()


def failing(*_: object) -> None:
    raise CUDADriverError(701)


def test_out_of_memory_is_a_memory_error_after_everything_unused_was_given_back(install: Callable[[FakeCupy], FakeCupy]) -> None:
    fake = install(FakeCupy(memory=10_000))
    device = CupyDevice()
    kept = device.zeros(4000, np.uint8)
    for size in (1000, 2000, 3000, 5000):  # each is unused again at once; no piece is large enough for the next
        device.zeros(size, np.uint8)
    with pytest.raises(MemoryError, match="Out of memory allocating"):
        device.zeros(1700, np.float32)
    assert fake.cached == 0
    assert device.get(kept).max() == 0
    assert len(device.zeros(0, np.float32)) == 1


def test_free_memory_counts_what_the_pool_keeps_and_heeds_a_limit(install: Callable[[FakeCupy], FakeCupy]) -> None:
    fake = install(FakeCupy(memory=10_000))
    device = CupyDevice()
    before = device.free_memory()
    kept = device.zeros(1000, np.uint8)
    device.zeros(3000, np.uint8)
    assert device.free_memory() == before - len(kept)
    fake.limit = 2000
    assert device.free_memory() == 2000 - fake.used


def test_without_page_locked_memory_a_stage_is_a_memory_error(fake: FakeCupy) -> None:
    device = CupyDevice()
    fake.page_locked = 100
    with pytest.raises(MemoryError, match="CUDA error 2"):
        device.stage(101, np.uint8)
    assert len(device.stage(25, np.float32).values) == 25


@pytest.mark.parametrize("run", [launched, captured, streamed])
def test_a_gpu_that_is_lost_at_any_call_ends_in_one_sentence(install: Callable[[FakeCupy], FakeCupy], run: Any) -> None:
    whole = install(FakeCupy())
    run(CupyDevice())
    for calls in range(whole.calls):
        fake = install(FakeCupy())
        fake.lost = (calls, 719)
        with pytest.raises(DeviceError, match=r"^The GPU has stopped answering \(CUDA error 719, .*\); start DigitLab again .*\.$"):
            run(CupyDevice())
        assert (fake.here.device, len(fake.here.streams), fake.here.captures) == (0, 1, 0)


def test_a_graph_that_cannot_be_launched_is_told_in_words(fake: FakeCupy) -> None:
    device = CupyDevice()
    again = device.record([])
    fake.lost = (0, 719)
    with pytest.raises(DeviceError, match="stopped answering"):
        again()


def test_a_gpu_that_is_not_there(fake: FakeCupy) -> None:
    for number in (2, -1):
        with pytest.raises(DeviceError, match=f"no GPU number {number}: .* CUDA finds 2"):
            CupyDevice(number)


def test_what_it_says_of_itself(fake: FakeCupy) -> None:
    device = CupyDevice(1)
    assert (device.name, device.architecture, device.describe()) == ("cuda:1", "sm_90", "Standin 9 · 1 GB")
