"""Locks between processes: files that the operating system holds locked, and lets go of when the process ends, however it ends."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

PATIENCE = 1.0
"""Seconds to wait for a lock that is held: whoever only looks whether it is held lets go of it at once."""


def acquire(path: Path, patience: float = PATIENCE) -> BaseFileLock | None:
    """The lock on `path`, held until `release()`, or None where another holds it. OSError where the file cannot be made.

    It belongs to whoever holds the object, in any thread.
    """
    from filelock import FileLock, Timeout  # here, because it takes time to import

    lock = FileLock(path, timeout=patience, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    except NotImplementedError as error:
        raise OSError("the disk knows no locks") from error
    return lock


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock."""
    if not path.exists():
        return False
    try:
        lock = acquire(path, 0)
    except OSError:  # a read-only disk, on which nobody trains
        return False
    if lock is None:
        return True
    lock.release()
    return False


def release_and_remove(path: Path, lock: BaseFileLock) -> None:
    """Let go of the lock on `path`, and remove its file.

    It goes before the lock does: whoever waits for it is then told by filelock that the file is gone, and makes a new one.
    """
    with suppress(OSError):  # Windows removes no file that is open
        path.unlink()
    lock.release()
