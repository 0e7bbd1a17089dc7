"""What a unit looks for, drawn by ascent, and histograms of what was learned."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.errors import ConfigError
from nncore.explain.activation_maximisation import Regularisation, activation_maximisation, variation_slope
from nncore.explain.histograms import gradient_histograms, histogram, weight_histograms
from nncore.explain.receptive_field import receptive_field
from nncore.prediction import Predictor
from tests.nncore.explain.cases import image_for, network_of

CHOSEN = [("mnist-cnn", "relu2"), ("mnist-mlp", "relu1"), ("svhn-lenet", "linear1"), ("own", "pool1"), ("11x11", "tanh1")]


@pytest.mark.parametrize(("name", "layer"), CHOSEN)
def test_the_image_that_grows_excites_the_unit_more_than_any_that_is_drawn_at_random(name: str, layer: str) -> None:
    network = network_of(name)
    predictor = Predictor(network)
    images = np.stack([image_for(network, seed) for seed in range(20)])
    steps = list(activation_maximisation(predictor, layer, 1, steps=60))
    first, last = steps[0].result, steps[-1].result
    assert first is not None and last is not None and [steps[-1].done, steps[-1].total] == [60, 60]
    assert last.image.shape == images[0].shape and last.image.min() >= 0 and last.image.max() <= 1
    made = np.rint(last.image * 255).astype(np.uint8)
    outputs = predictor.look(np.stack([made, *images]))[1][layer]
    units = outputs[:, last.place[0], last.place[1], 1] if outputs.ndim == 4 else outputs[:, 1]
    assert units[0] == pytest.approx(last.activation, rel=0.05, abs=0.02)  # but for rounding to bytes
    assert last.activation > first.activation and units[0] > units[1:].max()


def test_what_the_unit_does_not_see_becomes_dark() -> None:
    predictor = Predictor(network_of("mnist-cnn"))
    *_, end = activation_maximisation(predictor, "conv1", 2, place=(5, 20))
    assert end.result is not None
    image, field = end.result.image.copy(), receptive_field(predictor.network, "conv1", 5, 20)
    assert field.of(image).max() > 0.3
    image[:12, 13:] = 0  # the blur carries some of it further
    assert image.max() < 0.1


def test_without_regularisation_the_unit_is_excited_more() -> None:
    predictor = Predictor(network_of("mnist-mlp"))
    none = Regularisation(jitter=0, blur=0, decay=0, variation=0)
    *_, plain = activation_maximisation(predictor, "linear3", 7, steps=60, regularisation=none)
    *_, gentle = activation_maximisation(predictor, "linear3", 7, steps=60)
    assert plain.result is not None and gentle.result is not None
    assert plain.result.activation > gentle.result.activation
    variations = [np.abs(np.diff(result.image, axis=1)).sum() for result in (plain.result, gentle.result)]
    assert variations[1] < 0.8 * variations[0]


def test_the_slope_of_the_total_variation_by_hand() -> None:
    x = np.array([[0, 10], [0, 20]], np.float32)[..., None]
    np.testing.assert_allclose(variation_slope(x)[..., 0], [[-1, 0], [-1, 2]], atol=1e-3)


def test_mistakes_are_told() -> None:
    predictor = Predictor(network_of("mnist-cnn"))
    with pytest.raises(ConfigError, match="from 0 to 31, not 32"):
        activation_maximisation(predictor, "relu2", 32)
    with pytest.raises(ConfigError, match="row must be a whole number from 0 to 13"):
        activation_maximisation(predictor, "relu2", 3, (14, 0))


def test_histograms_count_every_weight_once() -> None:
    network = network_of("mnist-cnn")
    found = weight_histograms(network)
    assert list(found) == list(network.parameters())
    for name, parameter in network.parameters().items():
        values, each = parameter.data.ravel(), found[name]
        assert each.counts.sum() == values.size and each.edges[0] == -each.edges[-1] == -float(np.abs(values).max())
        middle = (values >= each.edges[20]) & (values < each.edges[21])
        assert abs(int(each.counts[20]) - int(middle.sum())) <= 1  # a value on an edge
        assert each.mean == pytest.approx(float(values.mean()), abs=1e-6)


def test_a_histogram_of_what_is_no_number_says_so() -> None:
    found = histogram(np.array([[0, 1, np.nan], [-2, np.inf, 0]]), 4)
    assert found.not_finite == 2 and found.zeros == 2 and found.counts.tolist() == [1, 0, 2, 1]
    assert found.mean == -0.25
    assert gradient_histograms({"a": np.zeros(5)}, 3)["a"].counts.tolist() == [0, 5, 0]
