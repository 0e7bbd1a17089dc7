"""What stands in the place of curves that are not known yet."""

from __future__ import annotations

from threading import Event

from app.core.runs import Run
from app.panels.runs import curves as reading
from tests.app.runs_table import show_runs
from tests.app.test_runs_panel_growing import rows


def added(window, name: str, *steps: int) -> Run:
    """A run with points of the training loss at these steps."""
    store = window.lab.store
    run = store.create(name, "mlp", "synthetic", {})
    store.add_metrics(run, rows(*steps))
    store.update(run, status="finished", steps=max(steps, default=0), seconds=1.0)
    return run


def test_no_empty_axis_is_shown_while_curves_are_read(window, qtbot, monkeypatch):
    added(window, "one", 1, 2, 3)
    may_read, read = Event(), reading.read_curves
    monkeypatch.setattr(reading, "read_curves", lambda *given: may_read.wait(60) and read(*given))
    overlay = show_runs(qtbot, window).overlay
    overlay.quantity.setCurrentText("Training loss")
    window.lab.comparing.tick(window.lab.run_table.runs)
    try:
        assert not overlay.plot.isVisible() and not overlay.save.isEnabled()
        assert overlay.why_none.isVisible() and overlay.why_none.text() == "Reading the curves…"
    finally:
        may_read.set()
    qtbot.waitUntil(overlay.plot.isVisible, timeout=10_000)
    assert len(overlay.plot.lines[0].x) == 3 and overlay.save.isEnabled()


def test_a_run_without_points_says_so_alone_and_beside_others(window, qtbot):
    added(window, "one", 1, 2, 3)
    added(window, "empty")
    overlay = show_runs(qtbot, window).overlay
    overlay.quantity.setCurrentText("Training loss")
    empty, one = window.lab.run_table.runs
    window.lab.comparing.tick([empty])
    qtbot.waitUntil(lambda: overlay.why_none.text() == "No training loss is known of the ticked run yet.", timeout=10_000)
    assert overlay.why_none.isVisible() and not overlay.plot.isVisible()
    window.lab.comparing.tick([one])
    qtbot.waitUntil(overlay.plot.isVisible, timeout=10_000)
    legend = overlay.plot.legend.text().split("<br>")
    assert "no points yet" in legend[0] and "no points yet" not in legend[1]
