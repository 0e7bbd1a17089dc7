"""Curves of runs that are being trained grow in the Runs panel."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.overlay import read_curves
from app.core.runs import RunStore
from app.panels.runs import curves as growing
from app.panels.runs.panel import RunsPanel
from tests.app.runs_table import read_again, show_runs


def rows(*steps: int, loss: float = 1.0) -> list[tuple[str, int, float, float, float]]:
    return [("train", step, loss / step, 0.5, 0.1) for step in steps]


@pytest.fixture
def often(monkeypatch) -> None:
    """The panel looks at trainings often."""
    monkeypatch.setattr(growing, "EVERY", 30)


def length(panel: RunsPanel) -> int:
    """Points of the one line that is drawn."""
    return len(panel.overlay.plot.lines[0].x) if panel.overlay.plot.lines else 0


def test_only_what_has_come_since_is_read_and_all_where_the_training_went_back(tmp_path, monkeypatch):
    store = RunStore(tmp_path / "runs")
    run = store.create("one", "mlp", "synthetic", {})
    store.add_metrics(run, rows(1, 2, 3))
    first = read_curves(store, run)
    store.add_metrics(run, rows(4, 5))
    asked, metrics = [], RunStore.metrics
    monkeypatch.setattr(RunStore, "metrics", lambda *given: asked.append(given[2:]) or metrics(*given))
    second = read_curves(store, run, first)
    assert second.rows["train"][:, 0].tolist() == second.rows["rate"][:, 0].tolist() == [1, 2, 3, 4, 5]
    assert ("train", 2) in asked and ("train", -1) not in asked, "from the last step that was known"
    store.forget_metrics_after(run, 1)
    store.add_metrics(run, rows(2, 3, 4, 5, 6, loss=7.0))
    assert np.allclose(read_curves(store, run, second).rows["train"][:, 1], [1, 3.5, 7 / 3, 7 / 4, 7 / 5, 7 / 6])


def test_the_curves_of_another_process_grow_until_it_ends(make_window, qtbot, often, tmp_path):
    window = make_window()
    elsewhere = RunStore(window.lab.store.folder)
    run = elsewhere.create("one", "mlp", "synthetic", {})
    elsewhere.hold(run)
    elsewhere.add_metrics(run, rows(1, 2))
    panel = show_runs(qtbot, window)
    panel.overlay.quantity.setCurrentText("Training loss")
    window.lab.comparing.tick(window.lab.run_table.runs)
    qtbot.waitUntil(lambda: length(panel) == 2, timeout=10_000)
    elsewhere.add_metrics(run, rows(3, 4, 5))
    qtbot.waitUntil(lambda: length(panel) == 5, timeout=10_000)
    assert panel.overlay.plot.lines[0].grows and "training" in panel.overlay.plot.legend.text()
    elsewhere.update(run, status="finished", steps=5, seconds=1.0)
    elsewhere.release(run)
    qtbot.waitUntil(lambda: not panel.overlay.plot.lines[0].grows, timeout=10_000)
    assert not panel.overlay.curves._clock.isActive(), "nothing grows any more"


def test_nothing_is_read_while_the_panel_is_out_of_sight(make_window, qtbot, often, monkeypatch):
    window = make_window()
    run = window.lab.store.create("one", "mlp", "synthetic", {})
    window.lab.store.hold(run)
    show_runs(qtbot, window)
    window.lab.comparing.tick(window.lab.run_table.runs)
    qtbot.waitUntil(lambda: length(window.panel) == 0 and window.panel.overlay.curves.of(run) is not None, timeout=10_000)
    assert window.panel.overlay.curves._clock.isActive()
    clock = window.panel.overlay.curves._clock
    window.show_panel("data")
    assert not clock.isActive()
    window.show_panel("runs")
    assert clock.isActive()
    window.lab.store.release(run)


def test_the_run_that_this_window_trains_grows_without_a_read(make_window, qtbot, often, monkeypatch):
    window = make_window()
    lab = window.lab
    panel = show_runs(qtbot, window)
    panel.overlay.quantity.setCurrentText("Training loss")
    lab.state.change_recipe(epochs=1000)
    lab.start_training()
    qtbot.waitUntil(lambda: lab.training.status.name == "TRAINING", timeout=60_000)
    read_again(qtbot, window)
    monkeypatch.setattr(growing, "read_curves", lambda *_: pytest.fail("it is in memory"))
    lab.comparing.tick(lab.run_table.runs)
    qtbot.waitUntil(lambda: length(panel) > 0, timeout=10_000)
    before = length(panel)
    qtbot.waitUntil(lambda: length(panel) > before, timeout=20_000)
    panel.overlay.axis.setCurrentIndex(1)
    assert panel.overlay.plot.lines[0].x[-1] > 0, "seconds are known on the way"
    monkeypatch.undo()
    lab.training.stop()
    qtbot.waitUntil(lambda: not lab.training.is_active, timeout=20_000)
