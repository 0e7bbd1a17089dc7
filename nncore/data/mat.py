"""MATLAB version 5 files, as far as plain arrays of numbers go. SciPy's reader crashes the whole program on damaged files."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nncore.backend import Array, Shape
from nncore.errors import DataError
from nncore.files import LARGEST_DATASET, STRONGEST_DEFLATE, file_size, opened, shown

TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
MATRIX, COMPRESSED = 14, 15
NUMERIC = range(6, 16)
"""The classes of arrays of numbers: double, single, and integers of 8 to 64 bits."""
COMPLEX = 0x08
HEADER = 512
"""Bytes from the start of a variable within which its numbers must begin."""
MOST_VARIABLES = 1000


class _DamagedError(Exception):
    """The bytes are not what the format says."""


@dataclass(frozen=True)
class _Variable:
    name: str
    shape: Shape
    dtype: np.dtype[np.generic]
    start: int
    """Where its numbers begin, in bytes from the start of the variable."""


def read_mat(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """Those of the named variables that are real arrays of numbers: read-only, of the type that they are stored in.

    Nothing is allocated before the sizes in the headers are held against the size of the file. Raises DataError, naming the
    file, where it is damaged, of another version, or claims more than 2 GiB for one array.
    """
    found: dict[str, Array] = {}
    with opened(path) as file:
        header = file.read(128)
        order = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}.get(header[124:128])
        if order is None:
            raise DataError(f"{shown(path)} is not a MATLAB version 5 file; save it with that version.")
        try:
            for _ in range(MOST_VARIABLES):
                if not (tag := file.read(8)):
                    break
                kind, size = _unpack(f"{order}II", tag)
                if size > file_size(file) - file.tell():
                    raise _DamagedError
                variable, array = _element(file, kind, size, order, names, path)
                if array is not None:
                    found.setdefault(variable, array)
                if len(found) == len(names):
                    break
        except (_DamagedError, zlib.error, ValueError) as error:
            raise DataError(f"{shown(path)} is damaged and cannot be read; download it again.") from error
    return found


def _element(file: BinaryIO, kind: int, size: int, order: str, names: tuple[str, ...], path: Path) -> tuple[str, Array | None]:
    """The name of one variable, and its array if that is wanted and made of numbers."""
    if kind not in (MATRIX, COMPRESSED):
        file.seek(size, 1)
        return "", None
    data = file.read(size)
    unpacker = zlib.decompressobj()
    head = data[:HEADER] if kind == MATRIX else unpacker.decompress(data, HEADER)
    if kind == COMPRESSED:
        inner, _ = _unpack(f"{order}II", head[:8])
        if inner != MATRIX:
            raise _DamagedError
        head = head[8:]
    variable = _header(head, order)
    if variable is None or variable.name not in names:
        return "", None
    promised = math.prod(variable.shape) * variable.dtype.itemsize
    if promised > min(LARGEST_DATASET, size * STRONGEST_DEFLATE):
        raise DataError(f"{shown(path)} claims {promised:,} bytes for {variable.name}, more than it can hold or than is allowed.")
    end = variable.start + promised
    if kind == COMPRESSED:
        rest = max(0, end - len(head))
        # A few bytes more, for the padding: only at its end does zlib compare its checksum.
        body = head + unpacker.decompress(unpacker.unconsumed_tail, rest + 16)
        if not unpacker.eof:
            raise _DamagedError
    else:
        body = data
    if len(body) < end:
        raise _DamagedError
    array = np.frombuffer(body, variable.dtype, math.prod(variable.shape), variable.start)
    return variable.name, array.reshape(variable.shape, order="F")


def _header(head: bytes, order: str) -> _Variable | None:
    """What the first bytes of a variable say of it; None where it is no real array of numbers."""
    _, flags, at = _part(head, 0, order)
    if len(flags) != 8:
        raise _DamagedError
    word = _unpack(f"{order}I", flags[:4])[0]
    if word & 0xFF not in NUMERIC or word >> 8 & COMPLEX:
        return None
    _, sizes, at = _part(head, at, order)
    shape = _unpack(f"{order}{len(sizes) // 4}i", sizes)
    _, name, at = _part(head, at, order)
    kind, _, start, size = _tag(head, at, order)
    if kind not in TYPES or len(shape) < 2 or min(shape) < 0:
        raise _DamagedError
    dtype = np.dtype(order + TYPES[kind])
    if math.prod(shape) * dtype.itemsize != size:
        raise _DamagedError
    return _Variable(name.decode("latin-1"), shape, dtype, start)


def _tag(data: bytes, at: int, order: str) -> tuple[int, int, int, int]:
    """The type of the part at `at`, where the next part begins, where its own bytes begin, and how many they are."""
    kind, size = _unpack(f"{order}II", data[at : at + 8])
    if kind >> 16:  # up to four bytes lie within the tag itself
        return kind & 0xFFFF, at + 8, at + 4, kind >> 16
    return kind, at + 8 + -(-size // 8) * 8, at + 8, size


def _part(data: bytes, at: int, order: str) -> tuple[int, bytes, int]:
    """The type and the bytes of the part at `at`, and where the next one begins."""
    kind, after, start, size = _tag(data, at, order)
    if start + size > len(data):
        raise _DamagedError
    return kind, data[start : start + size], after


def _unpack(form: str, data: bytes) -> tuple[int, ...]:
    try:
        return struct.unpack(form, data)
    except struct.error as error:
        raise _DamagedError from error
