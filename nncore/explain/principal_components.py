"""Principal components: the directions in which the outputs of a layer differ most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import LinearOperator, eigsh

from nncore.arrays import Array
from nncore.errors import DataError

LARGEST_COVARIANCE = 800
"""Most values of an example of which the covariance is worth computing; of more only its products with vectors are taken."""
AT_ONCE = 1024
"""Examples of which products are summed at a time in float64."""


@dataclass(frozen=True, eq=False)
class Principal:
    """Axes through a cloud of examples: x − mean, projected on the components."""

    mean: Array
    """float64 (values)"""
    components: Array
    """Orthonormal rows, float64 (axes, values), that of the largest variance first; the largest entry of each is positive."""
    explained: Array
    """The share of the whole variance along each, float64 (axes)."""

    def project(self, values: Array) -> Array:
        """The places of examples (N, …) along the components, float64 (N, axes)."""
        flat = values.reshape(len(values), -1)
        # One product with the numbers as they are; a copy of thousands of examples in float64 would take gigabytes.
        return (flat @ self.components.T.astype(flat.dtype)).astype(np.float64) - self.mean @ self.components.T


def principal_components(values: Array, axes: int = 2) -> Principal:
    """The first principal components of float32 examples (N, …): eigenvectors of their covariance, exact to rounding.

    Of examples of few values the covariance is made and taken apart (LAPACK); of more the Lanczos method (ARPACK) is iterated to
    the last digit. Raises DataError where there are fewer than three examples, or not as many axes as asked for.
    """
    flat = np.ascontiguousarray(values.reshape(len(values), -1))
    count, size = flat.shape
    if count < 3 or not 0 < axes <= size:
        raise DataError(f"{count:,} examples of {size:,} values have no {axes} principal components; take more of either.")
    mean = flat.mean(axis=0, dtype=np.float64)
    if size <= max(LARGEST_COVARIANCE, axes + 1):
        found, whole = _by_covariance(flat, mean, axes)
    else:
        found, whole = _by_lanczos(flat, mean, axes)
    variances, components = found
    largest = components[np.arange(axes), np.abs(components).argmax(axis=1)]
    components *= np.where(largest < 0, -1.0, 1.0)[:, None]
    return Principal(mean, components, np.maximum(variances, 0) / whole if whole > 0 else np.zeros(axes))


def _by_covariance(flat: Array, mean: Array, axes: int) -> tuple[tuple[Array, Array], float]:
    """The largest (variances, components), and the whole variance."""
    size = flat.shape[1]
    covariance = np.zeros((size, size))
    for start in range(0, len(flat), AT_ONCE):
        part = flat[start : start + AT_ONCE] - mean
        covariance += part.T @ part
    covariance /= len(flat) - 1
    variances, vectors = eigh(covariance, subset_by_index=[size - axes, size - 1])
    return (variances[::-1].copy(), vectors[:, ::-1].T.copy()), float(np.trace(covariance))


def _by_lanczos(flat: Array, mean: Array, axes: int) -> tuple[tuple[Array, Array], float]:
    """The same without the covariance: v → Xᵀ(Xv) / (N − 1), X centred on the way."""
    count, size = flat.shape
    whole = sum(float(((flat[start : start + AT_ONCE] - mean) ** 2).sum()) for start in range(0, count, AT_ONCE)) / (count - 1)

    def product(vector: Array) -> Array:
        vector = vector.ravel()
        along = flat @ vector.astype(np.float32) - np.float32(mean @ vector)
        back = along @ flat - float(along.sum(dtype=np.float64)) * mean
        return back / (count - 1)

    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    begin: Array = np.random.default_rng(0).normal(size=(size,))  # the same each time, so that the same axes come out
    variances, vectors = eigsh(operator, k=axes, v0=begin, ncv=max(2 * axes + 1, 24), tol=1e-6)
    order = np.argsort(-variances)
    return (variances[order], vectors[:, order].T.copy()), whole
