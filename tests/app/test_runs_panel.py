"""The Runs panel: ticked runs over each other, what differs, names, tags and notes, and deleting several."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit

from app.core.runs import Run, RunStore
from app.panels.runs.model import NAME, TICK
from app.window import Window
from models.presets import PRESETS
from nncore.weights import save_weights
from tests.app.runs_table import choose, names, read_again, show_runs

CONFIG = PRESETS["mlp"].training.as_dict()


def make_run(store: RunStore, name: str, steps: int = 30, network: str = "mlp", **settings: object) -> Run:
    """A finished run with curves: its loss falls from 1 by its steps, and its rate is the recipe's."""
    run = store.create(name, network, "synthetic", CONFIG | settings)
    rate = run.config["learning_rate"]
    store.add_metrics(run, [("train", step, 1 / step, 1 - 1 / step, rate) for step in range(1, steps + 1)])
    store.add_metrics(run, [("validation", step, 2 / step, 1 - 0.5 / step) for step in range(10, steps + 1, 10)])
    store.update(run, status="finished", steps=steps, seconds=steps / 10, val_accuracy=1 - 0.5 / steps)
    return store.get(name)


@pytest.fixture
def three(window, qtbot) -> Window:
    """A window with the runs a, b and c, none of them ticked, in the Runs panel."""
    make_run(window.lab.store, "a")
    make_run(window.lab.store, "b", learning_rate=0.5)
    make_run(window.lab.store, "c", steps=60, batch_size=48)
    show_runs(qtbot, window)
    return window


def tick(qtbot, window: Window, *wanted: str) -> None:
    """Tick runs in the table, and wait for their curves."""
    panel = window.panel
    for name in wanted:
        row = names(panel).index(name)
        panel.table.rows.setData(panel.table.rows.index(row, TICK), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    qtbot.waitUntil(lambda: {*wanted} <= {line.name for line in panel.overlay.plot.lines}, timeout=10_000)


def test_ticked_runs_lie_over_each_other_along_steps_time_and_images(three, qtbot):
    panel = three.panel
    tick(qtbot, three, "a", "c")
    plot, overlay = panel.overlay.plot, panel.overlay
    assert [(line.name, line.color) for line in plot.lines] == [("a", "accent"), ("c", "second")]
    assert np.allclose(plot.lines[1].y, 2 / np.arange(10, 61, 10)), "the loss on held-out images"
    plot.move_crosshair(20.0)
    assert plot.points_at(20.0) == [(20.0, 0.1), (20.0, 0.1)] and "step 20" in plot.readout.text()
    plot.move_crosshair(55.0)
    assert plot.points_at(55.0)[0] is None, "a has ended by then"
    overlay.axis.setCurrentIndex(1)
    assert plot.lines[1].x[-1] == pytest.approx(6.0), "60 steps in 6 s"
    overlay.axis.setCurrentIndex(2)
    assert plot.lines[0].x[-1] == 30 * CONFIG["batch_size"] and plot.lines[1].x[-1] == 60 * 48
    overlay.quantity.setCurrentText("Validation accuracy")
    assert np.allclose(plot.lines[0].y, 100 * (1 - 0.5 / np.array([10, 20, 30]))) and not overlay.logarithmic.isEnabled()
    overlay.quantity.setCurrentText("Learning rate")
    assert np.allclose(plot.lines[0].y, CONFIG["learning_rate"]) and len(plot.lines[0].y) == 30
    overlay.quantity.setCurrentText("Training loss")
    overlay.smoothing.setValue(0)
    assert plot._drawn[0].y[1] == 0.5
    overlay.smoothing.setValue(90)
    assert plot._drawn[0].y[1] > 0.5


def test_a_plot_is_saved_as_picture_drawing_and_table(three, qtbot, tmp_path):
    tick(qtbot, three, "a", "b")
    plot = three.panel.overlay.plot
    for ending, begins in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("csv", b"run,step,Validation loss\na,10,0.2\n")):
        plot.save(tmp_path / f"plot.{ending}")
        assert (tmp_path / f"plot.{ending}").read_bytes().startswith(begins)


def test_what_differs_is_emphasised_and_the_rest_counted(three, qtbot):
    tick(qtbot, three, "a", "b", "c")
    differs = three.panel.differs
    table = differs.table
    rows = {table.verticalHeaderItem(row).text(): row for row in range(table.rowCount())}
    assert {*rows} == {"Learning rate", "Batch size"}
    cells = [table.item(rows["Learning rate"], column) for column in range(3)]
    assert [cell.text() for cell in cells] == [f"{CONFIG['learning_rate']:g}", "0.5", f"{CONFIG['learning_rate']:g}"]
    assert [cell.font().bold() for cell in cells] == [False, True, False]
    assert "other settings are the same" in differs.words.text()


def test_the_colour_of_a_run_stays_while_others_come_and_go(three, qtbot):
    comparing, runs = three.lab.comparing, {run.name: run for run in three.lab.run_table.runs}
    tick(qtbot, three, "a", "b")
    comparing.tick([runs["a"]], False)
    assert comparing.color_of(runs["b"]) == "second" and comparing.color_of(runs["a"]) is None
    comparing.tick([runs["c"]])
    assert comparing.color_of(runs["c"]) == "accent", "which is free again"


def test_a_run_is_renamed_in_the_table_and_every_view_follows(three, qtbot):
    lab = three.lab
    run = lab.store.get("b")
    save_weights(lab.store.weights_of(run), PRESETS["mlp"].build(), {"step": 30})
    tick(qtbot, three, "b")
    panel = choose(qtbot, three, "b")
    panel.buttons.look.click()
    qtbot.waitUntil(lambda: lab.state.run.value.name == "b", timeout=10_000)
    QTest.keyClick(panel.table, Qt.Key.Key_F2)
    editor = panel.table.findChild(QLineEdit)
    editor.setText("better")
    with qtbot.waitSignal(lab.run_table.renamed, timeout=10_000):
        QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "better" in names(panel), timeout=10_000)
    assert lab.state.run.value.name == "better" and lab.state.network.value.source == "run better"
    assert [each.run.name for each in lab.comparing.ticked] == ["better"] and panel.overlay.plot.lines[0].name == "better"
    assert [chosen.name for chosen in panel.table.chosen] == ["better"], "it stays selected"


def test_a_name_that_cannot_be_is_said_in_one_sentence(three, qtbot):
    panel = three.panel
    panel.table.rows.setData(panel.table.rows.index(0, NAME), "../away", Qt.ItemDataRole.EditRole)
    qtbot.waitUntil(panel.notice.isVisible, timeout=10_000)
    assert "cannot be called" in panel.notice.message.text() and {*names(panel)} == {"a", "b", "c"}


def test_tags_and_notes_are_edited_in_place_and_found_again(three, qtbot):
    lab, panel = three.lab, choose(qtbot, three, "b")
    panel.details.tags.setText("demo,  class 7b ")
    with qtbot.waitSignal(lab.run_table.changed, timeout=10_000):
        QTest.keyClick(panel.details.tags, Qt.Key.Key_Return)
    assert lab.store.get("b").tags == ("class 7b", "demo")
    panel.details.notes.setPlainText("first with a high rate")
    with qtbot.waitSignal(lab.run_table.changed, timeout=10_000):
        panel.table.select_run(lab.store.get("a"))  # which leaves the field
    assert lab.store.get("b").notes == "first with a high rate" and panel.details.notes.toPlainText() == ""
    panel.filters["tag"].setCurrentText("demo")
    assert names(panel) == ["b"]
    panel.filters["tag"].setCurrentIndex(0)
    panel.search.setText("HIGH rate")
    assert names(panel) == ["b"]
    panel.search.setText("low")
    assert names(panel) == [] and panel._nothing.isVisible()


def test_a_click_on_a_header_sorts_and_another_turns_it_round(three):
    panel = three.panel
    assert names(panel) == ["c", "b", "a"], "the newest first"
    panel.table._sort_by(NAME)
    assert names(panel) == ["a", "b", "c"]
    panel.table._sort_by(NAME)
    assert names(panel) == ["c", "b", "a"]


def test_several_runs_are_deleted_after_one_question(three, qtbot, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr("app.panels.runs.actions.confirmed", lambda *words: asked.append(words[2]) or True)
    panel = three.panel
    tick(qtbot, three, "a", "c")
    panel.table._select({run.id for run in panel.table.rows.runs if run.name != "b"}, None)
    QTest.keyClick(panel.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: names(panel) == ["b"], timeout=10_000)
    assert len(asked) == 1 and "2 runs" in asked[0] and [run.name for run in three.lab.store.list()] == ["b"]
    assert three.lab.comparing.ticked == () and panel.overlay.first.isVisible()


def test_the_recipe_of_a_run_becomes_that_of_the_next_training(three, qtbot):
    lab = three.lab
    lab.store.create("future", "mlp", "synthetic", {"wings": 2})
    panel = choose(qtbot, three, "future")
    assert not panel.buttons.recipe.isEnabled() and "wings" in panel.buttons.recipe.toolTip()
    choose(qtbot, three, "b").buttons.recipe.click()
    assert lab.state.recipe.value.network == "mlp" and lab.state.recipe.value.config.learning_rate == 0.5
    assert three.panel_name == "train"


def test_every_button_that_is_off_says_why(three, qtbot):
    buttons = three.panel.buttons
    for button in (buttons.look, buttons.go_on, buttons.recipe, buttons.report, buttons.export, buttons.delete):
        assert not button.isEnabled() and "first" in button.toolTip()
    choose(qtbot, three, "a")
    assert not buttons.look.isEnabled() and "but its curves" in buttons.look.toolTip() and buttons.delete.isEnabled()


def test_reports_and_exports_of_ticked_runs_are_written_in_the_background(three, qtbot, monkeypatch, tmp_path):
    tick(qtbot, three, "a", "b")
    buttons = three.panel.buttons
    for button, name in ((buttons.report, "both.html"), (buttons.report, "both.pdf"), (buttons.export, "both.json")):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, name=name: (str(tmp_path / name), ""))
        button.click()
        assert not button.isEnabled() and "being written" in button.toolTip()
        qtbot.waitUntil(button.isEnabled, timeout=30_000)
    assert "2 runs compared" in (tmp_path / "both.html").read_text()
    assert (tmp_path / "both.pdf").read_bytes().startswith(b"%PDF")
    assert [run["name"] for run in json.loads((tmp_path / "both.json").read_text())] == ["a", "b"]


def test_without_runs_the_panel_says_what_to_do(window, qtbot):
    panel = show_runs(qtbot, window)
    assert panel._empty.isVisible() and not panel.table.isVisible()
    make_run(window.lab.store, "a")
    read_again(qtbot, window)
    assert panel.table.isVisible() and not panel._empty.isVisible()
