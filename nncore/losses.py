"""Losses: how wrong an answer is, as one number, and that number's gradient.

Every loss has `forward(scores (N, classes), labels) -> float`, the mean over the batch, and `backward() -> Array`,
dL/d(scores) of the last forward, of the scores' shape and dtype. `labels` are N integers; the two cross-entropies also
take one row of target probabilities an example (N, classes), for instance one-hot. Both raise DataError, naming both
shapes, where scores and labels do not belong together.
"""

from __future__ import annotations

from nncore.arrays import Array, array_module
from nncore.errors import ConfigError, DataError


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


def one_hot(labels: Array, classes: int, like: Array) -> Array:
    """Rows with a one at each label: (N, classes), of the dtype of `like`."""
    return (labels[:, None] == array_module(like).arange(classes)[None, :]).astype(like.dtype)


def check_labels(scores_shape: tuple[int, ...], labels: Array) -> None:
    """Raise DataError unless `labels` are one integer within range for every row of scores of `scores_shape`."""
    count, classes = scores_shape
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise DataError(
            f"Scores of shape {scores_shape} need {count} whole numbers as labels, not {labels.dtype} of shape {labels.shape}."
        )
    if count and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise DataError(
            f"Labels must lie between 0 and {classes - 1}, but they run from {int(labels.min())} to {int(labels.max())}."
        )


def targets(scores: Array, labels: Array) -> Array:
    """`labels` as target probabilities (N, classes): as they are where they are rows already, otherwise one-hot."""
    if scores.ndim != 2:
        raise DataError(f"A loss takes scores of shape (N, classes), not {scores.shape}.")
    if labels.ndim == 2 and labels.dtype.kind == "f":
        if labels.shape != scores.shape:
            raise DataError(f"Target rows of shape {labels.shape} do not fit scores of shape {scores.shape}.")
        return labels.astype(scores.dtype)
    check_labels(scores.shape, labels)
    return one_hot(labels, scores.shape[-1], scores)


class Loss:
    """What every loss has: `forward` and `backward` as this module's page describes them."""

    def forward(self, scores: Array, labels: Array) -> float:
        """The mean loss of a batch."""
        raise TypeError(f"{type(self).__name__} defines no forward")

    def backward(self) -> Array:
        """dL/d(scores) of the last forward."""
        raise TypeError(f"{type(self).__name__} defines no backward")

    def __call__(self, scores: Array, labels: Array) -> float:
        return self.forward(scores, labels)


class CrossEntropyLoss(Loss):
    """L = −1/N Σₙ Σᵢ tₙᵢ log softmax(zₙ)ᵢ for logits z: how surprised the network is, in nats; log 10 ≈ 2.3 is guessing.

    t is one-hot for labels, or the rows given (each summing to 1). Backward: dL/dz = (softmax(z) − t) / N.
    """

    def forward(self, scores: Array, labels: Array) -> float:
        self._targets = targets(scores, labels)
        self._log_probabilities = log_softmax(scores)
        return -float((self._targets * self._log_probabilities).sum()) / max(len(scores), 1)

    def backward(self) -> Array:
        probabilities = array_module(self._log_probabilities).exp(self._log_probabilities)
        return (probabilities - self._targets) / probabilities.dtype.type(max(len(probabilities), 1))


class ProbabilityCrossEntropyLoss(Loss):
    """L = −1/N Σₙ Σᵢ tₙᵢ log max(pₙᵢ, tiny) for probabilities p, the output of a Softmax layer.

    `tiny` (1e-12) keeps the logarithm finite. Backward: dL/dp = −t / max(p, tiny) / N.
    """

    tiny = 1e-12

    def forward(self, scores: Array, labels: Array) -> float:
        xp = array_module(scores)
        self._targets = targets(scores, labels)
        self._floored = xp.maximum(scores, scores.dtype.type(self.tiny))
        return -float((self._targets * xp.log(self._floored)).sum()) / max(len(scores), 1)

    def backward(self) -> Array:
        return -self._targets / self._floored / self._floored.dtype.type(max(len(self._floored), 1))


class HingeLoss(Loss):
    """L = 1/N Σₙ Σ_{j ≠ label} max(0, zₙⱼ − zₙ,label + margin): the multiclass support vector machine.

    Backward: 1/N for every j within the margin, and minus their count at the label. Weston and Watkins 1999.
    """

    def __init__(self, margin: float = 1.0) -> None:
        if not 0 < margin < float("inf"):
            raise ConfigError(f"The hinge loss's margin must be a positive number, not {margin}.")
        self.margin = margin

    def forward(self, scores: Array, labels: Array) -> float:
        xp = array_module(scores)
        if scores.ndim != 2:
            raise DataError(f"A loss takes scores of shape (N, classes), not {scores.shape}.")
        check_labels(scores.shape, labels)
        right = one_hot(labels, scores.shape[1], scores)
        of_label = (scores * right).sum(axis=1, keepdims=True)
        excess = (scores - of_label + scores.dtype.type(self.margin)) * (1 - right)
        within = (excess > 0).astype(scores.dtype)
        self._grad = (within - right * within.sum(axis=1, keepdims=True)) / scores.dtype.type(max(len(scores), 1))
        return float(xp.maximum(excess, 0).sum()) / max(len(scores), 1)

    def backward(self) -> Array:
        return self._grad
