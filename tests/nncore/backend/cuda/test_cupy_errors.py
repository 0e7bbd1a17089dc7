"""What CUDA reports arrives as this program's own errors, each in one sentence."""

from __future__ import annotations

import pytest

from nncore.backend.cuda.cupy_errors import translating
from nncore.errors import DeviceError
from tests.nncore.backend.cuda.cupy_standin_streams import CUDADriverError, CUDARuntimeError


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (CUDARuntimeError(2), MemoryError, "no memory left"),
        (CUDADriverError(2), MemoryError, "no memory left"),
        (CUDARuntimeError(35), DeviceError, "no NVIDIA driver, or one too old"),
        (CUDARuntimeError(700), DeviceError, "stopped answering"),
        (CUDADriverError(214), DeviceError, "stopped answering"),
        (CUDARuntimeError(999), DeviceError, "stopped answering"),
        (CUDARuntimeError(46), DeviceError, "stopped answering"),
        (CUDADriverError(1), DeviceError, r"refused .*cudaErrorOfNumber1: words of CUDA's\); choose the device cpu\.$"),
        (RuntimeError("one of Python's"), RuntimeError, "one of Python's"),
        (KeyError("x"), KeyError, "x"),
    ],
)
def test_errors_in_words(error: Exception, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words), translating():
        raise error
