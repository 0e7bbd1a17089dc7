"""MATLAB version 5 files, written part by part, so that tests can write what no program would."""

from __future__ import annotations

import struct
import zlib

import numpy as np

CLASSES = {"f8": 6, "f4": 7, "i1": 8, "u1": 9, "i2": 10, "u2": 11, "i4": 12, "u4": 13}
TYPES = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 9}


def mat_file(*variables: bytes, order: str = "<") -> bytes:
    """A file of variables that `mat_variable` wrote."""
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}2H", 0x0100, 0x4D49) + b"".join(variables)


def mat_variable(
    name: str,
    array: np.ndarray,
    order: str = "<",
    packed: bool = True,
    kind: int | None = None,
    flags: int = 0,
    shape: tuple[int, ...] | None = None,
) -> bytes:
    """One array; `kind`, `flags` and `shape` may claim something else than the array's own."""
    code = array.dtype.str[1:]
    numbers = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
    sizes = array.shape if shape is None else shape
    parts = (
        mat_part(6, struct.pack(f"{order}2I", flags << 8 | (CLASSES[code] if kind is None else kind), 0), order)
        + mat_part(5, struct.pack(f"{order}{len(sizes)}i", *sizes), order)
        + mat_part(1, name.encode(), order)
        + mat_part(TYPES[code], numbers, order)
    )
    whole = struct.pack(f"{order}2I", 14, len(parts)) + parts
    if not packed:
        return whole
    content = zlib.compress(whole, 1)
    return struct.pack(f"{order}2I", 15, len(content)) + content


def mat_part(kind: int, content: bytes, order: str = "<") -> bytes:
    """A part of a variable: its tag, its bytes, and padding to eight of them; up to four lie within the tag."""
    if 0 < len(content) <= 4:
        return struct.pack(f"{order}I", len(content) << 16 | kind) + content.ljust(4, b"\0")
    return struct.pack(f"{order}2I", kind, len(content)) + content + bytes(-len(content) % 8)
