"""Hostile files built by their formats' own rules, where damaging good ones seldom leads: each gives a Dataset or one sentence."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matfile import mat_file, mat_variable
from mutate import EDGES, GOOD, PICTURES, X, Y, brought, everything, icon, idx, npy, npz, outcome, packed, png, write

from nncore.data import open_dataset

often = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
on_unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
SIZES = st.sampled_from(EDGES) | st.integers(0, 12)
SHAPES = st.lists(SIZES, max_size=5).map(tuple)
CONTENT = st.binary(max_size=300) | st.integers(0, 3000).map(bytes)
NUMBERS = [
    "'|u1'",
    "'<f8'",
    "'>f2'",
    "'|b1'",
    "'<i8'",
    "'>u2'",
    "'|O'",
    "'<c16'",
    "'|V9'",
    "'|S3'",
    "'<M8[D]'",
    "None",
    "[('a','<u1')]",
]
CELLS = ["0", "7", "255", "256", "-1", "1.5", "1e2", "", " 7", "007", "0007", "nan", "x", '"3"', "٣", "\x00", "9" * 99]
DIGITS = st.lists(st.sampled_from("0123456789"), min_size=5, max_size=5)
HEADS = ["", "label,a,b,c,d\n", "a,b,c,d,label\n", "\ufefflabel,a,b,c,d\n", "a,b,c,d\n", "label,label,b,c,d\n", "label\n", "\n"]


@often
@given(
    codes=st.tuples(st.integers(6, 16), st.integers(6, 16)),
    images=st.lists(SIZES, max_size=9),
    labels=st.lists(SIZES, max_size=3),
    content=CONTENT,
    wrap=st.sampled_from([bytes, packed]),
    prefix=st.sampled_from(["train", "emnist-letters-train", "EMNIST-balanced-train"]),
    fits=st.booleans(),
)
def test_any_header_of_an_idx_file(
    tmp_path: Path,
    codes: tuple[int, int],
    images: list[int],
    labels: list[int],
    content: bytes,
    wrap: Callable[[bytes], bytes],
    prefix: str,
    fits: bool,
) -> None:
    def header(code: int, sizes: list[int]) -> bytes:
        return bytes((0, 0, code, len(sizes))) + b"".join(struct.pack(">I", size % 2**32) for size in sizes)

    if fits:
        images, codes = [len(labels) + 1, *[*images, 2, 2][:2]], (8, codes[1])
        labels = images[:1]
    files = idx(wrap(header(codes[0], images) + content), wrap(header(codes[1], labels) + content), prefix)
    outcome(lambda: open_dataset(write(tmp_path, files)))


@often
@given(
    shapes=st.tuples(*[SHAPES | st.just((4, 3, 3)) | st.just((4,)) | st.text("0123456789,()L- [x", max_size=20)] * 2),
    numbers=st.tuples(*[st.sampled_from(NUMBERS) | st.text(max_size=12)] * 2),
    content=CONTENT,
    version=st.sampled_from([1, 1, 1, 2, 3, 4, 255]),
    length=st.none() | st.integers(0, 2**16 - 1),
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
)
def test_any_header_of_an_npz_file(
    tmp_path: Path, shapes: tuple[Any, Any], numbers: tuple[str, str], content: bytes, version: int, length: int | None, method: int
) -> None:
    x, y = (npy(shape, text, content, version, length) for shape, text in zip(shapes, numbers, strict=True))
    outcome(lambda: open_dataset(write(tmp_path, npz(x, y, method)) / "digits.npz"))


@often
@given(
    name=st.sampled_from(["X", "y", "", "X" * 300]),
    kinds=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    flags=st.sampled_from([0, 0, 0, 2, 4, 8, 255]),
    shapes=st.tuples(*[st.none() | st.lists(SIZES.map(lambda size: (size + 2**31) % 2**32 - 2**31), max_size=10).map(tuple)] * 2),
    types=st.tuples(*[st.sampled_from(["u1", "i1", "u2", "i4", "f4", "f8"])] * 2),
    order=st.sampled_from("<>"),
    layers=st.integers(0, 3),
    usual=st.booleans(),
    swapped=st.booleans(),
)
def test_any_variable_of_a_mat_file(
    tmp_path: Path,
    name: str,
    kinds: tuple[int, int],
    flags: int,
    shapes: tuple[Any, Any],
    types: tuple[str, str],
    order: str,
    layers: int,
    usual: bool,
    swapped: bool,
) -> None:
    y = (Y if usual else -Y.astype("i2")).astype(types[1])
    variables = [
        mat_variable(name, X.astype(types[0]), order, layers == 1, None if usual else kinds[0], flags, shapes[0]),
        mat_variable("X", X, order, layers == 1, shape=None if usual else shapes[0]),
        mat_variable("y", y, order, layers == 1, None if usual else kinds[1], flags, shapes[1]),
    ]
    for _ in range(layers - 1):  # packed in the pack
        content = [zlib.compress(variable) for variable in variables]
        variables = [struct.pack(f"{order}2I", 15, len(one)) + one for one in content]
    whole = {"<": ">", ">": "<"}[order] if swapped else order
    outcome(lambda: open_dataset(write(tmp_path, {"train_32x32.mat": mat_file(*variables, order=whole)})))


@often
@given(
    head=st.sampled_from(HEADS),
    rows=st.lists(DIGITS | st.lists(st.sampled_from(CELLS), min_size=4, max_size=6), max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    last=st.booleans(),
)
def test_any_cells_of_a_table(tmp_path: Path, head: str, rows: list[list[str]], end: str, last: bool) -> None:
    text = head + end.join(map(",".join, rows)) + end * last
    outcome(lambda: open_dataset(write(tmp_path, {"train.csv": text.encode()})))


@often
@given(
    width=st.sampled_from(EDGES) | st.integers(0, 60),
    height=st.sampled_from(EDGES) | st.integers(0, 60),
    depth=st.sampled_from([1, 2, 4, 8, 16, 3, 0, 255]),
    kind=st.sampled_from([0, 2, 3, 4, 6, 1, 255]),
    content=st.binary(max_size=40).map(zlib.compress) | st.integers(0, 30_000).map(lambda size: zlib.compress(bytes(size))),
    in_icon=st.booleans(),
    shape=st.sampled_from([(28, 28, 1), (32, 32, 3)]),
)
def test_any_header_of_a_picture(
    tmp_path: Path, width: int, height: int, depth: int, kind: int, content: bytes, in_icon: bool, shape: tuple[int, int, int]
) -> None:
    whole = png(width % 2**32, height % 2**32, depth, kind, content)
    folder = write(tmp_path, {"3/a.png": icon(whole) if in_icon else whole})
    outcome(lambda: open_dataset(folder, picture_shape=shape))


@on_unix
@often
@given(st.lists(st.binary(min_size=1, max_size=60).filter(lambda name: not {0, 47} & set(name) and name.strip(b".")), max_size=5))
def test_any_names_of_classes(tmp_path: Path, names: list[bytes]) -> None:
    folder = tmp_path / f"{zlib.crc32(repr(names).encode())}"
    folder.mkdir(exist_ok=True)
    write(folder, {f"{os.fsdecode(name)}/a.png": PICTURES["a.png"][0] for name in names})
    seen = {name for name in names if not name.startswith(b".")}
    assert outcome(lambda: open_dataset(folder)) == ("dataset" if seen else "error")
    assert not seen or len(open_dataset(folder)) == len(seen)


@often
@given(split=st.text(max_size=40), name=st.text(min_size=1, max_size=40))
def test_any_split_and_any_name(tmp_path: Path, isolated: Path, split: str, name: str) -> None:
    folder = write(tmp_path / "here", GOOD["csv"].files)
    outcome(lambda: open_dataset(folder, split))
    before = everything(tmp_path)
    outcome(lambda: brought(folder / "train.csv", name, isolated))
    for path in isolated.iterdir():
        path.unlink()
    assert everything(tmp_path) == before
