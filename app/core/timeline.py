"""The moments of a training, kept in bounded memory. Qt-free."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from nncore.arrays import Array
from nncore.metrics import Evaluation

TIMELINE_BYTES = 256 * 2**20
"""Bytes that the moments of a training may take; beyond it every second one is dropped."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A step of a training and the weights after it. The arrays must not be written to."""

    step: int
    state: Mapping[str, Array]
    val_accuracy: float | None = None
    evaluation: Evaluation | None = None
    """What the network answered on held-out images at this step, all of them or a sample; None where that was not kept with it."""

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.state.values()) + (self.evaluation.nbytes if self.evaluation else 0)


class Timeline:
    """The moments of one training, ordered by step. Where they need too much memory, every second one is dropped; the first
    and the last always stay.
    """

    def __init__(self, limit_bytes: int = TIMELINE_BYTES) -> None:
        self._moments: list[Moment] = []
        self._limit = limit_bytes
        self._gap = 0
        """Least number of steps between two moments. It doubles each time that the memory is full."""

    def __len__(self) -> int:
        return len(self._moments)

    def __getitem__(self, index: int) -> Moment:
        return self._moments[index]

    def add(self, moment: Moment) -> None:
        """Add a moment. It replaces a moment of the same step."""
        kept = self._moments
        at = bisect_left(kept, moment.step, key=attrgetter("step"))
        if at < len(kept) and kept[at].step == moment.step:
            kept[at] = moment
        elif at == len(kept) > 1 and kept[-1].step - kept[-2].step < self._gap:
            kept[-1] = moment  # too near to the one before: the next moment replaces it
        else:
            insort(kept, moment, key=attrgetter("step"))
        if len(kept) > 3 and len(kept) * moment.nbytes > self._limit:
            self._gap = 2 * max(1, self._gap, (kept[-1].step - kept[0].step) // len(kept))
            self._moments = kept[:1] + kept[2:-1:2] + kept[-1:]

    def nearest(self, step: int) -> int:
        """Index of the moment nearest to `step`. The timeline must not be empty."""
        return int(np.argmin([abs(moment.step - step) for moment in self._moments]))

    def forget_after(self, step: int) -> None:
        """Drop the moments of later steps."""
        self._moments = [moment for moment in self._moments if moment.step <= step]
