"""Every preset builds and trains, and the shipped weights are what their cards say."""

from __future__ import annotations

import numpy as np
import pytest

from models.presets import PRESETS, preset
from models.shipped import DEFAULT_PICTURE_NETWORK, DETECTOR, WEIGHTS, cards, default_for, open_weights
from nncore.data import open_dataset
from nncore.errors import ConfigError, WeightsError
from nncore.prediction import Predictor


def test_mnist_cnn_is_the_network_of_the_design():
    network = preset("mnist-cnn").build()
    shapes = [line.output_shape for line in network.summary()]
    assert shapes == [
        (28, 28, 16),
        (28, 28, 16),
        (14, 14, 16),
        (14, 14, 32),
        (14, 14, 32),
        (7, 7, 32),
        (1568,),
        (64,),
        (64,),
        (10,),
    ]
    assert network.parameter_count == 105_866
    assert preset("mnist-cnn").training.milestones == (800, 1600, 2400)


def test_an_unknown_preset_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match="mnist-cnn"):
        preset("nonsense")


def test_every_shipped_network_has_a_card_and_opens():
    assert DEFAULT_PICTURE_NETWORK in cards()
    for name, card in cards().items():
        network, info = open_weights(name)
        assert list(network.input_shape) == card["input_shape"] and network.parameter_count == card["parameters"]
        assert info["test_accuracy"] == card["test_accuracy"]
        assert {"preset", "data", "seed", "epochs", "test_accuracy", "date", "command"} <= card.keys()
        assert card["preset"] in PRESETS
    assert {path.stem for path in WEIGHTS.glob("*.safetensors")} == {*cards(), DETECTOR}


def test_the_default_fits_the_data_or_says_that_none_does():
    assert default_for((28, 28, 1)) in cards()
    with pytest.raises(WeightsError, match="7×7×1"):
        default_for((7, 7, 1))


def test_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(WeightsError, match="nowhere"):
        open_weights(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["~nobody-is-called-so/w", "x" * 5000, "a\0b", "a\nb", ""])
def test_what_cannot_be_a_path_is_told_in_one_line(name):
    with pytest.raises(WeightsError, match="There is no weights file") as caught:
        open_weights(name)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


def test_the_shipped_network_reads_mnist(real_mnist):
    network, _ = open_weights("mnist-cnn")
    found = Predictor(network).evaluate(open_dataset("mnist", "test"))
    assert found.accuracy >= 0.990
    assert found.accuracy == pytest.approx(cards()["mnist-cnn"]["test_accuracy"], abs=2e-4)
    assert np.trace(found.confusion) == round(found.accuracy * 10_000)
