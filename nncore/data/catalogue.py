"""Datasets by name or by path: what there is, whether it is here, and opening it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nncore.backend import Shape
from nncore.data import folder, kaggle, mnist, npz, svhn
from nncore.data.dataset import Dataset
from nncore.data.street import synthetic_street
from nncore.data.synthetic import COUNTS, synthetic
from nncore.errors import DataError
from nncore.files import shown
from nncore.paths import data_folder

KINDS = "IDX files, SVHN's .mat files, a Kaggle CSV, an .npz file, or a folder of pictures with one folder a digit"
IN_CODE = {"synthetic": synthetic, "synthetic-street": synthetic_street}


@dataclass(frozen=True)
class KnownDataset:
    """A dataset that has a name, and whether it is on this machine."""

    name: str
    title: str
    description: str
    licence: str
    here: bool
    folder: Path | None = None
    """Where it lies, or where to put it; None for what is drawn by code."""
    size: int = 0
    """Bytes on disk."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Images a split, where that is known without opening it."""


def open_dataset(name_or_path: str | os.PathLike[str], split: str = "train", picture_shape: Shape = folder.GREY) -> Dataset:
    """Open a dataset by its name (mnist, svhn, svhn-extra, synthetic, synthetic-street) or by the path of its folder or file.

    `split` is "train" or "test" (for SVHN also "extra"). Pictures from a folder are made `picture_shape` = (height, width,
    channels). Raises DataError, with what to do, where the data is missing, damaged, or of no kind that is known.
    """
    name = os.fspath(name_or_path)
    if name in IN_CODE:
        return IN_CODE[name](split)
    if name == "mnist":
        return mnist.open_mnist(_must_hold(name, "MNIST", mnist.FILE_LIST), split)
    if name == "svhn":
        return svhn.open_svhn(_must_hold(name, "SVHN", ", ".join(svhn.FILES.values())), split)
    if name == "svhn-extra":
        return svhn.open_extra(_must_hold("svhn", "SVHN", f"{svhn.FILES['extra']}, {svhn.FILES['test']}"), split)
    path = Path(name)
    try:
        return _open_folder(path, split, picture_shape) if path.is_dir() else _open_file(path, split)
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be read: {error.strerror or error}.") from error


def available_datasets() -> list[KnownDataset]:
    """Every dataset that has a name, those that need no download last."""
    return [
        _mnist(),
        *_svhn(),
        KnownDataset(
            "synthetic",
            "Drawn digits",
            "Handwriting and type drawn by code, 28×28 grey: no download, as many as you like.",
            "none needed",
            True,
            counts=COUNTS,
        ),
        KnownDataset(
            "synthetic-street",
            "Drawn street numbers",
            "House numbers drawn by code, 32×32 in colour: no download, as many as you like.",
            "none needed",
            True,
            counts=COUNTS,
        ),
    ]


def _must_hold(name: str, title: str, files: str) -> Path:
    """The folder of a named dataset. Raises DataError, saying where to put its files, where there is nothing."""
    place = data_folder() / name
    instead = "synthetic-street" if name == "svhn" else "synthetic"
    if not _has_files(place):
        raise DataError(f"{title} is not in {shown(place)}; put the files {files} there, or use --data {instead}.")
    return place


def _open_folder(path: Path, split: str, picture_shape: Shape) -> Dataset:
    if mnist.holds_idx(path):
        return mnist.open_mnist(path, split)
    if svhn.holds_svhn(path):
        return svhn.open_svhn(path, split)
    if kaggle.holds_kaggle(path):
        return kaggle.open_kaggle(path, split)
    if folder.holds_pictures(path):
        return folder.open_folder(path, split, picture_shape)
    raise DataError(f"{shown(path)} holds no dataset; name {KINDS}.")


def _open_file(path: Path, split: str) -> Dataset:
    if not path.exists():
        names = ", ".join(known.name for known in available_datasets())
        raise DataError(f"There is no dataset, folder or file called {shown(path)}; the names are {names}.")
    if mnist.holds_idx(path):
        return mnist.open_mnist(path, split)
    if svhn.holds_svhn(path):
        return svhn.open_svhn(path, split)
    if kaggle.holds_kaggle(path):
        return kaggle.open_kaggle(path, split)
    if path.suffix.lower() == ".npz":
        return npz.open_npz(path, split)
    raise DataError(f"{shown(path)} is no dataset; name {KINDS}.")


def _has_files(place: Path) -> bool:
    return place.is_dir() and any(path.is_file() for path in place.iterdir())


def _size(place: Path) -> int:
    """Bytes of the files in a folder (not in those below it)."""
    return sum(path.stat().st_size for path in place.iterdir() if path.is_file()) if place.is_dir() else 0


def _mnist() -> KnownDataset:
    place = data_folder() / "mnist"
    try:
        here = mnist.holds_idx(place)
        counts, size = (mnist.counts(place), _size(place)) if here else ({}, 0)
    except (DataError, OSError):
        here, counts, size = False, {}, 0
    return KnownDataset(
        "mnist",
        "MNIST",
        "70,000 handwritten digits, 28×28 grey, by American high-school students and census workers.",
        "CC BY-SA 3.0 (LeCun, Cortes, Burges)",
        here,
        place,
        size,
        counts,
    )


def _svhn() -> list[KnownDataset]:
    """SVHN, and the same folder with the extra digits as the training part."""
    place = data_folder() / "svhn"
    try:
        counts = svhn.counts(place) if place.is_dir() else {}
        size = _size(place) if counts else 0
    except (DataError, OSError):
        counts, size = {}, 0
    usual = {split: count for split, count in counts.items() if split != "extra"}
    extra = {"train" if split == "extra" else split: count for split, count in counts.items() if split != "train"}
    licence = "non-commercial use only (Netzer and others)"
    return [
        KnownDataset(
            "svhn",
            "SVHN",
            "99,289 digits of house numbers, 32×32 in colour, cut from photos of streets.",
            licence,
            bool(counts),
            place,
            size,
            usual,
        ),
        KnownDataset(
            "svhn-extra",
            "SVHN, extra digits",
            "531,131 more digits of house numbers to train on, somewhat easier ones; tested on SVHN's own.",
            licence,
            "extra" in counts,
            place,
            size if "extra" in counts else 0,
            extra if "extra" in counts else {},
        ),
    ]
