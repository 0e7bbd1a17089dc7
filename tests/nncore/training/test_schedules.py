"""Schedules: the warm-up, the rates of a training before it runs, and what the settings of earlier versions mean now."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.presets import PRESETS
from nncore.data import synthetic
from nncore.layers import Flatten, Linear
from nncore.network import Network
from nncore.optimizers import Optimizer
from nncore.training.checkpoint import FORMAT, load_checkpoint, save_checkpoint
from nncore.training.config import TrainConfig
from nncore.training.older import MARK, as_before, migrated
from nncore.training.schedules import SCHEDULES, Cycles, learning_rates
from nncore.training.trainer import Trainer
from nncore.weights import read_tensors, write_tensors

BEFORE = TrainConfig().as_dict() | {"schedule": "steps", "epoch_decay": 1.0}
del BEFORE[MARK]
"""The settings that an earlier version had where nobody had set any."""


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_warm_up_is_the_share_of_its_steps_times_the_schedule(schedule):
    config = TrainConfig(schedule=schedule, milestones=(60, 150), warmup=100)
    warm, plain = (each.build_scheduler(Optimizer({}, each.learning_rate), 80) for each in (config, replace(config, warmup=0)))
    for step in (0, 1, 49, 99, 100, 200, 239):
        assert warm.rate(step) == pytest.approx(plain.rate(step) * min((step + 1) / 100, 1), rel=1e-12)
    assert warm.optimizer.lr == warm.rate(0), "the first step is warmed up, too"


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_rate_set_during_the_warm_up_is_what_it_leads_to(schedule):
    config = TrainConfig(schedule=schedule, warmup=100)
    warm, plain = (each.build_scheduler(Optimizer({}, each.learning_rate), 80) for each in (config, replace(config, warmup=0)))
    for scheduler in (warm, plain):
        scheduler.jump(9)
        scheduler.set_lr(0.5)
    assert (warm.optimizer.lr, plain.optimizer.lr) == (pytest.approx(0.05), 0.5)
    assert warm.rate(150) == pytest.approx(plain.rate(150)) and warm.rate(9) == pytest.approx(0.05)


def test_epochs_that_are_added_are_not_warmed_up_again():
    scheduler = TrainConfig(schedule="cosine", warmup=50).build_scheduler(Optimizer({}, 1.0), 100)
    assert isinstance(scheduler, Cycles)
    scheduler.begin(300, 200)
    assert scheduler.rate(300) == 1.0


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("per_epoch", "warmup"), [(1, 0), (50, 20), (938, 0), (938, 700), (123_457, 1000)])
def test_the_rates_before_a_training_are_those_that_it_has(schedule, per_epoch, warmup):
    config = TrainConfig(epochs=3, schedule=schedule, milestones=(800, 1600), warmup=warmup)
    steps, rates = learning_rates(config, per_epoch, 300)
    scheduler = config.build_scheduler(Optimizer({}, config.learning_rate), per_epoch)
    assert rates.tolist() == [scheduler.rate(step) for step in steps.tolist()]
    assert steps[0] == 0 and steps[-1] == 3 * per_epoch - 1 and len(steps) == min(3 * per_epoch, len(steps)) <= 300
    assert all(a < b for a, b in pairwise(steps.tolist()))
    assert rates.max() == max(map(scheduler.rate, range(3 * per_epoch))), "the largest is among them"


def test_the_rates_of_a_training_without_end_are_there_at_once():
    steps, rates = learning_rates(TrainConfig(epochs=10**6, schedule="one-cycle"), 10**8, 300)
    assert steps[-1] == 10**14 - 1 and rates.max() == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ({}, TrainConfig()),
        (BEFORE, TrainConfig()),
        (BEFORE | {"epoch_decay": 0.6}, TrainConfig(schedule="exponential", epoch_decay=0.6)),
        ({"epoch_decay": 0.6}, TrainConfig(schedule="exponential", epoch_decay=0.6)),
        (BEFORE | {"milestones": [5, 9]}, TrainConfig(schedule="steps", milestones=(5, 9))),
        (BEFORE | {"schedule": "cosine"}, TrainConfig(schedule="cosine")),
        (TrainConfig(schedule="steps").as_dict(), TrainConfig(schedule="steps")),
        (TrainConfig(schedule="steps", epoch_decay=1).as_dict(), TrainConfig(schedule="steps", epoch_decay=1)),
    ],
)
def test_settings_of_an_earlier_version_mean_what_they_meant(found, meant):
    assert TrainConfig.from_dict(json.loads(json.dumps(found))) == meant


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_told_apart_from_what_an_earlier_version_would_have_written(name):
    usual = PRESETS[name].training
    before = as_before(usual.as_dict())
    assert MARK not in before and TrainConfig(**migrated(before)) == usual
    assert TrainConfig(**migrated(before | {"schedule": "steps", "milestones": (5,)})).schedule == "steps"
    assert TrainConfig(**migrated(before | {"schedule": "steps", "milestones": (), "epoch_decay": 1.0})).schedule == "constant"


@pytest.mark.parametrize(
    ("changes", "meant"),
    [
        ({"epoch_decay": 0.5}, {"schedule": "exponential", "epoch_decay": 0.5}),
        ({"milestones": [5]}, {"schedule": "steps", "milestones": (5,)}),
        ({}, {}),
    ],
)
def test_a_checkpoint_of_an_earlier_version_goes_on_to_the_same_end(tmp_path, changes, meant):
    """One whose settings are those that such a version wrote, beside a training that was never interrupted."""
    data, path = synthetic("train", 60), tmp_path / "c.safetensors"
    written = BEFORE | {"epochs": 3, "batch_size": 10} | changes
    config = TrainConfig(epochs=3, batch_size=10, **meant)

    def trainer() -> Trainer:
        return Trainer(Network([Flatten(), Linear(10)], data.image_shape, 1), data, config)

    straight, broken = trainer(), trainer()
    list(straight.events())
    for _ in broken.events():
        if broken.step >= 3:
            break
    save_checkpoint(path, broken)
    arrays, metadata = read_tensors(path, FORMAT)
    write_tensors(path, arrays, **{**metadata, "format": FORMAT, "config": written})
    resumed = load_checkpoint(path, data)
    assert resumed.config == config and 0 < resumed.step < straight.step
    list(resumed.events())
    for name, value in straight.network.state_dict().items():
        assert np.array_equal(resumed.network.state_dict()[name], value)
