"""Evaluator: evaluates images with the weights of a moment, a part at a time. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from app.core import engine
from app.core.in_view import NetworkInView
from app.core.timeline import Moment
from nncore.data.dataset import Dataset
from nncore.losses import Loss
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.prediction import WORTH_COMPILING, Predictor

PART = 2048
"""About how many images are taken between two looks at whether the evaluation is still wanted."""


class Evaluator:
    """Keeps the network for the next evaluation, which mostly has other weights for the same one. For one thread at a time."""

    def __init__(self) -> None:
        self._architecture: Mapping[str, Any] | None = None
        self._predictor: Predictor | None = None

    def evaluate(
        self,
        network: NetworkInView,
        moment: Moment,
        data: Dataset,
        give_up: Callable[[], bool] = lambda: False,
        tell: Callable[[int], None] = lambda _: None,
        loss: Loss | None = None,
    ) -> Evaluation | None:
        """The evaluation of `data`, at least one image; None where `give_up` says so on the way.

        On the way `tell` is given the number of images that have been looked at. `loss` is what they are measured by, as
        `Predictor.evaluate` takes it; None for cross-entropy.

        Raises DataError where the network does not know what the images show.
        """
        if self._predictor is None or self._architecture is not network.architecture:
            self._predictor, self._architecture = Predictor(Network.from_config(network.architecture)), network.architecture
        self._predictor.network.load_state_dict(moment.state)
        # Compiling takes a minute; until it is done, parts are taken that nobody compiles for.
        batch = self._predictor.batch
        size = max(1, PART // batch) * batch if engine.is_ready() else WORTH_COMPILING - 1
        parts: list[Evaluation] = []
        for start in range(0, len(data), size):
            if give_up():
                return None
            parts.append(self._predictor.evaluate(data.subset(slice(start, start + size)), loss))
            tell(min(start + size, len(data)))
        mean = sum(part.loss * len(part.labels) for part in parts) / len(data)
        return Evaluation(mean, np.concatenate([part.probabilities for part in parts]), data.labels)
