"""What happens to a damaged runs database: it is set aside, and what can be read of it goes into a new one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from app.core.runs.schema import COLUMNS, UnknownTables

SIDE_FILES = ("-wal", "-shm")
"""What SQLite appends to the database's name for the files that belong to it."""
PROBLEMS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; the second where its message itself holds damaged text."""
AT_ONCE = 1000
"""Rows that are copied together."""


def is_damage(error: Exception) -> bool:
    """Whether the error says that the file is no sound database, so that trying again would be of no use."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the higher bits tell kinds of the same error apart
    return isinstance(error, UnknownTables | UnicodeDecodeError) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path) -> Path:
    """Give the database, with the files that belong to it, another name, and return that. OSError where that fails."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    target = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    # The database itself last: side files that were left alone would be taken for those of the new one.
    for suffix in SIDE_FILES:
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{target}{suffix}")
    path.rename(target)
    return target


def copy_readable(damaged: Path, connection: sqlite3.Connection) -> int:
    """Copy what can be read of the runs and their curves into the database of `connection`; the number of runs."""
    with suppress(*PROBLEMS), closing(sqlite3.connect(damaged, timeout=1)) as old:
        old.text_factory = lambda text: text.decode("utf-8", "replace")
        old.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2**24)
        for table, columns in COLUMNS.items():
            # From both ends, since reading stops at the damaged page.
            for direction in ("ASC", "DESC"):
                _copy(old, connection, table, columns, direction)
        # A damaged tree may have given a number twice: who comes second gets another. A name that is there already is not doubled.
        for direction in ("ASC", "DESC"):
            _copy(old, connection, "runs", COLUMNS["runs"] - {"id"}, direction)
    return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str, columns: set[str], direction: str) -> None:
    with suppress(*PROBLEMS):
        there = sorted(columns & {row[1] for row in old.execute(f"PRAGMA table_info({table})")})
        if not there:
            return
        rows = old.execute(f"SELECT {', '.join(there)} FROM {table} ORDER BY rowid {direction}")
        insert = f"INSERT OR IGNORE INTO {table} ({', '.join(there)}) VALUES ({', '.join('?' * len(there))})"
        for block in _blocks(rows):
            new.execute("BEGIN")
            for row in block:
                with suppress(*PROBLEMS):  # a row that the tables do not take
                    new.execute(insert, row)
            new.execute("COMMIT")


def _blocks(rows: sqlite3.Cursor) -> Iterator[list[Any]]:
    """The rows, some at a time, up to the first that cannot be read."""
    block: list[Any] = []
    with suppress(*PROBLEMS):
        for row in rows:
            block.append(row)
            if len(block) == AT_ONCE:
                yield block
                block = []
    yield block
