"""What readers and writers of files share: opening one, naming it in a message, and writing so that nobody meets half of one."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from nncore.errors import DataError, DigitLabError

LARGEST_DATASET = 2 * 2**30
"""Bytes that one array of a dataset may take (2 GiB), whatever a file's header says."""
MOST_IMAGES = 10_000_000
"""Images that a dataset may have: what is kept for each besides its pixels takes memory too."""
MODEST = 256 * 2**20
"""Bytes that any file may unpack to: even two such arrays and a copy leave room on a small machine."""
DENSEST = 20
"""How many times its size a file may unpack to beyond that. Photos and handwriting come to 1 to 7, drawings in two tones to 15."""
STRONGEST_DEFLATE = 1032
"""Deflate cannot make data smaller than this by more."""
TEMPORARY = ".digitlab-tmp-"
"""What the names of temporary files and folders begin with."""
ABANDONED = 24 * 3600.0
"""Seconds after which nobody writes a temporary file any more."""
LONGEST_PATH = 200
"""Characters of a path that a message shows; of a longer one it shows the beginning and the end."""


def believable(packed: int) -> int:
    """Bytes that `packed` bytes may be believed to unpack to: more is a bomb, whose header may well tell the truth.

    A bomb is small and unpacks to a thousand times its size; what large datasets hold does not pack that well. Together with
    `LARGEST_DATASET` that bounds the memory by what somebody really had to send.
    """
    return min(LARGEST_DATASET, STRONGEST_DEFLATE * packed, max(MODEST, DENSEST * packed))


def printable(text: str) -> str:
    """The text as one line that can be printed anywhere: what is not UTF-8, or no character, becomes question marks."""
    return re.sub("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffd]", "?", text)


def shown(path: str | os.PathLike[str]) -> str:
    """The path as one line of `printable` text, shortened where it is very long."""
    return shortened(printable(os.fspath(path)))


def size_text(size: float) -> str:
    """Bytes in units that people read: 512 bytes, 12 kB, 1,394 MB."""
    if size < 1000:
        return f"{size:,.0f} bytes"
    return f"{size / 1e3:,.0f} kB" if size < 1e6 else f"{size / 1e6:,.0f} MB"


def shortened(text: str) -> str:
    """The text, or its beginning and its end where it is longer than `LONGEST_PATH`."""
    return text if len(text) <= LONGEST_PATH else f"{text[: LONGEST_PATH // 4]}…{text[-3 * LONGEST_PATH // 4 :]}"


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading. Raises DataError, naming it, where it is none, mostly holes, or reading it fails."""
    try:
        if b"\0" in os.fsencode(path):
            raise DataError("A file name cannot hold a null character; give another name.")
        # A pipe or a device would keep the reader waiting for ever.
        if path.exists() and not path.is_file():
            raise DataError(f"{shown(path)} is not a file.")
        with path.open("rb") as file:
            if _is_hollow(os.fstat(file.fileno())):
                raise DataError(f"{shown(path)} is mostly holes: hardly any of its bytes are on the disk; copy it again.")
            yield file
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be read: {error.strerror or error}.") from error
    except UnicodeEncodeError as error:
        raise DataError(f"{shown(path)} cannot be the name of a file; give another name.") from error


def is_file(path: Path) -> bool:
    """Whether there is a regular file; not where that cannot be told, as of a link to a name that is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder; not where that cannot be told."""
    try:
        return path.is_dir()
    except OSError:
        return False


def file_size(file: BinaryIO) -> int:
    """Bytes in an open file."""
    return os.fstat(file.fileno()).st_size


def _is_hollow(status: os.stat_result) -> bool:
    """Whether a file claims far more bytes than the disk holds of it, which costs nothing to make and reads as zeros."""
    on_disk = getattr(status, "st_blocks", 0) * 512  # not all systems tell
    return on_disk > 0 and status.st_size > max(MODEST, DENSEST * on_disk)


def entries(folder: Path) -> list[Path]:
    """What lies in the folder, sorted by name, hidden names left out. Raises DataError where it cannot be listed."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (OSError, ValueError) as error:
        raise DataError(f"The folder {shown(folder)} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def write_atomically(path: Path, content: bytes, wait: bool = True) -> None:
    """Write `content` to a temporary file beside `path`, then rename it there. Raises DigitLabError where that fails.

    It waits until the disk has the file; without `wait`, a file of the last seconds may be damaged where the power fails. A link
    stays one, and the file that it leads to is written. What is no file, such as a pipe or /dev/stdout, is written into.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(path)) if path.is_symlink() else path, content, wait)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise DigitLabError(f"Could not write {shown(path)}: {reason}. Choose another place or free some space.") from error


def _replace(path: Path, content: bytes, wait: bool) -> None:
    """Write a temporary file and give it the name `path`; nothing of it stays where that fails."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if wait:
                file.flush()
                os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def clear_leftovers(folder: Path) -> None:
    """Remove what a program that was killed while writing has left in the folder: names of our own, untouched for `ABANDONED`."""
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            with suppress(OSError):
                if not entry.name.startswith(TEMPORARY) or time.time() - entry.stat(follow_symlinks=False).st_mtime < ABANDONED:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink()
