"""A training ends by itself for a reason that a setting names: a target, no progress, or a time."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from nncore.data import synthetic
from nncore.data.dataset import Dataset
from nncore.errors import WeightsError
from nncore.layers import Flatten, Linear, ReLU
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Event, Finished, Progress, Stopped, Validated
from nncore.training.stops import Stops
from nncore.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("single_steps")

CONFIG = TrainConfig(epochs=30, batch_size=20, learning_rate=0.003, validate_every=7, seed=1, validation=80)
"""20 steps an epoch; looks between them at steps that are multiples of 7."""


@pytest.fixture(scope="module")
def data() -> Dataset:
    return synthetic("train", 480)


def trainer_of(data: Dataset, **changes: object) -> Trainer:
    return Trainer(Network([Flatten(), Linear(24), ReLU(), Linear(10)], (28, 28, 1), 2), data, replace(CONFIG, **changes))


def finished(trainer: Trainer) -> tuple[Finished, list[Event]]:
    *before, end = trainer.events()
    assert isinstance(end, Finished)
    return end, before


def carried_over(trainer: Trainer, data: Dataset) -> Trainer:
    """Another trainer that goes on where this one is."""
    arrays, rest = trainer.state_dict()
    other = Trainer(Network([Flatten(), Linear(24), ReLU(), Linear(10)], (28, 28, 1), 2), data, trainer.config)
    other.load_state_dict(arrays, json.loads(json.dumps(rest)))
    return other


# A target


@pytest.mark.parametrize("validate_every", [7, 1000], ids=["between epochs", "at an epoch's end"])
def test_a_target_ends_it_and_the_weights_that_reached_it_are_the_best(data, validate_every):
    trainer = trainer_of(data, target_accuracy=0.8, validate_every=validate_every)
    end, before = finished(trainer)
    looks = [event for event in before if isinstance(event, Validated | EpochEnd)]
    assert all(look.val_accuracy < 0.8 for look in looks[:-1]) and looks[-1].val_accuracy >= 0.8
    assert end.step == looks[-1].step == end.best_step == trainer.total_steps < 600
    assert end.best_val_accuracy == looks[-1].val_accuracy == Predictor(trainer.network).evaluate(trainer.validation_data).accuracy
    assert end.reason == f"The held-out accuracy has reached {100 * end.best_val_accuracy:.2f} %; 80.00 % was the target."


def test_a_sample_that_reaches_the_target_is_not_enough(data):
    """All held-out images are looked at before the training ends."""
    trainer = trainer_of(data, target_accuracy=0.8)
    trainer.validation._sample = trainer.validation_data.subset(slice(0, 5))
    end, before = finished(trainer)
    samples = [event.val_accuracy * 5 for event in before if isinstance(event, Validated)]
    whole = [event.val_accuracy for event in before if isinstance(event, Validated | EpochEnd)]
    assert end.best_val_accuracy >= 0.8 and whole[-1] >= 0.8 and all(accuracy < 0.8 for accuracy in whole[:-1])
    assert any(not math.isclose(sample, round(sample)) for sample in samples[:-1]), "a sample of 5 was right by chance before"


def test_after_the_target_it_goes_on_for_as_many_epochs_as_are_asked_for(data):
    trainer = trainer_of(data, target_accuracy=0.8)
    reached = finished(trainer)[0].step
    assert list(map(type, trainer.events())) and trainer.step == reached, "nothing is left to do"
    trainer.extend(2)
    end, before = finished(trainer)
    assert end.step == reached + 40 and end.reason == "" and len([e for e in before if isinstance(e, EpochEnd)]) == 2
    other = carried_over(trainer, data)
    other.set_epochs(9)
    assert finished(other)[0].step == 180


def test_an_end_within_an_epoch_looks_at_all_held_out_images(data):
    trainer = trainer_of(data, epochs=1)
    finished(trainer)
    trainer.extend(1)
    trainer.total_steps -= 5
    end, before = finished(trainer)
    assert end.step == 35 and isinstance(before[-1], Validated) and before[-1].step == 35
    assert end.best_val_accuracy >= before[-1].val_accuracy


def test_a_target_that_the_last_step_reaches_does_not_end_what_is_added(data):
    steps = finished(trainer_of(data, target_accuracy=0.8, validate_every=1000))[0].step
    trainer = trainer_of(data, target_accuracy=0.8, validate_every=1000, epochs=steps // 20)
    end, _ = finished(trainer)
    assert end.step == steps and end.reason and end.steps_given_up == 0
    trainer.extend(1)
    assert finished(trainer)[0].step == steps + 20


# Patience


def test_patience_counts_epochs_without_a_smaller_loss(data):
    trainer = trainer_of(data, patience=2, learning_rate=0.05, optimizer="momentum")
    end, before = finished(trainer)
    losses = [event.val_loss for event in before if isinstance(event, EpochEnd)]
    lowest = losses.index(min(losses))
    assert end.step == 20 * len(losses) == trainer.total_steps < 600
    assert lowest == len(losses) - 3 and all(max(losses[n : n + 2]) > 0 for n in range(lowest))
    assert end.reason == f"The held-out loss has not become smaller for 2 epochs; the smallest was {min(losses):.4g}."
    for n in range(1, len(losses) - 2):
        assert min(losses[n : n + 2]) < min(losses[:n]), "it would have ended before"


def test_after_patience_it_waits_anew(data):
    trainer = trainer_of(data, patience=2, learning_rate=0.05, optimizer="momentum")
    first = finished(trainer)[0].step
    trainer.extend(30)
    end, before = finished(trainer)
    assert end.step >= first + 40 and len([event for event in before if isinstance(event, EpochEnd)]) >= 2


# A time


def test_a_time_ends_it_after_a_look_at_all_held_out_images(data):
    trainer = trainer_of(data, max_minutes=2)
    events = []
    for event in trainer.events():
        events.append(event)
        if isinstance(event, Progress) and event.step in (10, 24):
            trainer.meters.seconds += 65
    *_, look, end = events
    assert isinstance(end, Finished) and end.reason == "The time is up: 2 minutes of training."
    assert (end.step, trainer.total_steps, end.steps_given_up) == (24, 24, 576)
    assert isinstance(look, Validated) and look.step == 24
    assert look.val_accuracy == Predictor(trainer.network).evaluate(trainer.validation_data).accuracy
    trainer.extend(1)
    assert finished(trainer)[0].step == 44, "the time begins anew"


# Going on


@pytest.mark.parametrize("changes", [{"target_accuracy": 0.8}, {"patience": 2, "learning_rate": 0.05}], ids=["target", "patience"])
def test_a_resumed_training_ends_where_it_would_have(data, changes):
    """Also from between the look that ends it and the end."""
    straight = trainer_of(data, **changes)
    end, before = finished(straight)
    looks = [event for event in before if isinstance(event, Validated | EpochEnd)]
    for at in (looks[0], looks[-2], looks[-1]):
        broken = trainer_of(data, **changes)
        for event in broken.events():
            if type(event) is type(at) and event.step == at.step:
                break
        resumed = carried_over(broken, data)
        again = finished(resumed)[0]
        assert (again.step, again.reason, again.best_step) == (end.step, end.reason, end.best_step)
        a, b = straight.network.state_dict(), resumed.network.state_dict()
        assert all(np.array_equal(a[name], b[name]) for name in a)


def test_a_stop_by_the_user_leaves_the_others_in_place(data):
    trainer = trainer_of(data, target_accuracy=0.8)
    for event in trainer.events():
        if isinstance(event, Progress) and event.step == 5:
            trainer.control.stop()
    assert isinstance(event, Stopped) and trainer.total_steps == 600
    assert finished(trainer)[0].step == finished(trainer_of(data, target_accuracy=0.8))[0].step


def test_without_settings_nothing_ends_it(data):
    end, _ = finished(trainer_of(data, epochs=6))
    assert (end.step, end.reason, end.steps_given_up) == (120, "", 0)


def test_a_damaged_state_is_refused():
    stops = Stops(replace(CONFIG, patience=2, target_accuracy=0.5))
    for loss in (2.0, 1.5, 1.7):
        stops.ended_epoch(loss)
    other = Stops(replace(CONFIG, patience=2, target_accuracy=0.5))
    other.load_state_dict(json.loads(json.dumps(stops.state_dict())), 10.0)
    other.ended_epoch(1.6)
    assert other.reason(10.0) == "The held-out loss has not become smaller for 2 epochs; the smallest was 1.5."
    other.load_state_dict(None, 10.0)
    assert other.reason(10.0), "a file of an older program changes nothing"
    sound = stops.state_dict()
    wrong = [
        3, [], {}, {**sound, "is_reached": 1}, {**sound, "lowest": math.nan}, {**sound, "lowest": "x"}, {**sound, "waited": -1},
        {**sound, "waited": 1.5}, {**sound, "began": -1.0}, {**sound, "began": 11.0}, {**sound, "reason": None},
        {**sound, "reason": "x" * 1000},
    ]  # fmt: skip
    for found in wrong:
        with pytest.raises(WeightsError, match="when to stop"):
            Stops(CONFIG).load_state_dict(found, 10.0)
