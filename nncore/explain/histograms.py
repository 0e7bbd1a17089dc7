"""Histograms of what a network has learned: of its weights, and of their gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, to_numpy
from nncore.checks import whole_number
from nncore.network import Network

BINS = 41


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often values occur in an array."""

    counts: Array
    """int64 (bins)"""
    edges: Array
    """float64 (bins + 1): symmetrical about 0, up to the largest size of a value."""
    mean: float
    std: float
    zeros: int
    """Values that are exactly 0."""
    not_finite: int
    """Values that are infinite or no numbers; they are in no bin, and count in neither mean nor std."""


def histogram(values: Array, bins: int = BINS) -> Histogram:
    """The histogram of an array of any shape; an odd number of bins has one in the middle, around 0."""
    whole_number(bins, "The number of bins", 1, 10_000)
    flat = to_numpy(values).ravel()
    finite = flat[np.isfinite(flat)] if not np.isfinite(flat.sum()) else flat
    largest = float(np.abs(finite).max(initial=0)) or 1.0
    counts, edges = np.histogram(finite, bins, (-largest, largest))
    mean, std = (float(finite.mean(dtype=np.float64)), float(finite.std(dtype=np.float64))) if len(finite) else (0.0, 0.0)
    return Histogram(counts, edges.astype(np.float64), mean, std, int((finite == 0).sum()), len(flat) - len(finite))


def weight_histograms(network: Network, bins: int = BINS) -> dict[str, Histogram]:
    """A histogram of each parameter by its full name: `conv1.weight`."""
    return {name: histogram(parameter.data, bins) for name, parameter in network.parameters().items()}


def gradient_histograms(gradients: Mapping[str, Array], bins: int = BINS) -> dict[str, Histogram]:
    """A histogram of each gradient by its parameter's name: of `Plan.last_gradient`, or {name: parameter.grad}."""
    return {name: histogram(gradient, bins) for name, gradient in gradients.items()}
