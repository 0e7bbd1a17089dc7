"""Getting the published datasets: from the first server that has them, held against their SHA-256, and kept even in part."""

from __future__ import annotations

import errno
import hashlib
import shutil
import time
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nncore.data.sources import RemoteFile, Source
from nncore.data.transfer import TRICKLE, TransferError, chunks
from nncore.errors import DataError
from nncore.files import shown, size_text
from nncore.locks import acquire, release_and_remove
from nncore.paths import user_folder

PATIENCE = 20.0
"""Seconds of silence after which a server is given up."""
TRIES = 3
"""How often in a row a server may fail without having sent more than a trickle, once it has sent something."""
MOST_TRIES = 50
"""How often a transfer may be taken up again in all."""
PAUSE = 0.5
"""Seconds before a broken transfer is taken up again."""
MARGIN = 16 * 2**20
"""Bytes that are to stay free on the disk."""
LOCK = ".download.lock"
"""The file in a folder that keeps two processes from downloading into it."""
MEMORY = 3.0
"""Seconds over which the speed is measured."""


@dataclass(frozen=True)
class Download:
    """How far a download has come."""

    file: str
    server: str
    received: int
    """Bytes of all files that are here."""
    total: int
    """Bytes of all files."""
    speed: float = 0.0
    """Bytes a second of late; 0 while nothing is known."""

    @property
    def seconds_left(self) -> float | None:
        """At this speed; None while nothing is known."""
        return (self.total - self.received) / self.speed if self.speed else None


def target_folder(source: Source) -> Path:
    """Where the files of a dataset go: in the data folder, or, where that is read-only, in the platform's own."""
    return user_folder() / source.folder


def part_of(folder: Path, file: RemoteFile) -> Path:
    """The hidden file in which a file's bytes are gathered until all are here."""
    return folder / f".{file.name}.part"


def received(source: Source, folder: Path) -> int:
    """Bytes that an unfinished download has left in the folder, whole files included; other files of their names are not."""
    whole = [file for file in source.files if _size(folder / file.name) == file.size]
    return sum(file.size if file in whole else min(file.size, _size(part_of(folder, file))) for file in source.files)


def download(source: Source, folder: Path, *, replace: bool = False, patience: float = PATIENCE) -> Generator[Download]:
    """Bring the files of `source` into `folder`, telling again and again how far it is; a file that is right stays.

    Leave the iteration to break off: what has come stays in a hidden file, and the next download goes on from there. Where a
    server fails the next one takes over. A file of the same name that is not the published one is only replaced if
    `replace`. Raises DataError: where no server helps (it says where to put the files by hand), where the disk is full or
    cannot be written to, where another file is in the way, where another process brings files into the folder already.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = acquire(folder / LOCK, 0)
    except OSError as error:
        raise _cannot_write(source, folder, error) from error
    if lock is None:
        raise DataError(
            f"Another window or command is downloading into {shown(folder)}; wait until it is done, or stop it there first."
        )
    try:
        yield from _download(source, folder, replace, patience)
    finally:
        release_and_remove(folder / LOCK, lock)


def _download(source: Source, folder: Path, replace: bool, patience: float) -> Iterator[Download]:
    """`download`, by whoever holds the folder's lock."""
    wanted = [file for file in source.files if not _is_right(folder / file.name, file)]
    twins = [folder / file.name.removesuffix(".gz") for file in source.files if file.name.endswith(".gz")]
    others = [path for path in (*(folder / file.name for file in wanted), *twins) if path.exists()]
    if others and not replace:
        names = " and ".join(path.name for path in others)
        raise DataError(
            f"{names} in {shown(folder)} {'is' if len(others) == 1 else 'are'} not what {source.title} publishes; "
            f"move it away, or replace it: `digitlab data get {source.name} --replace`."
        )
    _make_room(source, wanted, folder)
    before = source.size - sum(file.size for file in wanted)
    for file in wanted:
        yield from _get(source, file, folder, before, patience)
        before += file.size
    for twin in twins:
        twin.unlink(missing_ok=True)  # it is unpacked, and would be read in the place of the one that came
    yield Download(source.files[-1].name, "", source.size, source.size)


def _is_right(path: Path, file: RemoteFile) -> bool:
    """Whether this is the published file. Raises DataError where it cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size != file.size:
            return False
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be read: {error.strerror or error}.") from error


def _make_room(source: Source, wanted: list[RemoteFile], folder: Path) -> None:
    """See that the files will fit."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise _cannot_write(source, folder, error) from error
    missing = sum(file.size for file in wanted) - sum(_size(part_of(folder, file)) for file in wanted)
    if missing + MARGIN > free:
        raise DataError(
            f"{source.title} needs {size_text(missing)} more in {shown(folder)}, where only {size_text(free)} are free; "
            "free some space, or let DIGITLAB_DATA name a folder on another disk."
        )


def _get(source: Source, file: RemoteFile, folder: Path, before: int, patience: float) -> Iterator[Download]:
    """One file, from the first server that has it."""
    failures = []
    for mirror in source.mirrors:
        server = urlsplit(mirror).netloc
        try:
            meter = _Meter()
            for count in _fetch(mirror + file.name, file, folder, patience):
                yield Download(file.name, server, before + count, source.size, meter.speed(count))
            return
        except TransferError as error:
            failures.append(f"{server}: {error}")
        except OSError as error:
            raise _cannot_write(source, folder, error) from error
    names = ", ".join(file.name for file in source.files)
    raise DataError(
        f"{source.title} could not be downloaded ({'; '.join(dict.fromkeys(failures))}). Check the connection and try again: what "
        f"has come is kept. Or get the files {names} some other way and put them into {shown(folder)}."
    )


def _fetch(address: str, file: RemoteFile, folder: Path, patience: float) -> Iterator[int]:
    """One file from one server, into its place; yields how many bytes are there. Raises TransferError."""
    part = part_of(folder, file)
    went_on = part.is_file() and part.stat().st_size > 0
    yield from _gather(address, file, part, patience)
    try:
        _put_in_place(file, folder)
    except TransferError:
        if not went_on:
            raise
        # What lay there from an earlier time may have been the beginning of something else.
        yield from _gather(address, file, part, patience)
        _put_in_place(file, folder)


def _gather(address: str, file: RemoteFile, part: Path, patience: float) -> Iterator[int]:
    """Gather a file's bytes in `part`, going on from what is there; yields how many there are. TransferError as `chunks`."""
    if part.is_file() and part.stat().st_size > file.size:
        part.unlink()
    fruitless = tries = 0
    with part.open("ab") as gathered:
        count = reached = gathered.tell()
        while count < file.size:
            try:
                yield count
                for chunk in chunks(address, count, file.size, patience):
                    if chunk is None:
                        gathered.truncate(0)
                    else:
                        gathered.write(chunk)
                    count = 0 if chunk is None else count + len(chunk)
                    yield count
            except TransferError:
                fruitless, tries = (0 if count >= reached + TRICKLE else fruitless + 1), tries + 1
                if fruitless >= TRIES or tries >= MOST_TRIES or not count:
                    raise
                reached = max(reached, count)
                time.sleep(PAUSE)
            finally:
                gathered.flush()


def _put_in_place(file: RemoteFile, folder: Path) -> None:
    """Hold what was gathered against the published sum, and move it to its name. TransferError where it is another file."""
    import pooch

    part = part_of(folder, file)
    if pooch.file_hash(str(part)) != file.sha256:
        part.unlink()
        raise TransferError("it sent a file that is not the published one")
    part.replace(folder / file.name)


def _cannot_write(source: Source, folder: Path, error: OSError) -> DataError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DataError(
            f"The disk is full: {source.title} does not fit into {shown(folder)}; free some space and try again: what has "
            "come is kept."
        )
    return DataError(
        f"{shown(folder)} cannot be written to ({error.strerror or error}); let DIGITLAB_DATA name a folder that you may write to."
    )


def _size(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


class _Meter:
    """Speed over the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def speed(self, count: int) -> float:
        """Bytes a second, told that `count` bytes are here now; 0 while nothing is known."""
        now = time.monotonic()
        if self._seen and count < self._seen[-1][1]:  # it began anew
            self._seen.clear()
        self._seen.append((now, count))
        while now - self._seen[0][0] > MEMORY:
            self._seen.popleft()
        seconds, bytes_ = now - self._seen[0][0], count - self._seen[0][1]
        return bytes_ / seconds if seconds > 0.2 else 0.0
