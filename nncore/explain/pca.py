"""Principal component analysis: the plane in which vectors are spread most."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nncore.arrays import Array
from nncore.checks import whole_number
from nncore.errors import ConfigError, DataError


@dataclass(frozen=True, eq=False)
class Pca:
    """The directions in which vectors (N, size) are spread most."""

    mean: Array
    """float64 (size)"""
    axes: Array
    """float64 (components, size): orthonormal rows, the one of the largest variance first. The sign of each is such that its entry
    of the largest size is positive."""
    variances: Array
    """float64 (components): the variance along each axis (Σ / (N − 1))."""
    explained: Array
    """float64 (components): the share of each in the variance of all."""

    def project(self, vectors: Array) -> Array:
        """Where vectors (N, size) lie, also others than it was made of: float64 (N, components). ConfigError for another size."""
        if vectors.ndim != 2 or vectors.shape[1] != len(self.mean):
            raise ConfigError(f"The plane was made of vectors of {len(self.mean)} numbers; these are {vectors.shape}.")
        return (vectors - self.mean) @ self.axes.T

    def facing(self, points: Array, before: Array) -> Pca:
        """The same plane with the sign of each axis such that its points (N, components) go with those of the same vectors in a
        plane before (N, components): so a map that follows a network through its training does not flip over."""
        turn = np.where((points * (before - before.mean(axis=0))).sum(axis=0) < 0, -1.0, 1.0)
        return replace(self, axes=self.axes * turn[:, None])


def pca(vectors: Array, components: int = 2) -> Pca:
    """The principal components of vectors (N, size), exact, in float64: eigenvectors of the covariance, or where there are fewer
    vectors than numbers in each, their own singular vectors.

    Pearson 1901; Jolliffe 2002. Raises DataError for fewer than two vectors, or numbers that are not finite, ConfigError for more
    components than vectors or than numbers in each.
    """
    if vectors.ndim != 2 or len(vectors) < 2:
        raise DataError(f"Principal components need at least two vectors, not {vectors.shape}.")
    count, size = vectors.shape
    whole_number(components, "The number of components", 1, min(count, size))
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean
    if not np.isfinite(centred).all():
        raise DataError("Principal components need finite numbers, and the network's outputs are not; look at an earlier moment.")
    total = float(np.square(centred).sum()) / (count - 1)
    if size <= count:
        variances, axes = _largest(centred.T @ centred / (count - 1), components)
    else:
        _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
        variances, axes = lengths[:components] ** 2 / (count - 1), axes[:components]
    axes = axes * np.where(axes[np.arange(components), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    return Pca(mean, axes, variances, variances / total if total else np.zeros(components))


def _largest(matrix: Array, count: int) -> tuple[Array, Array]:
    """The `count` largest eigenvalues of a symmetric matrix, none below 0, and their eigenvectors as rows."""
    from scipy.linalg import eigh

    values, vectors = eigh(matrix, subset_by_index=(len(matrix) - count, len(matrix) - 1))
    return np.maximum(values[::-1], 0), vectors[:, ::-1].T
