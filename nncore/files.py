"""What readers and writers of files share: opening one, naming it in a message, and writing so that nobody meets half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from nncore.errors import DataError, DigitLabError

LARGEST_DATASET = 2 * 2**30
"""Bytes that one array of a dataset may take (2 GiB), whatever a file's header says."""
STRONGEST_DEFLATE = 1032
"""Deflate cannot make data smaller than this by more, so a short file cannot keep the promise of a large header."""


def shown(path: str | os.PathLike[str]) -> str:
    """The path as text that can be printed anywhere: bytes of its name that are not UTF-8 become question marks."""
    return os.fsencode(path).decode("utf-8", "replace").replace("\ufffd", "?")


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading. Raises DataError, naming it, where it is none or reading it fails."""
    if b"\0" in os.fsencode(path):
        raise DataError("A file name cannot hold a null character; give another name.")
    try:
        # A pipe or a device would keep the reader waiting for ever.
        if path.exists() and not path.is_file():
            raise DataError(f"{shown(path)} is not a file.")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be read: {error.strerror or error}.") from error


def file_size(file: BinaryIO) -> int:
    """Bytes in an open file."""
    return os.fstat(file.fileno()).st_size


def entries(folder: Path) -> list[Path]:
    """What lies in the folder, sorted by name, hidden names left out. Raises DataError where it cannot be listed."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (OSError, ValueError) as error:
        raise DataError(f"The folder {shown(folder)} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to a temporary file beside `path`, then rename it there. Raises DigitLabError where that fails."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes files that only their owner can read
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise DigitLabError(
            f"Could not write {path}: {error.strerror or error}. Choose another place or free some space."
        ) from error
