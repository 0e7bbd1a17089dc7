"""What every reader of files shares: opening one, and naming it in a message."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nncore.errors import DataError

LARGEST_DATASET = 2 * 2**30
"""Bytes that one array of a dataset may take (2 GiB), whatever a file's header says."""
STRONGEST_DEFLATE = 1032
"""Deflate cannot make data smaller than this by more, so a short file cannot keep the promise of a large header."""


def shown(path: str | os.PathLike[str]) -> str:
    """The path as text that can be printed anywhere: bytes of its name that are not UTF-8 become question marks."""
    return os.fsencode(path).decode("utf-8", "replace").replace("\ufffd", "?")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
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
