"""The import of CuPy, with the compiled kernels that it keeps on disk in this program's own cache."""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from nncore.backend.cpu.cache import takes_files
from nncore.paths import cache_folder


def import_cupy() -> ModuleType:
    """The module `cupy`. Raises whatever its import raises: ImportError, OSError where a library cannot be loaded, or others.

    The first call takes half a second. CuPy keeps compiled kernels in the program's cache folder, unless the user has set
    CUPY_CACHE_DIR; it reads that variable while it is imported.
    """
    if "cupy" not in sys.modules and not os.environ.get("CUPY_CACHE_DIR"):
        os.environ["CUPY_CACHE_DIR"] = str(_kernel_folder())
    return importlib.import_module("cupy")


def _kernel_folder() -> Path:
    """Where CuPy keeps kernels: with the program's other ones, or for this process alone where that takes no files."""
    usual = cache_folder() / "cupy"
    if takes_files(usual):
        return usual
    own = Path(tempfile.mkdtemp(prefix="digitlab-cache-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own
