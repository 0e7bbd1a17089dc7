"""Disks that are full and programs that are ended: nothing that was trained is lost."""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from app.cli import main
from app.core.leftovers import clear_all_leftovers
from app.core.runs import INTERRUPTED, RunStore
from app.core.session import TrainingSession
from app.core.settings import Settings
from nncore import files
from nncore.errors import ConfigError, DigitLabError
from nncore.files import ABANDONED, TEMPORARY
from nncore.training.events import Checkpointed, Event, Progress
from tests.app.command import digitlab, few_digits
from tests.app.test_resume import curves, job, leave_at, resume, run_to_end, weights

pytestmark = pytest.mark.usefixtures("single_steps", "heard_signals")


@pytest.fixture
def store(isolated: Path) -> RunStore:
    return RunStore()


@contextmanager
def full_disk(*, database: bool = True, others: bool = True) -> Iterator[None]:
    """A disk that has no room for another page of the database, or for the bytes of another file."""
    connect = sqlite3.connect

    def limited(*arguments: object, **settings: object) -> sqlite3.Connection:
        connection = connect(*arguments, **settings)  # type: ignore[call-overload]
        connection.execute("PRAGMA max_page_count = 1")  # which is as many as there are, where there are more
        return connection

    def refuse(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        if database:
            patch.setattr("app.core.runs.store.sqlite3.connect", limited)
        if others:
            patch.setattr(files.tempfile, "mkstemp", refuse)
        yield


def train_with_a_full_disk(session: TrainingSession, first: int, last: int, **which: bool) -> list[str]:
    """Train to the end, the disk being full from the one step to the other; what was told."""
    told: list[str] = []
    session.warn = told.append
    events = session.events()
    for event in events:
        if isinstance(event, Progress) and event.step == first:
            with full_disk(**which):
                for event in events:
                    if isinstance(event, Progress) and event.step == last:
                        break
    return told


@pytest.mark.parametrize("which", [{"others": False}, {"database": False}, {}], ids=["database", "files", "both"])
def test_a_training_goes_on_where_the_disk_is_full_and_says_so_once(store, monkeypatch, which):
    monkeypatch.setattr("app.core.session.FLUSH", 10)
    settings = {"epochs": 18, "batch_size": 16}
    run_to_end(job("straight", **settings).begin(store))
    told = train_with_a_full_disk(job("full", **settings).begin(store, checkpoint_every=10), 15, 100, **which)
    assert len(told) == 1 and "goes on" in told[0] and ("full" in told[0] or "No space left" in told[0])
    straight, full = store.get("straight"), store.get("full")
    assert full.status == "finished" and weights(store, full) == weights(store, straight)
    assert curves(store, full) == curves(store, straight), "what could not be written then was written later"


def test_the_last_good_checkpoint_stays_where_the_disk_is_full(store):
    session = job("r", epochs=4).begin(store, checkpoint_every=5)
    written = []
    with pytest.raises(DigitLabError, match="No space left"):
        for event in (events := session.events()):
            if isinstance(event, Checkpointed):
                written.append(event.step)
            if isinstance(event, Progress) and event.step == 12:
                with full_disk():
                    for _ in events:  # to the end, where even the weights cannot be written
                        pass
    assert written == [5, 10] and store.get("r").status == INTERRUPTED and session.result is None
    run_to_end(resume(store, "r"))
    run_to_end(job("straight", epochs=4).begin(store))
    assert weights(store, store.get("r")) == weights(store, store.get("straight"))
    assert curves(store, store.get("r")) == curves(store, store.get("straight"))


def test_there_is_no_checkpoint_without_the_curves_up_to_it(store, monkeypatch):
    session = job("r", epochs=4).begin(store, checkpoint_every=5)
    add, steps = store.add_metrics, []

    def refuse_for_a_while(run, *rows):
        if 7 <= session.trainer.step < 17:
            raise DigitLabError("The disk is full.")
        add(run, *rows)

    monkeypatch.setattr(store, "add_metrics", refuse_for_a_while)
    for event in session.events():
        if isinstance(event, Checkpointed):
            steps.append(event.step)
            assert len(store.metrics(session.run, "train")) == event.step
    assert steps == [5, 20, 25, 28]


def test_an_exception_in_the_trainer_leaves_a_run_that_goes_on(store, monkeypatch):
    session = job("r").begin(store, checkpoint_every=4)
    happening = session.trainer.events()

    def fail() -> Iterator[Event]:
        for event in happening:
            if isinstance(event, Progress) and event.step == 9:
                raise ZeroDivisionError
            yield event

    monkeypatch.setattr(session.trainer, "events", fail)
    with pytest.raises(ZeroDivisionError):
        run_to_end(session)
    assert store.get("r").status == INTERRUPTED
    run_to_end(resume(store, "r"))
    run_to_end(job("straight").begin(store))
    assert curves(store, store.get("r")) == curves(store, store.get("straight"))


def test_a_checkpoint_comes_in_time_though_nobody_asked(store, monkeypatch):
    monkeypatch.setattr("app.core.session.INTERVAL", 0.0)
    steps = [event.step for event in job("r", epochs=1).begin(store).events() if isinstance(event, Checkpointed)]
    assert steps == [1, 2, 3, 4, 5, 6, 7]


def test_a_run_deleted_or_renamed_elsewhere_while_it_stood_still(store):
    session = job("one", epochs=1).begin(store)
    run_to_end(session)
    RunStore().rename(store.get("one"), "two")
    session.trainer.extend(1)
    run_to_end(session)
    assert store.get("two").steps == 14 and not (store.folder / "one").exists()
    RunStore().delete(store.get("two"))
    with pytest.raises(ConfigError, match="has been deleted"):
        run_to_end(session)


def test_a_run_that_is_trained_is_not_resumed_a_second_time(store):
    events = job("r").begin(store).events()
    next(events)
    with pytest.raises(ConfigError, match="being trained by another"):
        resume(RunStore(), "r")
    events.close()
    resume(RunStore(), "r")


def test_a_damaged_checkpoint_is_one_sentence(store):
    leave_at(job("r").begin(store), 5)
    path = store.checkpoint_of(store.get("r"))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DigitLabError, match="damaged"):
        resume(store, "r")


def test_another_runs_checkpoint_is_not_taken(store):
    leave_at(job("one").begin(store), 5)
    leave_at(job("two", learning_rate=0.5).begin(store), 5)
    store.checkpoint_of(store.get("one")).replace(store.checkpoint_of(store.get("two")))
    with pytest.raises(DigitLabError, match="another training"):
        resume(store, "two")


# -- as a program

PIPE = 4096
"""Bytes that the pipe holds through which a training tells its epochs. Linux makes one that small when it is asked to."""
ENDLESS = ("train", "--device", "reference", "--data", "few", "--model", "two-layer", "--epochs", "1000000", "--run", "r")
"""On the device that has no kernels to load, which takes a program two seconds."""


@contextmanager
def training(*options: str) -> Iterator[subprocess.Popen[str]]:
    """A training without an end, which has told its first epoch."""
    few_digits()
    command = [sys.executable, "-m", "app", *ENDLESS, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def can_go_on(store: RunStore) -> None:
    """The run has all it needs: curves up to its checkpoint, and it can be taken further."""
    run = store.get("r")
    epochs = -(-run.steps // 3) + 1
    done = digitlab("train", "--resume", "r", "--epochs", epochs, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["step"] == 3 * epochs
    assert [row[0] for row in store.metrics(run, "train")] == list(range(1, 3 * epochs + 1))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_polite_kill_keeps_everything(store):
    with training() as process:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=100)
    assert process.returncode == 0 and "Stopped run r" in out
    assert store.get("r").status == "stopped"
    can_go_on(store)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_two_ctrl_c_break_off_and_the_run_can_go_on(store):
    with training() as process:
        assert process.stdout is not None and process.stderr is not None
        reader = Thread(target=process.stdout.read)  # a program that nobody reads from may hear of a signal too late
        reader.start()
        process.send_signal(signal.SIGINT)
        assert "Stopping" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        process.wait(timeout=100)
        reader.join()
    assert "Traceback" not in said
    # The training may have stopped before the second signal came.
    assert (process.returncode, store.get("r").status) in ((130, INTERRUPTED), (130, "stopped"), (0, "stopped"), (-2, "stopped"))
    can_go_on(store)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes that break like this")
def test_a_reader_that_has_gone_breaks_off_and_the_run_can_go_on(store):
    with training("--json") as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=100) == 0
    assert said == "digitlab: The run r was cut off; `digitlab train --resume r` goes on with it.\n"
    assert store.get("r").status == INTERRUPTED
    can_go_on(store)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_training_goes_on_where_its_output_takes_no_more(store):
    few_digits()
    command = [sys.executable, "-m", "app", *ENDLESS, "--json"]
    command[command.index("1000000")] = "3"
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=100, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "The training goes on" in done.stderr
    assert store.get("r").status == "finished" and store.get("r").steps == 9


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_run_is_whole_though_its_weights_cannot_be_copied(store):
    few_digits()
    done = digitlab(*ENDLESS[:-3], "1", "--run", "r", "--json", "--out", "/dev/full")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "Could not write /dev/full: No space left" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["weights"] == str(store.weights_of(store.get("r")))
    assert Path("/dev/full").is_char_device(), "what is no file is not replaced by one"


def test_a_damaged_database_is_told_in_one_line(store):
    store.create("one", "m", "d", {})
    for path in store.folder.glob("runs.sqlite*"):
        path.write_bytes(b"not a database at all" * 100)
    done = digitlab("runs", "list")
    assert (done.returncode, done.stdout) == (0, "") and done.stderr.count("\n") == 1
    assert done.stderr.startswith("digitlab: The table of runs was damaged")
    assert digitlab("runs", "list").stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_closed_terminal_stops_a_training_unless_it_was_told_to_stay(store):
    with training() as process:
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=100)
    assert process.returncode == 0 and store.get("r").status == "stopped"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does; programs that are started inherit it
    try:
        with training("--resume", "r", "--json") as process:
            assert process.stdout is not None
            process.send_signal(signal.SIGHUP)
            told = 0
            while told <= 3 * PIPE:  # more than the pipe, and the reader's own buffer, hold
                line = process.stdout.readline()
                assert line.startswith('{"event": "epoch_end"'), "it goes on"
                told += len(line)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=100)
    finally:
        signal.signal(signal.SIGHUP, before)


# -- leftovers, settings


def test_what_killed_programs_left_is_cleared_at_the_next_start(isolated, tmp_path, capsys):
    config = tmp_path / "config" / "digitlab"
    folders = [isolated, isolated / "runs", isolated / "runs" / "one", isolated / "my_digits" / "5", config]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("old", "new"):
            (folder / (TEMPORARY + name)).write_bytes(b"half")
        os.utime(folder / (TEMPORARY + "old"), (1, 1))
    assert main(["info"]) == 0
    for folder in folders:
        assert not (folder / (TEMPORARY + "old")).exists() and (folder / (TEMPORARY + "new")).exists()
    assert ABANDONED > 3600
    clear_all_leftovers()


def test_settings_hold_where_the_disk_is_full(tmp_path):
    settings = Settings(tmp_path / "config")
    settings["theme"] = "dark"
    with full_disk():
        settings["theme"] = "light"
    assert settings["theme"] == "light" and Settings(tmp_path / "config")["theme"] == "dark"
    assert [path.name for path in (tmp_path / "config").iterdir()] == ["settings.json"]
