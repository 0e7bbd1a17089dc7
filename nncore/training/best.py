"""Best: the weights that did best on the held-out images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.errors import WeightsError
from nncore.network import Network
from nncore.training.position import check_like
from nncore.training.values import is_number, is_whole


@dataclass(frozen=True)
class Best:
    """The weights that did best on the held-out images so far."""

    step: int
    val_accuracy: float
    val_loss: float
    state: dict[str, Array]

    def info(self) -> dict[str, Any]:
        """All but the weights, as JSON can hold it."""
        return {"step": self.step, "val_accuracy": self.val_accuracy, "val_loss": self.val_loss}

    @classmethod
    def restored(cls, info: Any, state: Mapping[str, Array], network: Network, step: int) -> Best | None:
        """From what `info` returned, None for None, and the weights: those of a training of `network` that is at `step`.

        Raises WeightsError where they make no sense.
        """
        if info is None and not state:
            return None
        found = info if isinstance(info, Mapping) else {}
        at, accuracy, loss = (found.get(name) for name in ("step", "val_accuracy", "val_loss"))
        if not (is_whole(at) and 0 <= at <= step and is_number(accuracy) and 0 <= accuracy <= 1 and is_number(loss)):
            raise WeightsError("What it says of its best weights is missing or makes no sense.")
        check_like(state, network.state_dict(), "best weights")
        if not all(np.isfinite(value).all() for value in state.values()):
            raise WeightsError("Its best weights hold values that are not finite.")
        return cls(int(at), float(accuracy), float(loss), {name: value.copy() for name, value in state.items()})
