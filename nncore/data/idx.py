"""IDX, the format of MNIST: four bytes that name the type, the sizes, then the numbers, big-endian; often under gzip."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nncore.arrays import Array, Shape
from nncore.errors import DataError
from nncore.files import LARGEST_DATASET, believable, file_size, opened, shown

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
MOST_DIMENSIONS = 8
GZIP_WINDOW = 31
"""Tells zlib that its stream lies in gzip's frame."""
CHUNK = 2**16
"""Packed bytes held at a time."""
BLOCK = 2**20
"""Unpacked bytes held at a time."""


class _Gzip:
    """What a gzip file unpacks to, in order. Python's own reader takes a minute for zeros that fill a file up."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._member = file, zlib.decompressobj(GZIP_WINDOW)

    def read(self, count: int) -> bytes:
        """The next bytes, at most `count` of them; none at the end. Raises EOFError or zlib.error where the file is damaged."""
        part = b""
        while not part:
            if self._member.eof:
                packed = (self._member.unused_data or self._file.read(CHUNK)).lstrip(b"\0")
                if not packed:
                    return b""
                self._member = zlib.decompressobj(GZIP_WINDOW)
            else:
                packed = self._member.unconsumed_tail or self._file.read(CHUNK)
            part = self._member.decompress(packed, count)
            if not part and not packed:
                raise EOFError
        return part


def read_idx(path: Path) -> Array:
    """The array in an IDX file, gzip or not: of the shape and type that its header names, native byte order, in one copy.

    Nothing is allocated before the sizes in the header are held against the size of the file, and a compressed file is
    unpacked no further than its header promises. Raises DataError, naming the file, where it is damaged or no IDX file, or
    promises more than a file of its size may be believed to hold.
    """
    with _unpacked(path) as (file, size):
        return _parse(file, size, path)


def idx_header(path: Path) -> tuple[np.dtype[np.generic], Shape]:
    """The type (big-endian) and the shape that the header of an IDX file names. Raises DataError where it is none."""
    with _unpacked(path) as (file, _):
        return _header(file, path)


@contextmanager
def _unpacked(path: Path) -> Iterator[tuple[BinaryIO | _Gzip, int]]:
    """Open an IDX file, gzip or not; also tell how many bytes it has on the disk."""
    with opened(path) as file:
        packed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        try:
            yield _Gzip(file) if packed else file, file_size(file)
        except (EOFError, zlib.error) as error:
            raise DataError(f"{shown(path)} is damaged and cannot be unpacked; copy or download it again.") from error


def _header(file: BinaryIO | _Gzip, path: Path) -> tuple[np.dtype[np.generic], Shape]:
    """Read the type and the shape from the start of an IDX file. Raises DataError where it is none."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES or not 1 <= magic[3] <= MOST_DIMENSIONS:
        raise DataError(f"{shown(path)} is not an IDX file: it does not begin like one.")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{shown(path)} ends within its header; copy or download it again.")
    return np.dtype(TYPES[magic[2]]), struct.unpack(f">{magic[3]}I", sizes)


def _parse(file: BinaryIO | _Gzip, size: int, path: Path) -> Array:
    """The array in an open IDX file that has `size` bytes on the disk."""
    dtype, shape = _header(file, path)
    promised = math.prod(shape) * dtype.itemsize
    if math.prod(length for length in shape if length) * dtype.itemsize > LARGEST_DATASET:
        raise DataError(f"{shown(path)} claims an array of {shape}, more than the {LARGEST_DATASET:,} bytes that are allowed.")
    if not isinstance(file, _Gzip) and promised > size:
        raise DataError(f"{shown(path)} is too short for the {promised:,} bytes that its header promises; copy it again.")
    if promised > believable(size) and isinstance(file, _Gzip):
        raise DataError(f"{shown(path)} claims to unpack to {promised:,} bytes out of {size:,}: no set of images does that.")
    data, read = np.empty(promised, np.uint8), 0
    while read < promised and (part := file.read(min(BLOCK, promised - read))):
        data[read : read + len(part)] = np.frombuffer(part, np.uint8)
        read += len(part)
    if read < promised:
        raise DataError(f"{shown(path)} holds {read:,} bytes of data where its header promises {promised:,}; copy it again.")
    if file.read(1):
        raise DataError(f"{shown(path)} goes on after the {promised:,} bytes that its header promises; it is damaged.")
    array = data.view(dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
