"""Stops: reasons for a training to end before its last step. Accuracies are shares of 1, times in seconds of training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nncore.errors import WeightsError
from nncore.training.config import TrainConfig
from nncore.training.values import is_number, is_whole, number_text


class Stops:
    """What the settings `target_accuracy`, `patience` and `max_minutes` ask for.

    Where a training goes on after one of them has ended it, the target no longer counts once it has been reached, and patience and
    time begin anew.
    """

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        self._is_reached = False
        self._lowest = math.inf
        self._waited = 0
        self._began = 0.0
        self._reason = ""

    @property
    def target(self) -> float:
        """The held-out accuracy at which to stop; infinite where none is wanted, or where it has been reached before."""
        return self._config.target_accuracy if self._config.target_accuracy and not self._is_reached else math.inf

    def looked(self, accuracy: float) -> None:
        """Note the accuracy on all held-out images."""
        if accuracy >= self.target:
            self._reason = f"The held-out accuracy has reached {_percent(accuracy)}; {_percent(self.target)} was the target."
            self._is_reached = True

    def ended_epoch(self, loss: float) -> None:
        """Note the mean loss on all held-out images at the end of an epoch."""
        self._waited = 0 if loss < self._lowest else self._waited + 1
        self._lowest = loss if loss < self._lowest else self._lowest
        if not self._reason and self._config.patience and self._waited >= self._config.patience:
            epochs = "1 epoch" if self._waited == 1 else f"{self._waited:,} epochs"
            self._reason = f"The held-out loss has not become smaller for {epochs}; the smallest was {self._lowest:.4g}."

    def reason(self, seconds: float) -> str:
        """Why to end after `seconds` of training, as a sentence; empty where there is no reason."""
        minutes = self._config.max_minutes
        if self._reason or not minutes or seconds - self._began < 60 * minutes:
            return self._reason
        return f"The time is up: {number_text(minutes)} {'minute' if minutes == 1 else 'minutes'} of training."

    def start_over(self, seconds: float) -> None:
        """Note that the training has ended after `seconds`: if it goes on, it does not end for the same reason at once."""
        self._reason, self._waited, self._began = "", 0, seconds

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps, as JSON can hold it."""
        lowest = None if math.isinf(self._lowest) else self._lowest
        return {
            "is_reached": self._is_reached, "lowest": lowest, "waited": self._waited, "began": self._began, "reason": self._reason,
        }  # fmt: skip

    def load_state_dict(self, found: Any, seconds: float) -> None:
        """Take over what `state_dict` returned, of a training that has taken `seconds`.

        None, as in files of older programs, changes nothing. Raises WeightsError where it makes no sense.
        """
        if found is None:
            return
        values = found if isinstance(found, Mapping) else {}
        reached, lowest, waited, began, reason = (
            values.get(name) for name in ("is_reached", "lowest", "waited", "began", "reason")
        )  # fmt: skip
        if not (
            isinstance(reached, bool) and (lowest is None or is_number(lowest)) and is_whole(waited) and waited >= 0
            and is_number(began) and 0 <= began <= seconds and isinstance(reason, str) and len(reason) < LONGEST_REASON
        ):  # fmt: skip
            raise WeightsError("What it says of when to stop is missing or makes no sense.")
        self._is_reached, self._waited, self._began, self._reason = reached, int(waited), float(began), reason
        self._lowest = math.inf if lowest is None else float(lowest)


LONGEST_REASON = 500
"""Characters; far more than a sentence of this file has."""


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
