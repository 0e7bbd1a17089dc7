"""Losses: how wrong an answer is, as one number, and that number's gradient.

Every loss has `forward(scores (N, classes), labels) -> float`, the mean over the batch (0 for an empty one), and
`backward() -> Array`, dL/d(scores) of the last forward, of the scores' shape and dtype. `labels` are N integers; the two
cross-entropies also take one row of target probabilities an example (N, classes), for instance one-hot. `forward` raises
DataError, naming the shapes, where scores are not (N, classes) or the labels do not belong to them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np

from nncore.arrays import Array, array_module
from nncore.checks import positive_number, real_number, shown
from nncore.errors import ConfigError, DataError


def softmax(logits: Array) -> Array:
    """pᵢ = exp(zᵢ) / Σⱼ exp(zⱼ) along the last axis. The largest z is subtracted first: the same result, and no overflow."""
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
    if not hasattr(labels, "dtype"):
        raise DataError(f"Labels must be an array of {count} whole numbers, not {shown(labels)}.")
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise DataError(
            f"Scores of shape {scores_shape} need {count} whole numbers as labels, not {labels.dtype} of shape {labels.shape}."
        )
    if count and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise DataError(
            f"Labels must lie between 0 and {classes - 1}, but they run from {int(labels.min())} to {int(labels.max())}."
        )


def check_rows(scores_shape: tuple[int, ...], rows: Array) -> None:
    """Raise DataError unless `rows` are target probabilities, float32 and as many as scores of `scores_shape`."""
    if not hasattr(rows, "dtype") or rows.shape != scores_shape or rows.dtype != np.float32:
        found = f"{rows.dtype} of shape {rows.shape}" if hasattr(rows, "dtype") else shown(rows)
        raise DataError(f"Scores of shape {scores_shape} need as many target probabilities, float32, not {found}.")


def check_scores(scores: Any) -> None:
    """Raise DataError unless `scores` is an array of floats of shape (N, classes)."""
    if not hasattr(scores, "dtype") or scores.dtype.kind != "f":
        found = scores.dtype if hasattr(scores, "dtype") else shown(scores)
        raise DataError(f"A loss takes an array of floats as scores, not {found}.")
    if scores.ndim != 2 or not scores.shape[1]:
        raise DataError(
            f"A loss takes scores of shape (N, classes), not {scores.shape}; a network that ends in an image needs Flatten and "
            "Linear at its end."
        )


def check_class_weights(weight: Sequence[float], classes: int) -> None:
    """Raise ConfigError unless there is a weight for each of the classes."""
    if len(weight) != classes:
        raise ConfigError(f"There are {len(weight)} class weights, but {classes} classes; give a weight to each class.")


def targets(scores: Array, labels: Array) -> Array:
    """`labels` as target probabilities (N, classes): as they are where they are rows already, otherwise one-hot."""
    check_scores(scores)
    if hasattr(labels, "dtype") and labels.ndim == 2 and labels.dtype.kind == "f":
        if labels.shape != scores.shape:
            raise DataError(f"Target rows of shape {labels.shape} do not fit scores of shape {scores.shape}.")
        return labels.astype(scores.dtype)
    check_labels(scores.shape, labels)
    return one_hot(labels, scores.shape[-1], scores)


class Loss:
    """What every loss has: `forward` and `backward` as this module's page describes them.

    A subclass has the kernel that it names itself: it does not inherit one, since what it changes, a kernel would not do.
    """

    kernel: ClassVar[str] = ""
    """The name of the compiled loss that computes the same (nncore/backend/contract.py); empty where there is none."""
    takes_rows: ClassVar[bool] = False
    """Whether its kernel takes a row of target probabilities an example, float32 (N, classes), not a label."""
    _kept: Any = None
    """What the last `forward` keeps for `backward`."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kernel" not in vars(cls):
            cls.kernel = ""

    @property
    def constants(self) -> tuple[float | tuple[float, ...], ...]:
        """The numbers that the kernel takes besides scores and labels; a tuple holds one for each class."""
        return ()

    def check(self, scores_shape: tuple[int, ...], labels: Array) -> None:
        """Raise DataError unless the kernel can take `labels` for scores of `scores_shape`."""
        (check_rows if self.takes_rows else check_labels)(scores_shape, labels)

    def guessing(self, classes: int) -> float:
        """The loss of a network that has the same score for each of so many classes: in nats, unless a subclass says otherwise."""
        return math.log(max(classes, 2))

    def forward(self, scores: Array, labels: Array) -> float:
        """The mean loss of a batch."""
        raise TypeError(f"{type(self).__name__} defines no forward")

    def backward(self) -> Array:
        """dL/d(scores) of the last forward."""
        raise TypeError(f"{type(self).__name__} defines no backward")

    def __call__(self, scores: Array, labels: Array) -> float:
        return self.forward(scores, labels)

    def _last(self) -> Any:
        """What the last `forward` kept. Raises ConfigError where there was none."""
        if self._kept is None:
            raise ConfigError(f"{type(self).__name__} has no gradient yet; call forward before backward.")
        return self._kept


class CrossEntropyLoss(Loss):
    """L = −1/N Σₙ Σᵢ tₙᵢ log softmax(zₙ)ᵢ for logits z, in nats; guessing among ten classes gives log 10 ≈ 2.3.

    t is one-hot for labels, or the rows given (each summing to 1). With label smoothing s, t is (1 − s) · t + s / classes (as in
    PyTorch; Szegedy et al. 2016, arXiv 1512.00567, section 7). Backward: dL/dz = (softmax(z) − t) / N.
    ConfigError unless 0 ≤ s ≤ 1.
    """

    kernel = "cross_entropy"

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = real_number(label_smoothing, "The label smoothing", "from 0 to 1", lambda share: 0 <= share <= 1)

    @property
    def constants(self) -> tuple[float | tuple[float, ...], ...]:
        return (self.label_smoothing,)

    def forward(self, scores: Array, labels: Array) -> float:
        rows, log_probabilities = self._smoothed(targets(scores, labels)), log_softmax(scores)
        self._kept = rows, log_probabilities
        return -float((rows * log_probabilities).sum()) / max(len(scores), 1)

    def backward(self) -> Array:
        rows, log_probabilities = self._last()
        probabilities = array_module(log_probabilities).exp(log_probabilities)
        return (probabilities - rows) / probabilities.dtype.type(max(len(probabilities), 1))

    def _smoothed(self, rows: Array) -> Array:
        if not self.label_smoothing:
            return rows
        smoothing = rows.dtype.type(self.label_smoothing)
        return (1 - smoothing) * rows + smoothing / rows.dtype.type(rows.shape[1])


class SoftTargetCrossEntropyLoss(CrossEntropyLoss):
    """`CrossEntropyLoss` of rows of target probabilities: what a network learns from the answers of others (Hinton et al. 2015,
    arXiv 1503.02531) or from images that are blends of two (Zhang et al. 2017, arXiv 1710.09412).
    """

    kernel = "soft_target_cross_entropy"
    takes_rows = True


class WeightedCrossEntropyLoss(CrossEntropyLoss):
    """`CrossEntropyLoss` in which each class i counts by its weight wᵢ: L = −1/W Σₙ Σᵢ wᵢ tₙᵢ log softmax(zₙ)ᵢ.

    W is the sum of the weights of the labels, so that L is a weighted mean; of rows of target probabilities it is N (as in
    PyTorch). Backward: dL/dz = (softmax(z) Σᵢ wᵢ tᵢ − w t) / W. ConfigError unless there are weights, each above 0.
    """

    kernel = "weighted_cross_entropy"

    def __init__(self, weight: Sequence[float], label_smoothing: float = 0.0) -> None:
        super().__init__(label_smoothing)
        self.weight = tuple(positive_number(each, "Each class's weight") for each in weight)
        if not self.weight:
            raise ConfigError("The weighted cross-entropy takes a weight for each class, not none.")

    @property
    def constants(self) -> tuple[float | tuple[float, ...], ...]:
        return (self.weight, self.label_smoothing)

    def check(self, scores_shape: tuple[int, ...], labels: Array) -> None:
        check_class_weights(self.weight, scores_shape[-1])
        super().check(scores_shape, labels)

    def forward(self, scores: Array, labels: Array) -> float:
        rows = targets(scores, labels)
        check_class_weights(self.weight, scores.shape[1])
        weight, log_probabilities = array_module(scores).asarray(self.weight, scores.dtype), log_softmax(scores)
        whole = float(weight[labels].sum()) if labels.ndim == 1 and len(scores) else max(len(scores), 1)
        rows = weight * self._smoothed(rows)
        self._kept = rows, log_probabilities, whole
        return -float((rows * log_probabilities).sum()) / whole

    def backward(self) -> Array:
        rows, log_probabilities, whole = self._last()
        probabilities = array_module(log_probabilities).exp(log_probabilities)
        return (probabilities * rows.sum(axis=1, keepdims=True) - rows) / probabilities.dtype.type(whole)


class WeightedSoftTargetCrossEntropyLoss(WeightedCrossEntropyLoss):
    """`WeightedCrossEntropyLoss` of rows of target probabilities."""

    kernel = "weighted_soft_target_cross_entropy"
    takes_rows = True

    def guessing(self, classes: int) -> float:
        """That of the plain loss, times the mean weight."""
        return super().guessing(classes) * sum(self.weight) / len(self.weight)


class ProbabilityCrossEntropyLoss(Loss):
    """L = −1/N Σₙ Σᵢ tₙᵢ log max(pₙᵢ, tiny) for probabilities p, the output of a Softmax layer.

    `tiny` (1e-12) keeps the logarithm finite. Backward: dL/dp = −t / max(p, tiny) / N.
    """

    kernel = "probability"
    tiny = 1e-12

    def forward(self, scores: Array, labels: Array) -> float:
        xp, rows = array_module(scores), targets(scores, labels)
        floored = xp.maximum(scores, scores.dtype.type(self.tiny))
        self._kept = rows, floored
        return -float((rows * xp.log(floored)).sum()) / max(len(scores), 1)

    def backward(self) -> Array:
        rows, floored = self._last()
        return -rows / floored / floored.dtype.type(max(len(floored), 1))


class HingeLoss(Loss):
    """L = 1/N Σₙ Σ_{j ≠ label} max(0, zₙⱼ − zₙ,label + margin): the multiclass support vector machine.

    Backward: 1/N for every j within the margin, and minus their count at the label. Weston and Watkins 1999. What is added to
    all scores of an example changes nothing, so it may be taken of the logarithms of their softmax just as well.
    """

    kernel = "hinge"

    def __init__(self, margin: float = 1.0) -> None:
        self.margin = positive_number(margin, "The hinge loss's margin")

    @property
    def constants(self) -> tuple[float, ...]:
        return (self.margin,)

    def guessing(self, classes: int) -> float:
        """Every other class lies a margin within: margin · (classes − 1), without a unit."""
        return self.margin * (max(classes, 2) - 1)

    def forward(self, scores: Array, labels: Array) -> float:
        check_scores(scores)
        xp = array_module(scores)
        check_labels(scores.shape, labels)
        right = one_hot(labels, scores.shape[1], scores)
        of_label = (scores * right).sum(axis=1, keepdims=True)
        excess = (scores - of_label + scores.dtype.type(self.margin)) * (1 - right)
        within = (excess > 0).astype(scores.dtype)
        self._kept = (within - right * within.sum(axis=1, keepdims=True)) / scores.dtype.type(max(len(scores), 1))
        return float(xp.maximum(excess, 0).sum()) / max(len(scores), 1)

    def backward(self) -> Array:
        return self._last()


LOSSES: dict[str, Callable[..., Loss]] = {
    loss.kernel: loss
    for loss in (
        CrossEntropyLoss,
        SoftTargetCrossEntropyLoss,
        WeightedCrossEntropyLoss,
        WeightedSoftTargetCrossEntropyLoss,
        ProbabilityCrossEntropyLoss,
        HingeLoss,
    )
}
"""Every loss that has a kernel, by the kernel's name: what makes it from its constants."""


class Settings(Protocol):
    """What a loss reads of a TrainConfig."""

    @property
    def label_smoothing(self) -> float: ...


MakeLoss: TypeAlias = Callable[[Settings, Sequence[float]], Loss]
"""Makes a loss from a TrainConfig and a weight for each class; none where all count alike."""


def _cross_entropy(config: Settings, weight: Sequence[float]) -> Loss:
    return WeightedCrossEntropyLoss(weight, config.label_smoothing) if weight else CrossEntropyLoss(config.label_smoothing)


def _soft_target_cross_entropy(config: Settings, weight: Sequence[float]) -> Loss:
    if weight:
        return WeightedSoftTargetCrossEntropyLoss(weight, config.label_smoothing)
    return SoftTargetCrossEntropyLoss(config.label_smoothing)


TRAINING_LOSSES: dict[str, MakeLoss] = {
    "cross-entropy": _cross_entropy,
    "hinge": lambda config, weight: HingeLoss(),
}
"""Every loss of logits and labels that a network can be trained by, by its name."""

SOFT_TARGET_LOSSES: dict[str, MakeLoss] = {"cross-entropy": _soft_target_cross_entropy}
"""Those of them that take rows of target probabilities, and how."""
