"""Dataset: labelled images in memory, and how to part them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nncore.arrays import Array, Shape
from nncore.errors import ConfigError, DataError

DIGITS = tuple("0123456789")

UNKNOWN = -1
"""The label of an image of which nobody has said what it shows."""

AT_ONCE = 1000
"""Images that are added up at a time: few enough that no second copy of a large dataset is ever in memory."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images. They stay uint8 until a batch is taken; nobody can write into them, so a device may keep a copy.

    Raises DataError where images and labels do not belong together.
    """

    images: Array
    """uint8 (N, height, width, channels); channels is 1 (grey) or 3 (red, green, blue)"""
    labels: Array
    """int64 (N), each the index of a class name, or UNKNOWN"""
    name: str
    source: str = ""
    """Where it came from, in words: a file, a folder, a generator and its seed."""
    class_names: Sequence[str] = field(default=DIGITS)
    targets: Array | None = None
    """What a network learns in the labels' place, where somebody knows more than these: float32 (N, classes), a row of target
    probabilities an image. Accuracy and held-out loss are still of the labels.
    """

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != np.uint8 or self.images.shape[3] not in (1, 3):
            raise DataError(
                f"{self.name}: images must be uint8 N×height×width×(1 or 3), not {self.images.dtype} {self.images.shape}."
            )
        if self.labels.shape != self.images.shape[:1] or self.labels.dtype != np.int64:
            raise DataError(f"{self.name}: {len(self.images):,} images need as many labels, not {self.labels.shape}.")
        if len(self.labels) and not UNKNOWN <= self.labels.min() <= self.labels.max() < len(self.class_names):
            raise DataError(
                f"{self.name}: labels run from {self.labels.min()} to {self.labels.max()}, not 0 to {len(self.class_names) - 1}."
            )

        if self.targets is not None:
            _check_targets(self.targets, (len(self.images), len(self.class_names)), self.name)
        for name in ("images", "labels") if self.targets is None else ("images", "labels", "targets"):
            view = getattr(self, name).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def image_shape(self) -> Shape:
        """(height, width, channels)"""
        return self.images.shape[1:]

    @property
    def is_labelled(self) -> bool:
        """Whether it is known of every image what it shows."""
        return bool((self.labels != UNKNOWN).all())

    def class_name(self, index: int) -> str:
        """What the image at `index` shows; a question mark where nobody knows."""
        label = int(self.labels[index])
        return "?" if label == UNKNOWN else self.class_names[label]

    def class_counts(self) -> Array:
        """How many images each class has: int64 (classes)."""
        return np.bincount(self.labels[self.labels != UNKNOWN], minlength=len(self.class_names))

    def class_means(self) -> Array:
        """The mean image of each class, mean_c = Σ_{i: label_i = c} image_i / count_c: float32 (classes, height, width, channels).

        It is summed in whole numbers, so that nothing is lost however many images there are. A class without images has zeros.
        """
        sums = np.zeros((len(self.class_names), *self.image_shape), np.uint64)
        for label in range(len(self.class_names)):
            members = np.flatnonzero(self.labels == label)
            for start in range(0, len(members), AT_ONCE):
                sums[label] += np.add.reduce(self.images[members[start : start + AT_ONCE]], axis=0, dtype=np.uint64)
        return (sums / np.maximum(self.class_counts(), 1)[:, None, None, None]).astype(np.float32)

    def subset(self, indices: Array | slice) -> Dataset:
        """The images at `indices`, in that order (a view where `indices` is a slice)."""
        targets = None if self.targets is None else self.targets[indices]
        return replace(self, images=self.images[indices], labels=self.labels[indices], targets=targets)

    def soft_targets(self) -> Array:
        """The targets; where there are none, rows with a one at each label. DataError where it is not known what an image shows."""
        if self.targets is not None:
            return self.targets
        if not self.is_labelled:
            raise DataError(f"{self.name}: an image of which nobody says what it shows has no target probabilities.")
        return np.eye(len(self.class_names), dtype=np.float32)[self.labels]

    def limit(self, count: int | None, seed: int = 0) -> Dataset:
        """A random `count` of the images, fixed by the seed; all of them where `count` is None or too large."""
        if count is None or count >= len(self):
            return self
        if count < 1:
            raise ConfigError(f"The limit must be at least one image, not {count}.")
        return self.subset(np.sort(np.random.default_rng(seed).permutation(len(self))[:count]))

    def split(self, held_out: int | float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Part into (rest, held out), each class in its share (stratified), the order kept, fixed by the seed.

        `held_out` is a count of images, or a share below 1. Raises ConfigError where one part would be empty.
        """
        wanted = round(held_out * len(self)) if isinstance(held_out, float) and held_out < 1 else int(held_out)
        if not 0 < wanted < len(self):
            raise ConfigError(f"Cannot hold {held_out} of {len(self):,} images out: both parts need at least one.")
        order = np.random.default_rng(seed).permutation(len(self))
        # Each image's place within its class, between 0 and 1: taking the lowest takes every class in its share.
        place = np.empty(len(self))
        for label in np.unique(self.labels):
            members = order[self.labels[order] == label]
            place[members] = (np.arange(len(members)) + 0.5) / len(members)
        chosen = np.zeros(len(self), bool)
        chosen[order[np.argsort(place[order], kind="stable")[:wanted]]] = True
        return self.subset(np.flatnonzero(~chosen)), self.subset(np.flatnonzero(chosen))


SUMS_TO_ONE = 1e-4
"""How far the sum of a row of target probabilities may be from 1: float32 sums of a few numbers that were rounded."""


def _check_targets(targets: Array, shape: tuple[int, int], name: str) -> None:
    """Raise DataError unless `targets` are rows of probabilities, float32 of that shape."""
    if targets.shape != shape or targets.dtype != np.float32:
        raise DataError(f"{name}: target probabilities must be float32 {shape}, not {targets.dtype} {targets.shape}.")
    if len(targets) and not (targets.min() >= 0 and np.abs(targets.sum(axis=1) - 1).max() <= SUMS_TO_ONE):
        raise DataError(f"{name}: each image's target probabilities must be at least 0 and sum to 1.")


def joined(parts: Sequence[Dataset], name: str) -> Dataset:
    """All images of several datasets as one, in their order. Raises DataError where shapes or class names differ.

    Where one of them has target probabilities, those of the others are their `soft_targets`.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.image_shape != first.image_shape or tuple(part.class_names) != tuple(first.class_names):
            raise DataError(f"{part.name} cannot be joined to {first.name}: its images or its classes are of another kind.")
    images, labels = np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
    soft = any(part.targets is not None for part in parts)
    targets = np.concatenate([part.soft_targets() for part in parts]) if soft else None
    return Dataset(images, labels, name, "; ".join(part.source or part.name for part in parts), first.class_names, targets)
