"""How often what a training shows is renewed."""

from __future__ import annotations

import pytest

from app.core.pace import LONGEST, SHARE, Pace


class Hands:
    """A clock whose hands are set by hand."""

    def __init__(self) -> None:
        self.now = self.used = 0.0

    def pace(self) -> Pace:
        return Pace(lambda: self.now, lambda: self.used)


def test_the_thread_rests_until_it_has_used_its_share() -> None:
    hands = Hands()
    pace = hands.pace()
    hands.used, hands.now = 0.004, 0.006
    assert pace.rest() == pytest.approx(0.004 / SHARE - 0.006)


def test_what_is_done_during_the_rest_counts_for_the_next() -> None:
    hands = Hands()
    pace = hands.pace()
    pace.rest()
    hands.used, hands.now = 0.01, 0.2  # a plot was drawn
    pace.begin()
    hands.used, hands.now = 0.012, 0.203
    assert pace.rest() == pytest.approx(0.012 / SHARE - 0.003)


def test_a_busy_thread_still_shows_something_and_an_idle_one_does_not_wait() -> None:
    hands = Hands()
    pace = hands.pace()
    hands.used = hands.now = 3.0
    assert pace.rest() == LONGEST
    pace.begin()
    hands.now = 9.0
    assert pace.rest() == 0.0


def test_a_thread_that_goes_on_so_uses_its_share() -> None:
    hands = Hands()
    pace = hands.pace()
    for number in range(100):
        hands.used += 0.005
        hands.now += 0.008
        rest = pace.rest()
        hands.used += 0.003 * (number % 2)
        hands.now += rest
        pace.begin()
    assert hands.used / hands.now == pytest.approx(SHARE, rel=0.03)
