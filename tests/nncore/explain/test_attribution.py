"""What decided: attributions against the network's own forward passes."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.arrays import Array
from nncore.errors import ConfigError
from nncore.explain.grad_cam import default_layer, grad_cam
from nncore.explain.gradients import gradient
from nncore.explain.integrated_gradients import integrated_gradients
from nncore.explain.networks import logits_of
from nncore.explain.occlusion import occluded, occlusion
from nncore.explain.sanity import check_completeness, check_occlusion, check_random_weights, rank_correlation
from nncore.explain.smooth_grad import smooth_grad
from nncore.explain.target import Target
from nncore.layers import Conv2d, Flatten, Linear, ReLU
from nncore.network import Network
from nncore.prediction import Predictor
from tests.nncore.explain.cases import NETWORKS, image_for, network_of

WHY = Target(3, against=1)


def scores(network: Network, x: Array) -> Array:
    return WHY.of(logits_of(network).forward(x.reshape(-1, *network.input_shape).astype(np.float32)))


ON_GREY = ("mnist-mlp", "digitlab-mnist", "own")


@pytest.mark.parametrize(("name", "baseline"), [*((name, "black") for name in NETWORKS), *((name, "mean") for name in ON_GREY)])
def test_integrated_gradients_add_up_to_the_difference_of_the_logits(name: str, baseline: str) -> None:
    network = network_of(name)
    image = image_for(network)
    found = integrated_gradients(Predictor(network), image, WHY, baseline)
    before, after = scores(network, np.stack([found.baseline, image]) / np.float32(255))
    assert found.difference == pytest.approx(float(after - before), rel=1e-3, abs=1e-4)
    assert found.total == pytest.approx(float(after - before), rel=0.01)
    assert check_completeness(found).passed


def test_steps_are_halved_where_equal_ones_miss() -> None:
    """A ReLU that only just switches on before the end: equal steps miss it by far."""
    network = Network([Flatten(), Linear(1), ReLU(), Linear(2)], (1, 1, 1))
    network.load_state_dict(
        {
            "linear1.weight": np.ones((1, 1)),
            "linear1.bias": np.array([-0.97]),
            "linear2.weight": np.array([[1.0, 0]]),
            "linear2.bias": np.zeros(2),
        }
    )
    predictor, image, target = Predictor(network), np.full((1, 1, 1), 255, np.uint8), Target(0)
    equal = integrated_gradients(predictor, image, target, steps=4, tolerance=np.inf)
    found = integrated_gradients(predictor, image, target, steps=4)
    assert equal.gap > 0.9 and equal.steps == 4
    assert found.gap < 0.01 and found.steps < 20


@pytest.mark.parametrize("name", ["mnist-cnn", "mnist-mlp", "svhn-lenet", "digitlab-mnist", "own"])
def test_the_gradient_says_how_the_target_changes(name: str) -> None:
    network = network_of(name)
    image = image_for(network)
    slope = gradient(Predictor(network), image, WHY).values
    x, way = image / np.float32(255), np.sign(slope) * np.float32(1e-4)
    above, below = scores(network, np.stack([x + way, x - way]))
    assert float(above - below) == pytest.approx(2 * float((slope * way).sum()), rel=0.02)


def test_occlusion_is_what_the_predictor_says_of_covered_images() -> None:
    network = network_of("own")  # ends on softmax, whose logarithm is the logit but for a number common to all classes
    predictor, image = Predictor(network), image_for(network)
    found = occlusion(predictor, image, WHY, patch=4, stride=3, fill=200)
    assert found.rows[-1] == image.shape[0] - 4 and found.columns[-1] == image.shape[1] - 4
    images = np.stack([image, *(occluded(image, row, column, (4, 4), 200) for row in found.rows for column in found.columns)])
    whole, *covered = WHY.of(predictor.log_probabilities(images))
    np.testing.assert_allclose(found.drops.ravel(), whole - np.array(covered), atol=1e-4)
    assert found.map[0, 0] == found.drops[0, 0]  # one patch alone covers the corner
    assert found.map[3, 0] == pytest.approx(found.drops[:2, 0].mean(), rel=1e-6)
    assert check_occlusion(predictor, image, found).passed


def test_a_wrong_occlusion_does_not_pass() -> None:
    network = network_of("svhn-lenet")
    predictor, image = Predictor(network), image_for(network)
    found = occlusion(predictor, image, WHY, patch=8, stride=8)
    found.drops[1, 1] += 0.5
    assert not check_occlusion(predictor, image, found).passed


@pytest.mark.parametrize(("name", "layer"), [("mnist-cnn", "relu2"), ("svhn-lenet", "relu2"), ("digitlab-mnist", "relu6")])
def test_grad_cam_takes_the_last_activated_map_unless_told(name: str, layer: str) -> None:
    network = network_of(name)
    assert default_layer(network) == layer
    found = grad_cam(Predictor(network), image_for(network), WHY)
    assert found.layer == layer and found.map.shape == image_for(network).shape[:2] and found.coarse.min() >= 0


def test_smooth_grad_is_the_same_each_time_and_without_noise_the_gradient() -> None:
    network = network_of("svhn-lenet")
    predictor, image = Predictor(network), image_for(network)
    np.testing.assert_array_equal(*(smooth_grad(predictor, image, WHY, samples=3, seed=4).values for _ in range(2)))
    calm = smooth_grad(predictor, image, WHY, samples=2, noise=0.0).values
    np.testing.assert_allclose(calm, gradient(predictor, image, WHY).values, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["fully-connected", "digitlab-mnist", "own"])
def test_explaining_leaves_no_trace(name: str) -> None:
    """In the midst of a training: weights, running statistics, gradients, and what the way back needs stay as they are."""
    network = network_of(name).train()
    rng = np.random.default_rng(0)
    x = rng.random((4, *network.input_shape), np.float32)
    grad = rng.standard_normal((4, *network.output_shape), np.float32)
    network.forward(x)
    expected, before = network.backward(grad), network.state_dict()
    gradients = {name: parameter.grad for name, parameter in network.parameters().items()}
    predictor, image = Predictor(network), image_for(network)
    for method in (gradient, integrated_gradients, smooth_grad, occlusion):
        method(predictor, image, WHY)
    assert all(parameter.grad is gradients[name] for name, parameter in network.parameters().items())
    assert all(np.array_equal(value, before[name]) for name, value in network.state_dict().items())
    assert np.array_equal(network.backward(grad), expected) and all(layer.training for layer in network.layers)


def test_a_map_that_only_shows_the_image_does_not_pass() -> None:
    class Edges:
        def __init__(self, image: Array) -> None:
            self.map = np.abs(np.gradient(image[..., 0].astype(float))[0])

    network = network_of("mnist-cnn")
    predictor, image = Predictor(network), image_for(network)
    found = check_random_weights(predictor, image, WHY, lambda _, image, __: Edges(image))
    assert not found.passed and found.value == pytest.approx(1)
    assert check_random_weights(predictor, image, WHY, gradient).passed


def test_rank_correlation_by_hand() -> None:
    """Ranks 0, 1.5, 1.5, 3 against 3, 1, 2, 0: ρ = −4.5 / √(4.5 · 5)."""
    assert rank_correlation(np.array([1, 5, 5, 9]), np.array([[8, 2], [4, -1]])) == pytest.approx(-4.5 / np.sqrt(22.5))
    assert rank_correlation(np.ones(3), np.arange(3)) == 0


def test_mistakes_are_told() -> None:
    predictor, image = Predictor(Network([Flatten(), Linear(4)], (6, 6, 1))), np.zeros((6, 6, 1), np.uint8)
    with pytest.raises(ConfigError, match="from 0 to 3, not 4"):
        gradient(predictor, image, Target(4))
    with pytest.raises(ConfigError, match="with itself"):
        gradient(predictor, image, Target(2, 2))
    with pytest.raises(ConfigError, match="needs a convolution"):
        grad_cam(predictor, image, Target(1))
    with pytest.raises(ConfigError, match="no baseline 'grey'; there are black, mean"):
        integrated_gradients(predictor, image, Target(1), "grey")
    with pytest.raises(ConfigError, match=r"5×6×1.*6×6×1"):
        occlusion(predictor, image[1:], Target(1))
    with pytest.raises(ConfigError, match="one score a class"):
        gradient(Predictor(Network([Conv2d(2, 3)], (6, 6, 1))), image, Target(1))
