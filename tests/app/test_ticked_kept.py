"""Which runs are ticked, from one start of the window to the next."""

from __future__ import annotations

import pytest

from app.core.last_time import kept_ticked
from app.core.settings import Settings
from tests.app.runs_table import read_again
from tests.app.test_runs_panel import make_run


def test_runs_stay_ticked_with_their_colours_at_the_next_start(make_window, qtbot):
    window = make_window()
    lab = window.lab
    runs = {name: make_run(lab.store, name) for name in "abcd"}
    read_again(qtbot, window)
    lab.comparing.tick([runs["a"], runs["c"], runs["b"], runs["d"]])
    lab.comparing.tick([runs["a"]], False)
    before = [(each.run.name, each.color) for each in lab.comparing.ticked]
    window.close()
    lab.store.delete(runs["b"])
    again = make_window()
    qtbot.waitUntil(lambda: bool(again.lab.comparing.ticked), timeout=10_000)
    left = [(name, color) for name, color in before if name != "b"]
    assert [(each.run.name, each.color) for each in again.lab.comparing.ticked] == left and len(left) == 2


def test_ticks_that_the_table_has_not_confirmed_are_kept_all_the_same(make_window, qtbot):
    window = make_window()
    window.lab.comparing.tick([make_run(window.lab.store, "a")])
    kept = window.lab.comparing.kept
    window.close()
    again = make_window()
    again.lab.run_table.runs = None
    again.close()  # perhaps before the table was read
    assert kept_ticked(Settings()) == kept and len(kept) == 1


@pytest.mark.parametrize(
    "kept", ["[3]", '[[1, "2026-01-01", "#123456"]]', '[[true, "2026-01-01", "accent"]]', '[[1, "x", "accent"]]']
)
def test_ticks_that_make_no_sense_are_told_and_left_out(tmp_path, kept):
    (tmp_path / "settings.json").write_text(f'{{"ticked": {kept}}}')
    settings = Settings(tmp_path)
    assert kept_ticked(settings) == [] and len(settings.damage) == 1
