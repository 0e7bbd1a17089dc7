"""Training by rows of target probabilities: compiled as readable, from the data to the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gradcheck import check_direction

from nncore.data import Dataset, synthetic
from nncore.data.dataset import UNKNOWN, joined
from nncore.errors import ConfigError, DataError
from nncore.layers import Flatten, Linear, ReLU
from nncore.losses import CrossEntropyLoss, SoftTargetCrossEntropyLoss, softmax
from nncore.network import Network
from nncore.optimizers import Adam
from nncore.plan import Plan
from nncore.prediction import Predictor
from nncore.training.config import TrainConfig
from nncore.training.events import Finished
from nncore.training.readable import learn
from nncore.training.trainer import Trainer

CONFIG = TrainConfig(epochs=3, batch_size=20, learning_rate=3e-3, validation=40)


def rows(count: int, classes: int = 10, seed: int = 0) -> np.ndarray:
    return softmax(2 * np.random.default_rng(seed).standard_normal((count, classes)).astype(np.float32))


def small_network() -> Network:
    return Network([Flatten(), Linear(12), ReLU(), Linear(10)], (28, 28, 1))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return synthetic("train", 300)


def test_the_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(1)
    scores, targets, loss = rng.standard_normal((6, 10)), softmax(rng.standard_normal((6, 10))), SoftTargetCrossEntropyLoss(0.2)
    loss(scores, targets)
    check_direction(lambda: loss(scores, targets), scores, loss.backward(), rng, "soft targets")


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("replicas", [1, 2])
def test_compiled_steps_are_those_of_the_readable_path(data, smoothing, replicas):
    data = replace(data, targets=rows(len(data)))
    trainer = Trainer(small_network(), data, replace(CONFIG, label_smoothing=smoothing))
    stretch, rates = trainer.batches.stretch(0, 5), [1e-3] * 5
    found = []
    for compiled in (True, False):
        network, loss = small_network(), SoftTargetCrossEntropyLoss(smoothing)
        optimizer = Adam(network.parameters())
        if compiled:
            plan = Plan(network, (20, 28, 28, 1), loss, optimizer, replicas=replicas)
            losses, right = plan.steps(stretch.images, stretch.labels, stretch.batches, rates)
        else:
            losses, right = learn(network, loss, optimizer, stretch, rates)
        found.append((losses, right, network.state_dict()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-4)
    np.testing.assert_array_equal(found[0][1], found[1][1])
    for name, values in found[0][2].items():
        np.testing.assert_allclose(values, found[1][2][name], atol=2e-5, err_msg=name)


def test_rows_with_a_single_one_teach_what_labels_teach(data):
    states = []
    for targets in (None, np.eye(10, dtype=np.float32)[data.labels]):
        trainer = Trainer(small_network(), replace(data, targets=targets), replace(CONFIG, label_smoothing=0.1))
        assert isinstance(list(trainer.events())[-1], Finished)
        states.append(trainer.network.state_dict())
    for name, values in states[0].items():
        np.testing.assert_allclose(values, states[1][name], atol=2e-3, err_msg=name)


def test_a_training_follows_the_targets_and_is_measured_by_the_labels(data):
    others = (data.labels + 1) % 10
    trainer = Trainer(small_network(), replace(data, targets=np.eye(10, dtype=np.float32)[others]), replace(CONFIG, epochs=15))
    last = list(trainer.events())[-1]
    assert isinstance(last, Finished) and trainer.plan() is not None
    taught = replace(trainer.train_data, labels=(trainer.train_data.labels + 1) % 10, targets=None)
    assert Predictor(trainer.network).evaluate(taught).accuracy > 0.9
    assert trainer.validation.on_all(trainer.step).accuracy < 0.2


def test_targets_go_where_their_images_go(data):
    soft = replace(data, targets=rows(len(data)))
    rest, held_out = soft.split(50, 3)
    for part in (rest, held_out, soft.limit(20)):
        places = [next(n for n in range(len(data)) if (data.images[n] == image).all()) for image in part.images[:5]]
        np.testing.assert_array_equal(part.targets[:5], soft.targets[places])
    both = joined([data, soft], "both")
    assert (both.targets[: len(data)].argmax(axis=1) == data.labels).all() and both.targets[: len(data)].max(axis=1).min() == 1
    np.testing.assert_array_equal(both.targets[len(data) :], soft.targets)
    assert joined([data, data], "both").targets is None
    with pytest.raises(ValueError, match="read-only"):
        soft.targets[0] = 0


def test_targets_that_are_none_are_refused(data):
    good = rows(len(data))
    for wrong in (good[1:], good[:, 1:], good.astype(np.float64), good * 2, good - 0.5, good * np.float32(np.nan)):
        with pytest.raises(DataError, match="target probabilities"):
            replace(data, targets=wrong)
    nobody_knows = replace(data, labels=np.full(len(data), UNKNOWN))
    with pytest.raises(DataError, match="nobody says"):
        nobody_knows.soft_targets()
    with pytest.raises(ConfigError, match="hinge takes labels"):
        Trainer(small_network(), replace(data, targets=good), replace(CONFIG, loss="hinge"))
    plan = Plan(small_network(), (4, 28, 28, 1), SoftTargetCrossEntropyLoss())
    for labels in (data.labels[:4], good[:3], good[:4].astype(np.float64)):
        with pytest.raises(DataError, match="target probabilities"):
            plan.gradients(data.images[:4], labels)
    with pytest.raises(DataError, match="whole numbers"):
        Plan(small_network(), (4, 28, 28, 1), CrossEntropyLoss()).gradients(data.images[:4], good[:4])
