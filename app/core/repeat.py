"""The command that trains a run again. Qt-free."""

from __future__ import annotations

import shlex
from typing import Any

from app.core import own_networks
from app.core.runs import DAMAGED, Run
from models.presets import DEFAULT, PRESETS, Preset
from nncore.data.augment import AUGMENTATIONS, Augmentation
from nncore.errors import ConfigError
from nncore.training.config import SETTINGS, TrainConfig


def command_of(run: Run) -> str:
    """The `digitlab train` command that repeats a run, as a POSIX shell takes it. ConfigError where none does.

    It names what is not the network's own recipe. Where the data has moved, its place must be changed.
    """
    network = check_repeatable(run, "command")
    config, usual = TrainConfig.from_dict(run.config), network.training
    words = ["digitlab", "train"]
    if run.network != DEFAULT:
        words += ["--model", run.network]
    words += ["--data", run.data]
    for name, setting in SETTINGS.items():
        if (value := getattr(config, name)) != getattr(usual, name) or name == "seed":
            words += [setting.option, option_text(value)]
    if run.image_limit is not None:
        words += ["--limit", str(run.image_limit)]
    return shlex.join(words)


def check_repeatable(run: Run, what: str) -> Preset:
    """The run's network, as a command, or whatever `what` is, can name it. ConfigError where none repeats the run."""
    if run.status == DAMAGED:
        raise ConfigError(f"What the table of runs says of {run.name} is damaged, so no {what} repeats it.")
    if run.parent is not None:
        raise ConfigError(f"{run.name} began with weights of {run.parent}, which no {what} gives it.")
    if run.layers is None:
        if run.network not in PRESETS:
            raise ConfigError(
                f"There is no network preset called {run.network!r:.60} in this version, so no {what} repeats the run."
            )
        return PRESETS[run.network]
    layers = own_networks.layers_of(run)
    try:
        is_kept = layers is not None and own_networks.read(run.network).layers == layers.layers
    except ConfigError:
        is_kept = False
    if not is_kept:
        raise ConfigError(f"The network {run.network} of your own has been changed or deleted since, so no {what} repeats the run.")
    return own_networks.preset_of(run)


def option_text(value: Any) -> str:
    """The value of a setting as its option takes it."""
    if isinstance(value, Augmentation):
        names = [name for name, known in AUGMENTATIONS.items() if known == value]
        return names[0] if names else ",".join(f"{name}={size!r}" for name, size in value.as_dict().items() if size)
    if isinstance(value, tuple):
        return ",".join(map(_part_text, value))
    return str(value)


def _part_text(part: Any) -> str:
    """One of several values: a number, a name, or a name with its number."""
    if isinstance(part, tuple):
        return "=".join(map(_part_text, part))
    return part if isinstance(part, str) else repr(part)
