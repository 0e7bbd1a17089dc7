"""What CUDA reports, in the words of this program. Knows CuPy's errors by their names, so that it need not be imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nncore.errors import DeviceError

OUT_OF_MEMORY, NO_DRIVER = 2, 35
LOST = {4, 46, 100, 101, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 999}
"""Numbers of errors (cudaError_t) after which CUDA answers nothing more to this process: a kernel that failed or ran too long,
memory with errors, a GPU that is gone."""


def translated(error: BaseException) -> Exception | None:
    """MemoryError where CUDA has no memory left (also none that can be page-locked), DeviceError for its other errors.

    None for everything else.
    """
    if type(error).__name__ not in ("CUDARuntimeError", "CUDADriverError"):
        return None
    status = int(error.status)  # type: ignore[attr-defined]
    said = f"CUDA error {status}, {error}"
    if status == OUT_OF_MEMORY:
        return MemoryError(f"The GPU has no memory left ({said}).")
    if status == NO_DRIVER:
        return DeviceError(f"There is no NVIDIA driver, or one too old for this CuPy ({said}); choose the device cpu.")
    if status in LOST:
        return DeviceError(
            f"The GPU has stopped answering ({said}); start DigitLab again to use it, "
            "or choose the device cpu, on which it goes on at once."
        )
    return DeviceError(f"The GPU has refused what it was asked to do ({said}); choose the device cpu.")


@contextmanager
def translating() -> Iterator[None]:
    """Raise CUDA's errors as this program's own: see `translated`."""
    try:
        yield
    except RuntimeError as error:
        if (ours := translated(error)) is not None:
            raise ours from error
        raise
