"""NumPy's .npz files with images and labels, as Keras, MedMNIST and others publish them; never anything pickled."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np

from nncore.backend import Array, Shape
from nncore.data.dataset import DIGITS, Dataset
from nncore.errors import DataError
from nncore.files import LARGEST_DATASET, STRONGEST_DEFLATE, opened, shown

NAMES = (("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("{}_x", "{}_y"))
UNSPLIT = (("images", "labels"), ("x", "y"), ("X", "y"))
"""Names of images and labels in a file that has no splits: all of it is the training split."""
MOST_CLASSES = 1000
LARGEST_SIDE = 1024


def open_npz(path: Path, split: str = "train") -> Dataset:
    """The images and labels of a split in an .npz file: `x_train` and `y_train`, `train_images` and `train_labels`, or,
    for "train", `images` and `labels`.

    Images may be (N, height, width), (N, height, width, 1 or 3) or (N, side²), bytes or numbers from 0 to 1 or to 255.
    Raises DataError, naming the file, where it is damaged or holds something else.
    """
    with opened(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                images, labels = _pair(archive, split, path)
        # What zipfile and NumPy raise on damaged or encrypted files, or on methods that they do not know.
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, KeyError, SyntaxError, TypeError) as error:
            raise DataError(f"{shown(path)} is damaged or no .npz file; copy or download it again.") from error
    labels = _labels(labels, path)
    most = int(labels.max(initial=0))
    names = DIGITS if most < len(DIGITS) else tuple(str(number) for number in range(most + 1))
    return Dataset(_images(images, path), labels, shown(path.stem), f"{shown(path)}, {split}", names)


def holds_npz(path: Path) -> bool:
    """Whether this is an .npz file."""
    return path.suffix.lower() == ".npz" and path.is_file()


def _pair(archive: zipfile.ZipFile, split: str, path: Path) -> tuple[Array, Array]:
    """The arrays of images and labels of a split."""
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    wanted = [(x.format(split), y.format(split)) for x, y in NAMES] + (list(UNSPLIT) if split == "train" else [])
    for x, y in wanted:
        if x in members and y in members:
            return _array(archive, members[x], path), _array(archive, members[y], path)
    raise DataError(f"{shown(path)} holds no {split} split; it needs arrays called x_{split} and y_{split}.")


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Array:
    """One array, its header held against its size before anything is allocated."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{shown(path)} is compressed in a way that .npz files are not; save it anew.")
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
        else:
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(member)
        _check(shape, dtype, info, path)
        size = math.prod(shape) * dtype.itemsize
        data = member.read(size)
        if len(data) < size or member.read(1):
            raise DataError(f"{shown(path)} is damaged: {info.filename!a} is not as long as its header says.")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _check(shape: Shape, dtype: np.dtype[np.generic], info: zipfile.ZipInfo, path: Path) -> None:
    if dtype.kind not in "buif":
        raise DataError(f"{shown(path)} holds {info.filename!a}, which is not made of plain numbers; save it as numbers.")
    size = math.prod(shape) * dtype.itemsize
    if size > min(LARGEST_DATASET, info.compress_size * STRONGEST_DEFLATE, info.file_size):
        raise DataError(f"{shown(path)} claims {size:,} bytes in {info.filename!a}, more than it can hold or than is allowed.")


def _images(images: Array, path: Path) -> Array:
    """uint8 (N, height, width, channels)"""
    if images.ndim == 2 and math.isqrt(images.shape[1]) ** 2 == images.shape[1]:
        images = images.reshape(len(images), math.isqrt(images.shape[1]), -1)
    images = images[..., None] if images.ndim == 3 else images
    if images.ndim != 4 or not len(images) or not all(1 <= side <= LARGEST_SIDE for side in images.shape[1:3]):
        raise DataError(f"{shown(path)} holds no images: their array has the shape {images.shape}.")
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    low, high = float(images.min()), float(images.max())
    if not (0 <= low <= high <= 255):
        raise DataError(f"{shown(path)} holds images with values from {low:g} to {high:g}; they must lie between 0 and 255.")
    scale = 255 if images.dtype.kind in "bf" and high <= 1 else 1
    return np.ascontiguousarray(np.round(images * np.float32(scale)).astype(np.uint8))


def _labels(labels: Array, path: Path) -> Array:
    """int64 (N)"""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    whole = labels.ndim == 1 and bool(np.isfinite(labels).all()) and bool((labels == np.round(labels)).all())
    if not whole or not len(labels) or labels.min() < 0 or labels.max() >= MOST_CLASSES:
        raise DataError(f"{shown(path)} holds no labels: they must be one whole number an image, from 0 up.")
    return labels.astype(np.int64)
