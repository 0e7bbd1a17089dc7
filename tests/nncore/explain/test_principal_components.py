"""Principal components, against the singular value decomposition of all of NumPy's digits."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.errors import DataError
from nncore.explain import principal_components as module
from nncore.explain.principal_components import principal_components


@pytest.fixture(params=["covariance", "lanczos"])
def way(request, monkeypatch) -> str:
    """Both ways to find them, on examples of any size."""
    if request.param == "lanczos":
        monkeypatch.setattr(module, "LARGEST_COVARIANCE", 0)
    return request.param


@pytest.fixture
def examples() -> np.ndarray:
    """300 examples of 6×5×2 values, far from zero, of which some directions matter more than others."""
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(300, 8)) * np.linspace(4, 1, 8) @ rng.normal(size=(8, 60)) + rng.normal(size=(300, 60)) + 7
    return mixed.astype(np.float32).reshape(300, 6, 5, 2)


def test_components_and_explained_variance_are_those_of_the_svd(way, examples):
    found = principal_components(examples, 3)
    flat = examples.reshape(300, -1).astype(np.float64)
    _, values, rows = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    signs = np.sign((rows[:3] * found.components).sum(axis=1))
    np.testing.assert_allclose(found.components, rows[:3] * signs[:, None], atol=1e-5)
    np.testing.assert_allclose(found.explained, (values**2 / (values**2).sum())[:3], rtol=1e-5)
    np.testing.assert_allclose(found.components @ found.components.T, np.eye(3), atol=1e-6)


def test_examples_are_projected_on_the_components_and_one_alone_to_the_same_place(way, examples):
    found = principal_components(examples)
    flat = examples.reshape(300, -1).astype(np.float64)
    np.testing.assert_allclose(found.project(examples), (flat - flat.mean(axis=0)) @ found.components.T, atol=1e-3)
    np.testing.assert_allclose(found.project(examples[7:8])[0], found.project(examples)[7], atol=1e-4)


def test_the_largest_entry_of_each_component_is_positive(way, examples):
    components = principal_components(-examples, 3).components
    assert (components[np.arange(3), np.abs(components).argmax(axis=1)] > 0).all()


def test_examples_that_are_all_alike_explain_nothing():
    assert (principal_components(np.ones((5, 4), np.float32)).explained == 0).all()


def test_more_components_than_values_are_refused():
    with pytest.raises(DataError, match="no 2 principal components"):
        principal_components(np.zeros((9, 1), np.float32))
