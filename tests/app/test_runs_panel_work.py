"""How much work a thousand runs make in the Runs panel: cells that are asked for, and reads, counted."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from app.core.runs import RunStore
from app.panels.runs.model import COLUMNS, RunsModel
from app.panels.runs.table import RunsTable
from tests.app.runs_table import read_again, show_runs
from tests.app.test_runs_panel import make_run
from tests.app.test_runs_panel_many import MANY, fill

IN_SIGHT = 40
"""More rows than there is room for in the window of this test."""


@pytest.fixture
def asked(monkeypatch) -> Counter[str]:
    """How often the model was asked for a cell's values and for its flags."""
    count = Counter[str]()

    def counted(name: str) -> None:
        method = getattr(RunsModel, name)

        def counting(model: RunsModel, *given):
            count[name] += 1
            return method(model, *given)

        monkeypatch.setattr(RunsModel, name, counting)

    counted("data")
    counted("flags")
    return count


def test_only_rows_in_sight_are_asked_for_whatever_is_selected(asked, make_window, qtbot):
    window = make_window()
    fill(window.lab.store)
    window.resize(1280, 800)
    panel = show_runs(qtbot, window)
    most = IN_SIGHT * len(COLUMNS)
    for act in (
        panel.table.selectAll,
        lambda: panel.table._sort_by(1),
        lambda: panel.table._sort_by(5),
        panel.table.clearSelection,
    ):
        asked.clear()
        act()
        panel.table.grab()
        assert asked["flags"] <= most and asked["data"] <= 8 * most, (act, asked)
        assert asked["data"] > 0, "it was drawn"


def test_a_selection_of_rows_that_follow_each_other_is_restored_in_one_piece(asked, make_window, qtbot):
    window = make_window()
    fill(window.lab.store)
    table: RunsTable = show_runs(qtbot, window).table
    told = []
    table.chosen_changed.connect(lambda: told.append(len(table.chosen)))
    table.selectAll()
    table._sort_by(2)
    assert len(table.selectionModel().selection().toList()) == 1 and len(table.chosen) == MANY
    assert told == [MANY, MANY], "once for each of the two, and not on the way"


def test_reading_the_same_table_again_draws_nothing(asked, make_window, qtbot):
    window = make_window()
    runs = [make_run(window.lab.store, name) for name in "abc"]
    panel = show_runs(qtbot, window)
    changes: list[tuple[int, int]] = []
    panel.table.rows.dataChanged.connect(lambda first, last: changes.append((first.row(), last.row())))
    read_again(qtbot, window)
    assert changes == []
    window.lab.store.note(runs[1], "new")
    read_again(qtbot, window)
    assert changes == [(1, 1)], "the row that has changed"


def test_the_interface_thread_never_reads_the_table(make_window, qtbot, monkeypatch):
    window = make_window()
    fill(window.lab.store)
    make_run(window.lab.store, "curves")
    here, readers, read = threading.get_ident(), Counter[bool](), RunStore._with_connection

    def watched(store, operation):
        readers[threading.get_ident() == here] += 1
        return read(store, operation)

    monkeypatch.setattr(RunStore, "_with_connection", watched)
    panel = show_runs(qtbot, window)
    window.lab.comparing.tick(panel.table.rows.runs[:3])
    qtbot.waitUntil(lambda: len(panel.overlay.plot.lines) == 3, timeout=10_000)
    panel.table.selectAll()
    panel.table._sort_by(2)
    panel.search.setText("curves")
    read_again(qtbot, window)
    assert readers[False] > 0 and readers[True] == 0
