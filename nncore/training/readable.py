"""The readable path of a training: steps by the layers' own forward and backward, for networks that no kernel knows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nncore.arrays import Array
from nncore.losses import Loss
from nncore.metrics import accuracy
from nncore.network import Network
from nncore.optimizers import Optimizer
from nncore.prediction import as_input
from nncore.training.batches import Stretch


def learn(network: Network, loss: Loss, optimizer: Optimizer, stretch: Stretch, rates: Sequence[float]) -> tuple[Array, Array]:
    """Take the steps of a stretch, each at its learning rate: forward, backward, and a step of the optimizer.

    Returns each step's loss (float64) and how many of its batch were right before it (int64). It ends behind the first step whose
    loss is not finite.
    """
    network.train()
    losses, right = [], []
    for chosen, rate in zip(stretch.batches, rates, strict=True):
        optimizer.lr, labels = rate, stretch.labels[chosen]
        with np.errstate(over="ignore", invalid="ignore"):  # a loss that is no number is reported as such
            scores = network.forward(as_input(stretch.images[chosen], network.input_shape))
            losses.append(loss(scores, labels))
            network.backward(loss.backward())
            optimizer.step()
        named = labels.argmax(axis=1) if loss.takes_rows else labels
        right.append(round(accuracy(scores, named) * len(labels)))
        if not math.isfinite(losses[-1]):
            break
    return np.array(losses, np.float64), np.array(right, np.int64)
