"""Losses: how wrong an answer is, as one number, and that number's gradient."""

from __future__ import annotations

from nncore.backend import Array, array_module
from nncore.errors import DataError


def softmax(logits: Array) -> Array:
    """pᵢ = exp(zᵢ) / Σⱼ exp(zⱼ) along the last axis; the largest z is subtracted first, which changes nothing but overflow."""
    xp = array_module(logits)
    powers = xp.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax(logits: Array) -> Array:
    """log pᵢ = zᵢ − log Σⱼ exp(zⱼ) along the last axis, stable for large z."""
    xp = array_module(logits)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=-1, keepdims=True))


class CrossEntropyLoss:
    """L = −1/N Σₙ log softmax(zₙ)[labelₙ]: how surprised the network is by the right answers, in nats; log 10 ≈ 2.3 is guessing.

    `forward(logits (N, classes), labels (N) of integers)` returns L; `backward()` returns dL/dz = (softmax(z) − one-hot) / N.
    """

    def forward(self, logits: Array, labels: Array) -> float:
        xp = array_module(logits)
        classes = logits.shape[-1]
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            raise DataError(
                f"Labels must lie between 0 and {classes - 1}, but some are {int(labels.min())} or {int(labels.max())}."
            )
        self._rows, self._labels = xp.arange(len(labels)), labels
        self._log_probabilities = log_softmax(logits)
        return -float(self._log_probabilities[self._rows, labels].mean())

    __call__ = forward

    def backward(self) -> Array:
        grad = array_module(self._log_probabilities).exp(self._log_probabilities)
        grad[self._rows, self._labels] -= 1
        return grad / grad.dtype.type(len(grad))
