"""Runs in a data folder that cannot be written to are there, beside the user's own."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.cli import main
from app.core.cut_off import newest_cut_off
from app.core.runs import Run, RunStore
from app.core.runs.marks import Mark
from nncore.errors import ConfigError
from tests.app.runs_table import names, show_runs


def make(store: RunStore, name: str, *steps: int) -> Run:
    """A run of these steps."""
    run = store.create(name, "two-layer", "synthetic", {"epochs": 1})
    store.add_metrics(run, [("train", step, 1.0 / step, 0.5, 0.1) for step in steps])
    store.add_marks(run, [Mark(1, "continued", None)])
    store.weights_of(run).write_bytes(b"weights")
    store.update(run, status="finished", steps=len(steps), seconds=1.0)
    return store.get(name)


def close(folder: Path) -> None:
    """Let nobody write to a folder and what is in it."""
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def shared(isolated) -> RunStore:
    """A store of two folders: the data folder, in which nobody may write, with a run in it, and the user's own, without."""
    make(RunStore(), "theirs", 1, 2, 3)
    close(isolated)
    return RunStore()


def test_they_are_read_and_nothing_is_written_beside_them(shared, isolated):
    before = content(isolated)
    (run,) = shared.list()
    assert run.name == "theirs" and run.status == "finished" and run.is_read_only
    assert [row[0] for row in shared.metrics(run, "train")] == [1, 2, 3] and len(shared.rates(run)) == 3
    assert shared.marks(run) == [Mark(1, "continued", None)] and shared.weights_of(run).read_bytes() == b"weights"
    assert shared.again(run) == run and not shared.is_held(run)
    assert content(isolated) == before


@pytest.mark.parametrize(
    "act",
    [
        lambda store, run: store.hold(run),
        lambda store, run: store.rename(run, "other"),
        lambda store, run: store.delete(run),
        lambda store, run: store.tag(run, ["new"]),
        lambda store, run: store.note(run, "new"),
        lambda store, run: store.update(run, steps=7),
        lambda store, run: store.add_metrics(run, [("train", 9, 1.0, 0.5)]),
        lambda store, run: store.forget_metrics_after(run, 1),
    ],
)
def test_what_would_change_one_is_refused_in_a_sentence(shared, isolated, act: Callable[[RunStore, Run], object]):
    before, (run,) = content(isolated), shared.list()
    with pytest.raises(ConfigError, match=r"^The run theirs cannot be changed or trained further, since .* is read-only"):
        act(shared, run)
    assert content(isolated) == before and shared.list() == [run]


def test_own_runs_stand_beside_them_and_win_where_names_are_the_same(shared):
    with pytest.raises(ConfigError, match="already a run called theirs"):
        shared.create("theirs", "two-layer", "synthetic", {})
    own = make(shared, "own", 1, 2)
    assert {run.name for run in shared.list()} == {"own", "theirs"} and own.id == 1
    assert [row[0] for row in shared.metrics(shared.get("theirs"), "train")] == [1, 2, 3], "though both have the same number"
    shared.rename(own, "own-2")
    with closing(sqlite3.connect(shared.folder / "runs.sqlite")) as database, database:
        database.execute("UPDATE runs SET name = 'theirs'")
    assert not shared.get("theirs").is_read_only and len(shared.list()) == 2


def test_what_was_written_last_is_read_too_and_a_training_there_is_none_of_ours(isolated, monkeypatch):
    folder = isolated / "runs"
    run = make(RunStore(), "theirs", 1)
    RunStore().checkpoint_of(run).write_bytes(b"checkpoint")
    monkeypatch.setattr("app.core.cut_off.read_tensors", lambda *_: ({}, {"position": {"step": 1, "total_steps": 2}}))
    kept = isolated / "kept"
    with closing(sqlite3.connect(folder / "runs.sqlite")) as writer:
        writer.execute("UPDATE runs SET status = 'running', steps = 77")
        writer.commit()
        shutil.copytree(folder, kept)  # as the machine that writes it has left it
    shutil.rmtree(folder)
    kept.rename(folder)
    close(isolated)
    (found,) = RunStore().list()
    assert run.steps == 1 and found.steps == 77 and found.status == "interrupted"
    assert newest_cut_off(RunStore()) is None


def test_a_table_that_cannot_be_read_costs_no_run_of_the_users_and_is_told_once(isolated):
    make(RunStore(), "theirs", 1)
    (isolated / "runs" / "runs.sqlite").write_bytes(b"no database" * 100)
    close(isolated)
    store, told = RunStore(), []
    store.warn = told.append
    make(store, "own", 1)
    assert [run.name for run in store.list()] == ["own"] and len(told) == 1 and "cannot be read" in told[0]


def test_the_command_line_lists_them_and_says_why_it_does_not_change_them(shared, capsys):
    assert main(["runs", "list"]) == 0
    assert "theirs" in capsys.readouterr().out
    assert main(["runs", "rename", "theirs", "ours"]) == 2
    assert "is read-only" in capsys.readouterr().err


def test_the_window_lists_them(shared, window, qtbot):
    panel = show_runs(qtbot, window)
    assert names(panel) == ["theirs"]
    told = []
    window.lab.problem.connect(lambda problem: told.append(problem.message))
    window.lab.run_table.set_tags(panel.table.rows.runs[0], ["new"])
    qtbot.waitUntil(lambda: bool(told), timeout=10_000)
    assert "is read-only" in told[0]
