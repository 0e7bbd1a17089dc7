"""What files hold, as sums: to tell a published file from another, and a damaged copy from a good one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from nncore.data import mnist
from nncore.data.catalogue import place_of
from nncore.data.dataset import AT_ONCE, Dataset
from nncore.data.sources import SOURCES
from nncore.errors import DataError
from nncore.files import entries, opened


@dataclass(frozen=True)
class FileSum:
    """One file of a dataset."""

    name: str
    size: int
    """Bytes on disk."""
    sha256: str
    """Of the file as it lies there."""
    published: bool | None
    """Whether it holds what was published (for MNIST also if it was packed anew); None where nothing was."""


def file_sum(path: Path, published: bool | None = None) -> FileSum:
    """Read the whole file. Raises DataError where it cannot be read."""
    with opened(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileSum(path.name, file.seek(0, 2), digest, published)


def published_sums(name: str) -> list[FileSum]:
    """The files of a published dataset that are here. Raises DataError where one cannot be read."""
    source, place = SOURCES[name], place_of(name)
    if name == "mnist":
        return [file_sum(check.path, check.official) for check in mnist.verify(place) if check.path]
    known = {file.name: file.sha256 for file in source.files}
    sums = [file_sum(path) for path in entries(place) if path.name in known]
    return [FileSum(each.name, each.size, each.sha256, each.sha256 == known[each.name]) for each in sums]


def already_published(name: str) -> Path | None:
    """The folder in which all files of a dataset lie as published; None where one is missing, damaged, or another."""
    place = place_of(name)
    try:
        sums = published_sums(name) if place.is_dir() else []
    except DataError:
        return None
    return place if len(sums) == len(SOURCES[name].files) and all(each.published for each in sums) else None


def content_sum(data: Dataset) -> str:
    """The SHA-256 of a dataset's images and labels, in order, with their shapes and the number of classes."""
    digest = hashlib.sha256(f"{data.images.shape} {len(data.class_names)}".encode())
    for array in (data.images, data.labels):
        for start in range(0, len(array), AT_ONCE):
            digest.update(array[start : start + AT_ONCE].tobytes())
    return digest.hexdigest()
