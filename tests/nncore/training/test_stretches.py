"""Stretches of steps: what is learned does not depend on how they are grouped, and each ends where something is due."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, repeat

import numpy as np
import pytest

from nncore.data.augment import augmentation
from nncore.data.dataset import Dataset
from nncore.data.synthetic import synthetic
from nncore.layers import BatchNorm, Dropout, Flatten, Layer, Linear, ReLU
from nncore.network import Network
from nncore.training import meters
from nncore.training.batches import Batches, steps_per_epoch
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Failed, Progress, Stopped, Validated
from nncore.training.trainer import Trainer

CONFIG = TrainConfig(epochs=3, batch_size=8, learning_rate=3e-3, schedule="steps", milestones=(7, 30), validate_every=10, seed=3)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return synthetic("train", 240)


class Halved(Layer):
    """A layer that no kernel knows: half of its input."""

    kind = "halved"

    def build(self, input_shape, rng):
        self.input_shape = self.output_shape = input_shape
        return input_shape

    def forward(self, x):
        return x / 2

    def backward(self, grad):
        return grad / 2


def trainer_of(data: Dataset, config: TrainConfig, *extra: Layer) -> Trainer:
    layers = [Flatten(), Linear(16), BatchNorm(), ReLU(), Dropout(0.2), *extra, Linear(10)]
    return Trainer(Network(layers, (28, 28, 1), 1), data, config)


class Lengths:
    """A pace that asks for given numbers of steps, one after the other, whatever the clock says."""

    def __init__(self, lengths) -> None:
        self._lengths = iter(lengths)

    @property
    def steps(self) -> int:
        return next(self._lengths)

    def add(self, steps: int, seconds: float) -> None:
        pass


def always(length: int) -> Lengths:
    return Lengths(repeat(length))


def by_chance(seed: int) -> Lengths:
    rng = np.random.default_rng(seed)
    return Lengths(int(rng.integers(1, 40)) for _ in count())


def outcome(trainer: Trainer) -> tuple[list[np.ndarray], list[tuple], dict[str, np.ndarray]]:
    """Everything that a training tells and leaves which must not depend on grouping or on time."""
    columns, looks = [], []
    for event in trainer.events():
        if isinstance(event, Progress):
            columns.append(np.stack([event.steps, event.train_losses, event.train_accuracies, event.learning_rates]))
        elif isinstance(event, Validated):
            looks.append((event.step, event.val_loss, event.val_accuracy))
        elif isinstance(event, EpochEnd):
            looks.append((event.step, event.train_loss, event.train_accuracy, event.val_loss, event.val_accuracy))
    return np.concatenate(columns, axis=1), looks, trainer.network.state_dict()


@pytest.mark.parametrize(
    "pace", [always(3), always(17), always(10**9), by_chance(0), by_chance(1)], ids=["3", "17", "all", "a", "b"]
)
@pytest.mark.parametrize("augment", ["none", "strong"])
@pytest.mark.parametrize("readable", [False, True], ids=["plan", "readable"])
def test_what_is_learned_does_not_depend_on_how_steps_are_grouped(data, monkeypatch, pace, augment, readable):
    monkeypatch.setattr("nncore.training.batches.VARIED", 64)
    config = replace(CONFIG, augmentation=augmentation(augment), schedule="cosine" if augment == "strong" else "steps")
    extra = [Halved] if readable else []
    single, grouped = (trainer_of(data, config, *(layer() for layer in extra)) for _ in range(2))
    single.pace, grouped.pace = always(1), pace
    (steps, looks, weights), (others, same_looks, same) = outcome(single), outcome(grouped)
    assert (grouped.plan() is None) == readable
    assert np.array_equal(steps, others) and steps[0].tolist() == list(range(1, 76))
    assert looks == same_looks and len(looks) == 6 + 3
    assert all(np.array_equal(weights[name], same[name]) for name in weights)


@pytest.mark.parametrize(("checkpoint_every", "ends"), [(None, [10, 20, 25, 30, 40, 50]), (7, [7, 10, 14, 20, 21, 25, 28])])
def test_a_stretch_ends_where_something_is_due(data, checkpoint_every, ends):
    trainer = trainer_of(data, CONFIG)
    trainer.pace, trainer.checkpoint_every = always(10**9), checkpoint_every
    found = [event.step for event in trainer.events() if isinstance(event, Progress)]
    assert found[: len(ends)] == ends and found[-1] == 75


def test_commands_are_obeyed_between_two_stretches(data):
    trainer = trainer_of(data, CONFIG)
    trainer.pace = always(4)
    rates = []
    for event in trainer.events():
        if isinstance(event, Progress):
            rates += event.learning_rates.tolist()
            if event.step == 4:
                trainer.control.change("learning_rate", 1e-4)
            if event.step == 8:
                trainer.control.stop()
    assert isinstance(event, Stopped) and event.step == 8
    assert rates == [3e-3] * 4 + [1e-4] * 3 + [0.5e-4]


@pytest.mark.parametrize("readable", [False, True], ids=["plan", "readable"])
@pytest.mark.parametrize("length", [1, 4, 6, 100])
def test_a_loss_that_is_no_number_fails_at_its_step(data, readable, length):
    """A rate so large that the sixth step is the last sound one."""
    trainer = trainer_of(data, replace(CONFIG, optimizer="sgd", milestones=()), *([Halved()] if readable else []))
    trainer.pace = always(length)
    build = trainer.scheduler.factor
    trainer.scheduler.factor = lambda steps: build(steps) if steps != 5 else 1e38
    with np.errstate(all="ignore"):
        *_, last = events = list(trainer.events())
    told = np.concatenate([event.steps for event in events if isinstance(event, Progress)])
    losses = np.concatenate([event.train_losses for event in events if isinstance(event, Progress)])
    assert isinstance(last, Failed) and last.step == trainer.step == 7
    assert told.tolist() == [1, 2, 3, 4, 5, 6] and np.isfinite(losses).all()


def test_the_length_of_a_stretch_follows_the_speed():
    pace = meters.Pace()
    assert pace.steps == 1
    pace.add(1, 0.5)
    assert pace.steps == 1, "a slow step stands alone"
    pace.add(1, 0.001)
    assert pace.steps == meters.GROWTH, "one quick step is no proof yet"
    pace.add(8, 0.008)
    assert pace.steps == 30
    pace.add(30, 0.0625)
    assert pace.steps == 14
    pace.add(14, 0.0)
    assert pace.steps == 14 * meters.GROWTH, "a clock that has not moved"


@pytest.mark.parametrize("augment", ["none", "light"])
def test_the_batches_of_a_stretch_are_those_of_its_steps(data, monkeypatch, augment):
    monkeypatch.setattr("nncore.training.batches.VARIED", 40)
    batches = trainer_of(data, replace(CONFIG, batch_size=12, augmentation=augmentation(augment))).batches
    step = 0
    while step < 2 * batches.steps_per_epoch:
        until = batches.end_of_stretch(step)
        stretch = batches.stretch(step, until)
        assert len(stretch.batches) == until - step > 0
        for chosen in stretch.batches:
            images, labels = batches.batch(step)
            assert np.array_equal(stretch.images[chosen], images) and np.array_equal(stretch.labels[chosen], labels)
            step += 1
    assert batches.steps_per_epoch == 17 and len(batches.batch(16)[1]) == 200 - 16 * 12


@pytest.mark.parametrize("validation", [0.25, 1e-9, 0.999, 7])
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
@pytest.mark.parametrize("count", [2, 9, 239, 240])
def test_the_steps_of_an_epoch_can_be_told_before_the_training(data, count, validation, batch_size):
    config = replace(CONFIG, validation=validation, batch_size=batch_size)
    if count > 7 or validation != 7:
        batches = Batches(data.subset(slice(0, count)), config)
        assert steps_per_epoch(config, count) == batches.steps_per_epoch
        seen = sum(len(batches.batch(step)[1]) for step in range(batches.steps_per_epoch))
        assert seen == len(batches.train_data)
    assert steps_per_epoch(config, count) >= 1


def test_an_epoch_left_before_its_look_is_ended_when_the_training_goes_on(data):
    trainer = trainer_of(data, CONFIG)
    for event in trainer.events():
        if isinstance(event, Progress) and event.step == 25:
            break
    later = [event for event in trainer.events() if isinstance(event, EpochEnd)]
    assert [event.epoch for event in later] == [1, 2, 3] and [event.step for event in later] == [25, 50, 75]
