"""What both sides of the race are given: the same images in the same order, and stretches of steps as a trainer asks for."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Protocol

import numpy as np

from benchmarks.cases import Trained
from nncore.arrays import Array
from nncore.data import Dataset, open_dataset
from nncore.training.meters import Pace

IMAGES = 60_000
"""As many as MNIST has: a stretch of steps ends with the epoch at the latest."""
EVALUATED = 10_000
"""Images that are asked for at once, at most."""

Stretch = Callable[[int], Array]
"""Takes as many steps as it is told, or as the epoch has left, and gives their losses."""


class Side(Protocol):
    """One library in the race."""

    def describe(self) -> dict[str, str]:
        """Its versions, and the GPU. Raises DeviceError where it cannot run."""

    def learner(self, trained: Trained, batch: int, variant: str, layout: str, images: int) -> Stretch:
        """A network with its first weights, that is trained on so many images; compiled and captured already."""

    def answerer(self, trained: Trained, count: int, variant: str, layout: str) -> Callable[[], Array]:
        """From `count` uint8 images on the host to their scores on the host."""


def given(trained: Trained, count: int) -> tuple[Array, Array]:
    """So many images, uint8 NHWC, and labels; nobody can write to them, so that they may be kept on the GPU."""
    data = _drawn("synthetic" if trained.input_shape[-1] == 1 else "synthetic-street")
    chosen = np.arange(count) % len(data)
    images, labels = data.images[chosen], data.labels[chosen]
    images.flags.writeable = labels.flags.writeable = False
    return images, labels


@cache
def _drawn(name: str) -> Dataset:
    """Drawing takes seconds."""
    return open_dataset(name)


class Order:
    """The images of each step: every epoch another order of all, the same on both sides. Only whole batches count."""

    def __init__(self, images: int, batch: int) -> None:
        self._images, self._batch, self._rng = images, batch, np.random.default_rng(0)
        self.steps = images // batch
        """Steps of an epoch."""
        self._left = np.empty((0, batch), np.int64)

    def take(self, steps: int) -> Array:
        """The numbers of the images of the next steps, int64 (steps, batch): so many, or what the epoch has left."""
        if not len(self._left):
            self._left = self._rng.permutation(self._images)[: self.steps * self._batch].reshape(self.steps, self._batch)
        taken, self._left = self._left[:steps], self._left[steps:]
        return taken


def take_steps(stretch: Stretch, steps: int) -> Array:
    """The losses of exactly so many steps, in stretches as long as they can be."""
    losses: list[Array] = []
    while left := steps - sum(map(len, losses)):
        losses.append(stretch(left))
    return np.concatenate(losses)


def rate(stretch: Stretch, pace: Pace, seconds: float) -> float:
    """Steps a second, in stretches as long as a trainer would ask for: `pace` learns how long that is, and keeps it."""
    taken, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds or not taken:
        start = time.perf_counter()
        steps = len(stretch(pace.steps))
        pace.add(steps, time.perf_counter() - start)
        taken += steps
    return taken / passed


def answers_a_second(answer: Callable[[], Array], seconds: float) -> float:
    """How often `answer` answers in a second."""
    answered, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds or not answered:
        answer()
        answered += 1
    return answered / passed
