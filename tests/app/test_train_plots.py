"""The plots of the Train panel: what each shows of the run in view, and what it says where there is nothing."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from app.core.history import History
from app.core.in_view import NetworkInView
from app.core.run_in_view import RunInView
from app.core.runs.marks import CONTINUED, Mark
from app.core.timeline import Moment
from app.lab import Lab
from app.panels.train.curves import TrainingCurves, accuracy_plot, loss_plot
from app.panels.train.plots import PLOTS, mark_label, mark_words
from models.presets import preset
from nncore.training.events import Changed, Examined, LayerHealth, Progress, Started

LAYERS = (LayerHealth("conv1", 0.5, 2.0, None), LayerHealth("relu1", None, None, 0.25), LayerHealth("fc1", 0.25, 3.0, None))
TITLES = [spec.title for spec in PLOTS]


def progress(first: int, last: int, rate: float = 0.1) -> Progress:
    steps = np.arange(first, last + 1)
    return Progress(steps, 2 / steps, steps / 200, np.full(len(steps), rate), 100, 1, 0.0, 0.0)


def full_history() -> History:
    history = History()
    for event in (progress(1, 50), Examined(50, LAYERS), Started(50, 100, 50, 1, 1), Changed(50, "learning_rate", 0.01)):
        history.add(event)
    history.add(progress(51, 100, 0.01))
    history.add(Examined(100, LAYERS))
    return history


@pytest.fixture
def curves(lab: Lab, qtbot) -> TrainingCurves:
    panel = QWidget()
    made = TrainingCurves(lab, panel, loss_plot(), accuracy_plot())
    layout = QVBoxLayout(panel)
    layout.addWidget(made.loss_card)
    layout.addWidget(made.accuracy_card)
    qtbot.addWidget(panel)
    panel.resize(560, 420)
    panel.show()
    qtbot.waitExposed(panel)
    made.show_all()  # as when the panel comes into sight
    return made


def look_at(lab: Lab, history: History) -> None:
    network = preset("mlp").build()
    view = RunInView(NetworkInView.of(network, "mlp", "a test"), history=history)
    lab.state.show_run(view, Moment(100, network.state_dict()))


def shown(curves: TrainingCurves, title: str) -> dict[str, list[float]]:
    curves.choice.setCurrentText(title)
    assert curves._stack.currentWidget() is curves.second
    return {name: values.tolist() for name, (_, values) in curves.second._data.items()}


def test_each_plot_shows_its_part_of_the_history(lab, curves):
    look_at(lab, full_history())
    assert curves.choice.count() == 5
    assert shown(curves, "Learning rate") == {"learning rate": [0.1] * 50 + [0.01] * 50}
    assert shown(curves, "Gradient norms") == {"conv1": [0.5, 0.5], "fc1": [0.25, 0.25]}
    assert shown(curves, "Weight norms") == {"conv1": [2.0, 2.0], "fc1": [3.0, 3.0]}
    assert shown(curves, "Dead units") == {"relu1": [25.0, 25.0]}
    assert not curves.second.message and curves.second.cursor_step == 100
    assert [mark.label for mark in curves.second._marks.marks] == ["continued", "lr 0.01"]
    assert curves.loss._marks.marks == curves.second._marks.marks
    assert list(shown(curves, "Accuracy")) == ["training", "validation"]


@pytest.mark.parametrize("title", TITLES)
def test_where_nothing_is_known_a_sentence_says_why(lab, curves, title):
    curves.choice.setCurrentText(title)
    assert curves.second.message == curves.loss.message == "Nothing trained yet: press Start, or Space."
    look_at(lab, History())
    assert curves.second.message == "No curves came with mlp: press Start, or Space."
    look_at(lab, History.of_rows([(1, 2.0, 0.1)], []))  # as runs of earlier versions are
    assert "was trained before" in curves.second.message and not curves.loss.message
    look_at(lab, full_history())
    assert not curves.second.message


def test_a_network_without_relus_has_no_dead_units(lab, curves):
    history = History()
    history.add(progress(1, 10))
    history.add(Examined(10, LAYERS[:1]))
    look_at(lab, history)
    curves.choice.setCurrentText("Dead units")
    assert "no ReLU" in curves.second.message


def test_all_plots_show_the_steps_that_were_chosen_in_one(lab, curves):
    look_at(lab, full_history())
    curves.loss.zoom(0.4)
    curves.choice.setCurrentText("Learning rate")  # which is made after that
    assert curves.second.is_zoomed and curves.second.steps_in_sight == pytest.approx(curves.loss.steps_in_sight, abs=0.5)
    curves.second.setFocus()
    QTest.keyClick(curves.second, Qt.Key.Key_Home)
    assert not curves.loss.is_zoomed and not curves.accuracy.is_zoomed
    curves.accuracy.zoom(0.4)
    assert curves.second.is_zoomed and curves.loss.is_zoomed


def test_the_axis_can_be_switched_where_that_makes_sense(lab, curves):
    look_at(lab, full_history())
    seen = {}
    for title in ("Accuracy", *TITLES):
        curves.choice.setCurrentText(title)
        seen[title] = (curves._logarithmic.isVisible(), curves.second.is_logarithmic)
    assert seen == {
        "Accuracy": (False, False), "Learning rate": (True, False), "Gradient norms": (True, True), "Weight norms": (True, False),
        "Dead units": (False, False),
    }  # fmt: skip
    curves.choice.setCurrentText("Learning rate")
    curves._logarithmic.click()
    curves.choice.setCurrentText("Gradient norms")
    assert curves.lines["Learning rate"].is_logarithmic and curves.second.is_logarithmic and curves.loss.is_logarithmic


def test_the_plot_in_sight_is_saved_in_the_background(lab, curves, qtbot, tmp_path, monkeypatch):
    look_at(lab, full_history())
    curves.choice.setCurrentText("Gradient norms")
    path = tmp_path / "norms"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "Table of values (*.csv)"))
    curves._save_buttons[1].click()
    qtbot.waitUntil(Path(f"{path}.csv").exists, timeout=10_000)
    assert list(csv.reader(Path(f"{path}.csv").read_text().splitlines()))[1] == ["conv1", "50", "0.5"]
    told = []
    lab.problem.connect(told.append)
    path = tmp_path / "norms.csv" / "norms"
    curves._save_buttons[1].click()
    qtbot.waitUntil(lambda: bool(told), timeout=10_000)
    assert "norms.csv" in told[0].message and not told[0].details


def test_marks_are_told_in_short_and_in_full():
    marks = [Mark(9, "batch_size", 64.0), Mark(9, "weight_decay", 1e-4), Mark(9, CONTINUED), Mark(9, "a\nb")]
    assert [mark_label(mark) for mark in marks] == ["batch 64", "weight decay 0.0001", "continued", "a?b"]
    assert mark_words(Mark(1200, "learning_rate", 0.01)) == "Learning rate was set to 0.01 after step 1,200."
    assert mark_words(Mark(1200, CONTINUED)) == "The training had ended after step 1,200, and went on from there."


@pytest.mark.parametrize(("seconds", "interval"), [(1, 1000), (12, 2000), (600, 5000)])
def test_the_longer_a_training_the_less_often_its_plots_are_drawn(lab, curves, monkeypatch, seconds, interval):
    monkeypatch.setattr(lab.training, "session", SimpleNamespace(trainer=SimpleNamespace(seconds=seconds)))
    curves._show_next()
    assert curves._redraw.interval == interval


def test_the_second_plot_is_drawn_soon_after_the_first(lab, curves, monkeypatch, qtbot):
    drawn = []
    for plot in (curves.loss, curves.accuracy):
        monkeypatch.setattr(plot, "_draw", lambda plot=plot: drawn.append(plot))
    look_at(lab, full_history())
    drawn.clear()
    curves._show_next()
    assert drawn == [curves.loss]
    qtbot.waitUntil(lambda: drawn == [curves.loss, curves.accuracy])
