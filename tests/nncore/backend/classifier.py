"""A small program that learns, and what it learns from."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import trials
from trial import Recording, Trial, record

from nncore.arrays import Array
from nncore.backend.contract import Moved, Program, Rule, Tensor
from nncore.layers import Dropout
from nncore.optimizers import SGD


def classifier(device: str, replicas: int = 2, dropout: Dropout | None = None) -> tuple[Program, Tensor, Array]:
    """A program that learns a linear layer from batches of up to four; its scores, and its parameters."""
    scores = []

    def build(recording: Recording) -> None:
        record, weights = recording.record, recording.weights
        x, y, grad = record.tensor(1, 1, 3), record.tensor(1, 1, 5), record.tensor(1, 1, 5)
        with record.section("answers"):
            record.take(x)
            record.linear(x, weights, y, False)
            record.barrier()
        with record.section("gradients"):
            record.take(x)
            if dropout is not None:
                record.dropout(x, dropout.p, x, dropout)
            record.linear(x, weights, y, False)
            record.loss("cross_entropy", (0.0,), y, grad)
            record.linear_backward(x, weights, y, False, grad, None)
            record.sum_gradients()
        with record.section("update") if dropout is None else nullcontext():
            parts = [recording.parts[name] for name in ("weight", "bias")]
            record.update(Rule("sgd", [Moved(part.start, part.end) for part in parts], SGD({}, 0.1).move))
        scores.append(y)

    trial = Trial(build, {"weight": trials.real_numbers(3, 5), "bias": np.zeros(5)}, count=4, replicas=replicas)
    recording, vector, _ = record(trial, device)
    return recording.record.finish(), scores[0], vector.values


def images_and_labels() -> tuple[Array, Array]:
    rng = np.random.default_rng(2)
    return rng.standard_normal((20, 3)).astype(np.float32), rng.integers(5, size=20)
