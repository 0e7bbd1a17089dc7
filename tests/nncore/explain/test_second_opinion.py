"""Attributions beside PyTorch's: the same to one part in ten thousand, for every preset, grey and colour, and odd networks."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.arrays import Array
from nncore.explain.grad_cam import grad_cam, grad_cam_layers
from nncore.explain.gradients import gradient, gradient_times_input
from nncore.explain.integrated_gradients import integrated_gradients
from nncore.explain.occlusion import occluded, occlusion
from nncore.explain.smooth_grad import smooth_grad
from nncore.explain.target import Target
from nncore.prediction import Predictor
from tests.nncore.explain.cases import NETWORKS, image_for, network_of

pytest.importorskip("torch", reason="PyTorch is not installed: no second opinion")
from tests.nncore.explain.torch_opinion import Opinion

TARGETS = (Target(3), Target(4, against=1))


def agree(ours: Array, theirs: Array, largest: float | None = None) -> None:
    """Both are the same to a ten-thousandth of the largest value, that of `theirs` unless given."""
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4 * (float(np.abs(theirs).max()) if largest is None else largest))


@pytest.mark.parametrize("target", TARGETS, ids=["one", "difference"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_method_agrees_with_pytorch(name: str, target: Target) -> None:
    network = network_of(name)
    predictor, image, opinion = Predictor(network), image_for(network), Opinion(network, target)
    x = image / 255.0
    slope = opinion.gradient(x[None])[0]
    found = gradient(predictor, image, target)
    assert found.score == pytest.approx(float(opinion.score(x[None])[0]), rel=1e-4, abs=1e-4)
    agree(found.values, slope)
    agree(gradient_times_input(predictor, image, target).values, x * slope)
    grey = np.rint(np.broadcast_to(image.mean(axis=(0, 1)), image.shape)) / 255
    agree(integrated_gradients(predictor, image, target, steps=9, tolerance=np.inf).values, opinion.integrated(x, 0 * x, 9))
    means = integrated_gradients(predictor, image, target, "mean", steps=7, tolerance=np.inf)
    agree(means.values, opinion.integrated(x, grey, 7))
    noise = np.random.default_rng(5).standard_normal((6, *network.input_shape), np.float32).reshape(6, *image.shape)
    agree(
        smooth_grad(predictor, image, target, samples=6, noise=0.1, seed=5).values, opinion.gradient(x + 0.1 * noise).mean(axis=0)
    )
    for layer in grad_cam_layers(network):
        # What float32 rounds off is a share of the sums, of which those below zero then become zero. What is left can be two
        # hundred times smaller, and in PyTorch's own float32 it is as far from float64 as here.
        agree(grad_cam(predictor, image, target, layer).map, *opinion.cam(x, layer))
    hidden = occlusion(predictor, image, target, patch=6, stride=6, fill=30)
    images = [occluded(image, row, column, (6, 6), 30) / 255 for row in hidden.rows for column in hidden.columns]
    agree(hidden.score - hidden.drops.ravel(), opinion.score(np.stack(images)))
