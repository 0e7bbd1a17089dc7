"""The options of `digitlab train` that follow from the settings of a training."""

from __future__ import annotations

from argparse import ArgumentParser

import numpy as np
import pytest

from app.cli import main
from app.commands.settings import add_settings, settings_given
from app.core.resume import resume
from app.core.runs import RunStore
from app.core.session import Job
from models.presets import PRESETS
from nncore.backend import devices
from nncore.data import open_dataset, synthetic
from nncore.data.augment import Augmentation
from nncore.errors import DeviceError
from nncore.training.config import SETTINGS, TrainConfig
from tests.nncore.fake_cupy import uninstall


def test_every_setting_is_an_option_and_what_is_shown_can_be_typed():
    parser = ArgumentParser(exit_on_error=False)
    add_settings(parser)
    assert settings_given(parser.parse_args([])) == {}
    typed = {
        "epochs": "7", "batch_size": "64", "optimizer": "momentum", "learning_rate": "0.01", "momentum": "0.8",
        "betas": "0.8,0.99", "schedule": "one-cycle", "milestones": "10,20", "gamma": "0.1", "epoch_decay": "1", "warmup": "30",
        "weight_decay": "1e-4", "validation": "0.25", "augmentation": "shift=2", "validate_every": "50", "seed": "3",
        "clip_norm": "2.5", "label_smoothing": "0.1", "target_accuracy": "0.98", "patience": "4", "max_minutes": "1.5",
        "loss": "hinge", "initializer": "xavier_uniform", "class_weights": "1,2.5", "freeze": "conv1,linear2.bias",
        "rates": "conv2=0.1,linear1=2",
    }  # fmt: skip
    assert typed.keys() == SETTINGS.keys()
    arguments = parser.parse_args([word for name, text in typed.items() for word in (SETTINGS[name].option, text)])
    config = TrainConfig(**settings_given(arguments))
    assert config == TrainConfig(
        7,
        64,
        "momentum",
        0.01,
        0.8,
        (0.8, 0.99),
        "one-cycle",
        (10, 20),
        0.1,
        1.0,
        30,
        1e-4,
        clip_norm=2.5,
        loss="hinge",
        label_smoothing=0.1,
        class_weights=(1.0, 2.5),
        freeze=("conv1", "linear2.bias"),
        rates=(("conv2", 0.1), ("linear1", 2.0)),
        initializer="xavier_uniform",
        validation=0.25,
        augmentation=Augmentation(shift=2),
        validate_every=50,
        target_accuracy=0.98,
        patience=4,
        max_minutes=1.5,
        seed=3,
    )
    assert parser.parse_args(["--validation", "500"]).validation == 500
    assert all(setting.help.split()[0] in parser.format_help() for setting in SETTINGS.values())


def test_the_initializer_reaches_the_network_and_that_of_a_run_that_was_cut_off_before_its_first_step(tmp_path):
    store, config = RunStore(tmp_path), TrainConfig(initializer="zeros")
    session = Job(PRESETS["two-layer"], "synthetic", open_dataset("synthetic"), None, config, "r").begin(store)
    store.release(session.run)
    for trainer in (session.trainer, resume(store, "r").trainer):
        assert all(not value.any() for value in trainer.network.state_dict().values())
    store.release(session.run)


def test_the_device_reaches_the_plan(tmp_path, monkeypatch):
    """Both devices learn the same; what there is not is told by name."""
    data = synthetic("train", 80)
    np.savez(tmp_path / "few.npz", x_train=data.images, y_train=data.labels, x_test=data.images[:20], y_test=data.labels[:20])
    options = ("train", "--model", "two-layer", "--data", str(tmp_path / "few.npz"), "--epochs", "1", "--json")
    uninstall(monkeypatch)  # so that auto is the CPU
    asked = []
    before = devices.get_backend
    monkeypatch.setattr("nncore.plan.plan.get_backend", lambda name: asked.append(name) or before(name))
    for device in ("reference", "cpu", "auto"):
        assert main([*options, "--device", device]) == 0
    assert set(asked) == {"reference", "cpu"}
    with pytest.raises(DeviceError, match="'abacus'; there are auto, cpu, cuda"):
        devices.choose_device("abacus")
