"""IDX files: what is written comes back, and a damaged file is told, not trusted."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from nncore.data.idx import TYPES, idx_header, read_idx
from nncore.errors import DataError


def idx_bytes(array: np.ndarray, code: int = 8) -> bytes:
    return bytes((0, 0, code, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(TYPES[code]).tobytes()


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("packed", [False, True])
def test_every_type_comes_back(tmp_path: Path, code: int, packed: bool) -> None:
    array = np.arange(24).reshape(2, 3, 4)
    file = tmp_path / "array"
    file.write_bytes(gzip.compress(idx_bytes(array, code)) if packed else idx_bytes(array, code))
    found = read_idx(file)
    assert found.dtype == np.dtype(TYPES[code]).newbyteorder("=") and found.dtype.isnative
    np.testing.assert_array_equal(found, array)
    assert idx_header(file) == (np.dtype(TYPES[code]), (2, 3, 4))


def packed(content: bytes) -> bytes:
    """Gzipped without the time of day, which would give the test another name every second."""
    return gzip.compress(content, mtime=0)


GOOD = idx_bytes(np.arange(60, dtype=np.uint8).reshape(5, 4, 3))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "does not begin"),
        (b"PK\3\4" + bytes(50), "does not begin"),
        (b"\0\0\x07\1" + bytes(50), "does not begin"),
        (GOOD[:9], "ends within its header"),
        (GOOD[:30], "too short"),
        (GOOD[:-1], "holds 59 bytes"),
        (GOOD + b"\0", "goes on after"),
        (bytes((0, 0, 8, 4)) + b"\xff" * 16, "claims"),
        (bytes((0, 0, 8, 1)) + struct.pack(">I", 2**30), "too short"),
        (packed(GOOD)[:-12], "damaged"),
        (packed(GOOD)[:-4], "damaged"),  # all of the numbers, but not all of their checksum
        (packed(GOOD[:-1]), "holds 59 bytes"),
        (packed(GOOD + b"\0"), "goes on after"),
        (packed(GOOD)[:20] + b"\xff\xff\xff" + packed(GOOD)[23:], "is"),
    ],
)
def test_a_damaged_file_is_one_sentence_that_names_it(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "broken-file"
    file.write_bytes(content)
    with pytest.raises(DataError, match=says) as told:
        read_idx(file)
    assert "broken-file" in str(told.value) and "\n" not in str(told.value)


def test_a_folder_or_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a file"):
        read_idx(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        read_idx(tmp_path / "nothing")


def test_a_gzip_bomb_is_unpacked_no_further_than_its_header_promises(tmp_path: Path) -> None:
    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(idx_bytes(np.zeros(10, np.uint8)) + bytes(200_000_000), 1))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="goes on after"):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_promise_that_the_file_cannot_keep_allocates_nothing(tmp_path: Path) -> None:
    file = tmp_path / "liar.gz"
    file.write_bytes(gzip.compress(bytes((0, 0, 8, 1)) + struct.pack(">I", 2**30) + bytes(100)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="claims to unpack to 1,073,741,824 bytes"):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
