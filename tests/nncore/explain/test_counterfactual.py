"""What would make it a 3: the last image really is one to the network, and hardly differs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from models.shipped import open_weights
from nncore.data import synthetic
from nncore.errors import ConfigError
from nncore.explain.adversarial import adversarial
from nncore.explain.counterfactual import Counterfactual, counterfactual
from nncore.layers import Flatten, Linear
from nncore.network import Network
from nncore.prediction import Predictor
from tests.nncore.explain.cases import image_for, network_of

METHODS = {
    "plain": counterfactual,
    "l2": partial(adversarial, norm="l2"),
    "linf": partial(adversarial, norm="linf"),
}


def last(steps: object) -> Counterfactual:
    *_, end = steps  # type: ignore[misc]
    assert end.done == end.total
    return end.result  # type: ignore[no-any-return]


@pytest.mark.parametrize("method", METHODS)
def test_the_network_takes_the_last_image_for_the_class(method: str) -> None:
    predictor, data = Predictor(open_weights("mnist-cnn")[0]), synthetic("test", 3)
    for n, image in enumerate(data.images):
        label = (int(data.labels[n]) + 5) % 10
        found = last(METHODS[method](predictor, image, label))
        assert found.found and found.image.dtype == np.uint8 and found.image.shape == image.shape
        assert int(predictor.predict(found.image[None])[0].argmax()) == label
        assert 0 < found.l2 < 5 and found.pixels < {"plain": 120}.get(method, 784)
        assert found.linf < {"linf": 0.3}.get(method, 1.01)


def test_a_linear_network_needs_the_distance_to_its_boundary() -> None:
    """m = z₁ − z₀ = 2 (x₁ − x₀) at x = (0.6, 0.4): the nearest point of the boundary is (0.5, 0.5)."""
    network = Network([Flatten(), Linear(2)], (1, 2, 1))
    network.load_state_dict({"linear1.weight": np.array([[1.0, -1], [-1, 1]]), "linear1.bias": np.zeros(2)})
    image = np.array([[[153], [102]]], np.uint8)
    for norm, size in (("l2", np.sqrt(0.02)), ("linf", 0.1)):
        found = last(adversarial(Predictor(network), image, 1, norm))
        assert found.found and size <= getattr(found, norm) <= size + 2 / 255


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["mnist-mlp", "svhn-lenet", "digitlab-svhn", "own", "11x11"])
def test_grey_and_colour_maps_and_vectors(method: str, name: str) -> None:
    network = network_of(name)
    predictor, image = Predictor(network), image_for(network)
    label = int(np.argsort(predictor.predict(image[None])[0])[-2])
    found = last(METHODS[method](predictor, image, label))
    assert found.found == (int(predictor.predict(found.image[None])[0].argmax()) == label)
    assert found.found


@pytest.mark.parametrize("method", [counterfactual, adversarial])
def test_it_says_so_where_there_is_none_and_where_nothing_is_to_do(method: Callable[..., object]) -> None:
    network = Network([Flatten(), Linear(3)], (2, 2, 1))
    network.load_state_dict({"linear1.weight": np.zeros((4, 3)), "linear1.bias": np.array([0.0, 1, 0])})
    predictor, image = Predictor(network), np.full((2, 2, 1), 9, np.uint8)
    assert not last(method(predictor, image, 2)).found
    there = last(method(predictor, image, 1))
    assert there.found and not there.pixels
    with pytest.raises(ConfigError, match="from 0 to 2, not 3"):
        method(predictor, image, 3)
