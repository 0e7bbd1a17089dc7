"""Every call that cupy_device.py makes, made on the real CuPy where no driver is: it must end in CUDA's own "no driver".

So each name, each keyword and each type is as CuPy has it. What the calls do is seen on a GPU only.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

if importlib.util.find_spec("cupy") is None:
    pytest.skip("CuPy is not installed", allow_module_level=True)

from nncore.backend.cuda.cupy_device import OPTIONS, CupyDevice
from nncore.backend.cuda.cupy_errors import translated
from nncore.backend.cuda.cupy_import import import_cupy
from nncore.errors import DeviceError

cupy: Any = import_cupy()
runtime, cuda = cupy.cuda.runtime, cupy.cuda

pytestmark = pytest.mark.skipif(runtime.driverGetVersion() > 0, reason="an NVIDIA driver is here")

SOURCE = "template <int K> __global__ void f(int* x) { *x = K; }"
CALLS: dict[str, Callable[[], Any]] = {
    "getDeviceCount": lambda: runtime.getDeviceCount(),
    "getDeviceProperties": lambda: runtime.getDeviceProperties(0),
    "with Device": lambda: cuda.Device(0).__enter__(),
    "compute_capability": lambda: cuda.Device(0).compute_capability,
    "mem_info": lambda: cuda.Device(0).mem_info,
    "Event": lambda: cuda.Event(block=True, disable_timing=True),
    "alloc": lambda: cuda.alloc(1),
    "alloc_pinned_memory": lambda: cuda.alloc_pinned_memory(4),
    "from_pointer": lambda: cuda.device.from_pointer(1 << 20),
    "zeros": lambda: cupy.zeros(4, np.float32),
    "asarray": lambda: cupy.asarray(np.zeros(4, np.float32)),
    "free_all_blocks": lambda: cupy.get_default_memory_pool().free_all_blocks(),
    "free_bytes": lambda: cupy.get_default_memory_pool().free_bytes(),
    "used_bytes": lambda: cupy.get_default_memory_pool().used_bytes(),
    "get_limit": lambda: cupy.get_default_memory_pool().get_limit(),
    "get_function": lambda: cupy.RawModule(code=SOURCE, options=OPTIONS, name_expressions=["f<3>"]).get_function("f<3>"),
    # Objects that only a driver could make are called by what they call.
    "Stream": lambda: runtime.streamCreateWithPriority(runtime.streamNonBlocking, 0),
    "Stream.record": lambda: runtime.eventRecord(0, 0),
    "Stream.wait_event": lambda: runtime.streamWaitEvent(0, 0),
    "Event.synchronize": lambda: runtime.eventSynchronize(0),
    "Stream.begin_capture": lambda: runtime.streamBeginCapture(0, runtime.streamCaptureModeThreadLocal),
    "Stream.end_capture": lambda: runtime.streamEndCapture(0),
    "Graph": lambda: runtime.graphInstantiate(0),
    "Graph.upload": lambda: runtime.graphUpload(0, 0),
    "Graph.launch": lambda: runtime.graphLaunch(0, 0),
    "set and get": lambda: runtime.memcpyAsync(0, 0, 0, runtime.memcpyHostToDevice, 0),
    "memset of zeros": lambda: runtime.memsetAsync(0, 0, 0, 0),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_every_call_ends_in_no_driver(call: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError) as caught:
        call()
    assert caught.value.status == 35  # type: ignore[attr-defined]
    assert isinstance(translated(caught.value), DeviceError)


def test_the_device_itself_says_so_in_a_sentence() -> None:
    with pytest.raises(DeviceError, match=r"CUDA error 35, cudaErrorInsufficientDriver: .*; choose the device cpu\.$"):
        CupyDevice()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (cuda.Stream, "__enter__ __exit__ record wait_event begin_capture end_capture"),
        (cuda.Event, "record synchronize done"),
        (cuda.Graph, "upload launch"),
        (cuda.Device, "__enter__ __exit__"),
        (cupy.ndarray, "set get __getitem__ shape dtype"),
        (cupy.RawKernel, "__call__"),
    ],
)
def test_what_only_a_driver_could_make_has_the_methods_that_are_called(kind: type, names: str) -> None:
    assert [name for name in names.split() if not hasattr(kind, name)] == []


def test_a_copy_to_the_host_need_not_be_waited_for() -> None:
    assert "out=None, blocking=True)" in cupy.ndarray.get.__doc__


def test_the_errors_are_called_as_they_are_looked_for() -> None:
    assert isinstance(translated(runtime.CUDARuntimeError(719)), DeviceError)
    of_driver = cuda.driver.CUDADriverError.__new__(cuda.driver.CUDADriverError)  # making one in full asks the driver for its words
    of_driver.status = 2
    assert isinstance(translated(of_driver), MemoryError)
    assert issubclass(cuda.memory.OutOfMemoryError, MemoryError)
    assert issubclass(cuda.compiler.CompileException, Exception)


def test_importing_cupy_says_nothing() -> None:
    """All tests run with warnings as errors, and CuPy is imported by some."""
    subprocess.run([sys.executable, "-W", "error", "-c", "import cupy"], check=True, stderr=subprocess.PIPE)
