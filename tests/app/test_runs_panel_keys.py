"""The Runs panel by keyboard, and while something else goes on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from tests.app.runs_table import choose, names, read_again
from tests.app.test_runs_panel import make_run


def test_space_ticks_and_does_not_start_a_training(window, qtbot):
    make_run(window.lab.store, "a")
    table = choose(qtbot, window, "a").table
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert [each.run.name for each in window.lab.comparing.ticked] == ["a"] and not window.lab.training.is_active
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert window.lab.comparing.ticked == ()


def test_arrows_move_the_crosshair_and_not_the_moment(window, qtbot):
    run = make_run(window.lab.store, "a")
    panel = choose(qtbot, window, "a")
    window.lab.comparing.tick([run])
    plot = panel.overlay.plot
    qtbot.waitUntil(lambda: len(plot.lines) == 1, timeout=10_000)
    plot.setFocus()
    QTest.keyClick(plot, Qt.Key.Key_Right)
    first = plot.crosshair
    QTest.keyClick(plot, Qt.Key.Key_Right)
    assert first is not None and plot.crosshair > first and "a" in plot.accessibleDescription()


def test_a_name_that_is_being_edited_is_left_alone_while_the_table_changes(window, qtbot):
    make_run(window.lab.store, "a")
    panel = choose(qtbot, window, "a")
    QTest.keyClick(panel.table, Qt.Key.Key_F2)
    editor = panel.table.findChild(QLineEdit)
    editor.setText("half a na")
    make_run(window.lab.store, "b")
    read_again(qtbot, window)
    assert editor.text() == "half a na" and names(panel) == ["a"]
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: names(panel) == ["b", "a"], timeout=5000)


def test_notes_that_were_just_typed_are_written_when_the_window_closes(window, qtbot):
    make_run(window.lab.store, "a")
    choose(qtbot, window, "a").details.notes.setPlainText("good for the show")
    window.close()
    assert window.lab.store.get("a").notes == "good for the show"
