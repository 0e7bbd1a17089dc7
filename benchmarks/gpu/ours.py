"""nncore's side of the race."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks.cases import Trained
from benchmarks.gpu.given import Order, Stretch, given
from nncore.arrays import Array
from nncore.backend.devices import get_backend
from nncore.data import Dataset, open_dataset
from nncore.errors import DataError
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.plan import Plan
from nncore.prediction import Predictor
from nncore.training.config import TrainConfig
from nncore.training.trainer import Trainer

TO_99 = TrainConfig(epochs=4, batch_size=128, learning_rate=6e-3, schedule="one-cycle", validation=1000)
"""The shortest training of mnist-cnn that was found to answer 99 % of MNIST's test images rightly."""

WARM_UP = 20
"""Steps of the training that goes before it, with another network: kernels are compiled then, and the GPU is awake."""


class Nncore:
    """Plans on a device that nncore knows."""

    def __init__(self, device: str) -> None:
        self.device = device

    def describe(self) -> dict[str, str]:
        return {"device": get_backend(self.device).describe()}

    def learner(self, trained: Trained, batch: int, variant: str, layout: str, images: int) -> Stretch:
        """`variant` and `layout` mean nothing here. Images lie on the device; parameters come back at the end of a stretch."""
        network = Network(trained.layers(), trained.input_shape)
        rule = trained.rule(network.parameters())
        plan = Plan(network, (batch, *trained.input_shape), CrossEntropyLoss(), rule, device=self.device)
        (pixels, labels), order = given(trained, images), Order(images, batch)

        def stretch(steps: int) -> Array:
            chosen = order.take(steps)
            return plan.steps(pixels, labels, list(chosen), [trained.learning_rate] * len(chosen))[0]

        return stretch

    def answerer(self, trained: Trained, count: int, variant: str, layout: str) -> Callable[[], Array]:
        network = Network(trained.layers(), trained.input_shape)
        at_once = min(count, Predictor(network, self.device).batch)
        plan, (pixels, _) = Plan(network, (at_once, *trained.input_shape), device=self.device), given(trained, count)
        return lambda: plan.forward(pixels)

    def to_99(self, trained: Trained, config: TrainConfig = TO_99, limit: int | None = None) -> dict[str, Any]:
        """Train on MNIST and answer its test images, all in but warming up: seconds, and the share of right answers.

        Counted are building the network, bringing the images to the GPU, every step, the held-out images, and the test.
        """
        try:
            train, test, name = open_dataset("mnist", "train"), open_dataset("mnist", "test"), "mnist"
        except DataError:
            train, test, name = open_dataset("synthetic", "train"), open_dataset("synthetic", "test"), "synthetic"
        train, test = train.limit(limit), test.limit(limit)
        self._train(trained, train, test, config, WARM_UP)
        began = time.perf_counter()
        accuracy, steps, parts = self._train(trained, train, test, config)
        seconds = time.perf_counter() - began
        found = {"data": name, "seconds": seconds, "test_accuracy": accuracy, "steps": steps, "epochs": config.epochs}
        return found | {"batch": config.batch_size, "parts": parts}

    def _train(
        self, trained: Trained, train: Dataset, test: Dataset, config: TrainConfig, steps: int | None = None
    ) -> tuple[float, int, dict[str, float]]:
        """The share of the test images answered rightly, the steps taken, and where the seconds went."""
        marks = [time.perf_counter()]
        trainer = Trainer(Network(trained.layers(), trained.input_shape, config.seed), train, config, self.device)
        trainer.plan()
        trainer.predictor.prepare()
        marks.append(time.perf_counter())
        for _ in trainer.events():
            if steps is not None and trainer.step >= steps:
                break
        marks.append(time.perf_counter())
        accuracy = trainer.predictor.evaluate(test).accuracy
        marks.append(time.perf_counter())
        names = ("preparing", "training", "testing")
        return accuracy, trainer.step, {name: marks[n + 1] - marks[n] for n, name in enumerate(names)}
