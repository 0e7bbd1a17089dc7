"""A thousand runs in the Runs panel."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

from app.core.runs import RunStore
from app.panels.runs.model import COLUMNS
from models.presets import PRESETS
from tests.app.runs_table import names, show_runs

MANY = 1000
LONGEST = 0.05
"""Seconds for which nothing may keep the interface thread."""


def fill(store: RunStore) -> None:
    """Enter many runs at once: one after the other would take a minute."""
    run = store.create("run 0", "mlp", "synthetic", PRESETS["mlp"].training.as_dict())
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database, database:
        names = [row[1] for row in database.execute("PRAGMA table_info(runs)") if row[1] != "id"]
        row = database.execute(f"SELECT {', '.join(names)} FROM runs WHERE id = ?", (run.id,)).fetchone()
        for number in range(1, MANY):
            values = dict(zip(names, row, strict=True)) | {
                "name": f"run {number}", "status": "finished", "steps": number * 7 % 1000, "val_accuracy": number * 13 % 100 / 100,
                "tags": json.dumps([f"tag {number % 20}"]), "notes": "a few words about it",
            }  # fmt: skip
            database.execute(
                f"INSERT INTO runs ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", [values[name] for name in names]
            )


def took(act: Callable[[], object]) -> float:
    """Seconds of the processor that something takes in this thread, whatever else the machine does: the best of three."""

    def once() -> float:
        begun = time.thread_time()
        act()
        return time.thread_time() - begun

    return min(once() for _ in range(3))


def test_a_thousand_runs_are_shown_sorted_and_searched_without_a_gap(window, qtbot):
    fill(window.lab.store)
    window.resize(1280, 800)
    panel = show_runs(qtbot, window)
    assert len(names(panel)) == MANY
    header = panel.table.horizontalHeader()
    for place, column in enumerate(COLUMNS[1:], 1):
        assert took(lambda place=place: (header.sectionClicked.emit(place), panel.grab())[0]) < 2 * LONGEST, column.title
        assert took(lambda place=place: header.sectionClicked.emit(place)) < LONGEST, column.title
    assert took(window.lab.run_table.changed.emit) < LONGEST
    for words in ("few", "few words", "run 99", ""):
        assert took(lambda words=words: panel.search.setText(words)) < LONGEST, words
        panel.search.clear()
    panel.table.selectAll()
    assert len(panel.table.chosen) == MANY
    assert took(lambda: panel.buttons.show_runs(panel.table.chosen)) < LONGEST
