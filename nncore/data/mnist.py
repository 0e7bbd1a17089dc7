"""MNIST and its relatives: a folder of IDX files, one pair of images and labels for training and one for testing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nncore.arrays import Array
from nncore.data.dataset import DIGITS, Dataset
from nncore.data.idx import idx_header, read_idx
from nncore.errors import DataError
from nncore.files import MOST_IMAGES, entries, is_file, shown

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
"""The usual names of the images and the labels of each split; ".gz" may follow."""

FILE_LIST = ", ".join(f"{name}.gz" for pair in FILES.values() for name in pair)

OFFICIAL_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""MD5 of each file of MNIST as LeCun, Cortes and Burges published it, unpacked."""

NAME = re.compile(
    r"(?P<set>.*?)[-_.]?(?P<part>train|t10k|test)[-_.](?P<what>images|labels)[-_.]idx[13][-_.]ubyte(\.gz)?", re.IGNORECASE
)
LARGEST_SIDE = 1024
MOST_CLASSES = 1000
MOST_NAMES = 5
"""Sets that a message names."""
AT_ONCE = 2**20
"""Pixels that are turned at a time."""

# EMNIST's classes (Cohen et al. 2017, arXiv 1702.05373): small letters that look like their capitals share a class with them.
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MERGED = DIGITS + tuple(UPPER) + tuple("abdefghnqrt")
EMNIST_CLASSES = {
    "emnist-letters": tuple(UPPER),
    "emnist-balanced": MERGED,
    "emnist-bymerge": MERGED,
    "emnist-byclass": DIGITS + tuple(UPPER) + tuple(UPPER.lower()),
}
PREFERRED = ("", "mnist", "emnist-digits", "emnist-mnist")
"""The sets of digits, in the order in which one is taken from a folder that holds several sets."""


@dataclass(frozen=True)
class FileCheck:
    """What `verify` found out about one file."""

    name: str
    """The published name of the file, without ".gz"."""
    path: Path | None
    """Where it lies; None where it is missing."""
    md5: str
    """Of the unpacked file; empty where it is missing."""

    @property
    def official(self) -> bool:
        """Whether it is the published file, byte for byte."""
        return self.md5 == OFFICIAL_MD5[self.name]


def open_mnist(path: Path, split: str = "train") -> Dataset:
    """The "train" or "test" split of a folder of IDX files (or of the set that one IDX file in it belongs to).

    Images uint8 (N, height, width, 1), labels int64. Raises DataError, naming the file, where one is missing or damaged.
    """
    if split not in FILES:
        raise DataError(f'MNIST has the splits "train" and "test", not "{split}".')
    prefix, files = _chosen_set(path)
    pair = files.get(split, {})
    if missing := [what for what in ("images", "labels") if what not in pair]:
        raise DataError(
            f"{shown(path)} has no {split} {' and '.join(missing)}; "
            f"put {' and '.join(name + '.gz' for name in FILES[split])} there."
        )
    _check_headers(pair["images"], pair["labels"])
    labels = read_idx(pair["labels"]).astype(np.int64)
    first = 1 if prefix == "emnist-letters" else 0
    if not first <= labels.min() <= labels.max() < MOST_CLASSES:
        raise DataError(f"{shown(pair['labels'])} holds labels from {labels.min()} to {labels.max()}; these are no classes.")
    images, labels = read_idx(pair["images"]), labels - first
    if prefix.startswith("emnist"):
        images = _turned(images)
    return Dataset(images[..., None], labels, shown(prefix) or "mnist", shown(pair["images"]), _class_names(prefix, labels))


def holds_idx(path: Path) -> bool:
    """Whether this is a folder with MNIST's files, or one of those files."""
    return bool(NAME.fullmatch(path.name)) if path.is_file() else bool(path.is_dir() and _sets(path))


def files_of(path: Path) -> list[Path]:
    """The files of the set in a folder that `open_mnist` opens, or of the one that a file belongs to."""
    return [file for pair in _chosen_set(path)[1].values() for file in pair.values()]


def counts(folder: Path) -> dict[str, int]:
    """How many images each split has, read from the headers alone. Raises DataError where a header is damaged."""
    _, files = _chosen_set(folder)
    return {split: idx_header(pair["images"])[1][0] for split, pair in files.items() if "images" in pair}


def verify(folder: Path) -> list[FileCheck]:
    """Hold the four files of MNIST in the folder against the published MD5 sums (a quarter of a second)."""
    sets = _sets(folder)
    files = sets.get("", sets.get("mnist", {}))
    checks = []
    for split, names in FILES.items():
        for what, name in zip(("images", "labels"), names, strict=True):
            path = files.get(split, {}).get(what)
            checks.append(FileCheck(name, path, _md5(read_idx(path)) if path else ""))
    return checks


def _md5(array: Array) -> str:
    """MD5 of the IDX file that holds this uint8 array."""
    header = bytes((0, 0, 8, array.ndim)) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    digest = hashlib.md5(header, usedforsecurity=False)
    digest.update(array.reshape(-1).data)
    return digest.hexdigest()


def _check_headers(images: Path, labels: Path) -> None:
    """Raise DataError where two files cannot be images and their labels; nothing but their headers is read."""
    (dtype, shape), (label_dtype, label_shape) = idx_header(images), idx_header(labels)
    if len(shape) != 3 or dtype != np.uint8 or not all(1 <= side <= LARGEST_SIDE for side in shape[1:]) or shape[0] > MOST_IMAGES:
        raise DataError(f"{shown(images)} holds no images: {dtype.name} numbers of shape {shape}.")
    if len(label_shape) != 1 or label_dtype.kind not in "ui":
        raise DataError(f"{shown(labels)} holds no labels: {label_dtype.name} numbers of shape {label_shape}.")
    if not shape[0] or not label_shape[0]:
        raise DataError(f"{shown(labels if shape[0] else images)} is empty; copy or download it again.")
    if shape[0] != label_shape[0]:
        raise DataError(f"{shown(images)}: {shape[0]:,} images need as many labels, not {label_shape[0]:,}.")


def _turned(images: Array) -> Array:
    """The images (N, width, height) as (N, height, width), in the same memory: EMNIST kept the axes in MATLAB's order."""
    count, width, height = images.shape
    turned, step = images.reshape(count, height, width), max(1, AT_ONCE // (width * height))
    for start in range(0, count, step):
        turned[start : start + step] = images[start : start + step].transpose(0, 2, 1).copy()
    return turned


def _sets(folder: Path) -> dict[str, dict[str, dict[str, Path]]]:
    """The IDX files in the folder by set ("" for MNIST's own names), split and kind (images or labels)."""
    sets: dict[str, dict[str, dict[str, Path]]] = {}
    for path in entries(folder):
        if (match := NAME.fullmatch(path.name)) and is_file(path):
            split = "train" if match["part"].lower() == "train" else "test"
            sets.setdefault(_set_name(match), {}).setdefault(split, {}).setdefault(match["what"].lower(), path)
    return sets


def _set_name(match: re.Match[str]) -> str:
    """The name of the set that a file belongs to; EMNIST's in one spelling."""
    name = match["set"].lower()
    return re.sub("[_.]", "-", name) if name.startswith("emnist") else name


def _chosen_set(path: Path) -> tuple[str, dict[str, dict[str, Path]]]:
    """The set that a file belongs to, or the one to take from a folder."""
    if path.is_dir():
        sets = _sets(path)
        name = next((name for name in (*PREFERRED, *sets) if name in sets), None)
        if name is None:
            raise DataError(f"{shown(path)} holds no IDX files; put {FILE_LIST} there.")
        if name not in PREFERRED and len(sets) > 1:
            some = ", ".join(shown(set_) for set_ in sorted(sets)[:MOST_NAMES])
            raise DataError(f"{shown(path)} holds several sets (such as {some}); name one of their files instead.")
        return name, sets[name]
    match = NAME.fullmatch(path.name)
    if not match:
        raise DataError(f"{shown(path)} is not named like a file of MNIST; name a folder with {FILES['train'][0]} and its fellows.")
    name = _set_name(match)
    return name, _sets(path.parent).get(name, {})


def _class_names(prefix: str, labels: Array) -> tuple[str, ...]:
    """What the labels are called: digits, EMNIST's letters, or plain numbers."""
    names = EMNIST_CLASSES.get(prefix, DIGITS)
    return names if labels.max() < len(names) else tuple(str(number) for number in range(int(labels.max()) + 1))
