"""Temperature scaling: one number that makes a trained network as sure as it is right, without changing any answer.

p = softmax(z / T). With T above 1 answers become less sure, below 1 surer (Guo et al. 2017, arXiv 1706.04599).
"""

from __future__ import annotations

import math

import numpy as np

from nncore.arrays import Array
from nncore.errors import ConfigError, DataError
from nncore.layers import Linear
from nncore.losses import check_labels, log_softmax
from nncore.network import Network

COLDEST, WARMEST = 0.05, 20.0
"""The least and the greatest temperature."""
GOLDEN = (math.sqrt(5) - 1) / 2


def fit_temperature(logits: Array, labels: Array, steps: int = 50) -> float:
    """The temperature with the smallest cross-entropy of logits (N, classes), or their log-probabilities, and int labels (N).

    Raises DataError where there are none, or the labels do not belong to them.
    """
    if not len(logits):
        raise DataError("A temperature is fitted to answers, and there are none.")
    check_labels(logits.shape, labels)
    scores, rows = logits.astype(np.float64), np.arange(len(logits))

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(scores / math.exp(log_temperature))[rows, labels].mean())

    # The loss has one minimum in 1 / T, in which it is convex, so also in log T: a golden-section search finds it.
    low, high = math.log(COLDEST), math.log(WARMEST)
    for _ in range(steps):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        low, high = (low, right) if loss(left) <= loss(right) else (left, high)
    return math.exp((low + high) / 2)


def fold_temperature(network: Network, temperature: float) -> None:
    """Divide the last layer's weights and bias by the temperature, so that all who use the network get the scaled answers.

    Raises ConfigError where the last layer is no linear one, or the temperature is not positive.
    """
    last = network.layers[-1]
    if not isinstance(last, Linear):
        raise ConfigError(f"A temperature is folded into a last linear layer; this network ends with {last.describe()}.")
    if not 0 < temperature < math.inf:
        raise ConfigError(f"A temperature is a positive number, not {temperature!r:.40}.")
    for _, parameter in last.parameters():
        parameter.data /= parameter.data.dtype.type(temperature)
