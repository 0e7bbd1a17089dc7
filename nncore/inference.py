"""Asking a trained network: from uint8 images to probabilities.

Many images go through the network's compiled plan, which is compiled for them if it must be: seconds, once a machine. A few
never wait for a compiler: they take the plan where it is ready, and otherwise the readable path, in a few milliseconds.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import numpy as np

from nncore.backend import Array, Shape
from nncore.errors import ConfigError, DataError
from nncore.layers import Softmax
from nncore.layers.base import times
from nncore.losses import log_softmax
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.plan import Plan

if TYPE_CHECKING:
    from nncore.data.dataset import Dataset

BATCH = 250
MANY = 1000
"""Images from which on compiling a plan pays, even where it must be done first."""

_lock = threading.Lock()
_compiled: set[str] = set()
"""The architectures whose kernels this process has loaded."""


def as_input(images: Array, input_shape: Shape) -> Array:
    """uint8 images (N, H, W, C) as the float32 batch a network takes: values over 255, flattened where it takes vectors.

    Raises ConfigError naming both shapes where the images do not fit.
    """
    if images.shape[1:] != input_shape and math.prod(images.shape[1:]) != math.prod(input_shape):
        raise ConfigError(f"The images are {times(images.shape[1:])}, but the network takes {times(input_shape)}.")
    return images.reshape(len(images), *input_shape) * np.float32(1 / 255)


def predict(network: Network, images: Array) -> Array:
    """Probabilities, float32 (N, classes), for uint8 images (N, H, W, C)."""
    return np.exp(_log_probabilities(network, images))


def prepare(network: Network) -> None:
    """Compile and load what answering by `network`'s architecture needs; from then on `predict` is at its fastest.

    It takes a second, and the first time on a machine some ten: call it from a thread of its own. The network itself is
    only read, so it may be in use meanwhile.
    """
    try:
        Plan(network.copy(), (1, *network.input_shape), replicas=1)
    except ConfigError:
        return  # a layer that no kernel knows: the readable path it is
    note_compiled(network)


def note_compiled(network: Network) -> None:
    """Say that the kernels of `network`'s architecture are loaded, as by a plan of it made elsewhere."""
    _compiled.add(str(network.config()))


def can_evaluate(network: Network, data: Dataset) -> bool:
    """Whether `network` takes the images of `data`, tells all its classes apart, and it is known what they show."""
    fits = math.prod(data.image_shape) == math.prod(network.input_shape)
    return fits and data.is_labelled and int(data.labels.max(initial=0)) < network.output_shape[-1]


def evaluate(network: Network, data: Dataset, plan: Plan | None = None) -> Evaluation:
    """Loss and answers of `network` on all of `data`, through `plan`, one of the same network, where it is given.

    Raises DataError where it is not known what the images show, or where it is something that the network does not know.
    """
    if not data.is_labelled:
        raise DataError(f"{data.name} has no labels to hold the answers against; digitlab predict --kaggle writes them down.")
    if int(data.labels.max(initial=0)) >= network.output_shape[-1]:
        raise DataError(
            f"{data.name} has the class {data.class_names[data.labels.max()]}, but the network tells only "
            f"{network.output_shape[-1]} classes apart; take one that was trained on this data."
        )
    log_probabilities = _log_probabilities(network, data.images, plan)
    loss = -float(log_probabilities[np.arange(len(data)), data.labels].mean()) if len(data) else math.nan
    return Evaluation(loss, np.exp(log_probabilities), data.labels)


def check_accuracy(network: Network, data: Dataset, sample: int | None = None, seed: int = 0) -> float:
    """The share of `data` that `network` gets right; on `sample` images drawn by the seed, where that is fewer."""
    return evaluate(network, data.limit(sample, seed)).accuracy


def _log_probabilities(network: Network, images: Array, plan: Plan | None = None) -> Array:
    """log softmax of the network's output, BATCH images at a time so that memory stays small."""
    as_input(images[:1], network.input_shape)
    plan = plan or _plan(network, len(images) >= MANY)
    network.eval()
    out = np.empty((len(images), *network.output_shape), np.float32)
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        if plan is not None:
            scores = plan.forward(batch.reshape(len(batch), *network.input_shape))
        else:
            scores = network.forward(as_input(batch, network.input_shape))
        # A network that ends on softmax gives probabilities, the others logits.
        ends = isinstance(network.layers[-1], Softmax)
        out[start : start + BATCH] = np.log(np.maximum(scores, np.float32(1e-30))) if ends else log_softmax(scores)
    return out


def _plan(network: Network, worth_compiling: bool) -> Plan | None:
    """The network's plan for answering, where there is one, where its kernels are loaded, or where it is worth loading them."""
    with _lock:
        if network.plan is None and network.can_compile:
            if not worth_compiling and str(network.config()) not in _compiled:
                return None
            try:
                network.plan = Plan(network, (BATCH, *network.input_shape))
                note_compiled(network)
            except ConfigError:
                network.can_compile = False
        return network.plan
