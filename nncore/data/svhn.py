"""SVHN, street view house numbers, in the MATLAB files that Netzer and others published in 2011."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nncore.backend import Array
from nncore.data.dataset import Dataset
from nncore.errors import DataError
from nncore.files import LARGEST_DATASET, STRONGEST_DEFLATE, entries, file_size, opened, shown

FILES = {split: f"{split}_32x32.mat" for split in ("train", "test", "extra")}
LARGEST_SIDE = 1024
NUMBERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "single", "double")


def open_svhn(path: Path, split: str = "train") -> Dataset:
    """The "train", "test" or "extra" split of a folder of SVHN's .mat files, or of the folder of one such file.

    Images uint8 (N, 32, 32, 3), labels int64 (in the files 10 stands for zero). A .mat file of another name is a training
    split. Raises DataError, naming the file, where it is missing, damaged, or holds something else.
    """
    if split not in FILES:
        raise DataError(f'SVHN has the splits "train", "test" and "extra", not "{split}".')
    file = _file(path, split)
    images, labels = _read(file)
    return Dataset(images, labels, "svhn", shown(file))


def holds_svhn(path: Path) -> bool:
    """Whether this is a .mat file, or a folder with SVHN's."""
    if path.is_dir():
        return any(entry.name.lower() in FILES.values() for entry in entries(path))
    return path.suffix.lower() == ".mat"


def _file(path: Path, split: str) -> Path:
    if not path.is_dir():
        if path.name.lower() not in FILES.values():
            if split == "train":
                return path
            raise DataError(f"{shown(path)} has no {split} split; name a folder with {FILES['train']} and {FILES['test']}.")
        path = path.parent
    found = [entry for entry in entries(path) if entry.name.lower() == FILES[split]]
    if not found:
        raise DataError(f"{shown(path)} has no {split} split; put {FILES[split]} there.")
    return found[0]


def _read(path: Path) -> tuple[Array, Array]:
    """Images uint8 (N, height, width, channels) and labels int64 (N) of one file."""
    from scipy.io import loadmat, whosmat

    with opened(path) as file:
        header = file.read(128)
        # The older and the newer formats have other readers: version 5 says 0x0100, in its own byte order.
        if header[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
            raise DataError(f"{shown(path)} is not a MATLAB version 5 file; take the cropped digits (format 2) of SVHN.")
        file.seek(0)
        reader: Any = file  # SciPy's types know of paths only
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = {name: (shape, kind) for name, shape, kind in whosmat(reader)}
                _check(found, path, file_size(file) * STRONGEST_DEFLATE)
                file.seek(0)
                content = loadmat(reader, variable_names=["X", "y"])
                return _images(content["X"], path), _labels(content["y"], path)
        except DataError:
            raise
        # On damaged files SciPy's reader raises nearly anything.
        except Exception as error:
            raise DataError(f"{shown(path)} is damaged and cannot be read; download it again.") from error


def _check(found: Mapping[str, tuple[tuple[int, ...], str]], path: Path, at_most: int) -> None:
    """Hold what the headers promise against what SVHN is, before anything is allocated."""
    shape, kind = found.get("X", ((), ""))
    counts, numbers = found.get("y", ((), ""))
    if kind != "uint8" or len(shape) != 4 or shape[2] not in (1, 3) or not all(1 <= side <= LARGEST_SIDE for side in shape[:2]):
        raise DataError(f"{shown(path)} holds no images X of 32×32×3×N bytes; take the cropped digits (format 2) of SVHN.")
    if numbers not in NUMBERS or shape[3] < 1:
        raise DataError(f"{shown(path)} holds no labels y; take the cropped digits (format 2) of SVHN.")
    if math.prod(counts) != shape[3]:
        raise DataError(f"{shown(path)} holds {shape[3]:,} images but {math.prod(counts):,} labels; download it again.")
    if math.prod(shape) > min(LARGEST_DATASET, at_most):
        raise DataError(f"{shown(path)} claims {math.prod(shape):,} bytes of images, more than it can hold or than is allowed.")


def _images(x: Array, path: Path) -> Array:
    if x.dtype != np.uint8 or x.ndim != 4:
        raise DataError(f"{shown(path)} is damaged: its images are {x.dtype} numbers of shape {x.shape}; download it again.")
    return np.ascontiguousarray(x.transpose(3, 0, 1, 2))


def _labels(y: Array, path: Path) -> Array:
    labels = y.ravel()
    if not (np.isfinite(labels).all() and (labels == np.round(labels)).all() and labels.min() >= 0 and labels.max() <= 10):
        raise DataError(f"{shown(path)} is damaged: its labels are not the numbers 1 to 10; download it again.")
    return labels.astype(np.int64) % 10
