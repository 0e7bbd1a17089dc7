"""Batches: which images each step of a training learns from, and which are held out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.data.dataset import Dataset
from nncore.training.config import TrainConfig
from nncore.training.epochs import Epochs

VARIATION = 1
"""Marks the random stream of augmentation apart from that of the shuffle."""
VARIED = 2048
"""Images that are varied together, where batches are smaller: enough to keep all cores busy."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """The batches of some steps in a row."""

    images: Array
    """uint8 (M, height, width, channels): all images that the batches take theirs from."""
    labels: Array
    """int64 (M); where the data has target probabilities these, float32 (M, classes)"""
    batches: list[Array]
    """For each step the indices of its images, int64."""


class Batches:
    """Parts `data` into `train_data` and `validation_data`, and gives each step its images.

    The order of an epoch is a permutation that the seed and the epoch's number alone decide; `epochs` says which part of it each
    step takes. Augmented images follow from the seed, the epoch and the step, and are calculated on `device`.
    Raises ConfigError where there are too few images to hold as many out as `config` asks for.
    """

    def __init__(self, data: Dataset, config: TrainConfig, device: str = "cpu") -> None:
        self.config, self._device = config, device
        self.train_data, self.validation_data = data.split(_held_out(config.validation, len(data)), config.seed)
        targets = self.train_data.targets
        self._labels = self.train_data.labels if targets is None else targets
        self.epochs = Epochs(len(self.train_data), config.batch_size)
        """Another one takes its place where the batch size is changed on the way."""
        self._order_epoch, self._order = -1, np.empty(0, np.int64)
        self._drawn: tuple[int, ...] = ()
        self._varied = np.empty(0, np.uint8)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of a whole epoch by the present batch size."""
        return self.epochs.steps_per_epoch

    def end_of_stretch(self, step: int) -> int:
        """The first step after `step` that a stretch beginning there cannot hold: of another epoch or batch size, or of a later
        block of augmented images.
        """
        end = self.epochs.end_of_epoch(step)
        if self.config.augmentation.changes_something:
            _, _, within, steps = self._block(step)
            end = min(end, step - within + steps)
        return end

    def stretch(self, step: int, until: int) -> Stretch:
        """The batches of the steps from `step` to before `until`, which is at most `end_of_stretch(step)`."""
        (epoch, taken), size = self.epochs.place(step), self.epochs.segment(step).batch_size
        order, starts = self._order_of(epoch), range(taken, taken + (until - step) * size, size)
        if not self.config.augmentation.changes_something:
            return Stretch(self.train_data.images, self._labels, [order[start : start + size] for start in starts])
        began, block, _, steps = self._block(step)
        first = began + block * steps * size
        members = order[first : first + steps * size]
        places = np.arange(len(members))
        batches = [places[start - first : start - first + size] for start in starts]
        return Stretch(self._varied_images(epoch, began, block, size, members), self._labels[members], batches)

    def batch(self, step: int) -> tuple[Array, Array]:
        """The images, uint8 (N, height, width, channels), and labels, as in a Stretch, of one step."""
        stretch = self.stretch(step, step + 1)
        (chosen,) = stretch.batches
        return stretch.images[chosen], stretch.labels[chosen]

    def examples(self, step: int) -> int:
        """How many images have been seen since the epoch began when `step` steps have been taken in all; 0 at its beginning."""
        return self.epochs.place(step).taken

    def sizes(self, step: int) -> list[int]:
        """The number of images of each step that has been taken since the epoch began, when `step` steps have been taken in all."""
        return self.epochs.sizes(step)

    def _block(self, step: int) -> tuple[int, int, int, int]:
        """The block of augmented images that a step belongs to: how many images of the epoch had been taken when blocks of its
        batch size began, the block's number from there, which of the block's steps it is, and how many steps a block has.
        """
        place, segment = self.epochs.place(step), self.epochs.segment(step)
        began = segment.place.taken if place.epoch == segment.place.epoch else 0
        steps = max(1, VARIED // segment.batch_size)
        block, within = divmod((place.taken - began) // segment.batch_size, steps)
        return began, block, within, steps

    def _order_of(self, epoch: int) -> Array:
        if epoch != self._order_epoch:
            self._order = np.random.default_rng((self.config.seed, epoch)).permutation(len(self.train_data))
            self._order_epoch = epoch
        return self._order

    def _varied_images(self, epoch: int, began: int, block: int, size: int, members: Array) -> Array:
        if (epoch, began, block, size) != self._drawn:
            # After a change of the batch size blocks are counted anew, and each must have a stream of its own.
            stream = (self.config.seed, epoch, block, VARIATION, *([began] if began else []))
            self._varied = self.config.augmentation(self.train_data.images[members], np.random.default_rng(stream), self._device)
            self._drawn = epoch, began, block, size
        return self._varied


def steps_per_epoch(config: TrainConfig, count: int) -> int:
    """How many steps an epoch has in a training of `config` on `count` images, those that are held out included."""
    return math.ceil(max(count - _held_out(config.validation, count), 1) / config.batch_size)


def _held_out(wanted: int | float, count: int) -> int:
    """How many of `count` images are held out: as many as are wanted, or of a share at least one and never all."""
    return wanted if isinstance(wanted, int) else min(max(1, round(count * wanted)), count - 1)
