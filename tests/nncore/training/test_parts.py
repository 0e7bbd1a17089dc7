"""What counts for a part alone: frozen layers, rates of layers and class weights, compiled, readable and after a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nncore.data import synthetic
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError
from nncore.layers import BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, ReLU
from nncore.losses import CrossEntropyLoss, WeightedCrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import AdamW
from nncore.plan import Plan
from nncore.training.checkpoint import load_checkpoint, save_checkpoint
from nncore.training.class_weights import balanced
from nncore.training.config import TrainConfig
from nncore.training.events import Progress
from nncore.training.readable import learn
from nncore.training.trainer import Trainer

PARTS = TrainConfig(
    epochs=2, batch_size=32, clip_norm=1.0, weight_decay=0.05, label_smoothing=0.1, class_weights="balanced",
    freeze=("conv1", "linear1.bias"), rates=(("linear1", 0.1), ("linear2.bias", 3.0)),
)  # fmt: skip
RULES: list[dict[str, Any]] = [{"optimizer": "adamw"}, {"optimizer": "nesterov", "learning_rate": 0.02}]


def network() -> Network:
    return Network([Conv2d(4, 5), ReLU(), MaxPool2d(2), Flatten(), Linear(12), BatchNorm(), ReLU(), Linear(10)], (28, 28, 1), 3)


@pytest.fixture(scope="module")
def data() -> Dataset:
    whole = synthetic("train", 300)
    return whole.subset(np.flatnonzero((whole.labels != 3) | (np.arange(300) % 5 == 0)))  # a rare class


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["optimizer"])
def test_compiled_steps_are_those_of_the_readable_path(data, rule):
    found: list[Any] = []
    for replicas in (1, 2, 0):  # 0: readable
        trainer = Trainer(network(), data, replace(PARTS, **rule))
        stretch, rates = trainer.batches.stretch(0, 5), [trainer.config.learning_rate] * 5
        before, mine = trainer.network.state_dict(), trainer.network
        if replicas:
            plan = Plan(mine, (32, 28, 28, 1), trainer.loss, trainer.optimizer, replicas)
            losses, right = plan.steps(stretch.images, stretch.labels, stretch.batches, rates)
            gradients = plan.last_gradient()
        else:
            losses, right = learn(mine, trainer.loss, trainer.optimizer, stretch, rates)
            gradients = {name: parameter.grad for name, parameter in mine.parameters().items()}
        found.append((losses, right, mine.state_dict(), gradients, trainer.optimizer.state_dict()))
        for name in ("conv1.weight", "conv1.bias", "linear1.bias"):
            np.testing.assert_array_equal(found[-1][2][name], before[name], name)
            assert not gradients[name].any()
        assert not np.array_equal(found[-1][2]["linear1.weight"], before["linear1.weight"])
    for ours in found[:2]:
        np.testing.assert_allclose(ours[0], found[2][0], rtol=1e-4)
        np.testing.assert_array_equal(ours[1], found[2][1])
        for which in (2, 3, 4):
            for name, values in ours[which].items():
                np.testing.assert_allclose(values, found[2][which][name], atol=1e-4, err_msg=name)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["optimizer"])
def test_a_checkpoint_carries_them_over_bit_for_bit(data, rule, tmp_path):
    straight, broken = (Trainer(network(), data, replace(PARTS, **rule)) for _ in range(2))
    broken.checkpoint_every = 1
    for event in broken.events():
        if isinstance(event, Progress) and event.step == 5:
            break
    save_checkpoint(tmp_path / "c.safetensors", broken)
    other = load_checkpoint(tmp_path / "c.safetensors", data)
    for trainer in (straight, other):
        list(trainer.events())
    assert other.loss.constants == straight.loss.constants and other.config == straight.config
    for name, value in straight.network.state_dict().items():
        np.testing.assert_array_equal(value, other.network.state_dict()[name], name)


def test_a_plan_follows_what_is_frozen_on_the_way_and_goes_no_further_back_than_it_must(data):
    net = network()
    optimizer = AdamW(net.parameters(), 0.01)
    plan = Plan(net, (32, 28, 28, 1), CrossEntropyLoss(), optimizer, 1)
    for frozen in (("conv1.weight", "conv1.bias"), ()):
        for name, parameter in net.parameters().items():
            parameter.requires_grad = name not in frozen
        before = net.state_dict()
        plan.step(data.images[:32], data.labels[:32])
        moved = {name for name in net.parameters() if not np.array_equal(net.state_dict()[name], before[name])}
        assert moved == net.parameters().keys() - set(frozen)
        recorded = {row.operation for row in plan._program._record.rows}
        assert ("conv2d_max_pool_back" in {name.removesuffix("_few") for name in recorded}) is not bool(frozen)


def test_balanced_weights_follow_from_the_images_to_train_on(data):
    trainer = Trainer(network(), data, replace(PARTS, class_weights="balanced"))
    counts = trainer.train_data.class_counts()
    assert isinstance(trainer.loss, WeightedCrossEntropyLoss) and counts[3] < counts[2] / 2
    assert trainer.loss.weight == pytest.approx(counts.sum() / (10 * counts))
    assert balanced(np.array([3, 0, 1])) == pytest.approx((2 / 3, 1, 2))
    assert type(Trainer(network(), data, replace(PARTS, class_weights="none")).loss) is CrossEntropyLoss


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"freeze": ("conv2",)}, "Frozen layers name conv2, but the layers of this network that have weights are conv1, linear1, "),
        ({"rates": (("relu1", 2.0),)}, "Rates of layers name relu1, but the layers"),
        ({"freeze": ("conv1", "linear1", "linear2", "norm1")}, "Every layer with weights is frozen"),
        ({"class_weights": (1.0, 2.0)}, "There are 2 class weights, but 10 classes"),
    ],
)
def test_what_does_not_fit_the_network_is_said_before_the_first_step(data, changes, words):
    with pytest.raises(ConfigError, match=words):
        Trainer(network(), data, replace(PARTS, **changes))
