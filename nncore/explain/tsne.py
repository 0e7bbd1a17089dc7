"""t-SNE, by openTSNE: neighbours stay neighbours, and new images can be laid into the map."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.checks import real_number, whole_number
from nncore.errors import ConfigError, DataError
from nncore.explain.pca import Pca, pca
from nncore.explain.progress import Progress

ITERATIONS, EARLY = 500, 250
"""Iterations after those with early exaggeration, and those."""
PERPLEXITY = 30.0
AT_ONCE = 25
"""Iterations between two reports."""
MOST_COMPONENTS = 50
"""Principal components that are kept of the vectors before: the rest is mostly noise, and costs time."""
MISSING = "A t-SNE map needs the package openTSNE; install it with: pip install 'digitlab[tsne]'."


@dataclass(frozen=True, eq=False)
class TsneMap:
    """A map of vectors (N, size) on a plane, so far or as it ended."""

    points: Array
    """float64 (N, 2)"""
    divergence: float
    """The Kullback-Leibler divergence that is made small, in nats."""
    _before: Pca
    _embedding: Any

    def project(self, vectors: Array) -> Array:
        """Where further vectors (M, size) lie in this map, among those that they are near to: float64 (M, 2)."""
        return np.asarray(self._embedding.transform(self._before.project(vectors)), np.float64)


def tsne(
    vectors: Array, perplexity: float = PERPLEXITY, iterations: int = ITERATIONS, seed: int = 0
) -> Generator[Progress[TsneMap]]:
    """Lay vectors (N, size) on a plane; yields a Progress with the map so far every 25 iterations.

    It begins with the first two principal components, so that two runs look alike. van der Maaten and Hinton 2008; openTSNE
    (Poličar, Stražar and Zupan 2024) by interpolation (FIt-SNE), or Barnes-Hut for few vectors. The seed is for what it draws at
    random. Raises ConfigError where openTSNE is not installed, DataError for vectors that are too few or not finite.
    """
    try:
        import openTSNE
    except ImportError as error:
        raise ConfigError(MISSING) from error
    whole_number(iterations, "The number of iterations", 1, 100_000)
    real_number(perplexity, "The perplexity", "from 2 to 500", lambda number: 2 <= number <= 500)
    if len(vectors) < 10:
        raise DataError(f"A t-SNE map needs at least 10 images, not {len(vectors)}.")
    before = pca(vectors, min(MOST_COMPONENTS, *vectors.shape))
    return _laid(openTSNE, before, before.project(vectors), min(perplexity, (len(vectors) - 1) / 3), iterations, seed)


def _laid(library: Any, before: Pca, vectors: Array, perplexity: float, iterations: int, seed: int) -> Generator[Progress[TsneMap]]:
    total = EARLY + iterations
    yield Progress(0, total)
    affinities = library.affinity.PerplexityBasedNN(vectors, perplexity=perplexity, random_state=seed, n_jobs=1)
    start = vectors[:, :2] if vectors.shape[1] > 1 else np.column_stack([vectors, 0 * vectors])
    start = start / max(float(start[:, 0].std()), 1e-12) * 1e-4
    embedding = library.TSNEEmbedding(start, affinities, random_state=seed, n_jobs=1)
    done = 0
    while done < total:
        early = done < EARLY
        count = min(AT_ONCE, (EARLY if early else total) - done)
        embedding = embedding.optimize(
            count, exaggeration=12 if early else None, momentum=0.5 if early else 0.8, learning_rate="auto"
        )
        done += count
        yield Progress(done, total, TsneMap(np.array(embedding), float(embedding.kl_divergence), before, embedding))
