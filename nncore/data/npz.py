"""NumPy's .npz files with images and labels, as Keras, MedMNIST and others publish them; never anything pickled."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from nncore.arrays import Array, Shape
from nncore.data.dataset import DIGITS, Dataset
from nncore.errors import DataError
from nncore.files import LARGEST_DATASET, MOST_IMAGES, STRONGEST_DEFLATE, believable, file_size, opened, shown

NAMES = (("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("{}_x", "{}_y"))
UNSPLIT = (("images", "labels"), ("x", "y"), ("X", "y"))
"""Names of images and labels in a file that has no splits: all of it is the training split."""
MOST_CLASSES = 1000
LARGEST_SIDE = 1024
LONGEST_HEADER = 10_000
"""Bytes that may say what an array is."""
AT_ONCE = 2**18
"""Numbers that are unpacked and converted at a time."""

# A header is a dictionary as Python writes it; of what it may say only this is understood, so nothing has to be evaluated.
NUMBERS = re.compile(r"""['"]descr['"]\s*:\s*['"]([<>|=]?[buif][1248])['"]""")
ORDER = re.compile(r"""['"]fortran_order['"]\s*:\s*(True|False)""")
SHAPE = re.compile(r"""['"]shape['"]\s*:\s*\(([\d\s,L]*)\)""")


@dataclass(frozen=True)
class _Member:
    """An array in an open archive: what its header says, and its numbers."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo
    shape: Shape
    fortran: bool
    """Whether the first axis runs fastest in the file."""
    dtype: np.dtype[np.generic]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def blocks(self) -> Iterator[Array]:
        """Its numbers in the file's order, some at a time, on one axis. ValueError where they are not as many as promised."""
        left = self.size
        with self.archive.open(self.info) as member:
            _header(member)
            while left:
                data = member.read(min(left, AT_ONCE) * self.dtype.itemsize)
                if not data:
                    raise ValueError
                block = np.frombuffer(data, self.dtype)
                left -= len(block)
                yield block
            if member.read(1):
                raise ValueError


def open_npz(path: Path, split: str = "train") -> Dataset:
    """The images and labels of a split in an .npz file: `x_train` and `y_train`, `train_images` and `train_labels`, or,
    for "train", `images` and `labels`.

    Images may be (N, height, width), (N, height, width, 1 or 3) or (N, side²), bytes or numbers from 0 to 1 or to 255.
    Raises DataError, naming the file, where it is damaged or holds something else.
    """
    with opened(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                if any(info.compress_size > file_size(file) for info in archive.infolist()):
                    raise ValueError
                images, labels = _read(archive, split, path)
        except (DataError, MemoryError):
            raise
        # Damaged, encrypted or otherwise strange archives make zipfile raise nearly anything.
        except Exception as error:
            raise DataError(f"{shown(path)} is damaged or no .npz file; copy or download it again.") from error
    most = int(labels.max())
    names = DIGITS if most < len(DIGITS) else tuple(str(number) for number in range(most + 1))
    return Dataset(images, labels, shown(path.stem), f"{shown(path)}, {split}", names)


def holds_npz(path: Path) -> bool:
    """Whether this is an .npz file."""
    return path.suffix.lower() == ".npz" and path.is_file()


def _read(archive: zipfile.ZipFile, split: str, path: Path) -> tuple[Array, Array]:
    """Images uint8 (N, height, width, channels) and labels int64 (N) of a split; first the headers are held against each other."""
    x, y = _pair(archive, split, path)
    shape = _image_shape(x.shape)
    if shape is None:
        raise DataError(f"{shown(path)} holds no images: their array has the shape {x.shape!s:.80}.")
    if y.shape not in (shape[:1], (shape[0], 1)):
        raise DataError(f"{shown(path)}: {shape[0]:,} images need as many labels, not an array of the shape {y.shape!s:.80}.")
    if x.size > believable(x.info.compress_size):
        raise DataError(
            f"{shown(path)} claims to unpack to {x.size:,} pixels out of {x.info.compress_size:,} bytes: "
            "no set of images does that."
        )
    return _images(x, path).reshape(shape), _labels(y, path)


def _pair(archive: zipfile.ZipFile, split: str, path: Path) -> tuple[_Member, _Member]:
    """The arrays of images and labels of a split."""
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    wanted = [(x.format(split), y.format(split)) for x, y in NAMES] + (list(UNSPLIT) if split == "train" else [])
    for x, y in wanted:
        if x in members and y in members:
            return _member(archive, members[x], path), _member(archive, members[y], path)
    raise DataError(f"{shown(path)} holds no {split} split; it needs arrays called x_{split} and y_{split}.")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> _Member:
    """One array, its header held against its size before anything is allocated."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{shown(path)} is compressed in a way that .npz files are not; save it anew.")
    with archive.open(info) as file:
        header = _header(file)
    numbers, order, shape = NUMBERS.search(header), ORDER.search(header), SHAPE.search(header)
    if not order or not shape:
        raise ValueError
    if not numbers:
        raise DataError(f"{shown(path)} holds {info.filename!a}, which is not made of plain numbers; save it as numbers.")
    sizes = tuple(map(int, re.findall(r"\d+", shape[1])))
    member = _Member(archive, info, sizes, order[1] == "True", np.dtype(numbers[1]))
    claimed = member.size * member.dtype.itemsize
    if claimed > min(LARGEST_DATASET, info.compress_size * STRONGEST_DEFLATE, info.file_size):
        raise DataError(f"{shown(path)} claims an array {sizes!s:.80} in {info.filename!a}, more than it holds or than is allowed.")
    return member


def _header(member: IO[bytes]) -> str:
    """Read what stands before the numbers of an array. ValueError where it is no header."""
    magic = member.read(8)
    size = int.from_bytes(member.read(2 if magic[6:7] == b"\1" else 4), "little")
    if magic[:6] != b"\x93NUMPY" or size > LONGEST_HEADER:
        raise ValueError
    return member.read(size).decode("latin-1")


def _image_shape(shape: Shape) -> Shape | None:
    """(N, height, width, channels) of the images in an array; None where it holds none."""
    if len(shape) == 2 and math.isqrt(shape[1]) ** 2 == shape[1]:
        shape = (shape[0], math.isqrt(shape[1]), math.isqrt(shape[1]))
    count, *sides, channels = shape if len(shape) == 4 else (*shape, 1)
    fits = len(sides) == 2 and 1 <= count <= MOST_IMAGES and all(1 <= side <= LARGEST_SIDE for side in sides)
    return (count, *sides, channels) if fits and channels in (1, 3) else None


def _images(x: _Member, path: Path) -> Array:
    """uint8, of the shape of the array, in C order"""
    scale = 1 if x.dtype == np.uint8 else _scale(x, path)
    flat, at = np.empty(x.size, np.uint8), 0
    for block in x.blocks():
        flat[at : at + len(block)] = block if x.dtype.kind in "ui" else np.round(block * np.float32(scale))
        at += len(block)
    return np.ascontiguousarray(flat.reshape(x.shape[::-1]).T) if x.fortran else flat.reshape(x.shape)


def _scale(x: _Member, path: Path) -> int:
    """What makes bytes of the numbers: 255 for truth values, and for fractions where none is above 1; else 1."""
    most = 0.0
    for block in x.blocks():
        low, high = float(block.min()), float(block.max())
        if not 0 <= low <= high <= 255:
            raise DataError(f"{shown(path)} holds images with values from {low:g} to {high:g}; they must lie between 0 and 255.")
        most = max(most, high)
    return 255 if x.dtype.kind in "bf" and most <= 1 else 1


def _labels(y: _Member, path: Path) -> Array:
    """int64 (N)"""
    labels, at = np.empty(y.size, np.int64), 0
    for block in y.blocks():
        whole = bool(np.isfinite(block).all()) and bool((block == np.round(block)).all())
        if not whole or block.min() < 0 or block.max() >= MOST_CLASSES:
            raise DataError(f"{shown(path)} holds no labels: they must be one whole number an image, from 0 up.")
        labels[at : at + len(block)] = block
        at += len(block)
    return labels
