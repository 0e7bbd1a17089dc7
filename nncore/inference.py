"""Asking a trained network: from uint8 images to probabilities."""

from __future__ import annotations

import math

import numpy as np

from nncore.backend import Array, Shape
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError
from nncore.layers.base import times
from nncore.losses import log_softmax
from nncore.metrics import Evaluation
from nncore.network import Network

BATCH = 500


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


def evaluate(network: Network, data: Dataset) -> Evaluation:
    """Loss and answers of `network` on all of `data`."""
    log_probabilities = _log_probabilities(network, data.images)
    loss = -float(log_probabilities[np.arange(len(data)), data.labels].mean()) if len(data) else math.nan
    return Evaluation(loss, np.exp(log_probabilities), data.labels)


def check_accuracy(network: Network, data: Dataset, sample: int | None = None, seed: int = 0) -> float:
    """The share of `data` that `network` gets right; on `sample` images drawn by the seed, where that is fewer."""
    return evaluate(network, data.limit(sample, seed)).accuracy


def _log_probabilities(network: Network, images: Array) -> Array:
    """log softmax of the network's output, BATCH images at a time so that memory stays small."""
    network.eval()
    out = np.empty((len(images), *network.output_shape), np.float32)
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        out[start : start + BATCH] = log_softmax(network.forward(as_input(batch, network.input_shape)))
    return out
