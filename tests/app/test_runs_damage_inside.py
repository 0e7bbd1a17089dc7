"""A table of runs that is damaged inside, where no list of runs comes across it."""

from __future__ import annotations

import pytest

from app.core.runs import RunStore, store


def fill(runs: RunStore) -> None:
    """Two runs; the curves of the first fill many pages of the database."""
    long = runs.create("long", "two-layer", "synthetic", {})
    runs.add_metrics(long, [("train", step, 1.0, 0.5) for step in range(20_000)])
    runs.create("short", "two-layer", "synthetic", {})
    for run in runs.list():
        runs.update(run, status="finished")


def damage(runs: RunStore) -> None:
    """Overwrite the head of a page in the middle."""
    path = runs.folder / "runs.sqlite"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 16] = b"\x99" * 16
    path.write_bytes(content)


@pytest.fixture
def runs(isolated) -> RunStore:
    made = RunStore()
    fill(made)
    return made


def test_it_is_found_where_all_is_looked_through_and_what_can_be_read_is_saved(runs):
    assert runs.damage() == ""
    damage(runs)
    assert [run.name for run in runs.list()] == ["short", "long"], "the list does not come across it"
    assert runs.damage()
    told: list[str] = []
    runs.warn = told.append
    runs.renew()
    assert runs.damage() == "" and [run.name for run in runs.list()] == ["short", "long"]
    assert len(told) == 1 and "damaged" in told[0] and list(runs.folder.glob("runs.damaged-*.sqlite"))


def test_a_database_that_takes_long_to_look_through_is_left_alone(runs, monkeypatch):
    damage(runs)
    monkeypatch.setattr(store, "LARGEST_CHECKED", 1000)
    assert runs.damage() == ""


def test_the_window_tells_of_it_and_mends_it(runs, make_window, qtbot):
    damage(runs)
    window = make_window()
    qtbot.waitUntil(lambda: window.panel.notice.isVisible(), timeout=10_000)
    problem = window.panel.notice.problem
    assert problem.message.startswith("The table of runs is damaged inside") and "Page" in problem.details
    with qtbot.waitSignal(window.lab.run_table.changed, timeout=10_000):
        problem.remedies[0].act()
    assert runs.damage() == "" and len(window.lab.run_table.runs) == 2
