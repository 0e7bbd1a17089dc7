"""Settings: described once, checked by kind, told in words; and what they make of a schedule."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from nncore.data.augment import Augmentation
from nncore.errors import ConfigError
from nncore.optimizers import OPTIMIZERS, Optimizer
from nncore.training.config import SETTINGS, TrainConfig, settings_table
from nncore.training.schedules import SCHEDULES, describe_schedule

HUGE = 10**5000
STEPS = {"schedule": "steps", "milestones": (800, 1600, 2400)}
EXPONENTIAL = {"schedule": "exponential", "epoch_decay": 0.65}


def test_every_setting_is_described():
    assert list(SETTINGS) == [field.name for field in fields(TrainConfig)]
    for setting in SETTINGS.values():
        assert setting.title and setting.help.endswith(".") and setting.kind.words and setting.option.startswith("--")
        assert setting.kind.check(setting.title, setting.default) == setting.default
        assert setting.kind.show(setting.default)
    assert len({setting.option for setting in SETTINGS.values()}) == len({s.title for s in SETTINGS.values()}) == len(SETTINGS)


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "epochs": [0, 10**12, True, 1.5, math.nan, "3", HUGE],
        "batch_size": [-1, 0, 1.5, False, None],
        "optimizer": ["magic", 3, None, ["adam"]],
        "learning_rate": [0, -1.0, math.nan, math.inf, True, "0.1", 10**400, HUGE, np.float64(math.nan)],
        "momentum": [-0.1, 1, math.nan, True],
        "betas": [np.zeros((30, 30)), (0.9,), (0.9, 0.9, 0.9), (0.9, 1), (math.nan, 0.9), 0.9, "ab", (True, 0.9)],
        "schedule": ["up", 0],
        "milestones": [(-1,), (0,), (1.5,), (5, 3), 7, (True,), "12", (10**12,), (math.nan,)],
        "gamma": [0, -1, math.nan, math.inf, True],
        "epoch_decay": [0, 1.1, math.nan],
        "warmup": [-1, 1.5, True, HUGE],
        "weight_decay": [-1e-9, math.nan, math.inf, True, "0"],
        "clip_norm": [-1, math.nan, math.inf, True, "0"],
        "label_smoothing": [-0.1, 1, math.nan, True],
        "loss": ["probability", "", 3],
        "class_weights": ["even", "", 3, (), (0,), (1, -1), (math.nan,), (True,), ("1",), None],
        "freeze": ["conv1", ("conv",), ("Conv1",), ("conv1", "conv1"), ("conv1.",), (3,), None, ("conv1\n",)],
        "rates": [
            "conv1=1",
            ("conv1",),
            {"conv1": 0},
            {"conv1": math.inf},
            {"conv1": True},
            {"conv": 1},
            {3: 1},
            (("conv1", 1), ("conv1", 2)),
            (("conv1", 1, 2),),
            None,
        ],
        "initializer": ["normal(1)", 0.01, None],
        "target_accuracy": [-0.1, 1.1, 98, math.nan, True],
        "patience": [-1, 1.5, True, HUGE],
        "max_minutes": [-1, math.inf, 1e7, True],
        "validation": [0, 1.0, 2.5, -3, math.nan, True, "0.1", HUGE],
        "augmentation": [3, "light", None, {"twist": 1}, {"shift": math.nan}],
        "validate_every": [0, 1.0, True],
        "seed": [-1, 0.5, 2**63, True],
    }.items(),
)
def test_values_that_make_no_sense_are_refused_with_the_title(name, values):
    for value in values:
        with pytest.raises(ConfigError) as refusal:
            TrainConfig(**{name: value})
        assert len(str(refusal.value)) < 300 and "\n" not in str(refusal.value)
        assert str(refusal.value).startswith((SETTINGS[name].title, "There is no augmentation", "Augmentation"))


def test_numpys_numbers_and_lists_are_taken_and_kept_as_plain_ones():
    config = TrainConfig(
        epochs=np.int64(2), learning_rate=np.float32(0.5), milestones=[np.int32(3), 5], betas=[0, np.float64(0.5)],
        seed=np.uint8(7), validation=np.int64(500), gamma=1, batch_size=np.int16(8),
    )  # fmt: skip
    assert config == TrainConfig(
        epochs=2, learning_rate=0.5, milestones=(3, 5), betas=(0.0, 0.5), seed=7, validation=500, gamma=1.0, batch_size=8
    )
    for name in SETTINGS:
        assert type(getattr(config, name)) in (int, float, str, tuple, Augmentation)
    assert TrainConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("text", [" ", "x", "nan", "1e999", "9" * 5000, "-", "1;2", "-1,2"])
def test_nonsense_typed_is_refused_in_words(name, text):
    if name in ("milestones", "freeze", "rates") and text == " ":
        assert SETTINGS[name].kind.parse(SETTINGS[name].title, text) == (), "none are wanted"
        return
    with pytest.raises(ConfigError):
        SETTINGS[name].kind.parse(SETTINGS[name].title, text)


def test_choices_come_from_the_registries(monkeypatch):
    class Slow(Optimizer):
        @classmethod
        def from_config(cls, parameters, config):
            return cls(parameters, config.learning_rate, config.weight_decay)

    with pytest.raises(ConfigError):
        TrainConfig(optimizer="slow")
    monkeypatch.setitem(OPTIMIZERS, "slow", Slow.from_config)
    monkeypatch.setitem(SCHEDULES, "flat", SCHEDULES["steps"])
    config = TrainConfig(optimizer="slow", schedule="flat", weight_decay=0.5)
    made = config.build_optimizer({})
    assert type(made) is Slow and made.weight_decay == 0.5 and "slow" in SETTINGS["optimizer"].kind.words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "0.001 throughout"),
        ({"milestones": (5,), "epoch_decay": 0.5}, "0.001 throughout"),
        (STEPS, "0.001, halved at steps 800, 1,600 and 2,400"),
        (STEPS | {"milestones": (800,), "gamma": 0.1}, "0.001, multiplied by 0.1 at step 800"),
        (STEPS | {"milestones": (800, 4000)}, "0.001, halved at step 800 (step 4,000 would come after the end, at 3,000)"),
        (STEPS | {"milestones": (4000,)}, "0.001 throughout (step 4,000 would come after the end, at 3,000)"),
        (STEPS | {"milestones": ()}, "0.001 throughout"),
        (EXPONENTIAL | {"learning_rate": 2e-3}, "0.002, multiplied by 0.65 after every epoch (1,000 steps)"),
        (EXPONENTIAL | {"epoch_decay": 0.5}, "0.001, halved after every epoch (1,000 steps)"),
        (EXPONENTIAL | {"epoch_decay": 1}, "0.001 throughout, since the epoch decay is 1"),
        ({"schedule": "one-cycle"}, "0.00004, up to 0.001 at step 899, then down to 4e-09 at step 3,000"),
        ({"warmup": 200}, "0.001 throughout; warmed up over the first 200 steps"),
        ({"warmup": 4000}, "0.001 throughout; a warm-up of 4,000 steps would end after the end, at 3,000"),
    ],
)
def test_a_schedule_is_told_in_words(changes, words):
    assert describe_schedule(TrainConfig(**changes), 1000) == words


def test_a_cosine_is_told_with_the_rate_it_ends_at():
    config = TrainConfig(schedule="cosine", learning_rate=0.5)
    assert describe_schedule(config, 1000).startswith("0.5, down along a cosine to ")
    assert describe_schedule(config, 1000).endswith(" at step 3,000")


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_words_fit_what_the_scheduler_does(schedule):
    config = TrainConfig(schedule=schedule, milestones=(800, 1600, 2400))
    scheduler = config.build_scheduler(Optimizer({}, config.learning_rate), 1000)
    rates = [config.learning_rate * scheduler.factor(step) for step in range(3000)]
    changes = [step for step in range(1, 3000) if rates[step] != rates[step - 1]]
    falls = {"constant": [], "steps": [800, 1600, 2400], "exponential": [1000, 2000]}
    if schedule in falls:
        assert changes == falls[schedule]
    else:
        assert len(changes) > 2900
        assert int(np.argmax(rates)) == (899 if schedule == "one-cycle" else 0)


def test_the_table_of_the_documentation_is_the_settings():
    page = (Path(__file__).parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert settings_table() in page, "run scripts/settings_page.py"


def test_a_preset_can_be_changed_by_replace():
    assert replace(TrainConfig(milestones=(3,)), gamma=0.25).milestones == (3,)
