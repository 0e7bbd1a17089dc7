"""Which GPUs there are, and the one sentence that says why none can be used."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest

from nncore.arrays import array_module
from nncore.backend import devices
from nncore.backend.cuda import gpus
from nncore.errors import DeviceError
from tests.nncore.fake_cupy import GB, Card, CudaError, fake_cupy, install, install_backend, install_broken, uninstall

INSUFFICIENT = CudaError(35, "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version")
NO_DEVICE = CudaError(100, "cudaErrorNoDevice: no CUDA-capable device is detected")
SMALL = Card("NVIDIA GeForce GTX 1650", 4 * GB, 100 * 2**20, (7, 5))
OLD = Card("NVIDIA GeForce GTX 1080", 8 * GB, 7 * GB, (6, 1))
TAKEN = Card(error=CudaError(46, "cudaErrorDevicesUnavailable: CUDA-capable device(s) is/are busy or unavailable"))
LOST = Card(is_lost=True)
FULL = Card(error=CudaError(2, "cudaErrorMemoryAllocation: out of memory"))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CUPY_CACHE_DIR", "")
    monkeypatch.setattr(devices, "_last_found", None)  # what a test finds is not for the next one


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (
            fake_cupy([LOST]),
            "The GPU cuda:0 cannot be used (cudaErrorLaunchFailure: unspecified launch failure); "
            "end what else uses it and start DigitLab again, or choose the device cpu.",
        ),
        (
            fake_cupy(error=INSUFFICIENT, driver=0),
            "There is no NVIDIA driver on this computer; install the one for its GPU, or choose the device cpu.",
        ),
        (
            fake_cupy(error=INSUFFICIENT, driver=11040),
            "The NVIDIA driver is too old: it knows CUDA 11.4, and the CuPy that is installed needs CUDA 12; "
            "install a newer driver, 525 or newer, or choose the device cpu.",
        ),
        (
            fake_cupy(error=INSUFFICIENT, driver=12080, runtime=13000),
            "The NVIDIA driver is too old: it knows CUDA 12.8, and the CuPy that is installed needs CUDA 13; "
            "install a newer driver, 580 or newer, or choose the device cpu.",
        ),
        (
            fake_cupy(error=NO_DEVICE),
            "There is no NVIDIA GPU in this computer that its driver can use; choose the device cpu.",
        ),
        (fake_cupy([]), "There is no NVIDIA GPU in this computer that its driver can use; choose the device cpu."),
        (
            fake_cupy(error=CudaError(999, "cudaErrorUnknown: unknown error")),
            "The NVIDIA driver reports an error (cudaErrorUnknown: unknown error); restart the computer, or choose the device cpu.",
        ),
        (
            fake_cupy([Card()], nvrtc=False),
            "CuPy does not find NVRTC, CUDA's compiler; install it: pip install 'digitlab[cuda12]'.",
        ),
        (
            fake_cupy([SMALL]),
            "NVIDIA GeForce GTX 1650 has 100 MB of its memory free, and a training takes at least 256 MB; "
            "end other programs that use it, or choose the device cpu.",
        ),
        (
            fake_cupy([FULL]),
            "NVIDIA H100 has 0 MB of its memory free, and a training takes at least 256 MB; "
            "end other programs that use it, or choose the device cpu.",
        ),
        (
            fake_cupy([OLD]),
            "NVIDIA GeForce GTX 1080 is too old: it has the compute capability 6.1, DigitLab needs 7.5; choose the device cpu.",
        ),
        (
            fake_cupy([TAKEN]),
            "NVIDIA H100 cannot be used (cudaErrorDevicesUnavailable: CUDA-capable device(s) is/are busy or unavailable); "
            "end what else uses it and start DigitLab again, or choose the device cpu.",
        ),
    ],
    ids=[
        "lost",
        "no driver",
        "old driver",
        "driver for 12",
        "no device",
        "none",
        "unknown",
        "no compiler",
        "little",
        "full",
        "old",
        "taken",
    ],
)
def test_why_there_is_no_gpu_is_one_sentence_and_the_cpu_is_taken(monkeypatch, module, said):
    install(monkeypatch, module)
    assert devices.why_not_cuda() == said
    assert devices.choose_device("auto") == "cpu"
    assert [choice.name for choice in devices.find_devices().devices] == ["cpu"]
    for ask in (gpus.find_gpus, gpus.first_gpu, lambda: gpus.get_gpu(0), lambda: devices.choose_device("cuda")):
        with pytest.raises(DeviceError) as caught:
            ask()
        assert str(caught.value) == said


def test_without_cupy_the_extra_is_named(monkeypatch):
    uninstall(monkeypatch)
    said = devices.why_not_cuda()
    assert said == (
        "CuPy, which DigitLab needs to use a GPU, is not installed; install DigitLab with the extra cuda12 or cuda13: "
        "pip install 'digitlab[cuda12]'."
    )
    assert devices.choose_device("auto") == "cpu" and len(devices.find_devices().devices) == 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise OSError(13, 'Permission denied', '/home/me/.cupy')", "[Errno 13] Permission denied: '/home/me/.cupy'"),
        (
            "try:\n  import no_such_library\nexcept ImportError as error:\n"
            "  raise ImportError('=====\\nFailed to import CuPy.\\nMany lines') from error",
            "No module named 'no_such_library'",
        ),
        ("raise RuntimeError", "RuntimeError"),
    ],
    ids=["a folder", "a library", "no words"],
)
def test_a_cupy_that_does_not_load_is_one_sentence(monkeypatch, tmp_path, source, reason):
    install_broken(monkeypatch, tmp_path, source)
    said = devices.why_not_cuda()
    assert said.startswith(f"CuPy is installed but cannot be loaded ({reason}); install it anew: ") and "\n" not in said
    assert devices.choose_device("auto") == "cpu"


def test_two_gpus_are_listed_with_their_memory(monkeypatch):
    install(monkeypatch, fake_cupy([Card(free=round(79.1 * GB)), Card("NVIDIA L4", 24 * GB, 20 * GB, (8, 9))]))
    assert devices.why_not_cuda() == ""
    cpu, *found = devices.find_devices().devices
    assert cpu.title == devices.get_backend("cpu").describe()
    assert [(choice.name, choice.title) for choice in found] == [
        ("cuda:0", "NVIDIA H100 · 79.1 of 80 GB free"),
        ("cuda:1", "NVIDIA L4 · 20.0 of 24 GB free"),
    ]
    for name, means in (("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu"), ("cuda-host", "cuda-host")):
        assert devices.choose_device(name) == means
    install(monkeypatch, fake_cupy([Card(), Card()]))
    assert [choice.label for choice in devices.find_devices().devices[1:]] == ["NVIDIA H100 (cuda:0)", "NVIDIA H100 (cuda:1)"]


def test_a_gpu_that_cannot_be_used_is_passed_over_but_told_who_names_it(monkeypatch):
    for card in (LOST, FULL, OLD):
        install(monkeypatch, fake_cupy([card, Card()]))
        assert devices.choose_device("auto") == devices.choose_device("cuda") == "cuda:1"
        assert [choice.name for choice in devices.find_devices().devices] == ["cpu", "cuda:1"]
    with pytest.raises(DeviceError, match=r"GTX 1080 is too old"):
        devices.choose_device("cuda:0")


def test_only_the_gpu_that_is_taken_is_used(monkeypatch):
    cards = [Card(), Card()]
    install(monkeypatch, fake_cupy(cards))
    devices.choose_device("auto")
    assert [card.looks for card in cards] == [1, 0]
    devices.choose_device("cuda:1")
    assert [card.looks for card in cards] == [1, 1]


def test_memory_that_this_program_holds_is_not_lacking(monkeypatch):
    """A GPU that a training runs on stays a device to choose."""
    install(monkeypatch, fake_cupy([Card(free=10 * 2**20, own=GB)]))
    assert devices.choose_device("auto") == "cuda:0"
    assert devices.find_devices().best.title == "NVIDIA H100 · 0.0 of 80 GB free"


def test_a_number_that_no_gpu_has(monkeypatch):
    install(monkeypatch, fake_cupy([Card()]))
    with pytest.raises(DeviceError) as caught:
        devices.choose_device("cuda:7")
    assert str(caught.value) == "There is no GPU number 7; there is one, cuda:0 (NVIDIA H100)."
    install(monkeypatch, fake_cupy([Card(), OLD]))
    with pytest.raises(DeviceError, match=r"there are cuda:0 \(NVIDIA H100\) and cuda:1 \(NVIDIA GeForce GTX 1080\)\."):
        devices.choose_device("cuda:2")


@pytest.mark.parametrize("name", ["abacus", "cuda:", "cuda:x", "cuda:-1", "cuda:²", "CPU", "", "cuda:1 "])
def test_names_that_no_device_has(name):
    for ask in (devices.choose_device, devices.get_backend):
        with pytest.raises(DeviceError, match=r"There is no device called .*; there are .*cpu, cuda"):
            ask(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "cuda-host"])
def test_the_backend_of_a_gpu_is_told_which_one(monkeypatch, name):
    install_backend(monkeypatch)
    assert devices.get_backend(name).name == name


def test_cupy_is_not_imported_for_the_cpu(tmp_path):
    """Nor when the program starts, nor where a GPU is not asked for."""
    (tmp_path / "cupy.py").write_text("raise SystemExit('CuPy was imported')")
    code = (
        "import sys; from app.cli import build_parser; from nncore.backend.devices import choose_device, get_backend;"
        "build_parser(); get_backend(choose_device('cpu')).describe(); print('cupy' in sys.modules)"
    )
    path = os.pathsep.join((str(tmp_path), *sys.path))
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_networks_are_built_while_another_thread_imports_cupy(monkeypatch):
    """Then there is a module called cupy that has no arrays yet."""
    monkeypatch.setitem(sys.modules, "cupy", ModuleType("cupy"))
    assert array_module(np.zeros(3)) is np


@pytest.mark.parametrize(("chosen", "expected"), [("", "{cache}/digitlab/cupy"), ("/elsewhere", "/elsewhere")])
def test_cupy_keeps_its_kernels_with_the_others(monkeypatch, tmp_path, chosen, expected):
    monkeypatch.setenv("CUPY_CACHE_DIR", chosen)
    install_broken(monkeypatch, tmp_path, "import os; raise OSError(os.environ['CUPY_CACHE_DIR'])")
    with pytest.raises(DeviceError, match=expected.format(cache=tmp_path / "cache").replace("/", ".")):
        gpus.import_cupy()


def test_cupy_has_a_folder_where_the_cache_takes_no_files(monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    install_broken(monkeypatch, tmp_path, "import os; raise OSError(os.environ['CUPY_CACHE_DIR'])")
    with pytest.raises(DeviceError, match="digitlab-cache-"):
        gpus.import_cupy()
