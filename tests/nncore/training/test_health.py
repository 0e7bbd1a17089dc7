"""The health of layers: what is told of them is what a step has left, and telling it changes nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from models.presets import preset
from nncore.data import synthetic
from nncore.data.dataset import Dataset
from nncore.layers import BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.training import meters
from nncore.training.checkpoint import load_checkpoint, save_checkpoint
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Examined, Progress, Validated
from nncore.training.health import Examiner, is_due
from nncore.training.trainer import Trainer

CONFIG = TrainConfig(epochs=3, batch_size=16, learning_rate=3e-3, validate_every=5, seed=2)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return synthetic("train", 240)


class Halved(Layer):
    """A layer that no kernel knows: half of its input."""

    kind = "halved"

    def forward(self, x):
        return x / 2

    def backward(self, grad):
        return grad / 2


def network(*extra: type[Layer]) -> Network:
    layers = [Conv2d(4, 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), Linear(24), BatchNorm(), ReLU(), Dropout(0.2)]
    return Network([*layers, *(layer() for layer in extra), Linear(10)], (28, 28, 1), 1)


def examined(trainer: Trainer) -> list[Examined]:
    return [event for event in trainer.events() if isinstance(event, Examined)]


def norm(*arrays: np.ndarray) -> float:
    return math.sqrt(sum(float((array.astype(np.float64) ** 2).sum()) for array in arrays))


@pytest.mark.parametrize("extra", [(), (Halved,)], ids=["plan", "readable"])
def test_the_gradient_is_that_of_the_last_step_without_weight_decay(data, monkeypatch, extra):
    """One step of plain SGD: what the weights have moved by is the learning rate times the gradient and the decay."""
    monkeypatch.setattr(meters, "STRETCH_SECONDS", 0)
    lr, decay = 0.1, 0.3
    config = replace(CONFIG, optimizer="sgd", learning_rate=lr, weight_decay=decay, validate_every=1)
    trainer = Trainer(network(*extra), data, config)
    before = trainer.network.state_dict()
    found = next(event for event in trainer.events() if isinstance(event, Examined))
    after = trainer.network.state_dict()
    assert found.step == 1 and [health.layer for health in found.layers] == [
        "conv1",
        "relu1",
        "linear1",
        "norm1",
        "relu2",
        "linear2",
    ]
    for health in found.layers:
        if health.layer.startswith("relu"):
            assert health.gradient_norm is None and health.weight_norm is None and health.dead is not None
            continue
        names = [f"{health.layer}.weight", f"{health.layer}.bias"]
        gradient = [(before[name] - after[name]) / lr - decay * before[name] for name in names]
        assert health.gradient_norm == pytest.approx(norm(*gradient), rel=1e-3), health.layer
        assert health.weight_norm == pytest.approx(norm(*(after[name] for name in names))) and health.dead is None


@pytest.mark.parametrize("extra", [(), (Halved,)], ids=["plan", "readable"])
def test_a_clipped_gradient_is_told_as_it_was_followed(data, extra):
    for found in examined(Trainer(network(*extra), data, replace(CONFIG, clip_norm=0.01))):
        squares = sum(health.gradient_norm**2 for health in found.layers if health.gradient_norm is not None)
        assert math.sqrt(squares) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("name", ["mnist-cnn", "svhn-lenet", "digitlab-mnist", "two-layer", "alexnet-mini"])
def test_active_units_are_those_that_the_layers_themselves_give(name):
    net = preset(name).build(4)
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (12, *net.input_shape), dtype=np.uint8)
    for layer in net.layers:  # so that some units are dead, and some only nearly
        for parameter, holder in layer.parameters():
            if parameter == "bias":
                holder.data[...] = -np.abs(rng.normal(size=holder.shape)) * rng.choice([0.01, 10, 1000], holder.shape)
    predictor = Predictor(net)
    predictor.batch = 5
    found = predictor.active_units(images)
    outputs = predictor.look(images)[1]
    assert list(found) == [layer.name for layer in net.layers if isinstance(layer, ReLU)]
    for layer, active in found.items():
        values = outputs[layer]
        np.testing.assert_array_equal(active, (values > 0).reshape(-1, values.shape[-1]).any(axis=0), layer)
    assert not all(active.all() for active in found.values()), "some units are dead"


def test_a_unit_that_is_always_0_is_dead_and_no_other(data):
    net = network()
    net.parameters()["conv1.bias"].data[1] = -100.0
    net.parameters()["norm1.bias"].data[:6] = -100.0
    (found,) = Examiner(data, 0).look(7, 7, None, Predictor(net))
    dead = {health.layer: health.dead for health in found.layers}
    assert dead["relu1"] == pytest.approx(1 / 4) and dead["relu2"] == pytest.approx(6 / 24)


def test_what_is_told_depends_neither_on_grouping_nor_on_an_interruption(data, monkeypatch, tmp_path):
    straight = examined(Trainer(network(), data, CONFIG))
    assert [event.step for event in straight] == [5, 10, 15, 20, 25, 30, 35]
    with monkeypatch.context() as patch:
        patch.setattr(meters, "STRETCH_SECONDS", 0)
        assert examined(Trainer(network(), data, CONFIG)) == straight
    broken, before = Trainer(network(), data, CONFIG), []
    for event in broken.events():
        if isinstance(event, Examined):
            before.append(event)
        if isinstance(event, Validated) and event.step == 15:
            break
    save_checkpoint(tmp_path / "c.safetensors", broken)
    assert before + examined(load_checkpoint(tmp_path / "c.safetensors", data)) == straight


@pytest.mark.parametrize("extra", [(), (Halved,)], ids=["plan", "readable"])
def test_what_is_learned_does_not_depend_on_it(data, monkeypatch, extra):
    def outcome() -> tuple[dict[str, np.ndarray], dict[str, int], list[float], int]:
        trainer = Trainer(network(*extra), data, CONFIG)
        events = list(trainer.events())
        losses = [loss for event in events if isinstance(event, Progress) for loss in event.train_losses]
        losses += [event.val_loss for event in events if isinstance(event, EpochEnd | Validated)]
        state = trainer.network.state_dict() | trainer.optimizer.state_dict()
        return state, trainer.network.random_state(), losses, sum(isinstance(event, Examined) for event in events)

    state, random, losses, count = outcome()
    monkeypatch.setattr(Examiner, "look", lambda *_: iter(()))
    other_state, other_random, other_losses, other_count = outcome()
    assert count and not other_count and losses == other_losses and random == other_random
    for name, values in state.items():
        np.testing.assert_array_equal(values, other_state[name], name)


def test_a_network_without_relu_tells_of_its_parameters_alone(data):
    found = examined(Trainer(Network([Flatten(), Linear(10)], (28, 28, 1)), data, CONFIG))
    assert found and all([health.layer for health in event.layers] == ["linear1"] for event in found)


def test_nothing_is_told_where_numbers_are_no_longer_finite(data):
    net = network()
    examiner, predictor = Examiner(data, 0), Predictor(net)
    assert len(list(examiner.look(7, 7, None, predictor))) == 1
    net.parameters()["linear2.weight"].grad[0, 0] = np.nan
    assert list(examiner.look(7, 7, None, predictor)) == []


def test_layers_are_examined_less_often_later_and_at_the_ends_of_epochs_only_before_the_first_look():
    due = [number for number in range(1, 65) if is_due(10 * number, 10)]
    assert due == [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64]
    assert [step for step in (4, 8, 12, 16, 20, 24) if is_due(step, 10)] == [4, 8, 20]
