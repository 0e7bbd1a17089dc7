"""The settings loss and initializer: what the training makes small, and what it begins with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.presets import preset
from nncore.data import Dataset, synthetic
from nncore.errors import ConfigError
from nncore.initializers import INITIALIZER_CHOICES, initializer
from nncore.layers import Conv2d, Flatten, Linear, Softmax
from nncore.losses import CrossEntropyLoss, HingeLoss
from nncore.network import Network
from nncore.prediction import as_input
from nncore.training.config import SETTINGS, TrainConfig
from nncore.training.events import EpochEnd, Failed
from nncore.training.loss_watch import LossWatch
from nncore.training.trainer import Trainer

CONFIG = TrainConfig(epochs=2, batch_size=20, learning_rate=3e-3, seed=5)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return synthetic("train", 300)


def test_hinge_is_what_is_trained_and_what_held_out_images_are_measured_by(data):
    trainer = Trainer(preset("two-layer").build(5, data.image_shape), data, replace(CONFIG, loss="hinge", epochs=6))
    assert isinstance(trainer.loss, HingeLoss) and trainer.plan() is not None, "it has a kernel"
    epochs = [event for event in trainer.events() if isinstance(event, EpochEnd)]
    held = trainer.validation_data
    scores = trainer.network.in_use().forward(as_input(held.images, trainer.network.input_shape))
    assert epochs[-1].val_loss == pytest.approx(HingeLoss()(scores, held.labels), rel=1e-4)
    assert epochs[0].train_loss > 2 * epochs[-1].train_loss and epochs[-1].val_accuracy > 0.5


def test_the_label_smoothing_has_no_effect_on_hinge_and_says_so():
    smoothing, hinge = SETTINGS["label_smoothing"], replace(CONFIG, loss="hinge", label_smoothing=0.1)
    assert "hinge is chosen" in smoothing.unused_because(hinge) and not smoothing.unused_because(CONFIG)
    assert isinstance(hinge.build_loss(), HingeLoss)


@pytest.mark.parametrize("loss", [CrossEntropyLoss(0.1), HingeLoss(), HingeLoss(0.5)])
def test_guessing_is_the_loss_of_equal_scores(loss):
    for classes in (2, 10, 36):
        scores = np.full((4, classes), 0.3)
        assert loss.guessing(classes) == pytest.approx(loss(scores, np.arange(4) % classes))


def test_a_hinge_loss_as_large_as_guessing_is_no_divergence():
    watch = LossWatch(HingeLoss().guessing(10))
    watch.add(1, [0.0, *[9.0] * 100])
    assert watch.is_calm and not watch.has_diverged


@pytest.mark.parametrize("name", INITIALIZER_CHOICES)
def test_the_first_weights_are_those_that_are_asked_for(name, data):
    network, again = (preset("mnist-cnn").build(3, data.image_shape, name) for _ in range(2))
    rng, drawn = np.random.default_rng(3), INITIALIZER_CHOICES[name]
    for layer, twin in zip(network.layers, again.layers, strict=True):
        if isinstance(layer, Conv2d | Linear):
            weight = dict(layer.parameters())["weight"].data
            wanted = initializer("he_normal" if drawn is None else drawn)(weight.shape, rng)
            assert np.array_equal(weight, wanted) and np.array_equal(weight, dict(twin.parameters())["weight"].data)
    assert Network.from_config(network.config(), 3).state_dict().keys() == network.state_dict().keys()


def test_others_than_there_are_are_refused():
    with pytest.raises(ConfigError, match="xavier_normal"):
        preset("mlp").build(0, None, "ones")


def test_a_network_that_ends_in_softmax_can_be_trained_by_hinge(data):
    network = Network([Flatten(), Linear(10), Softmax()], data.image_shape, 5)
    events = list(Trainer(network, data, replace(CONFIG, loss="hinge", learning_rate=1e-2)).events())
    assert not any(isinstance(event, Failed) for event in events)
