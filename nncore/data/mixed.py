"""Mixed: the user's own digits together with other data, so that a network learns the ones and does not forget the others."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from nncore.arrays import Array, shape_text
from nncore.data.dataset import Dataset
from nncore.errors import DataError

OWN_SHARE = 0.125
"""The least share of what a training sees that the user's own digits make up: few as they are, they are repeated up to that."""
LEAST_OTHERS = 17_000
"""The least number of others in an epoch. Where there are fewer they are repeated, so that an epoch is long enough."""


@dataclass(frozen=True, eq=False)
class Mixed(Dataset):
    """Images of which the last `own` are the user's own digits, each once.

    Where it is parted (`split`), images are held out of the others alone, the very ones that these would hold out without the own
    digits. What is left to learn from is repeated so that an epoch is long enough and the own digits have their share of it.
    """

    own: int = 0

    @property
    def others(self) -> Dataset:
        """The images without the user's own digits."""
        return self.subset(slice(0, len(self) - self.own))

    def subset(self, indices: Array | slice) -> Dataset:
        """The images at `indices`, in that order (a view where `indices` is a slice), as an ordinary dataset."""
        return Dataset(self.images[indices], self.labels[indices], self.name, self.source, self.class_names)

    def limit(self, count: int | None, seed: int = 0) -> Dataset:
        """A random `count` of the others, fixed by the seed, and all of the own digits."""
        others = self.others
        chosen = others.limit(count, seed)
        return self if chosen is others else self._with(chosen, np.arange(self.own), self.own)

    def split(self, held_out: int | float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Part into (rest, held out) as the others are parted; the rest has each of its images as often as `repeats` says.

        Raises ConfigError where one part would have none of the others.
        """
        rest, held = self.others.split(held_out, seed)
        of_others, of_own = repeats(len(rest), self.own)
        if of_others > 1:
            rest = rest.subset(np.tile(np.arange(len(rest)), of_others))
        return self._with(rest, np.tile(np.arange(self.own), of_own), 0).subset(slice(None)), held

    def _with(self, others: Dataset, chosen: Array, own: int) -> Mixed:
        """Some of the others with the own digits at the places `chosen` behind them."""
        chosen = chosen + (len(self) - self.own)
        images = np.concatenate([others.images, self.images[chosen]])
        return replace(self, images=images, labels=np.concatenate([others.labels, self.labels[chosen]]), own=own)


def repeats(others: int, own: int) -> tuple[int, int]:
    """How often an epoch shows each of so many others, and each of so many own digits."""
    of_others = math.ceil(LEAST_OTHERS / others)
    return of_others, math.ceil(OWN_SHARE / (1 - OWN_SHARE) * of_others * others / own)


def mixed(own: Dataset, others: Dataset) -> Mixed:
    """The others with the user's own digits behind them. DataError where there are none, or they are no images of that kind."""
    if not len(own):
        raise DataError("There are no digits of your own yet; correct an answer of the network, and the digit is kept.")
    if own.image_shape != others.image_shape:
        shapes = f"{shape_text(own.image_shape)} cannot be mixed with images of {shape_text(others.image_shape)}"
        raise DataError(f"Your own digits of {shapes}.")
    names = [own.class_names[label] for label in np.unique(own.labels)]
    if unknown := [name for name in names if name not in others.class_names]:
        raise DataError(f"There is a {unknown[0]} among your own digits, but {others.name} has no such class.")
    number = np.array([others.class_names.index(name) if name in names else 0 for name in own.class_names], np.int64)
    return Mixed(
        np.concatenate([others.images, own.images]),
        np.concatenate([others.labels, number[own.labels]]),
        f"{own.name}+{others.name}",
        f"{own.source}; {others.source}",
        others.class_names,
        own=len(own),
    )
