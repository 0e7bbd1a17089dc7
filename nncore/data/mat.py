"""MATLAB version 5 files, as far as plain arrays of numbers go. SciPy's reader crashes the whole program on damaged files."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nncore.arrays import Array, Shape
from nncore.errors import DataError
from nncore.files import LARGEST_DATASET, believable, file_size, opened, shown

TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
MATRIX, COMPRESSED = 14, 15
NUMERIC = range(6, 16)
"""The classes of arrays of numbers: double, single, and integers of 8 to 64 bits."""
COMPLEX = 0x08
LONGEST_PART = 256
"""Bytes that the sizes or the name of a variable may take."""
MOST_DIMENSIONS = 8
MOST_VARIABLES = 1000
PADDING = 16
"""More bytes than may follow the numbers of a variable."""
CHUNK = 2**16
"""Packed bytes held at a time."""
BLOCK = 2**20
"""Unpacked bytes held at a time, where they are more than one step along the last axis."""


class _DamagedError(Exception):
    """The bytes are not what the format says."""


class _Element:
    """The bytes of one element of an open file, in order, unpacked where it is packed; never more than a few are held."""

    def __init__(self, file: BinaryIO, size: int, packed: bool) -> None:
        self._file, self._left = file, size
        self._unpacker = zlib.decompressobj() if packed else None

    @property
    def packed(self) -> bool:
        return self._unpacker is not None

    def read(self, count: int) -> bytes:
        """The next `count` bytes. Raises _DamagedError where it ends before them."""
        parts = []
        while count:
            parts.append(self._some(count))
            if not parts[-1]:
                raise _DamagedError
            count -= len(parts[-1])
        return b"".join(parts)

    def finish(self) -> None:
        """Read the padding after the numbers: only at its end does zlib compare its checksum."""
        if self._unpacker is None:
            return
        left = PADDING
        while left and (part := self._some(left)):
            left -= len(part)
        if not self._unpacker.eof:
            raise _DamagedError

    def _some(self, count: int) -> bytes:
        """The next bytes, at most `count` of them; none at the end."""
        if self._unpacker is None:
            return self._stored(count)
        part = b""
        while not part and not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._stored(CHUNK)
            part = self._unpacker.decompress(packed, count)
            if not packed:
                break
        return part

    def _stored(self, count: int) -> bytes:
        """The next bytes as they lie in the file, at most `count` of them."""
        data = self._file.read(min(count, self._left))
        self._left -= len(data)
        return data


@dataclass(frozen=True)
class Variable:
    """A real array of numbers in an open file: what its header says, and its numbers, which may be read once."""

    name: str
    shape: Shape
    """Two to eight sizes, none of them zero; the first axis runs fastest in the file."""
    dtype: np.dtype[np.generic]
    """The type that the numbers are stored in, in the file's byte order."""
    numbers: _Element

    def blocks(self) -> Iterator[Array]:
        """Its numbers in order, about a megabyte at a time: read-only arrays (*shape[:-1], n), Fortran-contiguous."""
        step = math.prod(self.shape[:-1]) * self.dtype.itemsize
        at_once = max(1, BLOCK // step)
        for start in range(0, self.shape[-1], at_once):
            count = min(at_once, self.shape[-1] - start)
            numbers = np.frombuffer(self.numbers.read(count * step), self.dtype)
            yield numbers.reshape(*self.shape[:-1], count, order="F")
        self.numbers.finish()

    def array(self) -> Array:
        """All of it, of its own shape."""
        array, at = np.empty(self.shape, self.dtype, order="F"), 0
        for block in self.blocks():
            array[..., at : at + block.shape[-1]] = block
            at += block.shape[-1]
        return array


@contextmanager
def opened_mat(path: Path, names: tuple[str, ...]) -> Iterator[Iterator[Variable]]:
    """Open a file; yields the first of each name that is a real array of numbers and not empty, in the file's order.

    No more is read of each than is asked of it before the next is. Its size is held against the size of the file, so that
    the caller may make room for it. Raises DataError, naming the file, where it is damaged, of another version, or claims
    more for one array than is allowed or to be believed, also while the caller reads.
    """
    with opened(path) as file:
        header = file.read(128)
        order = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}.get(header[124:128])
        if order is None:
            raise DataError(f"{shown(path)} is not a MATLAB version 5 file; save it with that version.")
        try:
            yield _variables(file, order, names, path)
        except (_DamagedError, zlib.error) as error:
            raise DataError(f"{shown(path)} is damaged and cannot be read; download it again.") from error


def _variables(file: BinaryIO, order: str, names: tuple[str, ...], path: Path) -> Iterator[Variable]:
    wanted = set(names)
    for _ in range(MOST_VARIABLES):
        if not wanted or not (tag := file.read(8)):
            return
        kind, size = _unpack(f"{order}II", tag)
        end = file.tell() + size
        if end > file_size(file):
            raise _DamagedError
        if kind in (MATRIX, COMPRESSED):
            variable = _variable(_Element(file, size, kind == COMPRESSED), order)
            if variable is not None and variable.name in wanted:
                wanted.remove(variable.name)
                promised = math.prod(variable.shape) * variable.dtype.itemsize
                if promised > LARGEST_DATASET:
                    raise DataError(f"{shown(path)} claims {promised:,} bytes for {variable.name}, more than are allowed.")
                if kind == COMPRESSED and promised > believable(size):
                    raise DataError(
                        f"{shown(path)} claims to unpack {variable.name} to {promised:,} bytes out of {size:,}: "
                        "no set of images does that."
                    )
                if kind == MATRIX and promised > size:
                    raise _DamagedError
                yield variable
        file.seek(end)


def _variable(element: _Element, order: str) -> Variable | None:
    """What the first bytes of an element say of it; None where it is no real array of numbers."""
    if element.packed and _unpack(f"{order}II", element.read(8))[0] != MATRIX:
        raise _DamagedError
    flags = _part(element, order)
    if len(flags) != 8:
        raise _DamagedError
    word = _unpack(f"{order}I", flags[:4])[0]
    if word & 0xFF not in NUMERIC or word >> 8 & COMPLEX:
        return None
    sizes = _part(element, order)
    shape = _unpack(f"{order}{len(sizes) // 4}i", sizes)
    name = _part(element, order).decode("latin-1")
    kind, size, _ = _tag(element, order)
    if kind not in TYPES or not 2 <= len(shape) <= MOST_DIMENSIONS or min(shape) < 0:
        raise _DamagedError
    dtype = np.dtype(order + TYPES[kind])
    if math.prod(shape) * dtype.itemsize != size:
        raise _DamagedError
    return Variable(name, shape, dtype, element) if size else None


def _part(element: _Element, order: str) -> bytes:
    """The bytes of the next part, its padding left out."""
    _, size, unit = _tag(element, order)
    if size > LONGEST_PART:
        raise _DamagedError
    return element.read(size + -size % unit)[:size]


def _tag(element: _Element, order: str) -> tuple[int, int, int]:
    """The type of the next part, how many bytes it has, and to a multiple of how many they are padded."""
    word = _unpack(f"{order}I", element.read(4))[0]
    if word >> 16:  # up to four bytes lie where others have their size
        return word & 0xFFFF, word >> 16, 4
    return word, _unpack(f"{order}I", element.read(4))[0], 8


def _unpack(form: str, data: bytes) -> tuple[int, ...]:
    try:
        return struct.unpack(form, data)
    except struct.error as error:
        raise _DamagedError from error
