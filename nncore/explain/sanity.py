"""Checks that a map of what decided means something, to be shown beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nncore.arrays import Array, to_numpy
from nncore.explain.integrated_gradients import IntegratedGradients
from nncore.explain.networks import as_batch, logits_of
from nncore.explain.occlusion import Occlusion, occluded
from nncore.explain.target import Target
from nncore.network import Network
from nncore.prediction import Predictor

MOST_GAP = 0.01
"""The share of the difference that integrated gradients may miss."""
MOST_APART = 1e-3
"""How far an occlusion's target may lie from that of a forward pass by the readable path, as a share of the largest target."""
MOST_ALIKE = 0.7
"""The rank correlation up to which two maps count as different: where the ink is, they share even without knowing anything."""
SEEDS = (1, 2, 3)
"""Seeds of the networks with random weights."""
PLACES = 16
"""Patches for which occlusion is held against forward passes."""


class Map(Protocol):
    """What every method returns."""

    @property
    def map(self) -> Array: ...


@dataclass(frozen=True)
class Check:
    """A check of a map, and how it came out."""

    passed: bool
    value: float
    """What was measured."""
    most: float
    """What it may be at most."""
    words: str
    """A sentence that says it."""


def check_completeness(found: IntegratedGradients) -> Check:
    """Whether the values add up to the difference of the target between image and baseline: its `gap` is at most 1 %."""
    words = f"The values add up to {found.total:+.3f}; the difference of the logits is {found.difference:+.3f}."
    return Check(found.gap <= MOST_GAP, found.gap, MOST_GAP, words)


def check_occlusion(predictor: Predictor, image: Array, found: Occlusion) -> Check:
    """Whether what occlusion says agrees with forward passes of the covered images, layer by layer (the readable path).

    At most 16 patches are covered again, spread evenly over all of them. The value is the largest difference, as a share of the
    largest target among them.
    """
    network = logits_of(predictor.network)
    places = [(row, column) for row in found.rows.tolist() for column in found.columns.tolist()]
    chosen = np.unique(np.linspace(0, len(places) - 1, min(PLACES, len(places))).round().astype(int))
    images = np.stack([occluded(image, row, column, found.patch, found.fill) for row, column in (places[n] for n in chosen)])
    passes = to_numpy(found.target.of(network.forward(as_batch(network, images))))
    apart = np.abs(found.score - found.drops.ravel()[chosen] - passes)
    worst = float(apart.max() / max(np.abs(passes).max(), 1e-6))
    words = f"{len(chosen)} covered images went through the network again: the targets differ by at most {apart.max():.2g}."
    return Check(worst <= MOST_APART, worst, MOST_APART, words)


def check_random_weights(
    predictor: Predictor,
    image: Array,
    target: Target,
    method: Callable[[Predictor, Array, Target], Map],
    seeds: Sequence[int] = SEEDS,
) -> Check:
    """Whether networks with random weights get other maps: what does not depend on the weights says nothing of the network.

    The value is the rank correlation of the method's map with that of the same layers with new first weights, the mean over
    the seeds. Adebayo et al. 2018, arXiv 1810.03292 (all layers randomised at once).
    """
    own = method(predictor, image, target).map
    return check_unlike(own, [method(with_random_weights(predictor, seed), image, target).map for seed in seeds])


def with_random_weights(predictor: Predictor, seed: int) -> Predictor:
    """The same layers with new first weights, on the same device."""
    return Predictor(Network.from_config(predictor.network.config(), seed), predictor.device)


def check_unlike(own: Array, others: Sequence[Array]) -> Check:
    """What `check_random_weights` says of a network's map and those of random weights, each (height, width)."""
    alike = float(np.mean([abs(rank_correlation(own, other)) for other in others]))
    words = f"Rank correlation with the maps of {len(others)} networks with random weights: {alike:.2f} (0: nothing in common)."
    return Check(alike <= MOST_ALIKE, alike, MOST_ALIKE, words)


def rank_correlation(a: Array, b: Array) -> float:
    """Spearman's ρ of the values of two arrays of one size, −1 to 1; equal values share their mean rank. 0 where one is flat."""
    first, second = _ranks(a), _ranks(b)
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size else 0.0


def _ranks(values: Array) -> Array:
    """The rank of each value, from 0: float64 (values.size)."""
    _, places, counts = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts + 1) / 2)[places]
