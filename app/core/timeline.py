"""The moments of a training, kept in bounded memory. Qt-free."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from nncore.arrays import Array

TIMELINE_BYTES = 256 * 2**20
"""Memory that the moments of a training may take; beyond it every second one is forgotten."""


@dataclass(frozen=True, eq=False)
class Moment:
    """One moment of a training: the step and the weights then. Nobody writes into the weights."""

    step: int
    state: Mapping[str, Array]
    val_accuracy: float | None = None

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.state.values())


class Timeline:
    """The moments of one training in order of their steps, thinned out as memory demands; first and last always stay."""

    def __init__(self, limit_bytes: int = TIMELINE_BYTES) -> None:
        self._moments: list[Moment] = []
        self._limit = limit_bytes
        self._gap = 0
        """Steps that should lie between two moments; it doubles each time that memory is full."""

    def __len__(self) -> int:
        return len(self._moments)

    def __getitem__(self, index: int) -> Moment:
        return self._moments[index]

    def add(self, moment: Moment) -> None:
        """Put a moment in its place; one of the same step is replaced."""
        kept = self._moments
        at = bisect_left(kept, moment.step, key=attrgetter("step"))
        if at < len(kept) and kept[at].step == moment.step:
            kept[at] = moment
        elif at == len(kept) > 1 and kept[-1].step - kept[-2].step < self._gap:
            kept[-1] = moment  # the newest always stays, but until the gap is full it only stands in
        else:
            insort(kept, moment, key=attrgetter("step"))
        if len(kept) > 3 and len(kept) * moment.nbytes > self._limit:
            self._gap = 2 * max(1, self._gap, (kept[-1].step - kept[0].step) // len(kept))
            self._moments = kept[:1] + kept[2:-1:2] + kept[-1:]

    def nearest(self, step: int) -> int:
        """Index of the moment nearest to `step`; the timeline must not be empty."""
        return int(np.argmin([abs(moment.step - step) for moment in self._moments]))

    def clear(self) -> None:
        self._moments.clear()
        self._gap = 0
