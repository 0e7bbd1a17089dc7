"""Batches: which images each step of a training learns from, and which are held out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.data.dataset import Dataset
from nncore.training.config import TrainConfig

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
    """int64 (M)"""
    batches: list[Array]
    """For each step the indices of its images, int64."""


class Batches:
    """Parts `data` into `train_data` and `validation_data`, and gives each step its images.

    The order of an epoch is a permutation that the seed and the epoch's number alone decide; each step takes the next
    `batch_size` of it, the last step of an epoch what is left. Augmented images follow from the seed, the epoch and the step,
    and are calculated on `device`.
    Raises ConfigError where there are too few images to hold as many out as `config` asks for.
    """

    def __init__(self, data: Dataset, config: TrainConfig, device: str = "cpu") -> None:
        self.config, self._device = config, device
        self.train_data, self.validation_data = data.split(_held_out(config.validation, len(data)), config.seed)
        self.steps_per_epoch = steps_per_epoch(config, len(data))
        self._order_epoch, self._order = -1, np.empty(0, np.int64)
        self._block_steps = max(1, VARIED // config.batch_size)
        self._block, self._varied = (-1, -1), np.empty(0, np.uint8)

    def end_of_stretch(self, step: int) -> int:
        """The first step after `step` that a stretch beginning there cannot hold: of another epoch, or of a later block of
        augmented images.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        end = self.steps_per_epoch
        if self.config.augmentation.changes_something:
            end = min(end, (position // self._block_steps + 1) * self._block_steps)
        return epoch * self.steps_per_epoch + end

    def stretch(self, step: int, until: int) -> Stretch:
        """The batches of the steps from `step` to before `until`, which is at most `end_of_stretch(step)`."""
        epoch, position = divmod(step, self.steps_per_epoch)
        order = self._order_of(epoch)
        places = range(position, position + until - step)
        if not self.config.augmentation.changes_something:
            batches = [self._part(order, place) for place in places]
            return Stretch(self.train_data.images, self.train_data.labels, batches)
        block = position // self._block_steps
        first = block * self._block_steps
        members = order[first * self.config.batch_size : (first + self._block_steps) * self.config.batch_size]
        batches = [self._part(np.arange(len(members)), place - first) for place in places]
        return Stretch(self._varied_images(epoch, block, members), self.train_data.labels[members], batches)

    def batch(self, step: int) -> tuple[Array, Array]:
        """The images, uint8 (N, height, width, channels), and labels, int64 (N), of one step."""
        stretch = self.stretch(step, step + 1)
        (chosen,) = stretch.batches
        return stretch.images[chosen], stretch.labels[chosen]

    def examples(self, step: int) -> int:
        """How many images have been seen since the epoch began when `step` steps have been taken in all; 0 at its beginning."""
        return step % self.steps_per_epoch * self.config.batch_size

    def sizes(self, step: int) -> list[int]:
        """The number of images of each step that has been taken since the epoch began, when `step` steps have been taken in all."""
        size, count = self.config.batch_size, len(self.train_data)
        return [min(size, count - place * size) for place in range(step % self.steps_per_epoch)]

    def _part(self, indices: Array, place: int) -> Array:
        """Those of `indices` that belong to the batch at `place`."""
        return indices[place * self.config.batch_size : (place + 1) * self.config.batch_size]

    def _order_of(self, epoch: int) -> Array:
        if epoch != self._order_epoch:
            self._order = np.random.default_rng((self.config.seed, epoch)).permutation(len(self.train_data))
            self._order_epoch = epoch
        return self._order

    def _varied_images(self, epoch: int, block: int, members: Array) -> Array:
        if (epoch, block) != self._block:
            rng = np.random.default_rng((self.config.seed, epoch, block, VARIATION))
            self._varied = self.config.augmentation(self.train_data.images[members], rng, self._device)
            self._block = epoch, block
        return self._varied


def steps_per_epoch(config: TrainConfig, count: int) -> int:
    """How many steps an epoch has in a training of `config` on `count` images, those that are held out included."""
    return math.ceil(max(count - _held_out(config.validation, count), 1) / config.batch_size)


def _held_out(wanted: int | float, count: int) -> int:
    """How many of `count` images are held out: as many as are wanted, or of a share at least one and never all."""
    return wanted if isinstance(wanted, int) else min(max(1, round(count * wanted)), count - 1)
