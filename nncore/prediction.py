"""Predictor: from uint8 images to probabilities, from any thread.

Many images go through a compiled plan, which is compiled for them if it must be: seconds, once a machine. A few never wait for
a compiler: they take the plan where its kernels are loaded already, and otherwise the readable path, in a few milliseconds.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from nncore.arrays import Array, Shape, beside, shape_text, to_numpy
from nncore.backend.devices import get_backend
from nncore.errors import ConfigError, DataError, NotCompilable
from nncore.layers import ReLU, Softmax
from nncore.losses import Loss, log_softmax
from nncore.metrics import Evaluation
from nncore.network import Network, total_cost
from nncore.plan import NotLoadedError, Plan

if TYPE_CHECKING:
    from nncore.data.dataset import Dataset

WORTH_COMPILING = 1000
"""Images from which on compiling a plan pays, even where it must be done first."""


def as_input(images: Array, input_shape: Shape) -> Array:
    """uint8 images (N, H, W, C) as the float32 batch a network takes: values over 255, flattened where it takes vectors.

    Raises ConfigError naming both shapes where the images do not fit.
    """
    _check_shape(images, input_shape)
    return images.reshape(len(images), *input_shape) * np.float32(1 / 255)


def _check_shape(images: Array, input_shape: Shape) -> None:
    if images.shape[1:] != input_shape and math.prod(images.shape[1:]) != math.prod(input_shape):
        raise ConfigError(f"The images are {shape_text(images.shape[1:])}, but the network takes {shape_text(input_shape)}.")


class Predictor:
    """Answers by one network, as in use (dropout off, running statistics). Safe from any thread.

    The network is only read: its layers keep what their last `forward` left them, and whoever changes its weights changes
    the next answers. The plan, where there is one, is the predictor's own.
    """

    def __init__(self, network: Network, device: str = "cpu") -> None:
        self.network, self.device = network, device
        self.batch = get_backend(device).evaluation_batch(total_cost(network.layers, network.input_shape).values)
        """Images that go through the network at a time."""
        self._plan: Plan | None = None
        self._has_kernels = True
        """False once a layer has turned out to have no kernel: the readable path it is."""
        self._lock = threading.Lock()

    @property
    def is_prepared(self) -> bool:
        """Whether answers come at full speed: the plan is there, or none can be had."""
        return self._plan is not None or not self._has_kernels

    def prepare(self) -> None:
        """Compile and load what answering needs; from then on every answer comes at full speed.

        It takes a second, and the first time on a machine some ten: call it from a thread of its own.
        """
        self._find_plan(may_wait=True)

    def predict(self, images: Array) -> Array:
        """Probabilities, float32 (N, classes), for uint8 images (N, H, W, C). Raises ConfigError where they do not fit."""
        return np.exp(self.log_probabilities(images))

    def look(self, images: Array) -> tuple[Array, dict[str, Array]]:
        """Probabilities (N, classes) as `predict` gives them, and by its name the output (N, …) of each layer on the way there.

        The layers run where the network's arrays are; what they make is on the host.
        """
        found = self.network.in_use().activations(self._beside(as_input(images, self.network.input_shape)))
        outputs = {name: to_numpy(values) for name, values in found}
        return np.exp(self._log_softmax(outputs[self.network.layers[-1].name])), outputs

    def active_units(self, images: Array) -> dict[str, Array]:
        """Which units of every ReLU are above 0 for at least one of the uint8 images (N, H, W, C): bool (units), by its name.

        A unit is a channel of a feature map, with all its places, or one number of a vector. Places that a max pool behind the
        ReLU leaves out may not count.
        """
        plan, found = self._find_plan(may_wait=True), dict[str, Array]()
        names = {layer.name for layer in self.network.layers if type(layer) is ReLU}
        for start in range(0, len(images) if names else 0, self.batch):
            part = images[start : start + self.batch]
            if plan is not None:
                outputs = plan.relu_outputs(part.reshape(len(part), *self.network.input_shape))
            else:
                outputs = self._readable_outputs(part, names)
            for name, output in outputs.items():
                by_value = (output > 0).reshape(len(part), -1).any(axis=0)
                active = by_value.reshape(-1, output.shape[-1]).any(axis=0)
                found[name] = np.logical_or(active, found.get(name, False))
        return found

    def _readable_outputs(self, images: Array, names: Collection[str]) -> dict[str, Array]:
        x = self._beside(as_input(images, self.network.input_shape))
        return {name: to_numpy(output) for name, output in self.network.in_use().activations(x) if name in names}

    def evaluate(self, data: Dataset, loss: Loss | None = None) -> Evaluation:
        """Loss and answers on all of `data`. The loss is the cross-entropy of the labels in nats; another one that is given is
        taken of the logarithms of the probabilities.

        Raises DataError where it is not known what the images show, or where it is something that the network does not know.
        """
        if not data.is_labelled:
            raise DataError(f"{data.name} has no labels to hold the answers against; digitlab predict --kaggle writes them down.")
        if int(data.labels.max(initial=0)) >= self.network.output_shape[-1]:
            raise DataError(
                f"{data.name} has the class {data.class_names[data.labels.max()]}, but the network tells only "
                f"{self.network.output_shape[-1]} classes apart; take one that was trained on this data."
            )
        log_probabilities = self.log_probabilities(data.images)
        if not len(data):
            mean = math.nan
        elif loss is None:
            mean = -float(log_probabilities[np.arange(len(data)), data.labels].mean())
        else:
            mean = loss(log_probabilities, data.labels)
        return Evaluation(mean, np.exp(log_probabilities), data.labels)

    def check_accuracy(self, data: Dataset, sample: int | None = None, seed: int = 0) -> float:
        """The share of `data` that the network gets right; on `sample` images drawn by the seed, where that is fewer."""
        return self.evaluate(data.limit(sample, seed)).accuracy

    def log_probabilities(self, images: Array) -> Array:
        """The logarithms of what `predict` returns: exact where a probability is too small for a float32."""
        return self._log_softmax(self.outputs(images))

    def outputs(self, images: Array) -> Array:
        """The last layer's output, float32 (N, *output_shape), for uint8 images (N, H, W, C). ConfigError where they do not fit."""
        shape = self.network.input_shape
        _check_shape(images, shape)
        plan = self._plan or self._find_plan(may_wait=len(images) >= WORTH_COMPILING)
        if plan is not None:
            return plan.forward(images if images.shape[1:] == shape else images.reshape(len(images), *shape))
        readable = self.network.in_use()
        out = np.empty((len(images), *self.network.output_shape), np.float32)
        for start in range(0, len(images), self.batch):
            x = self._beside(as_input(images[start : start + self.batch], shape))
            out[start : start + self.batch] = to_numpy(readable.forward(x))
        return out

    def _beside(self, x: Array) -> Array:
        """The input where the network's parameters live."""
        parameter = next(iter(self.network.parameters().values()), None)
        return x if parameter is None else beside(x, parameter.data)

    def _log_softmax(self, scores: Array) -> Array:
        """A network that ends on softmax gives probabilities, the others logits."""
        ends = isinstance(self.network.layers[-1], Softmax)
        return np.log(np.maximum(scores, np.float32(1e-30))) if ends else log_softmax(scores)

    def _find_plan(self, may_wait: bool) -> Plan | None:
        """The plan, made where `may_wait` or where its kernels are loaded."""
        with self._lock:
            if self._plan is None and self._has_kernels:
                shape = (self.batch, *self.network.input_shape)
                try:
                    self._plan = Plan(self.network, shape, device=self.device, wait=may_wait)
                except NotCompilable:
                    self._has_kernels = False
                except NotLoadedError:
                    return None
            return self._plan


def can_evaluate(network: Network, data: Dataset) -> bool:
    """Whether `network` takes the images of `data`, tells all its classes apart, and it is known what they show."""
    fits = math.prod(data.image_shape) == math.prod(network.input_shape)
    return fits and data.is_labelled and int(data.labels.max(initial=0)) < network.output_shape[-1]
