"""Recipe files: how to train, as TOML that people read and write. Qt-free.

A file names a network, data, template, limit and the name of the run, all of them if wanted, and settings by the names of their
fields in TrainConfig.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core import own_networks
from app.core.repeat import check_repeatable, option_text
from app.core.runs import Run
from app.core.runs.marks import Mark
from app.core.runs.run import check_name
from models.presets import TEMPLATES
from nncore.data.augment import Augmentation
from nncore.errors import ConfigError
from nncore.files import opened, shown, size_text
from nncore.training.config import LARGEST_COUNT, SETTINGS, TrainConfig
from nncore.training.values import Choice, Varied, Whole, listed

LARGEST_RECIPE = 100_000
"""Bytes: a hundred times what a recipe with every setting takes."""
TEMPLATE = Choice(TEMPLATES)
KEYS = ("network", "data", "template", "limit", "name")
"""What a recipe says besides settings."""


@dataclass(frozen=True)
class RecipeFile:
    """What a file says of a training. None: it does not say."""

    network: str | None = None
    """The name of a preset or of the user's own network, or the path of a network's file."""
    data: str | None = None
    """The name of a dataset, or its path."""
    template: str | None = None
    """The recipe of the preset that the settings change."""
    limit: int | None = None
    """To train on so many images only."""
    name: str | None = None
    """What the run is to be called."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings by the names of their fields in TrainConfig, checked."""


def read_recipe(path: Path) -> RecipeFile:
    """The recipe in a TOML file.

    DataError where it cannot be read; ConfigError, naming file, key and what is allowed, for what is no recipe.
    """
    with opened(path) as file:
        content = file.read(LARGEST_RECIPE + 1)
    if len(content) > LARGEST_RECIPE:
        raise ConfigError(f"{shown(path)} is larger than any recipe ({size_text(LARGEST_RECIPE)}); name a recipe.")
    try:
        found = tomllib.loads(content.decode("utf-8-sig"))  # editors on Windows begin a file with a mark
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, UnicodeDecodeError, and a number of thousands of digits
        raise ConfigError(f"{shown(path)} is no recipe in TOML: {str(error) or 'it is nested too deeply'}.") from error
    for key in found:
        if key not in KEYS and key not in SETTINGS:
            allowed = listed([*KEYS, *SETTINGS])
            raise ConfigError(f"{shown(path)} has the key {key!r:.60}, which no recipe has; there are {allowed}.")
    values = {key: _checked(f"{shown(path)}: {key}", key, value) for key, value in found.items()}
    said = {key: values.pop(key) for key in KEYS if key in values}
    return RecipeFile(**said, settings=values)


def recipe_text(run: Run, marks: Sequence[Mark] = ()) -> str:
    """The recipe of a run as TOML: all that repeats it. ConfigError where nothing does.

    What `marks` say was changed on the way is told in comments, since no recipe repeats it.
    """
    check_repeatable(run, "recipe")
    config = TrainConfig.from_dict(run.config)
    lines = [f"# How the run {run.name} was trained; digitlab train --recipe FILE trains it again."]
    changed = [mark for mark in marks if mark.kind in SETTINGS]
    lines += [f"# Not repeated: {mark.kind} was set to {mark.value!r} after step {mark.step}." for mark in changed]
    lines += [f"network = {_toml(run.network)}", f"data = {_toml(run.data)}"]
    if run.image_limit is not None:
        lines.append(f"limit = {run.image_limit}")
    lines += ["", *(f"{name} = {_toml(getattr(config, name))}" for name in SETTINGS)]
    return "\n".join(lines) + "\n"


def _checked(title: str, key: str, value: Any) -> Any:
    """The value of a key. ConfigError, beginning with `title`, where it is none."""
    try:
        match key:
            case "network" if isinstance(value, str):
                own_networks.find(value)
                return value
            case "network":
                raise ConfigError(f"{title} must be the name of a network or the path of its file, not {value!r:.60}.")
            case "template":
                return TEMPLATE.check(title, value)
            case "limit":
                return Whole(1, LARGEST_COUNT).check(title, value)
            case "name":
                return check_name(value)
            case "data" if isinstance(value, str) and value:
                return value
            case "data":
                raise ConfigError(f"{title} must be the name of a dataset or a path, not {value!r:.60}.")
        kind = SETTINGS[key].kind
        return kind.parse(title, value) if isinstance(kind, Varied) and isinstance(value, str) else kind.check(title, value)
    except ConfigError as error:
        if str(error).startswith(title):
            raise
        raise ConfigError(f"{title}: {error}") from error


def _toml(value: Any) -> str:
    """A value of a recipe as TOML."""
    if isinstance(value, Augmentation):
        value = option_text(value)
    if isinstance(value, str):
        return f'"{"".join(map(_letter, value))}"'
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return f"{{{', '.join(f'{_toml(name)} = {_toml(number)}' for name, number in value)}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return repr(value)


def _letter(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08X}"
