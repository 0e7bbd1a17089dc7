"""Where things lie on the user's machine: one data folder, chosen by the platform or by `DIGITLAB_DATA`."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from nncore.errors import ConfigError
from nncore.files import shown


def data_folder() -> Path:
    """The folder of datasets, runs and the user's own digits. It need not exist yet.

    `DIGITLAB_DATA` names it; otherwise it is the platform's own place for user data. ConfigError where that names another
    user's folder, and there is no such user.
    """
    chosen = os.environ.get("DIGITLAB_DATA")
    return expanded(chosen).absolute() if chosen else platformdirs.user_data_path("digitlab", appauthor=False)


def expanded(path: str) -> Path:
    """The path with `~` and `~name` as the user's folder. ConfigError where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{shown(path)} cannot be found: there is no such user; write the path out.") from error


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


def networks_folder() -> Path:
    """The folder of the user's own networks, a file (JSON) each. It need not exist yet."""
    return user_folder() / "networks"
