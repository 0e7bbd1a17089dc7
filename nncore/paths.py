"""Where things lie on the user's machine: one data folder, chosen by the platform or by `DIGITLAB_DATA`."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """The folder of datasets, runs and the user's own digits. It need not exist yet.

    `DIGITLAB_DATA` names it; otherwise it is the platform's own place for user data.
    """
    chosen = os.environ.get("DIGITLAB_DATA")
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_data_path("digitlab", appauthor=False)


def cache_folder() -> Path:
    """The folder of what can be made again (compiled kernels). It need not exist yet."""
    return platformdirs.user_cache_path("digitlab", appauthor=False)


def user_folder() -> Path:
    """The folder that runs and the user's own digits are written to: the data folder, or, where that is read-only (a
    shared collection of datasets, say), the platform's own place.
    """
    folder = data_folder()
    # Not Path.exists, which raises where a folder on the way may not be searched.
    existing = next((parent for parent in (folder, *folder.parents) if os.access(parent, os.F_OK)), folder)
    # The mode is looked at besides, since the superuser may write even where everybody is asked not to.
    writable = os.access(existing, os.W_OK) and existing.stat().st_mode & 0o222
    return folder if writable else platformdirs.user_data_path("digitlab", appauthor=False)
