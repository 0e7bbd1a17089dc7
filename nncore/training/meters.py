"""Meters: what is counted while a training runs. Seconds of training time, the sums of the epoch under way, and the speed."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from nncore.arrays import Array
from nncore.errors import WeightsError
from nncore.training.values import is_number, is_whole

STRETCH_SECONDS = 0.03
"""How long a stretch of steps should take: long enough for a busy interface not to hold training up, short enough to be steered."""
GROWTH = 8
"""How many times longer than the one before a stretch can be at most, since the first is measured on a single step."""


class Pace:
    """How many steps a stretch should have, by the speed of the last one."""

    def __init__(self) -> None:
        self.steps = 1

    def add(self, steps: int, seconds: float) -> None:
        """Note that `steps` steps have taken `seconds`."""
        fitting = int(steps * STRETCH_SECONDS / seconds) if seconds > 0 else GROWTH * steps
        self.steps = max(1, min(fitting, GROWTH * steps))


@dataclass(frozen=True)
class EpochMeans:
    """Means over an epoch so far."""

    loss: float
    accuracy: float
    examples_per_second: float


class Meters:
    """Training time, the sums of the epoch under way and the speed of about the last second."""

    def __init__(self) -> None:
        self.seconds = 0.0
        """Training time since the start of the run; looking at held-out images does not count."""
        self.count = 0
        """Examples since the epoch began."""
        self._loss = 0.0
        self._right = 0
        self._began = 0.0
        self._taken = 0
        self._recent: deque[tuple[float, int]] = deque()  # (seconds, examples in all) of about the last second

    def add(self, losses: Array, right: Array, sizes: Sequence[int], seconds: float) -> None:
        """Count steps that took `seconds` together: their mean losses (float64), right answers (int64) and numbers of examples.

        The sums grow a step at a time, so that they do not depend on how steps are grouped.
        """
        for loss, hits, size in zip(losses.tolist(), right.tolist(), sizes, strict=True):
            if math.isfinite(loss):  # else the epoch's mean would be no number either, where the training goes on
                self._loss += loss * size
            self._right += hits
            self.count += size
        self.seconds += seconds
        self._taken += sum(sizes)
        self._recent.append((self.seconds, self._taken))
        while len(self._recent) > 2 and self._recent[-1][0] - self._recent[0][0] > 1.0:
            self._recent.popleft()

    @property
    def examples_per_second(self) -> float:
        """Over about the last second of training; 0 where nothing can be said yet."""
        if not self._recent:
            return 0.0
        (began, before), (now, taken) = self._recent[0], self._recent[-1]
        return (taken - before) / (now - began) if now > began else 0.0

    def end_epoch(self) -> EpochMeans:
        """The means of the epoch, which must have examples; the next one begins."""
        seconds = self.seconds - self._began
        means = EpochMeans(self._loss / self.count, self._right / self.count, self.count / seconds if seconds else 0.0)
        self.begin_epoch()
        return means

    def begin_epoch(self) -> None:
        """Count a new epoch from nothing."""
        self._loss, self._right, self.count, self._began = 0.0, 0, 0, self.seconds

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps, as JSON can hold it: seconds, and of the epoch its sums and when it began."""
        epoch = {"loss": self._loss, "right": self._right, "count": self.count, "began": self._began}
        return {"seconds": self.seconds, "epoch": epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned. Raises WeightsError, and changes nothing, where it makes no sense."""
        seconds, epoch = state.get("seconds"), state.get("epoch")
        if not (is_number(seconds) and seconds >= 0 and isinstance(epoch, Mapping)):
            raise WeightsError("Its training time or the sums of its epoch are missing or make no sense.")
        loss, right, count, began = (epoch.get(name) for name in ("loss", "right", "count", "began"))
        if not (is_number(loss) and _is_count(right) and _is_count(count) and is_number(began)):
            raise WeightsError("The sums of its epoch are missing or make no sense.")
        if not (0 <= right <= count and 0 <= began <= seconds):
            raise WeightsError("The sums of its epoch contradict each other.")
        self.seconds, self._began = float(seconds), float(began)
        self._loss, self._right, self.count = float(loss), int(right), int(count)


def _is_count(value: Any) -> TypeGuard[float]:
    """Whether `value` is a whole number; older checkpoints hold them as floats."""
    return is_number(value) and (is_whole(value) or float(value).is_integer())
