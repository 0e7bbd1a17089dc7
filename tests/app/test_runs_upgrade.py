"""The table of runs as earlier versions left it, brought up to date: whole, at once or not at all, by one process or several."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from app.core.runs import RunStore
from app.core.runs.schema import MIGRATIONS, VERSION, upgrade, version_of
from nncore.errors import DigitLabError

INSERT = (
    "INSERT INTO runs (id, name, network, data, config, created, updated, status, steps, seconds, val_accuracy, test_accuracy) "
    "VALUES (7, 'old', 'mnist-cnn', 'mnist', '{\"epochs\": 3}', '2026-11-20T10:00:00+01:00', 1763600000.5, 'finished', 300, 12.5, "
    "0.98, 0.97)"
)


@pytest.fixture(params=range(1, VERSION))
def old(request, tmp_path) -> RunStore:
    """A store whose database is of an earlier version and holds one run with two rows of its curve."""
    store = RunStore(tmp_path / "runs")
    store.folder.mkdir()
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database:
        for statements in MIGRATIONS[: request.param]:
            for statement in statements:
                database.execute(statement)
        database.execute(INSERT)
        database.execute("INSERT INTO metrics VALUES (7, 'train', 1, 2.3, 0.1), (7, 'train', 2, 2.2, 0.2)")
        database.execute(f"PRAGMA user_version = {request.param}")
        database.commit()
    return store


def version(store: RunStore) -> int:
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database:
        return version_of(database)


def columns_of(store: RunStore) -> set[str]:
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database:
        return {row[1] for row in database.execute("PRAGMA table_info(runs)")}


def test_an_earlier_table_keeps_its_runs_and_takes_tags_and_notes(old):
    (run,) = old.list()
    assert (run.id, run.name, run.steps, run.val_accuracy, run.tags, run.notes) == (7, "old", 300, 0.98, (), "")
    assert run.status == "finished" and run.config == {"epochs": 3}
    assert old.metrics(run, "train") == [(1, 2.3, 0.1), (2, 2.2, 0.2)]
    old.note(old.tag(run, ["best"]), "the first")
    assert (old.get("old").tags, old.get("old").notes) == (("best",), "the first")
    assert version(old) == VERSION


def test_an_upgrade_that_breaks_off_changes_nothing_and_is_made_up_for(old, monkeypatch):
    before, columns = version(old), columns_of(old)
    broken = (*MIGRATIONS[:-1], (*MIGRATIONS[-1], "SELECT no_such_function()"))
    with monkeypatch.context() as patch:
        patch.setattr("app.core.runs.schema.MIGRATIONS", broken)
        with pytest.raises(DigitLabError, match="no_such_function"):
            old.create("new", "m", "d", {})
        assert [run.name for run in old.list()] == ["old"], "it is read as it lies"
    assert version(old) == before and columns_of(old) == columns
    assert [run.name for run in old.list()] == ["old"] and version(old) == VERSION


KILLED = (
    "import os, sqlite3, sys\n"
    "from app.core.runs import schema\n"
    "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    "database.create_function('die', 0, lambda: os.kill(os.getpid(), 9))\n"
    "schema.MIGRATIONS = (*schema.MIGRATIONS[:-1], (*schema.MIGRATIONS[-1], 'SELECT die()'))\n"
    "schema.upgrade(database)"
)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_an_upgrade_that_is_killed_is_made_up_for(old):
    before = version(old)
    done = subprocess.run([sys.executable, "-c", KILLED, str(old.folder / "runs.sqlite")], check=False, timeout=60)
    assert done.returncode == -9
    assert version(old) == before
    assert [run.name for run in old.list()] == ["old"] and version(old) == VERSION


def test_processes_that_upgrade_at_once_do_not_collide(old):
    code = (
        "import sys; from pathlib import Path; from app.core.runs import RunStore; sys.stdin.read()\n"
        "store = RunStore(Path(sys.argv[1])); store.tag(store.get('old'), [sys.argv[2]])"
    )
    going = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(old.folder), tag], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for tag in "ab"
    ]
    for process in going:
        assert process.stdin is not None
        process.stdin.close()  # now, all at once
        process.stdin = None
    for process in going:
        _, complaints = process.communicate(timeout=100)
        assert process.returncode == 0 and complaints == "", complaints
    assert old.get("old").tags == ("a", "b") and version(old) == VERSION


def test_a_database_that_another_process_has_just_upgraded_is_left_as_it_is(old):
    old.list()
    with closing(sqlite3.connect(old.folder / "runs.sqlite", isolation_level=None)) as database:
        upgrade(database)
        assert version_of(database) == VERSION


def test_an_earlier_table_on_a_disk_that_lets_nothing_be_written_is_read_as_it_lies(old, monkeypatch):
    connect = sqlite3.connect

    def read_only(database, *arguments, **settings):
        if "immutable" in str(database):
            return connect(database, *arguments, **settings)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
        raise error

    monkeypatch.setattr("app.core.runs.store.sqlite3.connect", read_only)
    (run,) = old.list()
    assert (run.name, run.status, run.tags, run.notes, run.image_limit) == ("old", "finished", (), "", None)
