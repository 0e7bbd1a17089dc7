"""The map of digits: vectors of a layer, their plane, and t-SNE where it is installed."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nncore.arrays import Array
from nncore.data import synthetic
from nncore.errors import ConfigError, DataError
from nncore.explain.embedding import MOST_VALUES, LayerVectors, grid_of, layer_vectors
from nncore.explain.pca import pca
from nncore.explain.tsne import tsne
from nncore.prediction import Predictor
from tests.nncore.explain.cases import network_of


def cloud(count: int, size: int) -> Array:
    """Vectors that are spread along three known directions, less and less."""
    rng = np.random.default_rng(1)
    directions = np.linalg.qr(rng.standard_normal((size, 3)))[0].T
    return (5 + rng.standard_normal((count, 3)) * (9, 4, 1) @ directions).astype(np.float32)


@pytest.mark.parametrize(("count", "size"), [(300, 20), (15, 60), (40, 40)])
def test_the_plane_is_that_of_the_singular_value_decomposition(count: int, size: int) -> None:
    vectors = cloud(count, size)
    found = pca(vectors, 3)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, lengths, rows = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(found.variances, lengths[:3] ** 2 / (count - 1), rtol=1e-8)
    np.testing.assert_allclose(found.explained, lengths[:3] ** 2 / np.square(lengths).sum(), rtol=1e-8)
    np.testing.assert_allclose(np.abs((found.axes * rows[:3]).sum(axis=1)), 1, rtol=1e-8)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(3), atol=1e-9)
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in found.axes)
    np.testing.assert_allclose(found.project(vectors).var(axis=0, ddof=1), found.variances, rtol=1e-8)
    np.testing.assert_allclose(found.project(vectors[3:5]), found.project(vectors)[3:5])


def test_a_plane_is_turned_to_the_one_before() -> None:
    vectors = cloud(50, 6)
    found = pca(vectors)
    before = found.project(vectors) * (-3, 0.5) + 100
    turned = found.facing(found.project(vectors), before)
    np.testing.assert_array_equal(turned.axes, found.axes * [[-1], [1]])
    assert (turned.project(vectors) * (before - 100)).sum(axis=0).min() > 0


def test_what_has_no_plane() -> None:
    assert not pca(np.ones((4, 3)), 2).explained.any()
    with pytest.raises(DataError, match="two vectors"):
        pca(np.ones((1, 3)))
    with pytest.raises(DataError, match="finite"):
        pca(np.array([[1.0, np.nan], [0, 1], [2, 2]]))
    with pytest.raises(ConfigError, match="from 1 to 3, not 4"):
        pca(np.ones((9, 3)), 4)
    with pytest.raises(ConfigError, match="of 3 numbers"):
        pca(np.ones((9, 3))).project(np.ones((2, 4)))


@pytest.mark.parametrize(("name", "layer"), [("mnist-cnn", "relu3"), ("mnist-cnn", "conv1"), ("mnist-mlp", "relu1")])
def test_vectors_are_the_layer_s_outputs(name: str, layer: str) -> None:
    predictor, data = Predictor(network_of(name)), synthetic("test", 30)
    *_, end = layer_vectors(predictor, data, layer)
    assert end.result is not None and end.result.shape[0] == 30 and end.result.shape[1] <= MOST_VALUES
    outputs = predictor.look(data.images)[1][layer]
    if outputs.ndim == 4:  # 28×28×16, of which an 8×8 grid fits
        assert grid_of(outputs.shape[1:]) == (8, 8)
        outputs = outputs[:, :4].mean(axis=1)[:, :4].mean(axis=1)  # of its first cell
        end = end.result.reshape(30, 8, 8, 16)[:, 0, 0]
    else:
        end = end.result
    np.testing.assert_allclose(end, outputs, rtol=1e-4, atol=1e-5)


def test_one_image_has_the_vector_that_it_has_among_others() -> None:
    predictor, data = Predictor(network_of("kaggle-cnn")), synthetic("test", 12)
    vectors_of = LayerVectors(predictor, "pool1")
    np.testing.assert_allclose(vectors_of(data.images[4:5])[0], vectors_of(data.images)[4], rtol=1e-5, atol=1e-6)


def test_without_the_library_one_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(ConfigError, match=r"openTSNE; install it with: pip install 'digitlab\[tsne\]'"):
        next(tsne(np.zeros((20, 3))))


def test_neighbours_stay_neighbours_and_new_ones_join_them() -> None:
    pytest.importorskip("openTSNE", reason="openTSNE is not installed")
    rng = np.random.default_rng(0)
    middles = rng.standard_normal((3, 8)) * 20
    groups = np.repeat(np.arange(3), 30)
    steps = list(tsne(middles[groups] + rng.standard_normal((90, 8)), perplexity=10, iterations=100))
    assert [steps[0].done, steps[-1].done] == [0, 350] and steps[-1].total == 350
    found = steps[-1].result
    assert found is not None and found.points.shape == (90, 2) and found.divergence < 1
    points = np.stack([found.points[groups == group].mean(axis=0) for group in range(3)])
    spread = max(found.points[groups == group].std() for group in range(3))
    assert min(np.linalg.norm(points[n] - points[n - 1]) for n in range(3)) > spread
    new = found.project(middles)
    assert np.array_equal(np.linalg.norm(new[:, None] - points, axis=2).argmin(axis=1), np.arange(3))
