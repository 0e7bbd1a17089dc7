"""The kinds of files and folders that hold digits, and telling which one a path is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nncore.arrays import Shape
from nncore.data import folder, kaggle, mnist, npz, svhn
from nncore.data.dataset import Dataset

WORDS = "IDX files, SVHN's .mat files, a Kaggle CSV, an .npz file, or a folder of pictures with one folder a digit"
"""What a dataset can be, for messages."""


@dataclass(frozen=True)
class Kind:
    """One kind of dataset: what it is called, whether a path holds it, and how it is opened."""

    title: str
    holds: Callable[[Path], bool]
    """Looks at names only, and so is quick. DataError where a folder cannot be read."""
    open: Callable[[Path, str, Shape], Dataset]
    """Path, split, and the shape that pictures of any size are given."""


KINDS = (
    Kind("IDX files", mnist.holds_idx, lambda path, split, _: mnist.open_mnist(path, split)),
    Kind("SVHN's .mat files", svhn.holds_svhn, lambda path, split, _: svhn.open_svhn(path, split)),
    Kind("table of digits (CSV)", kaggle.holds_kaggle, lambda path, split, _: kaggle.open_kaggle(path, split)),
    Kind("NumPy archive", npz.holds_npz, lambda path, split, _: npz.open_npz(path, split)),
    Kind("folder of pictures", folder.holds_pictures, folder.open_folder),
)


def kind_of(path: Path) -> Kind | None:
    """The kind of dataset that lies at `path`; None where there is none. DataError where a folder cannot be read."""
    return next((kind for kind in KINDS if kind.holds(path)), None)
