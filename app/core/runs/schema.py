"""The tables of the runs database, and how a database of an earlier version is brought up to date."""

from __future__ import annotations

import sqlite3

from app.core.runs.run import READERS
from nncore.errors import DigitLabError

MIGRATIONS = (
    # 1: runs and their curves.
    (
        """CREATE TABLE IF NOT EXISTS runs (
            id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, network TEXT NOT NULL, data TEXT NOT NULL, config TEXT NOT NULL,
            created TEXT NOT NULL, updated REAL NOT NULL, status TEXT NOT NULL,
            steps INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
            val_accuracy REAL, test_accuracy REAL)""",
        """CREATE TABLE IF NOT EXISTS metrics (
            run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, kind TEXT NOT NULL, step INTEGER NOT NULL,
            loss REAL NOT NULL, accuracy REAL NOT NULL)""",
        "CREATE INDEX IF NOT EXISTS metrics_of_run ON metrics (run, kind, step)",
    ),
    # 2: all that repeats a run, and one row a step.
    (
        "ALTER TABLE runs ADD COLUMN image_limit INTEGER",
        "ALTER TABLE runs ADD COLUMN checksum TEXT",
        "ALTER TABLE runs ADD COLUMN class_count INTEGER",
        "ALTER TABLE runs ADD COLUMN versions TEXT",
        "ALTER TABLE runs ADD COLUMN checkpoint_every INTEGER",
        "DELETE FROM metrics WHERE rowid NOT IN (SELECT max(rowid) FROM metrics GROUP BY run, kind, step)",
        "DROP INDEX IF EXISTS metrics_of_run",
        "CREATE UNIQUE INDEX metrics_of_run ON metrics (run, kind, step)",
    ),
    # 3: what people say of a run.
    (
        "ALTER TABLE runs ADD COLUMN tags TEXT",
        "ALTER TABLE runs ADD COLUMN notes TEXT",
    ),
    # 4: where a run branches off.
    (
        "ALTER TABLE runs ADD COLUMN parent TEXT",
        "ALTER TABLE runs ADD COLUMN parent_step INTEGER",
    ),
    # 5: the layers of a network that is no preset, what happened to a run on the way, and the state of its layers.
    (
        "ALTER TABLE runs ADD COLUMN layers TEXT",
        "ALTER TABLE metrics ADD COLUMN rate REAL",
        """CREATE TABLE IF NOT EXISTS marks (
            run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, step INTEGER NOT NULL, kind TEXT NOT NULL, value REAL)""",
        "CREATE UNIQUE INDEX IF NOT EXISTS marks_of_run ON marks (run, step, kind)",
        """CREATE TABLE IF NOT EXISTS layers (
            run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, step INTEGER NOT NULL, layer TEXT NOT NULL,
            gradient REAL, weight REAL, dead REAL)""",
        "CREATE UNIQUE INDEX IF NOT EXISTS layers_of_run ON layers (run, step, layer)",
    ),
)
"""The statements that lead from each version to the next; `PRAGMA user_version` says how many of them a database has had."""

VERSION = len(MIGRATIONS)
COLUMNS = {
    "runs": set(READERS),
    "metrics": {"run", "kind", "step", "loss", "accuracy", "rate"},
    "marks": {"run", "step", "kind", "value"},
    "layers": {"run", "step", "layer", "gradient", "weight", "dead"},
}
PARTS = ("metrics", "marks", "layers")
"""The tables of what belongs to a run at a step."""


class UnknownTables(sqlite3.DatabaseError):
    """The database is sound but its tables are not those of the program."""


def version_of(connection: sqlite3.Connection) -> int:
    """How many migrations the database has had."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring the database up to `VERSION`, all at once or not at all. The connection must be in autocommit mode.

    DigitLabError for a database of a later version, UnknownTables where the tables are not what they should be.
    """
    if version_of(connection) < VERSION:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statements in MIGRATIONS[max(0, version_of(connection)) :]:  # another process may have been faster
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    if version_of(connection) > VERSION:
        raise DigitLabError(
            f"The table of runs was written by a later version of DigitLab (version {version_of(connection)} of the table, "
            f"{VERSION} here); update DigitLab, or let DIGITLAB_DATA name another folder."
        )
    for table, columns in COLUMNS.items():
        if columns - {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
            raise UnknownTables(f"the table {table} lacks columns")
