"""Why a disk refuses the database of runs, in a sentence."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

from nncore.errors import DigitLabError
from nncore.files import shown

NOTHING = 2**16
"""Bytes that are free on a disk on which SQLite cannot work any more."""


def refusal(folder: Path, error: Exception) -> DigitLabError:
    """What an error means that SQLite or the disk has raised about the database in `folder`."""
    code, table = getattr(error, "sqlite_errorcode", 0) & 0xFF, f"The table of runs in {shown(folder)}"
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(folder)):
        return DigitLabError(f"{table} cannot be written: the disk is full; free some space.")
    if code == sqlite3.SQLITE_READONLY or (folder.is_dir() and not os.access(folder, os.W_OK)):
        return DigitLabError(f"{table} is read-only; let DIGITLAB_DATA name a folder that you may write to.")
    return DigitLabError(f"{table} cannot be used: {getattr(error, 'strerror', None) or error}.")


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < NOTHING
    except OSError:
        return False
