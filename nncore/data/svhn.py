"""SVHN, street view house numbers, in the MATLAB files that Netzer and others published in 2011."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from nncore.arrays import Array, Shape
from nncore.data.dataset import Dataset
from nncore.data.mat import Variable, opened_mat
from nncore.errors import DataError
from nncore.files import MOST_IMAGES, entries, shown

FILES = {split: f"{split}_32x32.mat" for split in ("train", "test", "extra")}
LARGEST_SIDE = 1024
NONE = np.empty(0, np.int64)


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


def open_extra(path: Path, split: str = "train") -> Dataset:
    """SVHN to train on its 531,131 easier digits: "train" is the file `extra` of a folder, "test" the usual one.

    Shapes and errors are those of `open_svhn`.
    """
    if split not in ("train", "test"):
        raise DataError(f'SVHN\'s extra digits have the splits "train" and "test", not "{split}".')
    return replace(open_svhn(path, "extra" if split == "train" else split), name="svhn-extra")


def counts(folder: Path) -> dict[str, int]:
    """How many images each split in the folder has, read from the headers alone; those left out that are damaged or cut off.

    Raises DataError where the folder cannot be listed.
    """
    here = {entry.name.lower(): entry for entry in entries(folder)}
    found = {}
    for split, name in FILES.items():
        if name in here:
            with suppress(DataError):
                found[split] = _count(here[name])
    return found


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


def _count(path: Path) -> int:
    with opened_mat(path, ("X",)) as variables:
        for x in variables:
            return _size(x, path)[3]
    raise _no_images(path)


def _read(path: Path) -> tuple[Array, Array]:
    """Images uint8 (N, height, width, channels) and labels int64 (N) of one file."""
    images, labels = None, NONE
    with opened_mat(path, ("X", "y")) as variables:
        for variable in variables:
            if variable.name == "X":
                images = _images(variable, path)
            else:
                labels = _labels(variable, path)
    if images is None:
        raise _no_images(path)
    if len(images) != len(labels):
        raise DataError(f"{shown(path)} holds {len(images):,} images but {len(labels):,} labels; download it again.")
    return images, labels


def _images(x: Variable, path: Path) -> Array:
    """uint8 (N, height, width, channels), filled a few at a time: `extra` takes 1.6 GB, and no second copy of it is made."""
    height, width, channels, count = _size(x, path)
    images, at = np.empty((count, height, width, channels), np.uint8), 0
    for block in x.blocks():
        images[at : at + block.shape[3]] = block.transpose(3, 0, 1, 2)
        at += block.shape[3]
    return images


def _size(x: Variable, path: Path) -> Shape:
    """(height, width, channels, N). Raises DataError where the variable holds no images."""
    size = x.shape
    if len(size) != 4 or x.dtype != np.uint8 or size[2] not in (1, 3) or max(size[:2]) > LARGEST_SIDE or size[3] > MOST_IMAGES:
        raise _no_images(path)
    return size


def _labels(y: Variable, path: Path) -> Array:
    """int64 (N), 0 to 9"""
    labels = y.array().ravel() if math.prod(y.shape) <= MOST_IMAGES else NONE
    whole = bool(np.isfinite(labels).all()) and bool((labels == np.round(labels)).all())
    if not whole or not 0 <= labels.min(initial=11) <= labels.max(initial=0) <= 10:
        raise DataError(f"{shown(path)} is damaged: its labels are not the numbers 1 to 10; download it again.")
    return labels.astype(np.int64) % 10


def _no_images(path: Path) -> DataError:
    return DataError(f"{shown(path)} holds no images X of 32×32×3×N bytes; take the cropped digits (format 2) of SVHN.")
