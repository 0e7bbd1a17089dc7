"""The settings of a training as options of a command: each follows from its description in nncore.training.config."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from typing import Any

from nncore.errors import ConfigError
from nncore.training.config import SETTINGS, Setting


def add_settings(parser: ArgumentParser) -> None:
    """An option for every setting; left out, it is None in the arguments, under the setting's name."""
    for setting in SETTINGS.values():
        unit = f" ({setting.unit})" if setting.unit else ""
        parser.add_argument(
            setting.option,
            dest=setting.name,
            type=_reader(setting),
            metavar=setting.kind.metavar,
            help=f"{setting.title}{unit}: {setting.help} Takes {setting.kind.words}.".replace("%", "%%"),
        )


def settings_given(arguments: Namespace) -> dict[str, Any]:
    """The settings that the options name, by the names of their fields in TrainConfig."""
    return {name: value for name in SETTINGS if (value := getattr(arguments, name)) is not None}


def _reader(setting: Setting) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return setting.kind.parse(setting.title, text)
        except ConfigError as error:
            raise ArgumentTypeError(str(error)) from None

    return read
