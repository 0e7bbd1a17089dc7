"""An overview of a dataset: counts, shapes and class balance of each split, and the sums of its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nncore.arrays import Shape
from nncore.data.catalogue import IN_CODE, PUBLISHED, open_dataset, own_datasets
from nncore.data.checksums import FileSum, file_sum, published_sums
from nncore.data.importing import data_files
from nncore.data.own import is_copy, parts_of
from nncore.errors import DataError

SPLITS = ("train", "test")
MOST_SUMS = 16
"""Files up to which each gets a sum: nobody reads those of a thousand pictures."""


@dataclass(frozen=True)
class SplitOverview:
    """One split."""

    split: str
    count: int
    shape: Shape
    """(height, width, channels)"""
    classes: Mapping[str, int]
    """Images a class, by its name."""
    unlabelled: int
    """Images of which nobody knows what they show."""
    source: str


@dataclass(frozen=True)
class Overview:
    """What `digitlab data info` tells."""

    name: str
    splits: Sequence[SplitOverview]
    files: Sequence[FileSum]

    @property
    def classes(self) -> dict[str, int]:
        """Images a class in all splits together."""
        total: Counter[str] = Counter()
        for part in self.splits:
            total.update(part.classes)
        return dict(total)

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it: `splits` by name, and before them the counts of all together."""
        return {
            "name": self.name,
            "count": sum(part.count for part in self.splits),
            "shape": self.splits[0].shape,
            "classes": self.classes,
            "splits": {part.split: {key: value for key, value in asdict(part).items() if key != "split"} for part in self.splits},
            "files": [asdict(file) for file in self.files],
        }


def overview(name_or_path: str, splits: Sequence[str] = SPLITS) -> Overview:
    """Open those of the splits that there are, and look through them. Raises DataError where none can be opened."""
    found: list[SplitOverview] = []
    failed: list[DataError] = []
    for split in splits:
        try:
            data = open_dataset(name_or_path, split)
        except DataError as error:
            failed.append(error)
            continue
        if any(part.source == data.source for part in found):
            continue  # a test file that stands alone is both
        counts = dict(zip(data.class_names, data.class_counts().tolist(), strict=True))
        unlabelled = len(data) - sum(counts.values())
        found.append(SplitOverview(split, len(data), data.image_shape, counts, unlabelled, data.source))
    if not found:
        raise failed[0]
    return Overview(data.name, found, _sums(name_or_path))


def _sums(name_or_path: str) -> list[FileSum]:
    if name_or_path in PUBLISHED:
        return published_sums(name_or_path)
    if name_or_path in IN_CODE or is_copy(name_or_path) or parts_of(name_or_path):
        return []
    files = data_files(own_datasets().get(name_or_path, Path(name_or_path)))
    return [file_sum(file) for file in files] if len(files) <= MOST_SUMS else []
