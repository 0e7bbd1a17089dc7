"""Throttle: how often it calls, and how late."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.widgets.throttle import Throttle


def test_calls_within_the_interval_become_one_at_its_end(qtbot):
    calls, parent = [], QObject()
    throttle = Throttle(lambda: calls.append(1), 40, parent)
    for _ in range(3):
        throttle()
    assert len(calls) == 1
    qtbot.waitUntil(lambda: len(calls) == 2)
    qtbot.wait(120)
    assert len(calls) == 2


def test_with_a_lag_nothing_is_done_at_once(qtbot):
    calls, parent = [], QObject()
    throttle = Throttle(lambda: calls.append(1), 40, parent, lag=10)
    throttle()
    throttle()
    assert not calls
    qtbot.waitUntil(lambda: len(calls) == 1)
    qtbot.wait(120)
    assert len(calls) == 1
