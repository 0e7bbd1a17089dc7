"""Validation: looks at held-out images, and the weights that did best on them."""

from __future__ import annotations

from nncore.data.dataset import Dataset
from nncore.errors import DeviceError
from nncore.losses import Loss
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.training.best import Best

SAMPLE = 1000
"""Held-out images looked at between epochs: enough to see accuracy to about half a percent."""


class Validation:
    """Evaluates a network that is trained on the images that are held out, all of them or a sample."""

    def __init__(self, network: Network, held_out: Dataset, loss: Loss | None, seed: int, device: str) -> None:
        """`loss` is what `Predictor.evaluate` takes; `seed` draws the sample."""
        self.held_out = held_out
        self.predictor = Predictor(network, device)
        self.best: Best | None = None
        """The weights that did best on all held-out images; None where all have not been looked at yet."""
        self._network, self._loss = network, loss
        self._sample = held_out.limit(SAMPLE, seed)

    def to(self, device: str) -> None:
        """Evaluate on another device from now on."""
        self.predictor = Predictor(self._network, device)

    def on_sample(self) -> Evaluation:
        """Loss and answers on the sample."""
        return self._evaluate(self._sample)

    def on_all(self, step: int) -> Evaluation:
        """Loss and answers on all held-out images. The network's weights, which are those of `step`, may be the best ones."""
        found = self._evaluate(self.held_out)
        if self.best is None or (found.accuracy, -found.loss) > (self.best.val_accuracy, -self.best.val_loss):
            self.best = Best(step, found.accuracy, found.loss, self._network.state_dict())
        return found

    def forget_best_after(self, step: int) -> None:
        """Forget the best weights where they are those of a later step."""
        if self.best is not None and self.best.step > step:
            self.best = None

    def _evaluate(self, data: Dataset) -> Evaluation:
        """Loss and answers on held-out images; where the device is lost meanwhile, by the CPU.

        So a step is never without the look that belongs to it: the device's loss is told by the next step.
        """
        try:
            self.predictor.prepare()
            return self.predictor.evaluate(data, self._loss)
        except DeviceError:
            if self.predictor.device == "cpu":
                raise
            self.predictor = Predictor(self._network)
            return self.predictor.evaluate(data, self._loss)
