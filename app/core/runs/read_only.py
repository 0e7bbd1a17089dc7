"""ReadOnlyRuns: the table of runs in a folder that cannot be written to; and reading a database as it lies."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from app.core.runs.run import INTERRUPTED, Run, read_run
from app.core.runs.salvage import PROBLEMS
from nncore.errors import ConfigError, DigitLabError
from nncore.files import is_file, shown

T = TypeVar("T")

LONGEST_VALUE = 2**24
"""Bytes of the longest value that is read: a damaged file may claim more."""


class ReadOnlyRuns:
    """Reads the runs in a folder, safe from any thread, and writes nothing there. Their numbers are negative, so that they differ
    from those of the user's own runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "runs.sqlite"

    def list(self) -> builtins.list[Run]:
        """All runs. DigitLabError where the table cannot be read."""
        found = map(read_run, self.read(all_rows)) if is_file(self.database) else ()
        runs = [run for run in found if run is not None]
        # Nobody can be training where nothing can be written.
        return [replace(run, id=-run.id, status=INTERRUPTED if run.status == "running" else run.status) for run in runs]

    def read(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out an operation that only reads. DigitLabError where the table cannot be read."""
        # What has been written last may still lie beside the database, which then needs both files to be read.
        if all(is_file(Path(f"{self.database}{suffix}")) for suffix in ("-wal", "-shm")):
            with suppress(*PROBLEMS), closing(connect(self.database, "mode=ro&readonly_shm=1")) as connection:
                return operation(connection)
        try:
            with closing(as_it_lies(self.database)) as connection:
                return operation(connection)
        except PROBLEMS as error:
            raise DigitLabError(f"The table of runs in {shown(self.folder)} cannot be read: {error}.") from error

    def refuse(self, run: Run) -> ConfigError:
        """Why a run cannot be changed."""
        return ConfigError(
            f"The run {run.name} cannot be changed or trained further, since {shown(self.folder)} is read-only; "
            "branch off a new run, or copy that folder and let DIGITLAB_DATA name the copy."
        )


def all_rows(database: sqlite3.Connection) -> list[dict[str, Any]]:
    """The rows of the table of runs by their columns, the newest first."""
    # All columns, since a table of an earlier version that cannot be written to lacks some.
    rows = database.execute("SELECT * FROM runs ORDER BY id DESC")
    names = [column[0] for column in rows.description]
    return [dict(zip(names, row, strict=True)) for row in rows]


def as_it_lies(database: Path) -> sqlite3.Connection:
    """A connection that reads the database's file and nothing else, and writes nothing."""
    return connect(database, "immutable=1")


def connect(database: Path, options: str) -> sqlite3.Connection:
    """A connection to a database that is there, with options as SQLite takes them in an address."""
    connection = sqlite3.connect(f"{database.absolute().as_uri()}?{options}", uri=True, isolation_level=None)
    set_up(connection)
    return connection


def set_up(connection: sqlite3.Connection) -> None:
    """Let damaged text be read, and no value that is too long."""
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
