"""Integrated gradients: the gradient summed along the way from a picture without anything on it to the image."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array, shape_text, to_numpy
from nncore.checks import shown, whole_number
from nncore.errors import ConfigError
from nncore.explain.attribution import Attribution
from nncore.explain.gradients import target_gradients_in_parts
from nncore.explain.networks import as_batch, logits_of
from nncore.explain.progress import Progress, result_of
from nncore.explain.target import Target
from nncore.network import Network
from nncore.prediction import Predictor

BLACK, MEAN = "black", "mean"
BASELINES: dict[str, Callable[[Array], Array]] = {
    BLACK: np.zeros_like,
    MEAN: lambda image: np.broadcast_to(np.rint(image.mean(axis=(0, 1))).astype(np.uint8), image.shape),
}
"""Pictures without anything on them, made from an image uint8 (height, width, channels): black, or its own mean colour."""

STEPS, MOST_STEPS = 32, 512
"""Steps to begin with, and at most."""
TOLERANCE, SINGLY = 0.005, 5
"""The share of the difference by which the steps together may miss it; what each misses, whatever its sign, may be more by this
factor."""


@dataclass(frozen=True, eq=False)
class IntegratedGradients(Attribution):
    """How a target of the image differs from that of the baseline, parted among the values of the image."""

    baseline: Array
    """uint8 (height, width, channels): where the way begins."""
    baseline_score: float
    """The target of the baseline."""
    steps: int
    """Into how many steps the way was parted."""

    @property
    def difference(self) -> float:
        """What there is to part: the target of the image less that of the baseline."""
        return self.score - self.baseline_score

    @property
    def total(self) -> float:
        """The sum of all values: equal to `difference`, but for taking a sum of steps instead of the integral (completeness)."""
        return float(self.values.sum(dtype=np.float64))

    @property
    def gap(self) -> float:
        """|total − difference| / |difference|; 0 where they are equal but for the rounding of the two targets."""
        missing = abs(self.total - self.difference)
        if missing <= _rounding(self.score, self.baseline_score):
            return 0.0
        return missing / abs(self.difference) if self.difference else float("inf")


def integrated_gradients(
    predictor: Predictor,
    image: Array,
    target: Target,
    baseline: str | Array = BLACK,
    steps: int = STEPS,
    tolerance: float = TOLERANCE,
    most_steps: int = MOST_STEPS,
) -> IntegratedGradients:
    """(x − x′) ∫₀¹ dT/dx(x′ + α (x − x′)) dα for the image x, uint8 (height, width, channels), and the baseline x′, in logits.

    Sundararajan, Taly and Yan 2017, arXiv 1703.01365. The baseline is a name of BASELINES, or a uint8 image of the same shape.

    The integral is a sum by the midpoint rule over `steps` equal steps. What each of them should add up to is known: the
    difference of the target between its ends. Those that miss it most, since a ReLU switches within them, are halved until all
    together miss at most `tolerance` of the whole difference, or there are `most_steps`. With a tolerance of inf none is.

    Raises ConfigError where image, baseline, target and network do not fit.
    """
    return result_of(integrated_gradients_in_parts(predictor, image, target, baseline, steps, tolerance, most_steps))


def integrated_gradients_in_parts(
    predictor: Predictor,
    image: Array,
    target: Target,
    baseline: str | Array = BLACK,
    steps: int = STEPS,
    tolerance: float = TOLERANCE,
    most_steps: int = MOST_STEPS,
) -> Generator[Progress[IntegratedGradients]]:
    """`integrated_gradients`, telling how many points of the way have gone through the network, and of how many at most."""
    whole_number(steps, "The number of steps", 1, most_steps)
    network, start = logits_of(predictor.network), _baseline(baseline, image)
    target.check(network.classes)
    ends = to_numpy(as_batch(network, np.stack([start, image])))
    way = _Way(network, target, ends[0], ends[1] - ends[0], 2 * most_steps + 1)  # the edges, and the middles
    edges = np.linspace(0, 1, steps + 1)
    at_edges = yield from way.scores(edges)
    baseline_score, score = float(at_edges[0]), float(at_edges[-1])
    parts = yield from way.steps(edges[:-1], edges[1:], at_edges[:-1], at_edges[1:])
    allowed = max(tolerance * abs(score - baseline_score), _rounding(score, baseline_score))
    while parts.missing > allowed and len(parts.widths) < most_steps:
        parts = yield from way.halved(parts, most_steps - len(parts.widths))
    mean_gradient = np.tensordot(parts.widths, parts.gradients, axes=1)
    values = (mean_gradient * way.direction).astype(np.float32).reshape(image.shape)
    yield Progress(way.most, way.most, IntegratedGradients(target, score, values, start, baseline_score, len(parts.widths)))


@dataclass
class _Steps:
    """Steps of the way: where each begins and ends, the target there and in the middle, and the gradient in the middle."""

    left: Array
    right: Array
    left_score: Array
    right_score: Array
    middle_score: Array
    gradients: Array
    """(steps, *input_shape)"""
    misses: Array
    """By how much the gradient in the middle misses the difference of the target between the ends."""

    @property
    def widths(self) -> Array:
        return self.right - self.left

    @property
    def missing(self) -> float:
        """What all miss together, or a part of what each misses by itself, where that is more."""
        return max(abs(float(self.misses.sum())), float(np.abs(self.misses).sum()) / SINGLY)


class _Way:
    """The straight way from the baseline x′ to the image x: x′ + α · direction, for α from 0 to 1."""

    def __init__(self, network: Network, target: Target, start: Array, direction: Array, most: int) -> None:
        self.network, self.target, self.start, self.direction = network, target, start, direction
        self.done, self.most = 0, most
        """How many points have gone through the network, and how many will at most."""

    def scores(self, alphas: Array) -> Generator[Progress[Any], None, Array]:
        """The target at each α: float64 (N)."""
        scores, _ = yield from self._gradients(alphas)
        return scores.astype(np.float64)

    def steps(self, left: Array, right: Array, left_score: Array, right_score: Array) -> Generator[Progress[Any], None, _Steps]:
        middle_score, gradients = yield from self._gradients((left + right) / 2)
        slopes = np.tensordot(gradients, self.direction, axes=self.direction.ndim).astype(np.float64)
        misses = right_score - left_score - slopes * (right - left)
        return _Steps(left, right, left_score, right_score, middle_score.astype(np.float64), gradients, misses)

    def halved(self, parts: _Steps, most: int) -> Generator[Progress[Any], None, _Steps]:
        """The steps with those that miss most in two halves each: at most `most` of them."""
        worst = np.argsort(-np.abs(parts.misses), kind="stable")[:most]
        worst = worst[np.abs(parts.misses[worst]) >= np.abs(parts.misses[worst[0]]) / 4]
        middle = (parts.left[worst] + parts.right[worst]) / 2
        more = yield from self.steps(
            np.concatenate([parts.left[worst], middle]),
            np.concatenate([middle, parts.right[worst]]),
            np.concatenate([parts.left_score[worst], parts.middle_score[worst]]),
            np.concatenate([parts.middle_score[worst], parts.right_score[worst]]),
        )
        kept = np.delete(np.arange(len(parts.left)), worst)
        return _Steps(*(np.concatenate([values[kept], vars(more)[name]]) for name, values in vars(parts).items()))

    def _gradients(self, alphas: Array) -> Generator[Progress[Any], None, tuple[Array, Array]]:
        """The target and its gradient at each α."""
        found, before = None, self.done
        for told in target_gradients_in_parts(self.network, self._points(alphas), self.target):
            found, self.done = told.result, before + told.done
            yield Progress(self.done, self.most)
        assert found is not None, "it ends with a result"
        return found

    def _points(self, alphas: Array) -> Array:
        shape = (-1, *(1,) * self.direction.ndim)
        return self.start + alphas.astype(self.direction.dtype).reshape(shape) * self.direction


def _rounding(score: float, baseline_score: float) -> float:
    """What float32 leaves uncertain of the difference of two targets."""
    return 1e-6 * (abs(score) + abs(baseline_score))


def _baseline(baseline: str | Array, image: Array) -> Array:
    """The baseline as an image. ConfigError where there is none of that name, or it has another shape."""
    if isinstance(baseline, str):
        if baseline not in BASELINES:
            raise ConfigError(f"There is no baseline {shown(baseline)}; there are {', '.join(BASELINES)}.")
        return np.array(BASELINES[baseline](image))
    if baseline.shape != image.shape or baseline.dtype != np.uint8:
        raise ConfigError(
            f"The baseline is {baseline.dtype} {shape_text(baseline.shape)}, but the image is uint8 {shape_text(image.shape)}."
        )
    return baseline
