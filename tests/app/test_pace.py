"""How often what a training shows is renewed."""

from __future__ import annotations

import pytest

from app.core.pace import LONGEST, SHARE, Pace


class Hands:
    """A clock whose hands are set by hand."""

    def __init__(self) -> None:
        self.now = self.used = 0.0
        self.pace = Pace(lambda: self.now, lambda: self.used)

    def work(self, used: float, took: float) -> float:
        """How long to rest after work that used the processor for `used` seconds, and took `took`."""
        self.used, self.now = self.used + used, self.now + took
        return self.pace.rest()


def test_the_thread_rests_until_it_has_used_its_share():
    hands = Hands()
    rest = hands.work(0.006, 0.006)
    assert rest == pytest.approx(0.006 / SHARE - 0.006)


def test_what_is_done_during_the_rest_makes_the_next_one_longer():
    hands = Hands()
    first = hands.work(0.003, 0.003)
    assert hands.work(0.006, 0.05) > first - 0.05 + 0.15, "a plot was drawn, and no rest is forgiven"


def test_a_busy_thread_still_shows_something_and_an_idle_one_does_not_wait():
    hands = Hands()
    assert hands.work(3.0, 3.0) == LONGEST
    hands.now += 9.0
    assert hands.pace.rest() == 0.0


def test_idle_time_is_not_saved_up():
    hands = Hands()
    hands.now += 100.0
    assert hands.work(0.006, 0.006) == pytest.approx(0.006 / SHARE - 0.006)


def test_a_thread_that_goes_on_so_uses_its_share():
    hands = Hands()
    for number in range(100):
        rest = hands.work(0.005, 0.008)
        hands.used += 0.003 * (number % 2)
        hands.now += rest
    assert hands.used / hands.now == pytest.approx(SHARE, rel=0.03)
