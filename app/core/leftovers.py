"""What killed programs have left behind: temporary files in the program's own folders, cleared at the next start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.core.settings import config_folder
from nncore.data.catalogue import OWN_DIGITS
from nncore.data.own import LEARNED
from nncore.files import clear_leftovers
from nncore.paths import data_folder, user_folder


def clear_all_leftovers() -> None:
    """Clear the folders that the program writes to by itself; see `nncore.files.clear_leftovers`."""
    home = user_folder()
    for folder in dict.fromkeys((home, data_folder(), config_folder(), home / "runs", home / OWN_DIGITS, home / LEARNED)):
        clear_leftovers(folder)
        if folder.name in ("runs", OWN_DIGITS):
            for below in _folders(folder):
                clear_leftovers(below)
                clear_leftovers(below / "moments")


def _folders(folder: Path) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as found:
        yield from [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]
