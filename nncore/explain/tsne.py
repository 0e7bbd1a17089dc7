"""t-SNE: places in the plane such that what lies close together stays close together (van der Maaten & Hinton, 2008)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from nncore.arrays import Array
from nncore.errors import ConfigError

PERPLEXITY = 30
"""About how many neighbours each example keeps close."""
EARLY, LATE, AGAIN = 250, 500, 250
"""Iterations with exaggerated attraction, those after them, and those from places that are nearly right."""
AT_A_TIME = 10
"""Iterations between two reports."""
MISSING = "t-SNE needs the package openTSNE; install it with pip install 'digitlab[map]'."


def has_tsne() -> bool:
    """Whether the library is installed."""
    return find_spec("openTSNE") is not None


def require_tsne() -> None:
    """Raise ConfigError, which says how to install it, where the library is not there."""
    if not has_tsne():
        raise ConfigError(MISSING)


def iterations(again: bool) -> int:
    """How many iterations `tsne` makes, from places that it made before if `again`."""
    return AGAIN if again else EARLY + LATE


def tsne(values: Array, before: Array | None = None) -> Iterator[tuple[int, Array]]:
    """Iterate t-SNE of examples (N, values), N at least 10: yields how many iterations are done, and the places, float64 (N, 2).

    `before` are places (N, 2) of the same examples at another moment, from which it starts so that the map stays in its shape;
    else the first two columns of `values` are what it starts from, as for principal components. Fixed by its input, on one thread.

    Raises ConfigError where the library is not installed.
    """
    require_tsne()
    from openTSNE import TSNEEmbedding, affinity

    examples = np.ascontiguousarray(values, np.float64)
    perplexity = min(PERPLEXITY, (len(examples) - 1) / 3)
    near = affinity.PerplexityBasedNN(examples, perplexity=perplexity, n_jobs=1, random_state=0)
    start = examples[:, :2] if before is None else np.asarray(before, np.float64)
    spread = float(start[:, 0].std()) or 1.0
    begun = start / spread * 1e-4 if before is None else start
    found = TSNEEmbedding(begun.copy(), near, negative_gradient_method="fft", n_jobs=1, random_state=0)
    done, total = 0, iterations(before is not None)
    yield 0, np.asarray(start, np.float64).copy()
    while done < total:
        is_early = before is None and done < EARLY
        settings = {"exaggeration": 12, "momentum": 0.5} if is_early else {"momentum": 0.8}
        found.optimize(AT_A_TIME, inplace=True, **settings)
        done += AT_A_TIME
        yield done, np.asarray(found, np.float64).copy()
