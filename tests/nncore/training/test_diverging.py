"""A training that diverges is noticed early, explained, and leaves the weights from before; an ordinary one is left alone."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from nncore.data import synthetic
from nncore.data.dataset import Dataset
from nncore.errors import WeightsError
from nncore.layers import BatchNorm, Flatten, Linear, ReLU
from nncore.network import Network
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Failed, Finished, Progress
from nncore.training.good_weights import GoodWeights
from nncore.training.loss_watch import SPAN, LossWatch, explain, loss_text, smaller_rate
from nncore.training.trainer import Trainer

CONFIG = TrainConfig(epochs=40, batch_size=20, learning_rate=0.01, optimizer="momentum", validate_every=1000, seed=1)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return synthetic("train", 480)


def trainer_of(data: Dataset, *extra: BatchNorm, **changes: object) -> Trainer:
    layers = [Flatten(), Linear(24), *extra, ReLU(), Linear(10)]
    return Trainer(Network(layers, (28, 28, 1), 2), data, replace(CONFIG, **changes))


def last(trainer: Trainer) -> Failed:
    with np.errstate(all="ignore"):
        *_, event = trainer.events()
    assert isinstance(event, Failed)
    return event


@pytest.mark.parametrize("batch_size", [1, 20])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_a_rate_of_99_ends_it_within_200_steps(data, optimizer, batch_size):
    for extra in ([], [BatchNorm()])[: 1 if batch_size == 1 else 2]:
        trainer = trainer_of(data, *extra, optimizer=optimizer, learning_rate=99.0, batch_size=batch_size)
        before = trainer.network.state_dict()
        event = last(trainer)
        assert event.step == trainer.step <= 200
        assert event.learning_rate == (0.001 if optimizer == "adam" else 0.01)
        assert f"start again with a smaller learning rate, such as {event.learning_rate}." in event.reason
        assert event.kept_step == trainer.best.step == 0 and "The weights of step 0 are kept." in event.reason
        assert all(np.array_equal(trainer.best.state[name], value) for name, value in before.items())


@pytest.mark.parametrize("step", [60, 333])
@pytest.mark.parametrize("batch_size", [1, 20])
def test_a_rate_of_99_on_the_way_ends_it_and_keeps_the_weights_from_before(data, step, batch_size):
    """The last weights from before are copies, at most every 50 steps: those of the same training when nobody touched it."""
    trainer = trainer_of(data, batch_size=batch_size, learning_rate=0.01 if batch_size == 20 else 0.0005, validation=80)
    trainer.checkpoint_every = step
    for event in trainer.events():
        if isinstance(event, Progress) and event.step == step:
            trainer.control.change("learning_rate", 99.0)
    assert isinstance(event, Failed) and step < event.step <= step + 200
    assert event.since in (step, step + 1)
    assert f"since step {event.since}" in event.reason or "no longer a number" in event.reason
    calm = trainer_of(data, batch_size=batch_size, learning_rate=trainer.config.learning_rate, validation=80)
    calm.checkpoint_every = 1
    for event in calm.events():
        if isinstance(event, Progress) and event.step == trainer.best.step:
            break
    assert step - 100 <= trainer.best.step <= step
    assert all(np.array_equal(trainer.best.state[name], value) for name, value in calm.network.state_dict().items())


@pytest.mark.parametrize("steps", [4, 10, 25])
def test_one_that_ends_before_it_is_sure_has_diverged_all_the_same(data, steps):
    trainer = trainer_of(data, optimizer="adam", learning_rate=99.0)
    trainer.total_steps = steps
    event = last(trainer)
    assert event.step == steps and event.kept_step == 0


def test_better_weights_of_an_epochs_end_stay_the_best(data):
    trainer = trainer_of(data)
    for event in trainer.events():
        if isinstance(event, EpochEnd) and event.epoch == 3:
            best = trainer.best
            trainer._good = GoodWeights()
            trainer._good.offer(Network([Flatten(), Linear(24), ReLU(), Linear(10)], (28, 28, 1), 5), 55)
            trainer.control.change("learning_rate", 99.0)
    assert isinstance(event, Failed) and trainer.best is best and event.kept_step == best.step


def test_the_network_keeps_its_last_weights(data):
    """What a view shows of the last step is what the step left, even where it is no number."""
    trainer = trainer_of(data, optimizer="sgd", learning_rate=1e30)
    event = last(trainer)
    assert "is no longer a number" in event.reason
    assert not all(np.isfinite(value).all() for value in trainer.network.state_dict().values())
    assert all(np.isfinite(value).all() for value in trainer.best.state.values())


def test_a_first_loss_that_is_no_number(data):
    """There is nothing good to be kept then."""
    trainer = trainer_of(data)
    trainer.network.parameters()["linear2.bias"].data[0] = np.nan
    event = last(trainer)
    assert event.step == 1 and event.since == 0 and event.kept_step is None and trainer.best is None
    assert event.reason.startswith("The loss was no good number from the first step on")


def test_an_ordinary_training_is_left_alone(data):
    """One image at a time: now and then a loss that is far too large."""
    trainer = trainer_of(data, batch_size=1, optimizer="sgd", learning_rate=0.1, epochs=4, schedule="one-cycle")
    events = list(trainer.events())
    losses = np.concatenate([event.train_losses for event in events if isinstance(event, Progress)])
    assert isinstance(events[-1], Finished) and losses.max() > 3 * math.log(10), "this shall be a hard case"


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_it_can_go_on_with_a_smaller_rate(data, optimizer):
    """From the weights that were kept, whatever the last ones are; with the same rate it is ended again."""
    trainer = trainer_of(data, learning_rate=99.0, optimizer=optimizer)
    first = last(trainer).step
    assert last(trainer).step > first
    trainer.control.change("learning_rate", 0.01)
    trainer.set_epochs(12)
    *_, event = trainer.events()
    assert isinstance(event, Finished) and trainer.best.val_accuracy > 0.5


@pytest.mark.usefixtures("single_steps")
def test_a_training_that_goes_on_after_a_loss_that_was_no_number_can_be_saved(data):
    trainer = trainer_of(data, optimizer="sgd", learning_rate=1e30)
    assert "no longer a number" in last(trainer).reason
    trainer.control.change("learning_rate", 0.01)
    for event in trainer.events():
        if isinstance(event, Progress):
            break
    arrays, rest = trainer.state_dict()
    resumed = trainer_of(data, optimizer="sgd", learning_rate=1e30)
    resumed.load_state_dict(arrays, json.loads(json.dumps(rest)))
    *_, event = resumed.events()
    assert isinstance(event, Finished) and math.isfinite(trainer.meters.end_epoch().loss)


@pytest.mark.usefixtures("single_steps")
@pytest.mark.parametrize("at", [10, 15, 22])
def test_a_resumed_training_is_ended_at_the_same_step(data, at):
    straight, broken, resumed = (trainer_of(data, optimizer="adam", learning_rate=99.0) for _ in range(3))
    for event in broken.events():
        if isinstance(event, Progress) and event.step == at:
            break
    arrays, rest = broken.state_dict()
    resumed.load_state_dict(arrays, json.loads(json.dumps(rest)))
    assert last(resumed).step == last(straight).step


# The watch by itself


def test_few_large_losses_are_no_reason_and_most_are():
    watch = LossWatch(math.log(10))
    watch.add(1, [2.3] * 50 + [1e9] * 5 + [0.5] * 50 + ([50.0] + [0.1] * 3) * 200)
    assert not watch.has_diverged
    watch.add(906, [50.0] * 40)
    assert watch.has_diverged


@pytest.mark.parametrize("length", [1, 7, 100])
def test_it_does_not_depend_on_how_steps_are_grouped(length):
    losses = np.random.default_rng(0).exponential(6, 1000).tolist()
    whole, parts = LossWatch(math.log(10)), LossWatch(math.log(10))
    whole.add(1, losses)
    for first in range(0, 1000, length):
        parts.add(first + 1, losses[first : first + length])
    assert whole.state_dict() == parts.state_dict() and whole.has_diverged == parts.has_diverged


def test_a_large_first_loss_is_where_it_began():
    """First weights that are too large: a loss of 40 that falls is no divergence."""
    watch = LossWatch(math.log(10))
    watch.add(1, [40.0] + [60.0] * 30 + [20.0] * 30)
    assert not watch.has_diverged and watch.calm_step == 61


def test_the_words():
    watch = LossWatch(math.log(10))
    watch.add(1, [2.3, 2.0, 1.9, *itertools.repeat(37.2, 30)])
    assert explain(watch, 33, 3, 0.01) == (
        "The loss has grown to 37 since step 3, where it was 1.9; start again with a smaller learning rate, such as 0.01. "
        "The weights of step 3 are kept."
    )
    watch.add(34, [math.nan])
    assert explain(watch, 1034, None, 1e-5) == (
        "The loss is no longer a number at step 1,034; at step 3 it was 1.9; "
        "start again with a smaller learning rate, such as 0.00001."
    )
    assert [loss_text(loss) for loss in (0.0123, 2.301, 37.4, 1520.3, 3e13)] == [
        "0.012",
        "2.3",
        "37",
        "1,520",
        "more than a million",
    ]


def test_the_rate_to_try_follows_from_the_one_in_use():
    assert [smaller_rate(rate, "sgd") for rate in (99, 0.3, 0.05, 1e-5)] == [0.01, 0.01, 0.005, 1e-6]
    assert [smaller_rate(rate, "adam") for rate in (99, 0.02, 0.003)] == [0.001, 0.001, 0.0003]


def test_its_state_is_carried_over_and_checked():
    watch, other = LossWatch(math.log(10)), LossWatch(math.log(10))
    watch.add(1, [3.0, 2.0, 50.0])
    other.load_state_dict(json.loads(json.dumps(watch.state_dict())), 3)
    watch.add(4, [50.0] * 2 * SPAN)
    other.add(4, [50.0] * 2 * SPAN)
    assert other.state_dict() == watch.state_dict() and other.has_diverged
    fresh = LossWatch(math.log(10))
    fresh.load_state_dict(None, 3)
    assert fresh.state_dict() == LossWatch(math.log(10)).state_dict()
    sound = LossWatch(math.log(10)).state_dict()
    for wrong in (3, [], {}, *({**sound, name: value} for name in sound for value in (-1, math.nan, "x", True, 10**9))):
        if wrong == {**sound, "baseline": 10**9} or wrong == {**sound, "calm_loss": 10**9} or wrong == {**sound, "calm_loss": -1}:
            continue  # strange, but possible
        with pytest.raises(WeightsError):
            LossWatch(math.log(10)).load_state_dict(wrong, 3)


# The copies


def test_copies_are_few_and_the_right_one_is_found():
    network, good, copies = Network([Linear(2)], (3,), 1), GoodWeights(), []
    state_dict = network.state_dict
    network.state_dict = lambda: copies.append(step) or state_dict()  # type: ignore[method-assign]
    for step in range(1200):
        good.offer(network, step)
    assert copies == [0, 50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 555, 616, 684, 759, 843, 936, 1039, 1154]
    assert good.until(1155).step == 1154, "its weights had a good loss at the next step"
    assert good.until(1154).step == good.until(1040).step == 1039 and good.until(1039) is None
