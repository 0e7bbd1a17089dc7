"""The Runs panel as tests use it: shown with the table as it is now, with runs chosen in it."""

from __future__ import annotations

from app.panels.runs.panel import RunsPanel
from app.window import Window


def show_runs(qtbot, window: Window) -> RunsPanel:
    """Bring the panel into sight, and wait until it shows the table as it is now."""
    window.show_panel("runs")
    panel = window.panel
    read_again(qtbot, window)
    assert isinstance(panel, RunsPanel)
    return panel


def read_again(qtbot, window: Window) -> None:
    """Let the window read the table of runs, and wait until it is shown."""
    with qtbot.waitSignal(window.lab.run_table.changed, timeout=10_000):
        window.lab.run_table.refresh()


def names(panel: RunsPanel) -> list[str]:
    """The names in the table, from above."""
    return [run.name for run in panel.table.rows.runs]


def choose(qtbot, window: Window, name: str) -> RunsPanel:
    """Select the run of that name in the Runs panel."""
    panel = show_runs(qtbot, window)
    (run,) = (run for run in panel.table.rows.runs if run.name == name)
    panel.table.select_run(run)
    return panel
