"""Stage: what the steps of a run are given, and what they find, where the replicas look for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nncore.arrays import Array
from nncore.backend.contract import Batches, RandomSource
from nncore.backend.cpu.layout import (
    ARRIVED,
    COUNTS,
    GENERATION,
    INDICES,
    KEY_COUNT,
    KEYS,
    OUT,
    OUT_PITCH,
    PARKED,
    RATE_COUNT,
    RATES,
)
from nncore.backend.cpu.tuning import FEW


class Stage:
    """Arrays that are kept from run to run, since finding an address takes longer than a small network's answer.

    They grow as runs become longer; the control array says where they are. There is always room for a step of FEW images.
    """

    def __init__(self, control: Array, replicas: int) -> None:
        self._control, self._replicas = control, replicas
        self._make_room(1, FEW, 1, 1)

    def _make_room(self, steps: int, images: int, rates: int, keys: int) -> None:
        """Room for so many steps, images of all steps together, numbers of the optimizer and of random layers."""
        self._counts, self._indices = np.zeros(steps, np.int64), np.zeros(images, np.int64)
        self._rates, self._keys = np.zeros((steps, rates), np.float32), np.zeros((steps, keys), np.int64)
        self._results = np.zeros((self._replicas, steps, 2))
        for slot, array in (
            (COUNTS, self._counts), (INDICES, self._indices), (RATES, self._rates), (KEYS, self._keys), (OUT, self._results),
        ):  # fmt: skip
            self._control[slot] = array.ctypes.data
        self._control[RATE_COUNT], self._control[KEY_COUNT] = rates, keys
        self._control[OUT_PITCH] = self._results.strides[0]

    def put(self, batches: Batches, sources: Sequence[RandomSource]) -> None:
        """Put what the steps of a run are given in its place."""
        steps, images = len(batches.counts), len(batches.indices)
        rates = len(batches.rates[0]) if len(batches.rates) else 0
        old = self._rates.shape[1], self._keys.shape[1]
        if steps > len(self._counts) or images > len(self._indices) or rates > old[0] or len(sources) > old[1]:
            room = max(steps, len(self._counts)), max(images, len(self._indices))
            self._make_room(*room, max(rates, old[0]), max(len(sources), old[1]))
        self._counts[:steps] = batches.counts
        self._indices[:images] = batches.indices
        if steps > 1:  # a run of several ends where a loss is not finite, and an older one may have been
            self._results[:, :steps] = 0
        if rates:
            self._rates[:steps, :rates] = batches.rates
        if sources and steps:
            self._keys[:steps, : len(sources)] = [[source.key(step) for source in sources] for step in range(1, steps + 1)]

    def results(self, taken: int, replicas: int) -> tuple[Array, Array]:
        """The mean loss of each step (float64), and how many answers were right (int64)."""
        sums = self._results[0, :taken].copy()
        for r in range(1, replicas):
            sums += self._results[r, :taken]
        return sums[:, 0] / np.maximum(self._counts[:taken], 1), sums[:, 1].astype(np.int64)

    def forget_runs(self) -> None:
        """Count from zero again, as where there are no other replicas yet."""
        for slot in (GENERATION, ARRIVED, PARKED):
            self._control[slot] = 0
