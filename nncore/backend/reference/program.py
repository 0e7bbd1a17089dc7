"""A program of the reference backend: a list of functions, called one after the other for every step."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nncore.arrays import Array, array_module, to_numpy
from nncore.backend.answering import by_runs
from nncore.backend.contract import Batches, Outcome, Tensor
from nncore.backend.reference.memory import inside


@dataclass
class Step:
    """What the operations of one step are given, and what they find."""

    number: int
    """Which step of the run it is, counted from 1."""
    images: Array
    """The step's batch: uint8 or float32 (count, …)."""
    labels: Array | None
    """int64 (count), or float32 (count, classes)"""
    rates: Sequence[float]
    """The optimizer's numbers for this step."""
    loss: float = 0.0
    """The mean loss of the batch."""
    right: int = 0
    """How many of the batch were answered rightly."""

    @property
    def count(self) -> int:
        """How many examples the batch has."""
        return len(self.images)


Operation: TypeAlias = Callable[[Step], None]
"""A recorded operation: reads and writes the arrays that it was recorded with."""


class ReferenceProgram:
    """See `nncore.backend.contract.Program`."""

    def __init__(self, batch: int, operations: Sequence[Operation], sections: Mapping[str, slice], gradient: Array) -> None:
        self.batch, self._operations, self._sections, self._gradient = batch, operations, sections, gradient
        self._lock = threading.Lock()

    def run(self, section: str, batches: Batches, read: Sequence[Tensor] = ()) -> Outcome:
        if max(batches.counts, default=0) > self.batch:
            raise ValueError(f"the program was recorded for {self.batch} examples, not {max(batches.counts)}")
        operations = self._operations[self._sections[section]]
        with self._lock, np.errstate(all="ignore"):  # numbers may become infinite, and the loss then says so
            steps: list[Step] = []
            for number in range(1, len(batches.counts) + 1):
                step = self._step(batches, number)
                for operation in operations:
                    operation(step)
                steps.append(step)
                if not math.isfinite(step.loss):
                    break
            values = [to_numpy(inside(tensor, steps[-1].count).copy()) for tensor in read]
        if batches.labels is None:
            return Outcome(np.zeros(0), np.zeros(0, np.int64), values)
        return Outcome(np.array([step.loss for step in steps], float), np.array([step.right for step in steps], np.int64), values)

    def _step(self, batches: Batches, number: int) -> Step:
        """The batch of step `number`, on the device of the parameters."""
        xp, first = array_module(self._gradient), sum(batches.counts[: number - 1])
        indices = to_numpy(batches.indices)[first : first + batches.counts[number - 1]]
        images = xp.asarray(to_numpy(batches.images)[indices])
        labels = None if batches.labels is None else xp.asarray(to_numpy(batches.labels)[indices])
        return Step(number, images, labels, batches.rates[number - 1] if len(batches.rates) else ())

    def answering(self, section: str, tensor: Tensor) -> Callable[[Array], Array]:
        return by_runs(self, section, tensor)

    def gradient(self) -> Array:
        with self._lock:
            return to_numpy(self._gradient.copy())

    def write(self, tensor: Tensor, values: Array) -> None:
        with self._lock:
            inside(tensor, len(values))[...] = array_module(self._gradient).asarray(values)
