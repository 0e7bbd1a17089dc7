"""Functions are called in turn, those that go first before the others, with time to paint in between."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject

from app.widgets.turns import APART, BETWEEN, Turns


def test_each_is_called_once_in_its_turn_and_what_goes_first_before_the_others(qtbot):
    parent = QObject()
    turns, called = Turns(parent), list[tuple[str, float]]()

    def note(name: str) -> None:
        called.append((name, time.perf_counter()))

    def maps() -> None:
        note("maps")

    def one() -> None:
        note("one")
        turns.ask(maps, is_first=True)  # there is news again

    def other() -> None:
        note("other")

    for function in (one, other, one):
        turns.ask(function)
    turns.ask(maps, is_first=True)
    assert not called, "nothing is called in the middle of what asks"
    qtbot.waitUntil(lambda: len(called) >= 4, timeout=20_000)
    assert [name for name, _ in called] == ["maps", "one", "maps", "other"]
    times = [at for _, at in called]
    assert times[1] - times[0] > 0.9 * BETWEEN and times[3] - times[1] > 0.9 * APART
