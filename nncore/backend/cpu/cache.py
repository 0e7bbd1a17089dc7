"""Where compiled kernels are kept, and whether they are there. Needs no Numba, so that asking costs nothing."""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from nncore.paths import cache_folder

ROOM = 32 * 2**20
"""Bytes that must be free where kernels are to be kept: all of them together take a third of it."""


@functools.cache
def kernel_folder() -> Path:
    """The folder of compiled kernels: one for each state of this package's sources. It exists and can be written to.

    Numba would otherwise look at a function's own file alone, and miss a change in the kernels that it calls. Where it can write
    to no folder it would fall back to one beside the sources; so where the user's cache folder takes nothing, a temporary folder
    of the user's stands in for it, and where there is none either, one of this process's.
    """
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in (*sorted(here.rglob("*.py")), here.parent / "variations.py"):
        digest.update(path.read_bytes())
    name = f"kernels-{digest.hexdigest()[:16]}"
    usual = cache_folder() / name
    if takes_files(usual):
        return usual
    shared = Path(tempfile.gettempdir()) / f"digitlab-cache-{_user()}"
    with suppress(OSError):
        shared.mkdir(mode=0o700, exist_ok=True)
        if is_ours(shared) and takes_files(shared / name):
            return shared / name
    own = Path(tempfile.mkdtemp(prefix="digitlab-cache-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def takes_files(folder: Path) -> bool:
    """Whether the folder is there, or could be made, takes files, and has room for the kernels that it does not hold yet."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        return (folder / "complete").exists() or shutil.disk_usage(folder).free >= ROOM
    except OSError:
        return False


def is_ours(folder: Path) -> bool:
    """Whether nobody else can have put anything into the folder: Numba runs what it finds in its cache."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o077)


def is_complete() -> bool:
    """Whether every kernel has been compiled on this machine: then nothing ever waits for a compiler."""
    return (kernel_folder() / "complete").exists()


def note_complete() -> None:
    """Say that every kernel has been compiled. Where the disk refuses they are only looked through once more next time."""
    with suppress(OSError):
        (kernel_folder() / "complete").touch()


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"
