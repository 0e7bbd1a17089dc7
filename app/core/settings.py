"""The window's preferences, kept in a JSON file. Qt keeps the window's geometry in a file of its own."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

from nncore.errors import DigitLabError
from nncore.files import write_atomically

DEFAULTS: dict[str, Any] = {"theme": "system", "panel": "recognise", "data": None, "last_folder": "", "augmentation": {}}


def config_folder() -> Path:
    """The folder of settings. It need not exist yet."""
    return platformdirs.user_config_path("digitlab", appauthor=False)


class Settings:
    """Preferences by name. Only those that differ from DEFAULTS are written; a damaged file counts as empty."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or config_folder()
        self._path = self.folder / "settings.json"
        self._chosen: dict[str, Any] = {}
        try:
            found = json.loads(self._path.read_text("utf-8"))
            # A value of another kind than the default's was not written by this program.
            kinds = {name: (str, type(None)) if value is None else (type(value),) for name, value in DEFAULTS.items()}
            self._chosen = {name: value for name, value in found.items() if name in DEFAULTS and isinstance(value, kinds[name])}
        except (OSError, ValueError, AttributeError, RecursionError):
            pass

    def __getitem__(self, name: str) -> Any:
        return self._chosen.get(name, DEFAULTS[name])

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a preference and write it. If it cannot be written, it is valid until the window closes."""
        if value == self[name]:
            return
        self._chosen[name] = value
        sparse = {name: value for name, value in self._chosen.items() if value != DEFAULTS[name]}
        with suppress(DigitLabError):
            write_atomically(self._path, json.dumps(sparse, indent=2).encode())

    @property
    def geometry_file(self) -> Path:
        """Where Qt keeps the window's size and docks."""
        return self.folder / "window.ini"
