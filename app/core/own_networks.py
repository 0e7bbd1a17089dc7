"""The user's own networks: kept by name, a small JSON file each, every value of which is checked when it is read. Qt-free."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from app.core.layer_list import LayerList
from app.core.runs.run import NAME, Run
from models.presets import PRESETS, Preset, described, preset
from nncore.errors import ConfigError, DataError, DigitLabError
from nncore.files import entries, is_file, is_folder, opened, printable, shown, write_atomically
from nncore.paths import expanded, networks_folder
from nncore.weights import read_json

FORMAT = "digitlab-network/1"
SUFFIX = ".json"
LONGEST_NAME = 60
"""Characters of a network's name: its runs are called by it and a number."""
LARGEST_FILE = 2**20
"""Bytes of a network's file: a thousand layers take a quarter of it."""
MOST_NETWORKS = 1000
"""Networks that are read from the folder."""


def check_name(name: str) -> str:
    """The name, if a network of the user's own can be called that. ConfigError otherwise."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or len(name) > LONGEST_NAME or name != name.strip():
        raise ConfigError(
            f"A network cannot be called {str(name)[:80]!r}; "
            f"use up to {LONGEST_NAME} letters, digits, spaces and the signs . _ + -."
        )
    if name.casefold() in {known.casefold() for known in PRESETS}:
        raise ConfigError(f"{name} is the name of a preset; choose another name for a network of your own.")
    return name


def read(name: str) -> LayerList:
    """The layers of the user's own network called `name`. ConfigError where there is none, or its file is damaged."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or not is_file(_path(name)):
        raise ConfigError(f"There is no network called {shown(str(name))} any more, nor a preset of that name; choose another.")
    return read_file(_path(name))


def read_file(path: Path) -> LayerList:
    """The layers that a file describes. ConfigError where it cannot be read, or describes no network."""
    try:
        with opened(path) as file:
            content = file.read(LARGEST_FILE + 1)
        found = read_json(content) if len(content) <= LARGEST_FILE else None
        if not isinstance(found, Mapping) or found.get("format") != FORMAT or found.keys() - {"format", "input_shape", "layers"}:
            raise ConfigError("it is no network that DigitLab has written.")
        layers = LayerList.from_config(found)
        described(path.stem, layers.as_config())
    except (DataError, ConfigError) as error:
        raise ConfigError(f"The network in {shown(path)} cannot be used: {error}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"The network in {shown(path)} cannot be used: the file is damaged.") from error
    return layers


def read_all() -> tuple[dict[str, LayerList], list[str]]:
    """All of them by name, in the order of the alphabet, and a sentence for each file that cannot be used."""
    found: dict[str, LayerList] = {}
    damage: list[str] = []
    try:
        paths = entries(networks_folder()) if is_folder(networks_folder()) else []
    except DataError as error:
        return {}, [str(error)]
    for path in paths[:MOST_NETWORKS]:
        try:
            if path.suffix == SUFFIX and is_file(path):
                found[check_name(path.stem)] = read_file(path)
        except ConfigError as error:
            damage.append(str(error))
    return dict(sorted(found.items(), key=lambda pair: pair[0].casefold())), damage


def keep(name: str, layers: LayerList) -> None:
    """Keep a network by name, in the place of one that is there.

    Raises ConfigError for a name or a network that there cannot be, and DigitLabError where the disk refuses.
    """
    path = _path(check_name(name))
    described(name, layers.as_config())
    write_atomically(path, json.dumps({"format": FORMAT, **layers.as_config()}, indent=2).encode())


def delete(name: str) -> None:
    """Forget a network. What was trained of it stays. Raises DigitLabError where the disk refuses."""
    path = _path(check_name(name))
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DigitLabError(f"{shown(path)} cannot be removed: {error.strerror or error}.") from error


def find(name_or_path: str) -> Preset:
    """The preset, the user's own network, or the network in a file (JSON) that is called so. ConfigError where there is none."""
    if name_or_path in PRESETS:
        return preset(name_or_path)
    if NAME.fullmatch(name_or_path) and is_file(_path(name_or_path)):
        return described(name_or_path, read(name_or_path).as_config())
    path = expanded(name_or_path)
    if path.suffix == SUFFIX or is_file(path):
        return described(check_name(path.stem), read_file(path).as_config())
    own = f"; your own are {', '.join(own)}" if (own := [printable(name) for name in read_all()[0]]) else ""
    raise ConfigError(f"There is no network preset called {printable(name_or_path)!r}; there are {', '.join(PRESETS)}{own}.")


def preset_of(run: Run) -> Preset:
    """The network of a run: the layers that it was begun with, or else the preset of that name.

    ConfigError where this version knows no such preset, or the layers make no network.
    """
    return preset(run.network) if run.layers is None else described(run.network, run.layers)


def layers_of(run: Run) -> LayerList | None:
    """The layers of a run whose network was the user's own; None for a preset. ConfigError where they make no network."""
    return None if run.layers is None else LayerList.from_config(run.layers)


def _path(name: str) -> Path:
    return networks_folder() / f"{name}{SUFFIX}"
