"""A training that goes back to one of its earlier steps and goes on from there."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from models.presets import preset
from nncore.data import Dataset, synthetic
from nncore.errors import ConfigError, WeightsError
from nncore.training.checkpoint import load_checkpoint, save_checkpoint
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Finished, Progress
from nncore.training.trainer import Trainer

STEPS = 12
"""Steps of an epoch: 240 images to learn from, 20 at a time."""


@cache
def digits() -> Dataset:
    return synthetic("train").limit(300, 1)


def trainer(optimizer: str = "sgd", network: str = "two-layer", **settings) -> Trainer:
    data = digits()
    config = TrainConfig(epochs=2, batch_size=20, validation=60, optimizer=optimizer, learning_rate=0.01, **settings)
    return Trainer(preset(network).build(0, data.image_shape), data, config)


class Trained:
    """A training to its end, with its curves, what its epochs told, and its weights after each step in `at`."""

    def __init__(self, trainer: Trainer, at: tuple[int, ...] = ()) -> None:
        trainer.checkpoint_every = 1  # so that there is an event after each step
        self.losses, self.accuracies, self.epochs, self.states = [], [], [], {}
        for event in trainer.events():
            match event:
                case Progress():
                    self.losses.extend(event.train_losses.tolist())
                    self.accuracies.extend(event.train_accuracies.tolist())
                case EpochEnd():
                    self.epochs.append((event.epoch, event.train_loss, event.train_accuracy, event.val_loss, event.val_accuracy))
            if trainer.step in at and trainer.step not in self.states:
                self.states[trainer.step] = trainer.network.state_dict()
        assert isinstance(event, Finished)
        self.end = trainer.network.state_dict()

    def until(self, step: int) -> tuple[list[float], list[float]]:
        """The curves of the epoch up to a step."""
        epoch = slice(step // STEPS * STEPS, step)
        return self.losses[epoch], self.accuracies[epoch]


@pytest.mark.parametrize("step", [0, 5, STEPS, STEPS + 7])
def test_without_averages_the_same_steps_follow(step):
    subject = trainer(schedule="one-cycle")
    first = Trained(subject, (0, step))
    subject.go_back(step, first.states[step], *first.until(step))
    assert subject.step == step and subject.total_steps == 2 * STEPS
    again = Trained(subject)
    assert again.losses == first.losses[step:] and again.epochs == first.epochs[step // STEPS :]
    assert all(np.array_equal(again.end[name], first.end[name]) for name in first.end)


def test_adam_begins_anew_as_in_a_new_training():
    subject = trainer("adam")
    first = Trained(subject, (STEPS,))
    subject.go_back(STEPS, first.states[STEPS], [], [])
    assert subject.optimizer.steps == 0
    again = Trained(subject)
    fresh = trainer("adam")
    fresh.network.load_state_dict(first.states[STEPS])
    fresh.step = STEPS
    expected = Trained(fresh)
    assert again.losses == expected.losses and again.losses != first.losses[STEPS:]
    assert all(np.array_equal(again.end[name], expected.end[name]) for name in expected.end)


def test_a_checkpoint_after_going_back_goes_on_the_same_way(tmp_path):
    subject = trainer("adam")
    first = Trained(subject, (5,))
    subject.go_back(5, first.states[5], *first.until(5))
    save_checkpoint(tmp_path / "c.safetensors", subject)
    expected = Trained(subject)
    again = load_checkpoint(tmp_path / "c.safetensors", digits())
    assert (again.step, again.optimizer.steps, again.meters.count) == (5, 0, 100)
    found = Trained(again)
    assert found.losses == expected.losses and found.epochs == expected.epochs
    assert all(np.array_equal(found.end[name], expected.end[name]) for name in expected.end)


def test_best_weights_of_later_steps_are_given_up():
    subject = trainer()
    first = Trained(subject, (5, STEPS + 1))
    assert subject.best is not None and subject.best.step >= STEPS
    if subject.best.step == STEPS:
        subject.go_back(STEPS + 1, first.states[STEPS + 1], *first.until(STEPS + 1))
        assert subject.best is not None
    subject.go_back(5, first.states[5], *first.until(5))
    assert subject.best is None


def test_what_it_cannot_go_back_to_is_refused_and_changes_nothing():
    subject = trainer()
    first = Trained(subject, (5,))
    with pytest.raises(ConfigError, match="24 steps"):
        subject.go_back(25, first.states[5], [1.0], [0.5])
    with pytest.raises(ConfigError, match="not complete"):
        subject.go_back(5, first.states[5], *first.until(4))
    with pytest.raises(WeightsError):
        subject.go_back(5, trainer(network="mlp").network.state_dict(), *first.until(5))
    assert subject.step == subject.total_steps == 2 * STEPS
    assert all(np.array_equal(value, subject.network.state_dict()[name]) for name, value in first.end.items())


def test_a_batch_size_that_was_changed_later_holds_from_the_step_on_that_it_goes_back_to():
    subject = trainer(schedule="cosine")
    subject.checkpoint_every = 1
    states, losses, accuracies = {}, [], []
    for event in subject.events():
        if isinstance(event, Progress):
            losses.extend(event.train_losses.tolist())
            accuracies.extend(event.train_accuracies.tolist())
            states[event.step] = subject.network.state_dict()
            if event.step == 3:
                subject.control.change("batch_size", 60)
    assert subject.batches.sizes(5) == [20, 20, 20, 60, 60] and subject.step == 3 + 3 + 4
    subject.go_back(2, states[2], losses[:2], accuracies[:2])
    assert subject.meters.count == 40 and subject.batches.epochs.changes == ((2, 60),)
    assert subject.total_steps == 2 + 4 + 4, "the same two epochs"
    rates = []
    for event in subject.events():
        if isinstance(event, Progress):
            rates.extend(event.learning_rates.tolist())
    assert isinstance(event, Finished) and subject.step == 10
    assert rates == sorted(rates, reverse=True) and rates[-1] < 0.002
