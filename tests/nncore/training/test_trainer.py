"""The training loop: its events, its steering, and that it does what it says."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nncore.data import synthetic
from nncore.data.augment import Augmentation, augmentation
from nncore.data.dataset import UNKNOWN, Dataset
from nncore.errors import ConfigError, DataError, NotCompilable
from nncore.layers import BatchNorm, Conv2d, Flatten, Linear, ReLU
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Examined, Failed, Finished, Paused, Progress, Resumed, Started, Stopped, Validated
from nncore.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("single_steps")

CONFIG = TrainConfig(epochs=2, batch_size=32, learning_rate=3e-3, validate_every=3, seed=1)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return synthetic("train", 240)


def network(seed: int = 0) -> Network:
    return Network([Flatten(), Linear(24), ReLU(), Linear(10)], (28, 28, 1), seed)


def test_events_come_in_order_and_add_up(data):
    events = list(Trainer(network(), data, CONFIG).events())
    started, *between, finished = events
    assert isinstance(started, Started) and started.train_count + started.validation_count == 240
    assert started.validation_count == 40 and started.steps_per_epoch == math.ceil(200 / 32) == 7
    assert isinstance(finished, Finished) and finished.step == 14
    steps = [event.step for event in between if isinstance(event, Progress)]
    assert steps == list(range(1, 15))
    assert [event.step for event in between if isinstance(event, Validated)] == [3, 6, 9, 12]
    epochs = [event for event in between if isinstance(event, EpochEnd)]
    assert [event.epoch for event in epochs] == [1, 2] and [event.step for event in epochs] == [7, 14]


def test_it_learns(data):
    trainer = Trainer(network(), data, replace(CONFIG, epochs=12))
    epochs = [event for event in trainer.events() if isinstance(event, EpochEnd)]
    assert epochs[-1].train_loss < epochs[0].train_loss / 3
    assert Predictor(trainer.network).evaluate(trainer.train_data).accuracy > 0.9


def test_epoch_end_reports_the_mean_of_its_batches(data):
    losses, sizes = [], []
    trainer = Trainer(network(), data, replace(CONFIG, epochs=1))
    for event in trainer.events():
        if isinstance(event, Progress):
            losses.append(event.train_loss)
            sizes.append(len(trainer.batch(event.step - 1)[1]))
        if isinstance(event, EpochEnd):
            assert event.train_loss == pytest.approx(np.average(losses, weights=sizes), rel=1e-6)
            assert event.val_accuracy == Predictor(trainer.network).evaluate(trainer.validation_data).accuracy


def test_every_image_is_seen_once_an_epoch_and_the_order_changes(data):
    trainer = Trainer(network(), data, CONFIG)

    def epoch(number: int) -> np.ndarray:
        steps = range(number * trainer.steps_per_epoch, (number + 1) * trainer.steps_per_epoch)
        return np.concatenate([trainer.batch(step)[0] for step in steps])

    first, second = epoch(0), epoch(1)
    assert len(first) == len(trainer.train_data)

    def key(images: np.ndarray) -> list[bytes]:
        return [image.tobytes() for image in images]

    assert sorted(key(first)) == sorted(key(trainer.train_data.images)) == sorted(key(second))
    assert key(first) != key(second)


def test_same_seed_same_weights_bit_for_bit_and_another_seed_differs(data):
    def trained(seed: int) -> dict[str, np.ndarray]:
        trainer = Trainer(network(seed), data, replace(CONFIG, seed=seed))
        for _ in trainer.events():
            pass
        return trainer.network.state_dict()

    once, again, other = trained(5), trained(5), trained(6)
    assert all(np.array_equal(once[name], again[name]) for name in once)
    assert not all(np.array_equal(once[name], other[name]) for name in once)


def test_validation_images_are_never_trained_on(data):
    trainer = Trainer(network(), data, CONFIG)
    train = {image.tobytes() for image in trainer.train_data.images}
    assert not any(image.tobytes() in train for image in trainer.validation_data.images)


@pytest.mark.parametrize("together", [1, 64, 2048])
def test_each_step_varies_its_images_in_its_own_way(data, monkeypatch, together):
    monkeypatch.setattr("nncore.training.batches.VARIED", together)
    plain, varied = (Trainer(network(), data, replace(CONFIG, augmentation=augmentation(how))) for how in ("none", "strong"))
    for step in (0, 3, plain.steps_per_epoch - 1, plain.steps_per_epoch):
        (images, labels), (others, same) = plain.batch(step), varied.batch(step)
        assert np.array_equal(labels, same) and images.shape == others.shape and not np.array_equal(images, others)
        varied.batch(step + 9)
        assert np.array_equal(varied.batch(step)[0], others), "asked again, the step is the same"
        changed = np.abs(images.astype(float) - others).mean(axis=(1, 2, 3))
        assert 1 < changed.mean() < 60, "they are variations of these images and of no others"
    assert np.array_equal(varied.train_data.images, plain.train_data.images)
    assert np.array_equal(varied.validation_data.images, plain.validation_data.images), "what is held out stays as it is"


@pytest.mark.parametrize(("validation", "held_out"), [(0.25, 60), (1 / 6, 40), (50, 50), (1, 1), (239, 239), (1e-9, 1)])
def test_a_share_or_a_count_is_held_out(data, validation, held_out):
    assert len(Trainer(network(), data, replace(CONFIG, validation=validation)).validation_data) == held_out


def test_more_cannot_be_held_out_than_there_is(data):
    with pytest.raises(ConfigError, match="Cannot hold 240 of 240 images out"):
        Trainer(network(), data, replace(CONFIG, validation=240))


def test_nothing_is_learned_from_images_without_labels(data):
    unlabelled = replace(data, labels=np.full(len(data), UNKNOWN))
    with pytest.raises(DataError, match="no labels to learn from"):
        Trainer(network(), unlabelled, CONFIG)
    with pytest.raises(DataError, match="no labels to hold"):
        Predictor(network()).evaluate(unlabelled)


def test_pause_resume_and_stop(data):
    trainer = Trainer(network(), data, CONFIG)
    seen = []
    for event in trainer.events():
        seen.append(event)
        if isinstance(event, Progress) and event.step == 4:
            trainer.control.pause()
            trainer.control.resume()
        if isinstance(event, Progress) and event.step == 6:
            trainer.control.stop()
    kinds = [type(event) for event in seen if not isinstance(event, Progress | Validated | Examined)]
    assert kinds == [Started, Paused, Resumed, Stopped]
    assert trainer.step == 6 == seen[-1].step


def test_a_stop_while_paused_stops(data):
    trainer = Trainer(network(), data, CONFIG)
    trainer.control.pause()
    trainer.control.stop()
    assert [type(event) for event in trainer.events()] == [Started, Paused, Stopped]


def test_a_stopped_training_goes_on_to_the_same_end(data):
    straight = Trainer(network(), data, CONFIG)
    for _ in straight.events():
        pass
    broken = Trainer(network(), data, CONFIG)
    for event in broken.events():
        if isinstance(event, Progress) and event.step == 5:
            broken.control.stop()
    assert broken.step == 5
    last = list(broken.events())[-1]
    assert isinstance(last, Finished)
    a, b = straight.network.state_dict(), broken.network.state_dict()
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_train_more_adds_epochs_while_it_runs_and_afterwards(data):
    trainer = Trainer(network(), data, replace(CONFIG, epochs=1))
    for event in trainer.events():
        if isinstance(event, Progress) and event.step == 2:
            trainer.control.train_more(1)
    assert trainer.step == 14
    trainer.extend(1)
    assert isinstance(list(trainer.events())[-1], Finished) and trainer.step == 21


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
def test_added_epochs_begin_the_schedule_again_whenever_they_are_added(data, schedule):
    """Both end at a learning rate of about 0: without a new cycle, training more changes nothing."""
    config = replace(CONFIG, schedule=schedule)
    early, late, plain = (Trainer(network(), data, config) for _ in range(3))
    early.extend(1)

    def rates(trainer: Trainer) -> list[float]:
        return [event.learning_rate for event in trainer.events() if isinstance(event, Progress)]

    first, together = rates(late), rates(early)
    before = late.network.state_dict()
    late.extend(1)
    added = rates(late)
    assert together == first + added and first == rates(plain), "what was planned stays, whenever epochs are added"
    assert max(added) == pytest.approx(3e-3, rel=0.1) and added[-1] < max(added) / 2
    a, b = early.network.state_dict(), late.network.state_dict()
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not np.array_equal(before["linear1.weight"], a["linear1.weight"])


def test_epochs_asked_for_during_the_last_step_are_still_trained(data):
    trainer = Trainer(network(), data, CONFIG)
    for event in trainer.events():
        if isinstance(event, EpochEnd) and event.epoch == 2:
            trainer.control.train_more(1)
    assert isinstance(event, Finished) and trainer.step == 21


def test_a_training_whose_steps_are_all_taken_is_finished_not_stopped_or_paused(data):
    trainer = Trainer(network(), data, CONFIG)
    for event in trainer.events():
        if isinstance(event, EpochEnd) and event.epoch == 2:
            trainer.control.pause()
            trainer.control.stop()
    assert isinstance(event, Finished) and trainer.control.take(wait=False) is None


def test_the_learning_rate_set_in_a_cycle_holds_for_the_cycles_to_come(data):
    trainer = Trainer(network(), data, replace(CONFIG, schedule="cosine", epochs=1))
    for event in trainer.events():
        if isinstance(event, Progress) and event.step == 1:
            trainer.control.change("learning_rate", 1e-2)
    trainer.extend(1)
    added = [event.learning_rate for event in trainer.events() if isinstance(event, Progress)]
    assert added[0] == 1e-2


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
def test_a_learning_rate_set_near_the_end_of_a_cycle_does_not_blow_up_the_next(data, schedule):
    trainer = Trainer(network(), data, replace(CONFIG, schedule=schedule))
    rates = []
    for event in trainer.events():
        if isinstance(event, Progress):
            rates += event.learning_rates.tolist()
            if event.step == 13:
                trainer.control.change("learning_rate", 2e-3)
                trainer.control.train_more(1)
    assert rates[13] == pytest.approx(2e-3), "the present cycle goes on in proportion"
    assert max(rates[14:]) == pytest.approx(2e-3, rel=0.1), "the next has it as its highest"
    assert len(rates) == 21


@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, True, "0.1", None])
def test_what_is_no_learning_rate_cannot_be_set(data, value):
    trainer = Trainer(network(), data, CONFIG)
    with pytest.raises(ConfigError, match="The learning rate must be"):
        trainer.control.change("learning_rate", value)
    assert trainer.control.take(wait=False) is None


def test_milestones_go_on_as_they_count_when_epochs_are_added(data):
    trainer = Trainer(network(), data, replace(CONFIG, epochs=1, schedule="steps", milestones=(4, 9)))
    trainer.extend(1)
    rates = [event.learning_rate for event in trainer.events() if isinstance(event, Progress)]
    assert rates == [3e-3] * 4 + [1.5e-3] * 5 + [0.75e-3] * 5


@pytest.mark.parametrize("epochs", [0, -1, 1.5, True, "2", 10**12, math.nan])
def test_what_is_no_number_of_epochs_cannot_be_added(data, epochs):
    trainer = Trainer(network(), data, CONFIG)
    for add in (trainer.extend, trainer.control.train_more, trainer.set_epochs):
        with pytest.raises(ConfigError, match="number of epochs"):
            add(epochs)
    assert trainer.total_steps == 14 and trainer.control.take(wait=False) is None


def test_the_number_of_epochs_can_be_set(data):
    trainer = Trainer(network(), data, replace(CONFIG, schedule="cosine"))
    trainer.set_epochs(3)
    assert trainer.total_steps == 21 and trainer.scheduler.factor(14) == 1
    trainer.set_epochs(1)
    assert trainer.total_steps == 7
    for event in trainer.events():
        if isinstance(event, Progress) and event.step == 5:
            trainer.control.stop()
    trainer.set_epochs(2)
    assert trainer.scheduler.factor(7) == 1, "the cycle begins where the shortened plan ended"
    assert [event.step for event in trainer.events() if isinstance(event, EpochEnd)] == [7, 14]


def test_a_training_that_would_never_end_is_refused(data, monkeypatch):
    monkeypatch.setattr("nncore.training.fit.LARGEST_TOTAL", 7_000_000)
    trainer = Trainer(network(), data, replace(CONFIG, epochs=1_000_000))
    assert trainer.total_steps == 7_000_000
    with pytest.raises(ConfigError, match="would never end"):
        trainer.extend(1)
    assert trainer.total_steps == 7_000_000
    with pytest.raises(ConfigError, match="would never end"):
        Trainer(network(), data, replace(CONFIG, epochs=1_000_000, batch_size=16))


def test_a_batch_may_be_larger_than_the_data(data):
    trainer = Trainer(network(), data, replace(CONFIG, batch_size=10**9))
    assert trainer.steps_per_epoch == 1 and trainer.batch(0)[0].shape == (200, 28, 28, 1)
    assert isinstance(list(trainer.events())[-1], Finished) and trainer.step == 2


def test_a_network_that_ends_in_an_image_is_refused_in_words(data):
    with pytest.raises(ConfigError, match=r"ends in an image of 26×26×4.*Flatten and Linear"):
        Trainer(Network([Conv2d(4, 3)], (28, 28, 1)), data, CONFIG)


@pytest.mark.parametrize(("batch_size", "fits"), [(1, False), (199, False), (3, True), (200, True), (10**9, True)])
def test_a_step_too_small_for_batch_norm_is_refused_before_training(data, batch_size, fits):
    config = replace(CONFIG, batch_size=batch_size)
    dense = Network([Flatten(), Linear(8), BatchNorm(), Linear(10)], (28, 28, 1))
    images = Network([Conv2d(2, 3), BatchNorm(), Flatten(), Linear(10)], (28, 28, 1))
    assert Trainer(images, data, config).total_steps > 0
    if fits:
        assert Trainer(dense, data, config).total_steps > 0
    else:
        with pytest.raises(ConfigError, match=r"norm1 needs at least two images a step.*another batch size"):
            Trainer(dense, data, config)


def test_the_device_reaches_the_plan_and_the_predictions(data, monkeypatch):
    asked = []

    def plan(*arguments, device="cpu", **named):
        asked.append(device)
        raise NotCompilable("no such device here")

    monkeypatch.setattr("nncore.training.trainer.Plan", plan)
    trainer = Trainer(network(), data, CONFIG, device="reference")
    assert trainer.plan() is None and asked == ["reference"]
    assert trainer.device == trainer.predictor.device == "reference"


def test_the_learning_rate_can_be_set_without_resetting_anything(data):
    trainer = Trainer(network(), data, CONFIG)
    rates = []
    for event in trainer.events():
        if isinstance(event, Progress):
            rates.append(event.learning_rate)
            if event.step == 5:
                trainer.control.change("learning_rate", 1e-4)
    assert rates[:5] == [3e-3] * 5 and rates[5:] == [1e-4] * 9


def test_the_schedule_counts_steps(data):
    trainer = Trainer(network(), data, replace(CONFIG, schedule="steps", milestones=(4, 9), gamma=0.5))
    rates = [event.learning_rate for event in trainer.events() if isinstance(event, Progress)]
    assert rates == [3e-3] * 4 + [1.5e-3] * 5 + [0.75e-3] * 5


def test_the_best_weights_are_kept_apart(data):
    trainer = Trainer(network(), data, replace(CONFIG, epochs=6))
    accuracies = {event.step: event.val_accuracy for event in trainer.events() if isinstance(event, EpochEnd)}
    best = trainer.best
    assert best.val_accuracy == max(accuracies.values()) == accuracies[best.step]
    twin = network()
    twin.load_state_dict(best.state)
    assert Predictor(twin).evaluate(trainer.validation_data).accuracy == best.val_accuracy


def test_a_loss_that_is_no_number_ends_it_with_a_sentence(data):
    trainer = Trainer(network(), data, replace(CONFIG, optimizer="sgd", learning_rate=1e30))
    with np.errstate(all="ignore"):
        last = list(trainer.events())[-1]
    assert isinstance(last, Failed) and "smaller learning rate" in last.reason


@pytest.mark.parametrize("count", [2, 3, 33])
def test_small_data_and_odd_last_batches(data, count):
    trainer = Trainer(network(), data.subset(slice(0, count)), CONFIG)
    assert isinstance(list(trainer.events())[-1], Finished)


def test_data_that_cannot_be_trained_on_is_refused(data):
    with pytest.raises(DataError, match="at least two"):
        Trainer(network(), data.subset(slice(0, 1)), CONFIG)
    small = Network([Flatten(), Linear(10)], (8, 8, 1))
    with pytest.raises(ConfigError, match="28×28×1"):
        Trainer(small, data, CONFIG)
    with pytest.raises(ConfigError, match="3 classes"):
        Trainer(Network([Flatten(), Linear(3)], (28, 28, 1)), data, CONFIG)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0}, {"batch_size": -1}, {"batch_size": 1.5}, {"learning_rate": 0.0}, {"learning_rate": math.nan},
        {"optimizer": "magic"}, {"validation": 1.0}, {"validation": 2.5}, {"validation": 0}, {"seed": -1},
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused_by_name(wrong):
    with pytest.raises(ConfigError):
        TrainConfig(**wrong)


def test_a_config_survives_json():
    config = TrainConfig(milestones=(3, 5), betas=(0.8, 0.9), augmentation=Augmentation(shift=2, noise=3), validation=500)
    import json

    assert TrainConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config
    with pytest.raises(ConfigError, match="speling"):
        TrainConfig.from_dict({"speling": 1})
