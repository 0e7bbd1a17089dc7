"""Runs: what was trained, how, and how it went, in one SQLite database with the weights beside it as files."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nncore.errors import ConfigError, DigitLabError
from nncore.paths import user_folder

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, network TEXT NOT NULL, data TEXT NOT NULL, config TEXT NOT NULL,
    created TEXT NOT NULL, updated REAL NOT NULL, status TEXT NOT NULL,
    steps INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
    val_accuracy REAL, test_accuracy REAL);
CREATE TABLE IF NOT EXISTS metrics (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, kind TEXT NOT NULL, step INTEGER NOT NULL,
    loss REAL NOT NULL, accuracy REAL NOT NULL);
CREATE INDEX IF NOT EXISTS metrics_of_run ON metrics (run, kind, step);
"""

SILENCE = 600.0
"""Seconds after which a run that writes nothing more counts as interrupted."""

NAME = re.compile(r"[\w][\w .+-]{0,79}")
"""Names of runs are names of folders too: letters, digits and a few signs, none of which leads out of the folder."""


@dataclass(frozen=True)
class Run:
    """One line of the table of runs. `status` is running, finished, stopped or failed."""

    id: int
    name: str
    network: str
    data: str
    config: dict[str, Any]
    created: datetime
    updated: float
    """When anything was last written of it, in seconds since 1970."""
    status: str
    steps: int
    seconds: float
    val_accuracy: float | None
    test_accuracy: float | None

    @property
    def fate(self) -> str:
        """The status, or `interrupted` where a training has not been heard of for long: its program must have died."""
        silent = self.status == "running" and time.time() - self.updated > SILENCE
        return "interrupted" if silent else self.status


class RunStore:
    """The database of runs. Each call opens it anew, so that any thread may make it. DigitLabError where the disk refuses."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_folder() / "runs"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.folder / "runs.sqlite", timeout=10)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA foreign_keys=ON")
                connection.executescript(SCHEMA)
                with connection:
                    yield connection
        except (sqlite3.Error, OSError) as error:
            raise DigitLabError(f"The table of runs in {self.folder} cannot be used: {error}.") from error

    def create(self, name: str | None, network: str, data: str, config: dict[str, Any]) -> Run:
        """Begin a run, named `network-1`, `network-2`, … unless told. ConfigError for a name that is taken or impossible."""
        if name is not None and not NAME.fullmatch(name):
            raise ConfigError(f"A run cannot be called {name!r}; use up to 80 letters, digits, spaces and the signs . _ + -.")
        with self._open() as database:
            taken = {row[0] for row in database.execute("SELECT name FROM runs")}
            if name in taken:
                raise ConfigError(f"There is already a run called {name}; choose another name.")
            if name is None:
                name = next(free for n in range(1, len(taken) + 2) if (free := f"{network}-{n}") not in taken)
            created = datetime.now().astimezone().isoformat(timespec="seconds")
            database.execute(
                "INSERT INTO runs (name, network, data, config, created, updated, status) VALUES (?, ?, ?, ?, ?, ?, 'running')",
                (name, network, data, json.dumps(config), created, time.time()),
            )
        return self.get(name)

    def update(self, run: Run, **values: Any) -> None:
        """Set columns of a run by name."""
        values["updated"] = time.time()
        columns = ", ".join(f"{column} = ?" for column in values)
        with self._open() as database:
            database.execute(f"UPDATE runs SET {columns} WHERE id = ?", (*values.values(), run.id))

    def add_metrics(self, run: Run, rows: Iterable[tuple[str, int, float, float]]) -> None:
        """Add rows of (kind, step, loss, accuracy); kind is `train` or `validation`."""
        with self._open() as database:
            database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?)", [(run.id, *row) for row in rows])
            database.execute("UPDATE runs SET updated = ? WHERE id = ?", (time.time(), run.id))

    def metrics(self, run: Run, kind: str) -> list[tuple[int, float, float]]:
        """(step, loss, accuracy) of a run, in order."""
        with self._open() as database:
            rows = database.execute(
                "SELECT step, loss, accuracy FROM metrics WHERE run = ? AND kind = ? ORDER BY step", (run.id, kind)
            )
            return rows.fetchall()

    def list(self) -> list[Run]:
        """All runs, the newest first."""
        if not (self.folder / "runs.sqlite").exists():
            return []
        with self._open() as database:
            rows = database.execute(f"SELECT {', '.join(Run.__dataclass_fields__)} FROM runs ORDER BY id DESC").fetchall()
        return [Run(*row[:4], json.loads(row[4]), datetime.fromisoformat(row[5]), *row[6:]) for row in rows]

    def get(self, name: str) -> Run:
        """The run called `name`. ConfigError where there is none."""
        for run in self.list():
            if run.name == name:
                return run
        raise ConfigError(f"There is no run called {name}; `digitlab runs list` shows what there is.")

    def delete(self, run: Run) -> None:
        """Forget a run and remove its files."""
        with self._open() as database:
            database.execute("DELETE FROM runs WHERE id = ?", (run.id,))
        shutil.rmtree(self.folder_of(run), ignore_errors=True)

    def folder_of(self, run: Run) -> Path:
        return self.folder / run.name

    def weights_of(self, run: Run) -> Path:
        return self.folder_of(run) / "weights.safetensors"

    def checkpoint_of(self, run: Run) -> Path:
        return self.folder_of(run) / "checkpoint.safetensors"
