"""The table of runs, and the session that fills it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest

from app.core.history import History
from app.core.runs import DAMAGED, INTERRUPTED, RunStore
from app.core.runs.schema import VERSION
from app.core.session import Job
from models.presets import preset
from nncore.data import synthetic
from nncore.errors import ConfigError, DigitLabError
from nncore.prediction import Predictor
from nncore.training.config import TrainConfig
from nncore.training.events import Checkpointed, EpochEnd, Progress, Validated
from nncore.weights import load_weights


@pytest.fixture
def store(tmp_path) -> RunStore:
    return RunStore(tmp_path / "runs")


def job(**settings) -> Job:
    config = TrainConfig(**{"epochs": 1, "batch_size": 32, "validate_every": 2} | settings)
    return Job(preset("mnist-cnn"), "synthetic", synthetic("train", 120), synthetic("test", 60), config)


def test_runs_are_named_listed_and_deleted(store):
    assert store.list() == []
    first, second = (store.create(None, "mnist-cnn", "mnist", {"epochs": 1}) for _ in range(2))
    named = store.create("my first try", "mnist-cnn", "mnist", {})
    assert [run.name for run in store.list()] == ["my first try", "mnist-cnn-2", "mnist-cnn-1"]
    assert first.config == {"epochs": 1} and first.status == "running" and second.id != named.id
    store.delete(named)
    assert [run.name for run in store.list()] == ["mnist-cnn-2", "mnist-cnn-1"]
    with pytest.raises(ConfigError, match="no run called"):
        store.get("my first try")


@pytest.mark.parametrize("name", ["", "../out", "a/b", ".hidden", "x" * 81, "a\0b"])
def test_names_that_lead_out_of_the_folder_are_refused(store, name):
    with pytest.raises(ConfigError):
        store.create(name, "mnist-cnn", "mnist", {})


def test_a_name_that_is_taken_is_refused(store):
    store.create("one", "mnist-cnn", "mnist", {})
    with pytest.raises(ConfigError, match="already a run"):
        store.create("one", "mnist-cnn", "mnist", {})


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DigitLabError, match="cannot be used"):
        RunStore(tmp_path / "file").create(None, "m", "d", {})


def change(store: RunStore, statement: str, *values: object) -> None:
    """Change the database as no program of ours would."""
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database, database:
        database.execute(statement, values)


FIRST_SCHEMA = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, network TEXT NOT NULL, data TEXT NOT NULL, config TEXT NOT NULL,
    created TEXT NOT NULL, updated REAL NOT NULL, status TEXT NOT NULL,
    steps INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
    val_accuracy REAL, test_accuracy REAL);
CREATE TABLE metrics (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, kind TEXT NOT NULL, step INTEGER NOT NULL,
    loss REAL NOT NULL, accuracy REAL NOT NULL);
CREATE INDEX metrics_of_run ON metrics (run, kind, step);
INSERT INTO runs VALUES (7, 'old', 'mnist-cnn', 'mnist', '{"epochs": 3}', '2026-11-20T10:00:00+01:00', 1763600000.5, 'finished',
    300, 12.5, 0.98, 0.97);
INSERT INTO metrics VALUES (7, 'train', 1, 2.3, 0.1), (7, 'train', 2, 2.2, 0.2), (7, 'train', 2, 2.1, 0.3);
"""


def test_a_database_of_the_first_version_keeps_its_runs(store):
    store.folder.mkdir()
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database:
        database.executescript(FIRST_SCHEMA)
    (run,) = store.list()
    assert (run.id, run.name, run.status, run.steps, run.val_accuracy) == (7, "old", "finished", 300, 0.98)
    assert run.config == {"epochs": 3} and run.checksum is None and run.image_limit is None
    assert store.metrics(run, "train") == [(1, 2.3, 0.1), (2, 2.1, 0.3)], "the later of two rows of a step"
    store.add_metrics(run, [("train", 3, 2.0, 0.4), ("train", 2, 1.9, 0.5)])
    assert store.metrics(run, "train") == [(1, 2.3, 0.1), (2, 1.9, 0.5), (3, 2.0, 0.4)]
    assert store.create(None, "mnist-cnn", "mnist", {}, image_limit=5).image_limit == 5


def test_a_database_of_a_later_version_is_left_alone(store):
    store.create("one", "m", "d", {})
    change(store, "PRAGMA user_version = 99")
    with pytest.raises(DigitLabError, match="later version"):
        store.list()
    change(store, f"PRAGMA user_version = {VERSION}")
    assert [run.name for run in store.list()] == ["one"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("config", "{"),
        ("config", "[]"),
        ("config", "[" * 100_000),
        ("config", b"\x00\xff"),
        ("created", "yesterday"),
        ("updated", "often"),
        ("steps", -1),
        ("steps", "many"),
        ("seconds", "1e999"),
        ("val_accuracy", b"\x01"),
        ("versions", "nonsense"),
        ("status", "dreaming"),
        ("image_limit", 2**60),
    ],
)
def test_a_damaged_value_costs_its_row_alone(store, column, value):
    for name in ("one", "two", "three"):
        store.create(name, "m", "d", {})
    change(store, f"UPDATE runs SET {column} = ? WHERE name = 'two'", value)
    assert [(run.name, run.status == DAMAGED) for run in store.list()] == [("three", False), ("two", True), ("one", False)]
    store.delete(store.get("two"))
    assert [run.name for run in store.list()] == ["three", "one"] and not (store.folder / "two").exists()


def test_text_that_is_no_utf8_costs_its_row_alone(store):
    for name in ("one", "two"):
        store.create(name, "m", "d", {})
    change(store, "UPDATE runs SET config = CAST(x'ff7bfe' AS TEXT) WHERE name = 'one'")
    assert [(run.name, run.status == DAMAGED) for run in store.list()] == [("two", False), ("one", True)]


@pytest.mark.parametrize("name", ["", ".", "..", "../../x", "/", "a/b", b"x"])
def test_a_name_in_a_foreign_database_leads_nowhere(store, tmp_path, name):
    (tmp_path / "x").mkdir()
    run = store.create("one", "m", "d", {})
    store.create("two", "m", "d", {})
    change(store, "UPDATE runs SET name = ? WHERE name = 'one'", name)
    assert [kept.name for kept in store.list()] == ["two"]
    with pytest.raises(ConfigError):
        store.delete(replace(run, name=name))
    assert (tmp_path / "x").exists() and (store.folder / "one").exists() and (store.folder / "two").exists()


def test_a_wholly_damaged_database_is_set_aside(store, caplog):
    store.create("one", "m", "d", {})
    for path in store.folder.glob("runs.sqlite*"):
        path.write_bytes(b"not a database at all" * 100)
    assert store.list() == []
    (aside,) = store.folder.glob("runs.damaged-*.sqlite")
    assert aside.read_bytes().startswith(b"not a database") and str(aside) in caplog.text
    with pytest.raises(ConfigError, match="already"):
        store.create("one", "m", "d", {})  # its folder, and the weights in it, are still there
    assert store.create(None, "m", "d", {}).name == "m-1"


def test_what_can_be_read_of_a_damaged_database_is_kept(store, caplog):
    runs = [store.create(None, "m", "d", {"text": "x" * 3000}) for _ in range(30)]
    store.add_metrics(runs[0], [("train", step, 1.0, 0.5) for step in range(3000)])
    path = store.folder / "runs.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = database.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    place = content.index(b'{"text": ', len(content) // 3) // size * size  # the page of one row among the others
    content[place : place + size] = b"\xee" * size
    path.write_bytes(content)
    left = store.list()
    assert 20 <= len(left) < 30 and "damaged" in caplog.text
    assert len(store.metrics(runs[0], "train")) == 3000


def test_processes_that_create_runs_at_once_do_not_collide(store):
    code = (
        "import sys; from pathlib import Path; from app.core.runs import RunStore; sys.stdin.read()\n"
        "store = RunStore(Path(sys.argv[1]))\n"
        "for _ in range(12): print(store.create(None, 'm', 'd', {}).name)"
    )
    command = [sys.executable, "-c", code, str(store.folder)]
    going = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in "1234"
    ]
    for process in going:
        assert process.stdin is not None
        process.stdin.close()  # now, all at once
        process.stdin = None
    names = []
    for process in going:
        out, complaints = process.communicate(timeout=100)
        assert process.returncode == 0 and complaints == "", complaints
        names += out.split()
    assert sorted(names) == sorted(f"m-{number}" for number in range(1, 49)) == sorted(run.name for run in store.list())


HOLDING = (
    "import sys; from pathlib import Path; from app.core.runs import RunStore; store = RunStore(Path(sys.argv[1]))\n"
    "store.hold(store.get('one')); print('held', flush=True); sys.stdin.read()"
)


def test_a_run_that_another_process_trains_is_left_alone_until_that_ends(store):
    run = store.create("one", "m", "d", {})
    assert store.get("one").status == INTERRUPTED
    command = [sys.executable, "-c", HOLDING, str(store.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        assert store.get("one").status == "running"
        for attempt in (lambda: store.delete(run), lambda: store.rename(run, "two"), lambda: store.hold(run)):
            with pytest.raises(ConfigError, match="being trained by another"):
                attempt()
        other.kill()
    assert store.get("one").status == INTERRUPTED
    store.hold(run)
    assert store.get("one").status == "running"
    with pytest.raises(ConfigError, match="being trained"):
        store.delete(run)
    store.release(run)
    store.delete(run)
    assert store.list() == [] and not list(store.folder.glob(".run-*"))


def test_a_run_is_renamed_with_its_folder(store):
    run = store.create("one", "m", "d", {})
    store.create("two", "m", "d", {})
    store.weights_of(run).write_bytes(b"weights")
    renamed = store.rename(run, "three")
    assert renamed.id == run.id and store.weights_of(renamed).read_bytes() == b"weights" and not (store.folder / "one").exists()
    for name in ("two", "../four", ""):
        with pytest.raises(ConfigError):
            store.rename(renamed, name)
    assert {kept.name for kept in store.list()} == {"two", "three"}


def test_a_session_keeps_all_that_happens(store):
    session = job().begin(store)
    events, history = [], History()
    for event in session.events():
        events.append(event)
        history.add(event)
    run = store.get(session.run.name)
    assert run.status == "finished" and run.steps == session.trainer.step == 4 and run.seconds > 0
    stretches = [e for e in events if isinstance(e, Progress)]
    trained = [row for e in stretches for row in zip(*map(list, (e.steps, e.train_losses, e.train_accuracies)), strict=True)]
    looked = [(e.step, e.val_loss, e.val_accuracy) for e in events if isinstance(e, Validated | EpochEnd)]
    assert store.metrics(run, "train") == trained == [tuple(row) for row in zip(*history.train.columns(), strict=True)]
    assert store.metrics(run, "validation") == looked == [tuple(row) for row in zip(*history.validation.columns(), strict=True)]
    network, info = load_weights(store.weights_of(run))
    assert info["run"] == run.name and info["test_accuracy"] == run.test_accuracy == session.result.test_accuracy
    assert Predictor(network).evaluate(session.test_data).accuracy == run.test_accuracy
    assert history.best_step == 4 and history.best_accuracy == run.val_accuracy


def test_a_stopped_session_leaves_weights_and_a_checkpoint(store):
    session = job(epochs=3).begin(store)
    for event in session.events():
        if isinstance(event, Progress) and event.step == 2:
            session.trainer.control.stop()
    run = store.get(session.run.name)
    assert run.status == "stopped" and store.weights_of(run).exists() and store.checkpoint_of(run).exists()


def test_checkpoints_come_when_they_are_due_and_after_the_look_at_the_epoch(store):
    session = job(epochs=2).begin(store, checkpoint_every=4)
    kinds = [type(event) for event in session.events()]
    assert kinds.count(Checkpointed) == 2
    assert kinds[kinds.index(Checkpointed) - 1] is EpochEnd


def test_a_disk_that_lets_nothing_be_written_can_still_be_read(store, monkeypatch):
    run = store.create("one", "m", "d", {})
    store.add_metrics(run, [("train", 1, 2.0, 0.5)])
    connect = sqlite3.connect

    def read_only(database, *arguments, **settings):
        if "immutable" in str(database):
            return connect(database, *arguments, **settings)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
        raise error

    monkeypatch.setattr("app.core.runs.store.sqlite3.connect", read_only)
    assert [kept.name for kept in store.list()] == ["one"] and store.metrics(run, "train") == [(1, 2.0, 0.5)]
    with pytest.raises(DigitLabError, match="cannot be used"):
        store.create("two", "m", "d", {})
    assert not (store.folder / "two").exists()
    with pytest.raises(DigitLabError):
        store.delete(run)
    assert not (store.folder / "one").exists(), "its files make room"


def test_a_run_that_could_not_be_entered_leaves_no_folder(store, monkeypatch):
    store.create("one", "m", "d", {})
    monkeypatch.setattr(RunStore, "get", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.create("two", "m", "d", {})
    assert not (store.folder / "two").exists()


def test_a_run_that_could_not_be_renamed_keeps_its_folder(store, monkeypatch):
    run = store.create("one", "m", "d", {})
    store.weights_of(run).write_bytes(b"weights")
    change = store._change

    def fail_at_the_end(operation):
        def both(database):
            operation(database)
            raise DigitLabError("The disk is full.")

        return change(both)

    monkeypatch.setattr(store, "_change", fail_at_the_end)
    with pytest.raises(DigitLabError, match="full"):
        store.rename(run, "two")
    assert store.weights_of(store.get("one")).read_bytes() == b"weights" and not (store.folder / "two").exists()
