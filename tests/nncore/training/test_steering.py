"""Steering: what is changed on the way is what the next step is taken with, and a saved training knows of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nncore.data.augment import augmentation
from nncore.data.dataset import Dataset
from nncore.data.synthetic import synthetic
from nncore.errors import ConfigError, WeightsError
from nncore.layers import BatchNorm, Dropout, Flatten, Linear, ReLU
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.prediction import as_input
from nncore.training.config import TrainConfig
from nncore.training.control import CHANGEABLE, Control, TrainMore
from nncore.training.events import Changed, EpochEnd, Event, Examined, Finished, Paused, Progress, Refused, Stopped, Validated
from nncore.training.trainer import Trainer

CONFIG = TrainConfig(
    epochs=3, batch_size=32, optimizer="momentum", learning_rate=0.02, momentum=0.8, weight_decay=0.01, validate_every=50, seed=3
)
Changes = Mapping[int, Sequence[tuple[str, float]]]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return synthetic("train", 120)


def plain() -> Network:
    return Network([Flatten(), Linear(12), ReLU(), Linear(10)], (28, 28, 1), 1)


def rich() -> Network:
    return Network([Flatten(), Linear(12), BatchNorm(), ReLU(), Dropout(0.2), Linear(10)], (28, 28, 1), 1)


def steered(trainer: Trainer, changes: Changes, until: int | None = None) -> list[Event]:
    """The events of a training to which `changes` are made at their steps; it is stopped at the step `until`."""
    events, left = [], dict(changes)
    trainer.checkpoint_every = 1  # so that each stretch is a step
    for change in left.pop(trainer.step, ()):
        trainer.control.change(*change)
    for event in trainer.events():
        events.append(event)
        if isinstance(event, Progress):
            for change in left.pop(event.step, ()):
                trainer.control.change(*change)
            if event.step == until:
                trainer.control.stop()
    return events


def by_hand(data: Dataset, config: TrainConfig, changes: Changes, epochs: int) -> dict[str, np.ndarray]:
    """The weights after `epochs` by the layers' own forward and backward, and the formula of momentum."""
    network, images, labels = plain(), *part(data, config)
    values = {name: float(getattr(config, name)) for name in CHANGEABLE}
    velocity = {name: np.zeros_like(parameter.data) for name, parameter in network.parameters().items()}
    loss, step = CrossEntropyLoss(), 0
    for epoch in range(epochs):
        order = np.random.default_rng((config.seed, epoch)).permutation(len(labels))
        while len(order):
            values |= dict(changes.get(step, ()))
            chosen, order = order[: int(values["batch_size"])], order[int(values["batch_size"]) :]
            loss(network.forward(as_input(images[chosen], network.input_shape)), labels[chosen])
            network.backward(loss.backward())
            for name, parameter in network.parameters().items():
                moved = values["momentum"] * velocity[name] + parameter.grad + values["weight_decay"] * parameter.data
                velocity[name] = moved if values["momentum"] else np.zeros_like(moved)
                parameter.data -= values["learning_rate"] * moved
            step += 1
    return network.state_dict()


def part(data: Dataset, config: TrainConfig) -> tuple[np.ndarray, np.ndarray]:
    learnt, _ = data.split(round(len(data) * config.validation), config.seed)
    return learnt.images, learnt.labels


def same(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in a)


SEVERAL = {
    2: [("batch_size", 17), ("learning_rate", 0.01)],
    3: [("momentum", 0.0), ("weight_decay", 0.1)],
    5: [("batch_size", 9), ("momentum", 0.5)],
    6: [("batch_size", 64)],
    9: [("weight_decay", 0.0), ("batch_size", 33)],
}
"""Of 100 images 32, 32, 17, 17 and 2; then 9, 64 and 27; then 64, 33 and 3."""


@pytest.mark.parametrize(
    "changes",
    [
        {4: [("learning_rate", 0.005)]}, {4: [("momentum", 0.3)]}, {4: [("momentum", 0.0)], 7: [("momentum", 0.9)]},
        {5: [("weight_decay", 0.2)]}, {2: [("batch_size", 50)]}, {0: [("batch_size", 50)]}, {4: [("batch_size", 200)]}, SEVERAL,
    ],
    ids=["rate", "momentum", "momentum off and on", "decay", "batch", "at the start", "at an epoch's end", "several"],
)  # fmt: skip
def test_what_follows_a_change_is_what_the_formulas_give_with_the_new_value(data, changes):
    trainer = Trainer(plain(), data, CONFIG)
    events = steered(trainer, changes)
    told = {(event.step, event.setting, event.value) for event in events if isinstance(event, Changed)}
    assert told == {(step, *change) for step, several in changes.items() for change in several}
    assert isinstance(events[-1], Finished) and trainer.plan() is not None
    expected, found = by_hand(data, CONFIG, changes, 3), trainer.network.state_dict()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3, atol=1e-5)
    unchanged = by_hand(data, CONFIG, {}, 3)
    assert not np.allclose(unchanged["linear1.weight"], found["linear1.weight"], rtol=1e-3, atol=1e-5)


def test_momentum_that_begins_on_the_way_has_a_velocity_of_zero(data):
    config, changes = replace(CONFIG, momentum=0.0), {4: [("momentum", 0.9)]}
    trainer = Trainer(plain(), data, config)
    steered(trainer, changes)
    for name, value in by_hand(data, config, changes, 3).items():
        np.testing.assert_allclose(trainer.network.state_dict()[name], value, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("device", ["cpu", "cuda-host"])
@pytest.mark.parametrize("augment", ["none", "strong"])
def test_a_training_that_is_resumed_after_changes_ends_bit_for_bit_as_if_never_interrupted(data, monkeypatch, device, augment):
    monkeypatch.setattr("nncore.training.batches.VARIED", 40)
    config = replace(CONFIG, augmentation=augmentation(augment), schedule="cosine")
    straight = Trainer(rich(), data, config, device)
    steered(straight, SEVERAL)
    for at in (4, 7):
        broken, resumed = Trainer(rich(), data, config, device), Trainer(rich(), data, config, device)
        assert isinstance(steered(broken, SEVERAL, until=at)[-1], Stopped)
        arrays, rest = broken.state_dict()
        resumed.load_state_dict(arrays, json.loads(json.dumps(rest)))
        assert [resumed.settings.value(name) for name in CHANGEABLE] == [broken.settings.value(name) for name in CHANGEABLE]
        steered(resumed, {step: change for step, change in SEVERAL.items() if step > at})
        assert resumed.step == straight.step == resumed.total_steps
        assert same(straight.network.state_dict(), resumed.network.state_dict())


@pytest.mark.parametrize("together", [1, 40, 2048])
def test_epochs_stay_whole_whatever_the_batch_size_and_none_is_added_or_lost(data, monkeypatch, together):
    monkeypatch.setattr("nncore.training.batches.VARIED", together)
    trainer = Trainer(plain(), data, replace(CONFIG, augmentation=augmentation("strong")))
    events = steered(trainer, SEVERAL)
    ends = [event for event in events if isinstance(event, EpochEnd)]
    assert [(event.epoch, event.step) for event in ends] == [(1, 5), (2, 8), (3, 11)]
    assert trainer.step == trainer.total_steps == 11 and events[-1].steps_given_up == 0
    assert [event.epoch for event in events if isinstance(event, Progress)] == [1] * 5 + [2] * 3 + [3] * 3
    sizes = [len(trainer.batch(step)[1]) for step in range(11)]
    assert sizes == [32, 32, 17, 17, 2, 9, 64, 27, 64, 33, 3]
    varied = [trainer.batch(step)[0] for step in range(11)]
    assert all(np.array_equal(trainer.batch(step)[0], varied[step]) for step in (9, 2, 0, 7)), "asked again, a step is the same"


def test_a_block_of_augmented_images_is_drawn_anew_after_a_change(data):
    """The same stream as for the first images of the epoch would vary them all alike."""
    shifting = replace(CONFIG, augmentation=augmentation("shift=3"), batch_size=20)
    alike = replace(data, images=np.repeat(data.images[:1], len(data), axis=0))
    trainer = Trainer(plain(), alike, shifting)
    steered(trainer, {1: [("batch_size", 19)], 2: [("batch_size", 20)]}, until=3)
    first, *others = (trainer.batch(step)[0][:18] for step in range(3))
    assert not any(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("size", [8, 100])
@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
def test_a_schedule_with_an_end_goes_on_without_a_leap_and_ends_with_the_training(data, schedule, size):
    config = replace(CONFIG, epochs=10, batch_size=20, schedule=schedule, validate_every=1000)
    plain_rates = rates(steered(Trainer(plain(), data, config), {}))
    trainer = Trainer(plain(), data, config)
    found = rates(steered(trainer, {22: [("batch_size", size)]}))
    assert len(found) == trainer.total_steps == 22 + math.ceil(60 / size) + 5 * math.ceil(100 / size)
    assert found[:23] == plain_rates[:23], "up to the change, and at the step after it"
    whole = Trainer(plain(), data, config).scheduler
    assert trainer.scheduler.rate(len(found)) == pytest.approx(whole.rate(50)), "the last rate comes with the last step"
    at = 22 + math.ceil(60 / size) + 2 * math.ceil(100 / size)
    assert found[at] == pytest.approx(whole.rate(35), rel=0.2), "an image is seen at about the rate that was planned for it"
    trainer.extend(10)
    assert trainer.scheduler.rate(len(found)) == plain_rates[0]


def rates(events: Sequence[Event]) -> list[float]:
    return [event.learning_rate for event in events if isinstance(event, Progress)]


def test_cycles_to_come_keep_their_epochs_when_the_batch_size_changes(data):
    trainer = Trainer(plain(), data, replace(CONFIG, epochs=2, batch_size=20, schedule="cosine", validate_every=1000))
    trainer.extend(2)
    found = rates(steered(trainer, {3: [("batch_size", 10)], 4: [("batch_size", 50)]}))
    ends = [3 + 1 + 1 + 2, 3 + 1 + 1 + 2 + 4]
    assert len(found) == ends[1] and found[ends[0]] == 0.02 and found[ends[0] - 1] < 0.02


def test_decay_after_every_epoch_follows_the_epochs(data):
    trainer = Trainer(plain(), data, replace(CONFIG, schedule="exponential", epoch_decay=0.5))
    assert rates(steered(trainer, {2: [("batch_size", 12)]})) == [0.02] * 5 + [0.01] * 9 + [0.005] * 9


def test_a_change_that_is_not_possible_is_told_and_the_training_goes_on(data):
    trainer = Trainer(rich(), data, replace(CONFIG, optimizer="adam"))
    events = steered(trainer, {2: [("momentum", 0.5), ("batch_size", 35), ("batch_size", 33)], 3: [("batch_size", 25)]})
    refused = [event for event in events if isinstance(event, Refused)]
    assert [(event.step, event.setting, event.kept) for event in refused] == [
        (2, "momentum", 0.8), (2, "batch_size", 32), (2, "batch_size", 32),
    ]  # fmt: skip
    assert "belongs to the optimizer momentum" in refused[0].reason
    assert "rest of this epoch, of 36 images" in refused[1].reason and "an epoch of 100 images" in refused[2].reason
    assert [event for event in events if isinstance(event, Changed)] == [Changed(3, "batch_size", 25)]
    assert isinstance(events[-1], Finished)


def test_a_batch_that_no_memory_holds_leaves_the_training_as_it_was(data, monkeypatch):
    whole, trainer = straight(data), Trainer(plain(), data, CONFIG)
    steered(trainer, {}, until=2)
    plan = trainer.plan()

    def full(*_: Any, **__: Any) -> None:
        raise ConfigError("A plan for 64 images at once does not fit into memory; take fewer.")

    monkeypatch.setattr("nncore.training.trainer.Plan", full)
    events = steered(trainer, {2: [("batch_size", 64)]})
    assert [type(event) for event in events[1:2]] == [Refused] and trainer.plan() is plan
    assert same(trainer.network.state_dict(), whole.network.state_dict())


def straight(data: Dataset) -> Trainer:
    trainer = Trainer(plain(), data, CONFIG)
    steered(trainer, {})
    return trainer


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 3), ("seed", 1), ("learning_rate", 0), ("learning_rate", "0.1"), ("momentum", 1.0), ("momentum", -0.1),
        ("weight_decay", math.nan), ("batch_size", 0), ("batch_size", 8.5), ("batch_size", True), ([], 1),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_is_refused_at_once(setting, value):
    control = Control()
    with pytest.raises(ConfigError):
        control.change(setting, value)
    assert control.take(wait=False) is None


# -- single steps


def halting(trainer: Trainer, *asked: int) -> list[str]:
    """Pause after two steps, then ask for so many steps at each pause, and resume at last: what happens besides steps."""
    trainer.checkpoint_every, counts, found = 1, list(asked), []
    trainer.control.take_steps(2)
    for event in trainer.events():
        if isinstance(event, Paused):
            if counts:
                trainer.control.take_steps(counts.pop(0))
            else:
                trainer.control.resume()
        if not isinstance(event, Progress | Validated | EpochEnd | Examined):
            found.append(f"{type(event).__name__} {event.step}")
    return found


def test_steps_that_are_asked_for_are_taken_and_no_more_and_change_nothing(data):
    trainer = Trainer(plain(), data, CONFIG)
    paused = ["Paused 2", "Resumed 2", "Paused 3", "Resumed 3", "Paused 4", "Resumed 4", "Paused 9", "Resumed 9"]
    assert halting(trainer, 1, 1, 5) == ["Started 0", *paused, "Finished 12"]
    assert same(trainer.network.state_dict(), straight(data).network.state_dict())


def test_steps_are_counted_within_a_stretch(data):
    trainer = Trainer(plain(), data, CONFIG)
    trainer.control.take_steps(3)
    for event in trainer.events():
        if isinstance(event, Paused):
            assert trainer.step == 3
            trainer.control.stop()
    assert isinstance(event, Stopped) and trainer.course.pause_at is None


@pytest.mark.parametrize("asked", [(1, 1, 1), (3,)])
def test_steps_beyond_the_plan_are_those_of_an_epoch_more(data, asked):
    config = replace(CONFIG, epochs=1, schedule="cosine")
    longer, stepped = (Trainer(plain(), data, config) for _ in range(2))
    for trainer in (longer, stepped):
        steered(trainer, {})
    longer.extend(1)
    steered(longer, {})
    for count in asked:
        stepped.take_steps(count)
        paused = next(event for event in stepped.events() if isinstance(event, Paused))
    assert paused.step == 7 and stepped.total_steps == 8
    assert isinstance(list(stepped.events())[-1], Finished) and stepped.step == 8
    assert same(longer.network.state_dict(), stepped.network.state_dict())


def test_where_the_last_step_asked_for_is_the_last_one_planned_it_finishes(data):
    trainer = Trainer(plain(), data, CONFIG)
    assert halting(trainer, 10) == ["Started 0", "Paused 2", "Resumed 2", "Finished 12"]
    assert trainer.course.pause_at is None


def test_a_setting_changed_while_paused_counts_from_the_next_step_on(data):
    trainer = Trainer(plain(), data, CONFIG)
    trainer.control.take_steps(2)
    for event in trainer.events():
        if isinstance(event, Paused):
            trainer.control.change("momentum", 0.5)
            trainer.control.resume()
    changes = {2: [("momentum", 0.5)]}
    for name, value in by_hand(data, CONFIG, changes, 3).items():
        np.testing.assert_allclose(trainer.network.state_dict()[name], value, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2", 10**12, math.nan])
def test_what_is_no_number_of_steps_cannot_be_taken(data, count):
    trainer = Trainer(plain(), data, CONFIG)
    for take in (trainer.take_steps, trainer.control.take_steps):
        with pytest.raises(ConfigError, match="number of steps"):
            take(count)
    assert trainer.total_steps == 12 and trainer.course.pause_at is None


def test_a_run_can_have_no_more_steps_than_can_be_counted(data, monkeypatch):
    monkeypatch.setattr("nncore.training.fit.LARGEST_TOTAL", 20)
    trainer = Trainer(plain(), data, CONFIG)
    trainer.control.take_steps(21)
    trainer.control.train_more(9)
    events = list(trainer.events())
    assert [event.setting for event in events if isinstance(event, Refused)] == ["", ""] and trainer.step == 12


def test_after_the_end_only_what_asks_for_more_is_kept():
    control = Control()
    control.pause()
    control.train_more(2)
    control.change("momentum", 0.5)
    assert control.forget_halts() and control.take(wait=False) == TrainMore(2)
    control.take_steps(5)
    control.stop()
    assert not control.forget_halts() and control.take(wait=False).setting == "momentum"
    assert control.take(wait=False) is None


# -- what a file says of all this


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("settings", []), ("settings", {"momentum": 1.0}), ("settings", {"momentum": "0.5"}), ("settings", {"epochs": 1}),
        ("settings", {"weight_decay": -1.0}), ("settings", {"weight_decay": math.inf}),
        ("batch_sizes", {}), ("batch_sizes", [[2, 0]]), ("batch_sizes", [[9, 8]]), ("batch_sizes", [[-1, 8]]),
        ("batch_sizes", [[2, 8], [2, 9]]), ("batch_sizes", [[3, 8], [2, 9]]), ("batch_sizes", [[2, 8, 1]]),
        ("batch_sizes", [[2.0, 8]]), ("batch_sizes", [[2, 33]]), ("batch_sizes", 7), ("batch_sizes", [[1, 8]]),
        ("cycles", [[0, 12, 0.1, 0.0]]), ("cycles", [[0, 12, 0.1, -1.0, 1.0]]), ("cycles", [[0, 12, 0.1, 13.0, 1.0]]),
        ("cycles", [[0, 12, 0.1, 0.0, 0.0]]), ("cycles", [[0, 12, 0.1, 0.0, math.nan]]), ("cycles", [[0, 12, 0.1, 0.0, "1"]]),
    ],
    ids=str,
)  # fmt: skip
def test_each_value_of_what_was_changed_is_checked(data, name, value):
    config = replace(CONFIG, schedule="cosine")
    trainer = Trainer(rich(), data, config)
    steered(trainer, {2: [("batch_size", 17), ("momentum", 0.5)]}, until=4)
    arrays, rest = trainer.state_dict()
    with pytest.raises(WeightsError):
        Trainer(rich(), data, config).load_state_dict(arrays, rest | {"position": rest["position"] | {name: value}})


def test_momentum_is_refused_in_the_state_of_a_training_that_has_none(data):
    trainer = Trainer(plain(), data, replace(CONFIG, optimizer="adam"))
    arrays, rest = trainer.state_dict()
    assert rest["position"]["settings"] == {}
    with pytest.raises(WeightsError, match="momentum"):
        trainer.load_state_dict(arrays, rest | {"position": rest["position"] | {"settings": {"momentum": 0.5}}})
