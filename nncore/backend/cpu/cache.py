"""Where compiled kernels are kept, and whether they are there. Needs no Numba, so that asking costs nothing."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from nncore.paths import cache_folder


@functools.cache
def kernel_folder() -> Path:
    """The folder of compiled kernels: one for each state of this package's sources.

    Numba would otherwise look at a function's own file alone, and miss a change in the kernels that it calls.
    """
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in (*sorted(here.glob("*.py")), here.parent / "variations.py"):
        digest.update(path.read_bytes())
    return cache_folder() / f"kernels-{digest.hexdigest()[:16]}"


def is_complete() -> bool:
    """Whether every kernel has been compiled on this machine: then nothing ever waits for a compiler."""
    return (kernel_folder() / "complete").exists()


def note_complete() -> None:
    """Say that every kernel has been compiled."""
    kernel_folder().mkdir(parents=True, exist_ok=True)
    (kernel_folder() / "complete").touch()
