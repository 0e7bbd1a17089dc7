"""IDX, the format of MNIST: four bytes that name the type, the sizes, then the numbers, big-endian; often under gzip."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from nncore.backend import Array, Shape
from nncore.errors import DataError
from nncore.files import LARGEST_DATASET, STRONGEST_DEFLATE, file_size, opened, shown

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
MOST_DIMENSIONS = 8


def read_idx(path: Path) -> Array:
    """The array in an IDX file, gzip or not: read-only, of the shape and type that its header names, native byte order.

    Nothing is allocated before the sizes in the header are held against the size of the file, and a compressed file is
    unpacked no further than its header promises. Raises DataError, naming the file, where it is damaged or no IDX file.
    """
    with _unpacked(path) as (file, at_most):
        return _parse(file, path, at_most)


def idx_shape(path: Path) -> Shape:
    """The shape that the header of an IDX file names. Raises DataError where it is none."""
    with _unpacked(path) as (file, _):
        return _header(file, path)[1]


@contextmanager
def _unpacked(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open an IDX file, gzip or not; also tell how many bytes it can hold at most."""
    with opened(path) as file:
        packed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        if not packed:
            yield file, file_size(file)
            return
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield cast(BinaryIO, unpacked), file_size(file) * STRONGEST_DEFLATE
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{shown(path)} is damaged and cannot be unpacked; copy or download it again.") from error


def _header(file: BinaryIO, path: Path) -> tuple[np.dtype[np.generic], Shape]:
    """Read the type and the shape from the start of an IDX file. Raises DataError where it is none."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES or not 1 <= magic[3] <= MOST_DIMENSIONS:
        raise DataError(f"{shown(path)} is not an IDX file: it does not begin like one.")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{shown(path)} ends within its header; copy or download it again.")
    return np.dtype(TYPES[magic[2]]), struct.unpack(f">{magic[3]}I", sizes)


def _parse(file: BinaryIO, path: Path, at_most: int) -> Array:
    """The array in an open IDX file that can hold `at_most` bytes."""
    dtype, shape = _header(file, path)
    promised = math.prod(shape) * dtype.itemsize
    if promised > LARGEST_DATASET:
        raise DataError(f"{shown(path)} claims {promised:,} bytes of data, more than the {LARGEST_DATASET:,} that are allowed.")
    if promised > at_most:
        raise DataError(f"{shown(path)} is too short for the {promised:,} bytes that its header promises; copy it again.")
    data = file.read(promised)
    if len(data) < promised:
        raise DataError(f"{shown(path)} holds {len(data):,} bytes of data where its header promises {promised:,}; copy it again.")
    if file.read(1):
        raise DataError(f"{shown(path)} goes on after the {promised:,} bytes that its header promises; it is damaged.")
    array = np.frombuffer(data, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
