"""Undo right after a digit was corrected, when its file is still being written."""

from __future__ import annotations

from threading import Event

import pytest

from app.core import own_digits
from app.core.undo import Act
from nncore.errors import DigitLabError
from tests.app.test_hand import kept


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Event:
    """No digit is kept before this is set."""
    may_go_on, keeping = Event(), own_digits.keeping

    def slowly(*arguments: object) -> own_digits.Change:
        assert may_go_on.wait(60)
        return keeping(*arguments)

    monkeypatch.setattr(own_digits, "keeping", slowly)
    return may_go_on


def test_undo_takes_back_a_digit_that_is_just_being_kept_not_what_was_done_before(lab, qtbot, isolated, rng, held):
    undone: list[str] = []
    lab.state.acts.add(Act("a stroke", lambda: undone.append("a stroke"), lambda: None))
    lab.own_digits.keep(3, rng.integers(1, 256, (28, 28, 1), "uint8"))
    with qtbot.waitSignal(lab.said, timeout=60_000) as said:
        lab.undo()
        assert not undone
        held.set()
    assert said.args == ["Undone: digit kept as a 3."] and not undone
    qtbot.waitUntil(lambda: not kept(isolated), timeout=60_000)
    lab.undo()
    assert undone == ["a stroke"]


def test_undo_after_a_digit_that_could_not_be_kept_takes_back_what_was_done_before(lab, qtbot, rng, monkeypatch):
    def refused(*_: object) -> own_digits.Change:
        raise DigitLabError("The disk is full.")

    monkeypatch.setattr(own_digits, "keeping", refused)
    undone: list[str] = []
    lab.state.acts.add(Act("a stroke", lambda: undone.append("a stroke"), lambda: None))
    lab.own_digits.keep(3, rng.integers(1, 256, (28, 28, 1), "uint8"))
    lab.undo()
    qtbot.waitUntil(lambda: undone == ["a stroke"], timeout=60_000)
