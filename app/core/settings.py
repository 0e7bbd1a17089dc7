"""The window's preferences, kept in a JSON file; and the other files of the window in the same folder. Qt-free."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

from nncore.checks import listed
from nncore.errors import DigitLabError
from nncore.files import shown, write_atomically

log = logging.getLogger("digitlab")

DEFAULTS: dict[str, Any] = {
    "theme": "system", "panel": "recognise", "device": "auto", "data": None, "last_folder": "",
    "recipe": {}, "network": {}, "probe": {}, "offered": "", "ticked": [],
}  # fmt: skip


def config_folder() -> Path:
    """The folder of settings. It need not exist yet."""
    return platformdirs.user_config_path("digitlab", appauthor=False)


class Settings:
    """Preferences by name. Only those that differ from DEFAULTS are written.

    A file that cannot be read is set aside and counts as empty; what was lost so is said in `damage`.
    What cannot be written is valid until the window closes; `warn` is told so once.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or config_folder()
        self.warn: Callable[[str], None] = log.warning
        self._has_warned = False
        self._path = self.folder / "settings.json"
        self.damage: list[str] = []
        """A sentence for each thing that was kept for this start and could not be read."""
        self._chosen = self._read()

    def _read(self) -> dict[str, Any]:
        """What the file holds, less what this program has not written."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
            if not isinstance(found, dict):
                raise ValueError("it holds no settings by name")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            aside = self._path.with_suffix(".damaged.json")
            kept = ""
            with suppress(OSError):
                self._path.replace(aside)
                kept = f" The file is kept as {shown(aside)}."
            self.damage.append(f"The settings in {shown(self._path)} cannot be read, so the usual ones are there.{kept}")
            return {}
        # A value of another kind than the default's was not written by this program.
        kinds = {name: (str, type(None)) if value is None else (type(value),) for name, value in DEFAULTS.items()}
        chosen = {name: value for name, value in found.items() if name in DEFAULTS and isinstance(value, kinds[name])}
        if lost := found.keys() - chosen.keys():
            self.damage.append(f"What {shown(self._path)} says of {listed(lost)} makes no sense here and is left out.")
        return chosen

    def __getitem__(self, name: str) -> Any:
        return self._chosen.get(name, DEFAULTS[name])

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a preference and write it."""
        if value == self[name]:
            return
        self._chosen[name] = value
        sparse = {name: value for name, value in self._chosen.items() if value != DEFAULTS[name]}
        self.write(self._path, json.dumps(sparse, indent=2).encode())

    def write(self, path: Path, content: bytes) -> bool:
        """Write one of the window's files; False where that fails."""
        try:
            write_atomically(path, content)
        except DigitLabError as error:
            if not self._has_warned:
                self._has_warned = True
                self.warn(f"{error} Until then the window does not remember how it was left.")
            return False
        return True

    @property
    def layout_file(self) -> Path:
        """Where the window and its docks were."""
        return self.folder / "layout.json"

    @property
    def probe_file(self) -> Path:
        """The probe, as a picture."""
        return self.folder / "probe.png"

    @property
    def drawing_file(self) -> Path:
        """The probe, as the strokes of a drawing."""
        return self.folder / "drawing.json"

    @property
    def draft_file(self) -> Path:
        """What is edited in the editor of layers and not saved yet."""
        return self.folder / "draft.json"

    # -- whether the window was closed

    def begin_use(self) -> bool:
        """Mark the window as open. True where the last one was not closed, because the program or the machine broke down."""
        marker = self.folder / "window-is-open"
        with suppress(OSError):
            if marker.exists():
                return True
            self.folder.mkdir(parents=True, exist_ok=True)
            marker.touch()
        return False

    def end_use(self) -> None:
        """Mark the window as closed."""
        with suppress(OSError):
            (self.folder / "window-is-open").unlink(missing_ok=True)
