"""The Runs panel in a window of 1280 × 800: nothing is scrolled sideways, and what has no room is told elsewhere."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.panels.runs.model import COLUMNS, NAME, TICK
from tests.app.runs_table import choose, names
from tests.app.test_runs_panel import make_run

LONG = "a name that is rather longer than the column of names"


def test_the_table_shows_the_columns_that_fit_and_tells_the_rest_of_a_run(window, qtbot):
    make_run(window.lab.store, LONG)
    window.resize(1280, 800)
    panel = choose(qtbot, window, LONG)
    table = panel.table
    assert table.horizontalScrollBar().maximum() == 0 and table.columnWidth(NAME) >= 100
    shown = {column.title for place, column in enumerate(COLUMNS) if not table.isColumnHidden(place)}
    assert {"name", "best", "steps", "time", "status"} <= shown and "data" not in shown
    tip = table.rows.data(table.rows.index(0, NAME), Qt.ItemDataRole.ToolTipRole)
    assert LONG in tip and "data: " in tip and "recipe: " in tip
    assert "mlp on " in panel.details.whose.words and "finished" in panel.details.whose.words
    window.resize(1900, 800)
    qtbot.waitUntil(lambda: not table.isColumnHidden(next(n for n, column in enumerate(COLUMNS) if column.title == "tags")))
    assert table.horizontalScrollBar().maximum() == 0 and not table.isColumnHidden(TICK)


def test_runs_are_sorted_by_what_has_no_column_too(window, qtbot):
    make_run(window.lab.store, "a", network="mnist-mlp")
    make_run(window.lab.store, "b", network="mlp")
    make_run(window.lab.store, "c", network="mnist-cnn")
    window.resize(1280, 800)
    table = choose(qtbot, window, "a").table
    offered = {act.text(): act for act in table.menu_of_orders().actions()}
    assert offered["Sort by date"].isChecked()
    offered["Sort by name"].trigger()
    assert names(window.panel) == ["a", "b", "c"]
    offered["Sort by network"].trigger()
    assert names(window.panel) == ["b", "c", "a"] and [run.name for run in table.chosen] == ["a"]


def test_the_overlay_is_zoomed_and_moved_by_keyboard_around_the_crosshair(window, qtbot):
    run = make_run(window.lab.store, "a", steps=1000)
    panel = choose(qtbot, window, "a")
    window.lab.comparing.tick([run])
    plot = panel.overlay.plot
    qtbot.waitUntil(lambda: len(plot.lines) == 1, timeout=10_000)
    plot.setFocus()
    low, high = plot.steps_in_sight
    plot.move_crosshair(300.0)
    QTest.keyClick(plot, Qt.Key.Key_Plus)
    near = plot.steps_in_sight
    assert near[1] - near[0] == pytest.approx((high - low) / 1.5) and plot.is_zoomed
    assert (300 - near[0]) / (near[1] - near[0]) == pytest.approx((300 - low) / (high - low), abs=0.01)
    QTest.keyClick(plot, Qt.Key.Key_PageDown)
    assert plot.steps_in_sight[0] > near[0]
    panel.overlay.axis.setCurrentIndex(1)
    assert not plot.is_zoomed and plot.steps_in_sight[1] == pytest.approx(100, rel=0.05), "all 100 s"
    QTest.keyClick(plot, Qt.Key.Key_Plus)
    QTest.keyClick(plot, Qt.Key.Key_Home)
    assert not plot.is_zoomed and plot.steps_in_sight[1] == pytest.approx(100, rel=0.05)
