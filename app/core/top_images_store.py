"""What excites the units of a layer most, kept on the disk, so that a dataset is looked through once for the same weights. Qt-free.

A file is made again where it is missing or damaged, so nobody is told of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.data.checksums import content_sum
from nncore.data.dataset import Dataset
from nncore.errors import DigitLabError
from nncore.explain.receptive_field import Field
from nncore.explain.top_images import TopImages
from nncore.files import write_atomically
from nncore.paths import cache_folder
from nncore.weights import digest, packed, read_tensors

FORMAT = "digitlab-top-images"
LIMIT = 32 * 2**20
"""Bytes that the files may take together; those that were used longest ago go first."""
PARTS = ("indices", "values", "rows", "columns", "fields")


def folder() -> Path:
    """Where the files lie. It need not exist yet."""
    return cache_folder() / "top-images"


def key_of(architecture: Mapping[str, Any], state: Mapping[str, Array], data: Dataset, layer: str) -> str:
    """A name for one search, of hexadecimal digits: another network, other weights, images, labels or layer give another one.

    It reads all images once.
    """
    arrays = {name: np.ascontiguousarray(value) for name, value in state.items()}
    parts = (str(architecture["input_shape"]), str(architecture["layers"]), digest(arrays), content_sum(data), layer)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class TopImagesStore:
    """The files in a folder."""

    folder: Path
    limit: int = LIMIT

    def read(self, key: str, layer: str, units: int, data: Dataset) -> TopImages | None:
        """What was kept for `units` units of `layer` and the images of `data`; None where nothing was, or it makes no sense."""
        path = self._path(key)
        try:
            found, _ = read_tensors(path, FORMAT, ("I64", "F32"))
        except DigitLabError:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        if not _makes_sense(found, units, data):
            return None
        with suppress(OSError):
            path.touch()  # used just now
        fields = tuple(tuple(Field(*map(int, each)) for each in line) for line in found["fields"])
        return TopImages(layer, found["indices"], found["values"], found["rows"], found["columns"], fields)

    def write(self, key: str, top: TopImages) -> None:
        """Keep what was found. Where the disk refuses, it is not kept."""
        fields = [[(each.row, each.column, each.height, each.width) for each in line] for line in top.fields]
        arrays = {name: getattr(top, name) for name in PARTS[:-1]} | {"fields": np.array(fields, np.int64)}
        with suppress(DigitLabError):
            write_atomically(self._path(key), packed(arrays, format=FORMAT), wait=False)
        self._prune()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"

    def _prune(self) -> None:
        """Remove the files that were used longest ago, beyond the limit."""
        with suppress(OSError):
            files = sorted(self.folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime, reverse=True)
            room = self.limit
            for path in files:
                room -= path.stat().st_size
                if room < 0:
                    path.unlink(missing_ok=True)


def _makes_sense(found: Mapping[str, Array], units: int, data: Dataset) -> bool:
    """Whether arrays that were read are of this many units, and of images that there are."""
    if set(found) != set(PARTS) or found["values"].dtype != np.float32 or found["values"].ndim != 2:
        return False
    shape = found["values"].shape
    whole = [found[name] for name in PARTS if name != "values"]
    if shape[0] != units or not shape[1] or any(each.dtype != np.int64 for each in whole):
        return False
    if any(found[name].shape != shape for name in PARTS[:-1]) or found["fields"].shape != (*shape, 4):
        return False
    top, left, height, width = np.moveaxis(found["fields"], -1, 0)
    inside = (top >= 0) & (left >= 0) & (height > 0) & (width > 0)
    inside &= (top + height <= data.image_shape[0]) & (left + width <= data.image_shape[1])
    numbers = (found["indices"] >= 0) & (found["indices"] < len(data))
    return bool(inside.all() and numbers.all() and np.isfinite(found["values"]).all())
