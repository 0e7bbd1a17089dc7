"""Epochs: which epoch a step belongs to, where the batch size may change on the way."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class Place(NamedTuple):
    """How far a training is: places compare in the order in which a training comes to them."""

    epoch: int
    """Epochs that are complete."""
    taken: int
    """Images of the next one that have been seen; fewer than it has."""


class Segment(NamedTuple):
    """Steps in a row of one batch size."""

    step: int
    """The first of them, counted from 0; they last until the next segment begins."""
    place: Place
    """Where it begins."""
    batch_size: int


class Epochs:
    """The steps of a training on `count` images, in segments of one batch size each. It never changes.

    A step takes the next `batch_size` images of its epoch, the last step of an epoch what is left: after a change of the batch
    size the rest of the epoch is taken in batches of the new size.
    """

    def __init__(self, count: int, batch_size: int, changes: Sequence[tuple[int, int]] = ()) -> None:
        """`changes` are (step, batch size), in rising order of their steps: what holds from each of these steps on."""
        self.count = count
        self._segments = [Segment(0, Place(0, 0), batch_size)]
        self.changes: tuple[tuple[int, int], ...] = tuple(changes)
        for step, size in self.changes:
            place = self.place(step)
            if self._segments[-1].step == step:
                self._segments.pop()
            self._segments.append(Segment(step, place, size))

    def changed(self, step: int, batch_size: int) -> Epochs:
        """The same up to `step`, and batches of `batch_size` from then on."""
        earlier = [change for change in self.changes if change[0] < step]
        return Epochs(self.count, self._segments[0].batch_size, [*earlier, (step, batch_size)])

    @property
    def batch_size(self) -> int:
        """The one that holds last."""
        return self._segments[-1].batch_size

    @property
    def steps_per_epoch(self) -> int:
        """Steps of a whole epoch by the batch size that holds last."""
        return -(-self.count // self.batch_size)

    def segment(self, step: int) -> Segment:
        """The segment to which the step after `step` steps belongs."""
        return self._segments[bisect_right(self._segments, step, key=lambda segment: segment.step) - 1]

    def place(self, step: int) -> Place:
        """Where the training is after `step` steps."""
        begun, (epoch, taken), size = self.segment(step)
        in_first = -(-(self.count - taken) // size)
        if step - begun < in_first:
            return Place(epoch, taken + (step - begun) * size)
        epochs, steps = divmod(step - begun - in_first, -(-self.count // size))
        return Place(epoch + 1 + epochs, steps * size)

    def step_at(self, place: Place) -> int:
        """The first step that the last segment has at `place` or beyond: how many steps have been taken then."""
        begun, (epoch, taken), size = self._segments[-1]
        if place <= (epoch, taken):
            return begun
        if place.epoch == epoch:
            return begun - (-(place.taken - taken) // size)
        in_first = -(-(self.count - taken) // size)
        return begun + in_first + (place.epoch - epoch - 1) * self.steps_per_epoch - (-place.taken // size)

    def sizes(self, step: int) -> list[int]:
        """The number of images of each step that has been taken since the epoch began, when `step` steps have been taken in all."""
        ends = [self.place(step).taken]
        while ends[-1]:
            ends.append(self.place(step - len(ends)).taken)
        return [later - earlier for later, earlier in pairwise(ends)][::-1]

    def epoch_of(self, step: int) -> int:
        """How many epochs are complete after `step` steps; that is the number, from 0, of the epoch of the step that follows."""
        return self.place(step).epoch

    def is_end(self, step: int) -> bool:
        """Whether the last of `step` steps was the last one of an epoch."""
        return step > 0 and self.place(step).taken == 0

    def end_of_epoch(self, step: int) -> int:
        """How many steps will have been taken at the end of the epoch that the step after `step` steps belongs to, unless the batch
        size changes before: then, at that change.
        """
        segment = self.segment(step)
        end = step - (-(self.count - self.place(step).taken) // segment.batch_size)
        later = (other.step for other in self._segments if other.step > step)
        return min(end, next(later, end))
