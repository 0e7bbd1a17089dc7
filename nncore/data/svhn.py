"""SVHN, street view house numbers, in the MATLAB files that Netzer and others published in 2011."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nncore.backend import Array
from nncore.data.dataset import Dataset
from nncore.data.mat import read_mat
from nncore.errors import DataError
from nncore.files import entries, shown

FILES = {split: f"{split}_32x32.mat" for split in ("train", "test", "extra")}
LARGEST_SIDE = 1024
NOTHING = np.empty(0, np.uint8)


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
    found = read_mat(path, ("X", "y"))
    x, y = found.get("X", NOTHING), found.get("y", NOTHING)
    if x.ndim != 4 or x.dtype != np.uint8 or x.shape[2] not in (1, 3) or not all(1 <= side <= LARGEST_SIDE for side in x.shape[:2]):
        raise DataError(f"{shown(path)} holds no images X of 32×32×3×N bytes; take the cropped digits (format 2) of SVHN.")
    if not y.size or y.size != x.shape[3]:
        raise DataError(f"{shown(path)} holds {x.shape[3]:,} images but {y.size:,} labels; download it again.")
    labels = y.ravel()
    if not (np.isfinite(labels).all() and (labels == np.round(labels)).all() and labels.min() >= 0 and labels.max() <= 10):
        raise DataError(f"{shown(path)} is damaged: its labels are not the numbers 1 to 10; download it again.")
    return np.ascontiguousarray(x.transpose(3, 0, 1, 2)), labels.astype(np.int64) % 10
