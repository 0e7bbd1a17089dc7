"""RunStore: the table of runs and their folders, safe from any thread and for several processes at once."""

from __future__ import annotations

import builtins
import json
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.runs.copies import forget_copy
from app.core.runs.read_only import ReadOnlyRuns, all_rows, as_it_lies, set_up
from app.core.runs.refusal import refusal
from app.core.runs.run import INTERRUPTED, MOST_TAGS, READERS, Run, check_name, check_note, check_tag, plain_values, read_run
from app.core.runs.salvage import PROBLEMS, copy_readable, is_damage, set_aside
from app.core.runs.schema import PARTS, VERSION, upgrade, version_of
from app.core.runs.steps import StepTables
from nncore import locks
from nncore.errors import ConfigError, DigitLabError
from nncore.files import is_file, shown
from nncore.paths import data_folder, user_folder

if TYPE_CHECKING:
    from filelock import BaseFileLock

T = TypeVar("T")

log = logging.getLogger("digitlab")

PATIENCE = 10.0
"""Seconds to wait for another process that writes to the database."""
LARGEST_CHECKED = 2**28
"""Bytes of a database up to which it is looked through for damage: a matter of a second or two."""


class RunStore(StepTables):
    """The runs in a folder. Every call opens the database anew, so that any thread may make it.

    Where the disk refuses, every call raises DigitLabError. A database that is damaged is set aside under another name, what can
    be read of it goes into a new one, and `warn` is told.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Without a folder these are the user's own runs; where the data folder is read-only, those that lie in it are read
        besides.
        """
        self.folder = folder or user_folder() / "runs"
        others = data_folder() / "runs"
        self._others = None if folder is not None or others == self.folder else ReadOnlyRuns(others)
        self._has_missed_others = False
        self.warn: Callable[[str], None] = log.warning
        """Is told, in whatever thread, of a damaged database that has been set aside."""
        self._held: dict[int, BaseFileLock] = {}

    # -- the table

    def create(self, name: str | None, network: str, data: str, config: dict[str, Any], **further: Any) -> Run:
        """Begin a run, named `network-1`, `network-2`, … unless told; `further` are other columns. Its folder is made.

        ConfigError for a name that is taken or impossible.
        """
        if name is not None:
            check_name(name)
        made: builtins.list[Path] = []
        others = {run.name for run in self._read_only_runs()}

        def insert(database: sqlite3.Connection) -> str:
            taken = {row[0] for row in database.execute("SELECT name FROM runs")} | others
            if name is not None and (name in taken or self._folder(name).exists()):
                raise ConfigError(f"There is already a run called {name}; choose another name.")
            # A folder without a run is left of a database that was lost: what lies in it stays.
            numbered = (f"{network}-{number}" for number in range(1, 10**9))
            chosen = name or check_name(next(free for free in numbered if free not in taken and not self._folder(free).exists()))
            values = {
                "name": chosen,
                "network": network,
                "data": data,
                "config": config,
                "created": datetime.now().astimezone().isoformat(timespec="seconds"),
                "updated": time.time(),
                "status": "running",
            } | further
            columns = ", ".join(values)
            database.execute(f"INSERT INTO runs ({columns}) VALUES ({', '.join('?' * len(values))})", plain_values(values))
            self._folder(chosen).mkdir()
            made.append(self._folder(chosen))
            return chosen

        try:
            return replace(self.get(self._change(insert)), status="running")
        except BaseException:
            for folder in made:
                with suppress(OSError):
                    folder.rmdir()
            raise

    def update(self, run: Run, **values: Any) -> None:
        """Set columns of a run by name."""
        values["updated"] = time.time()
        columns = ", ".join(f"{column} = ?" for column in values)
        query = f"UPDATE runs SET {columns} WHERE id = ?"
        self._change(lambda database: database.execute(query, (*plain_values(values), run.id)), run)

    def list(self) -> list[Run]:
        """All runs, the newest first. A line that is damaged says so; one without a usable name is left out."""
        found = map(read_run, self._read(all_rows)) if is_file(self._database) else ()
        own = [self._with_present_status(run) for run in found if run is not None]
        others = self._read_only_runs()
        return sorted(own + others, key=lambda run: run.created.timestamp(), reverse=True) if others else own

    def _read_only_runs(self) -> builtins.list[Run]:
        """The runs in a data folder that is read-only. Where they cannot be read, that is told once."""
        try:
            return [] if self._others is None else self._others.list()
        except DigitLabError as error:
            if not self._has_missed_others:
                self._has_missed_others = True
                self.warn(str(error))
            return []

    def get(self, name: str) -> Run:
        """The run called `name`, the user's own where there are two. ConfigError where there is none."""
        found = [run for run in self.list() if run.name == name]
        if found:
            return min(found, key=lambda run: run.is_read_only)
        raise ConfigError(f"There is no run called {shown(name)}; `digitlab runs list` shows what there is.")

    def again(self, run: Run) -> Run:
        """The run as it is now: it may have been renamed. ConfigError where it has been deleted."""
        for found in self.list():
            if (found.id, found.created) == (run.id, run.created):
                return found
        raise ConfigError(f"The run {run.name} has been deleted; start a new one.")

    def rename(self, run: Run, name: str) -> Run:
        """Call a run, and its folder, `name`. ConfigError for a name that is taken or impossible, or while the run is trained."""
        check_name(name)
        moved: builtins.list[Path] = []
        self._hold_briefly(run)
        try:

            def change(database: sqlite3.Connection) -> None:
                taken = database.execute("SELECT 1 FROM runs WHERE name = ?", (name,)).fetchone()
                if taken or self._folder(name).exists():
                    raise ConfigError(f"There is already a run called {name}; choose another name.")
                database.execute("UPDATE runs SET name = ? WHERE id = ?", (name, run.id))
                if self.folder_of(run).exists():
                    self.folder_of(run).rename(self._folder(name))
                    moved.append(self._folder(name))

            self._change(change)
        except BaseException:
            for folder in moved:  # the table refused after that
                folder.rename(self.folder_of(run))
            raise
        finally:
            self.release(run)
        return self.get(name)

    def delete(self, run: Run) -> None:
        """Forget a run and remove its files, and the own digits that it alone has learned. ConfigError while it is trained."""
        folder = self.folder_of(run)
        self._hold_briefly(run)
        try:

            def remove(database: sqlite3.Connection) -> None:
                for table, column in (*((part, "run") for part in PARTS), ("runs", "id")):
                    database.execute(f"DELETE FROM {table} WHERE {column} = ?", (run.id,))

            shutil.rmtree(folder, ignore_errors=True)  # first, since it makes the room that a full disk lacks
            self._change(remove)
            locks.release_and_remove(self._lock_file(run), self._held.pop(run.id))
            with suppress(DigitLabError):  # then the copy stays
                forget_copy(run, self.list())
        finally:
            self.release(run)

    def tag(self, run: Run, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Run:
        """Put tags on a run and take others off; returns the run as it is then. It may be in training.

        ConfigError for a tag that is impossible or one too many, and where the run has been deleted.
        """
        new, old = {check_tag(tag) for tag in add}, {tag.strip() for tag in remove}

        def change(database: sqlite3.Connection) -> None:
            row = database.execute("SELECT tags FROM runs WHERE id = ?", (run.id,)).fetchone()
            read, nothing = READERS["tags"]
            try:
                present = read(row[0]) if row else nothing
            except (ValueError, TypeError, RecursionError, ConfigError):  # damaged: begun anew
                present = nothing
            tags = sorted((set(present) | new) - old)
            if len(tags) > MOST_TAGS:
                raise ConfigError(f"A run may have {MOST_TAGS} tags; take some off first.")
            database.execute("UPDATE runs SET tags = ? WHERE id = ?", (json.dumps(tags), run.id))

        self._change(change, run)
        return self.again(run)

    def note(self, run: Run, text: str) -> Run:
        """Replace the notes on a run by `text`; returns the run as it is then. ConfigError for what is no text, or too long."""
        notes = check_note(text)
        self._change(lambda database: database.execute("UPDATE runs SET notes = ? WHERE id = ?", (notes, run.id)), run)
        return self.again(run)

    # -- who trains

    def hold(self, run: Run) -> None:
        """Keep the run to this store until `release`, or until the process ends. ConfigError where another holds it, or where it
        lies in a folder that is read-only.
        """
        self._require_writable(run)
        if run.id in self._held:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = locks.acquire(self._lock_file(run))
        except OSError as error:
            raise refusal(self.folder, error) from error
        if lock is None:
            raise ConfigError(f"The run {run.name} is being trained by another window or command; stop it there first.")
        self._held[run.id] = lock

    def release(self, run: Run) -> None:
        """Let others have the run."""
        if lock := self._held.pop(run.id, None):
            lock.release()

    def is_held(self, run: Run) -> bool:
        """Whether this store or another living process keeps the run to itself, as whoever trains it does."""
        return not run.is_read_only and (run.id in self._held or locks.is_held(self._lock_file(run)))

    def _hold_briefly(self, run: Run) -> None:
        if run.id in self._held:
            raise ConfigError(f"The run {run.name} is being trained; stop it first.")
        self.hold(run)

    def _with_present_status(self, run: Run) -> Run:
        """A training that is said to run, but that no living process holds, was interrupted."""
        if run.status == "running" and not self.is_held(run):
            return replace(run, status=INTERRUPTED)
        return run

    # -- files

    def folder_of(self, run: Run) -> Path:
        """The run's folder. ConfigError for a name that cannot be a folder's."""
        if run.is_read_only and self._others is not None:
            return self._others.folder / check_name(run.name)
        return self._folder(run.name)

    def weights_of(self, run: Run) -> Path:
        return self.folder_of(run) / "weights.safetensors"

    def checkpoint_of(self, run: Run) -> Path:
        return self.folder_of(run) / "checkpoint.safetensors"

    def moments_of(self, run: Run) -> Path:
        """The folder of the run's moments, which need not be there."""
        return self.folder_of(run) / "moments"

    def _folder(self, name: str) -> Path:
        return self.folder / check_name(name)

    def _lock_file(self, run: Run) -> Path:
        return self.folder / f".run-{run.id}.lock"

    @property
    def _database(self) -> Path:
        return self.folder / "runs.sqlite"

    # -- the database

    def _read(self, operation: Callable[[sqlite3.Connection], T], run: Run | None = None) -> T:
        if run is not None and run.is_read_only and self._others is not None:
            return self._others.read(operation)
        try:
            return self._mending(lambda: self._with_connection(operation))
        except DigitLabError as error:
            if error.__cause__ is None:  # it can be read, and is not ours to read
                raise
            # Even to read, SQLite writes beside the database, which a full or read-only disk does not let it.
            with suppress(sqlite3.Error, ValueError), closing(as_it_lies(self._database)) as connection:
                return operation(connection)
            raise

    def _require_writable(self, run: Run) -> None:
        """ConfigError for a run in a folder that is read-only."""
        if run.is_read_only and self._others is not None:
            raise self._others.refuse(run)

    def _change(self, operation: Callable[[sqlite3.Connection], T], run: Run | None = None) -> T:
        """Carry out `operation`, which is on `run`, in a transaction that no other process can come between."""
        if run is not None:
            self._require_writable(run)

        def at_once(database: sqlite3.Connection) -> T:
            database.execute("BEGIN IMMEDIATE")
            try:
                result = operation(database)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    with suppress(sqlite3.Error):
                        database.execute("ROLLBACK")
                raise
            return result

        return self._mending(lambda: self._with_connection(at_once))

    def _mending(self, action: Callable[[], T]) -> T:
        """Carry out `action`; where the database proves damaged, begin a new one and try once more."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            before = self._identity()
            try:
                return action()
            except PROBLEMS as error:
                if not is_damage(error):
                    raise
                self._begin_anew(before)
                return action()
        except (*PROBLEMS, OSError) as error:
            raise refusal(self.folder, error) from error

    def _with_connection(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        with closing(sqlite3.connect(self._database, timeout=PATIENCE, isolation_level=None)) as connection:
            set_up(connection)
            if version_of(connection) != VERSION:
                self._prepare(connection)
            else:
                upgrade(connection)  # which only looks at the tables
            connection.execute("PRAGMA foreign_keys=ON")
            return operation(connection)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the tables, or bring them up to date: one process at a time, for WAL cannot be begun by two."""
        lock = locks.acquire(self.folder / ".runs.lock", PATIENCE)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            upgrade(connection)
        finally:
            if lock is not None:
                lock.release()

    def damage(self) -> str:
        """What SQLite finds wrong in the database where it looks through all of it, in its words; empty where it finds nothing, or
        where the database is too large to look through.
        """
        if not is_file(self._database) or self._database.stat().st_size > LARGEST_CHECKED:
            return ""
        found = str(self._read(lambda database: database.execute("PRAGMA quick_check(1)").fetchone()[0]))
        return "" if found == "ok" else found

    def renew(self) -> None:
        """Set the database aside, and begin a new one with what can be read of it. `warn` is told."""
        try:
            self._begin_anew(self._identity())
        except (*PROBLEMS, OSError) as error:
            raise refusal(self.folder, error) from error

    def _begin_anew(self, damaged: int | None) -> None:
        """Set the database aside and save what can be read of it, unless another process has done so meanwhile."""
        lock = locks.acquire(self.folder / ".runs.lock", PATIENCE)
        try:
            if self._identity() != damaged:
                return
            aside = set_aside(self._database)
            with closing(sqlite3.connect(self._database, timeout=PATIENCE, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                upgrade(connection)
                count = copy_readable(aside, connection)
            read = "1 run" if count == 1 else f"{count:,} runs"
            self.warn(
                f"The table of runs was damaged: it is kept as {shown(aside)}, "
                f"and a new one has been begun with the {read} that could be read."
            )
        finally:
            if lock is not None:
                lock.release()

    def _identity(self) -> int | None:
        """What tells the database's file from another of its name; None where there is none."""
        try:
            return self._database.stat().st_ino
        except FileNotFoundError:
            return None
