"""Pace: how often what a thread shows can be renewed without taking much of a core from those who compute."""

from __future__ import annotations

import time
from collections.abc import Callable

SHARE = 0.01
"""Most that showing may take of a core. Every core has a replica of the training, and all wait for the one that is kept up."""
LONGEST = 1.0
"""Most seconds to wait, however busy the thread has been."""


class Pace:
    """Between two updates the thread rests; what it does meanwhile, or what could not wait, makes the next rest longer."""

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        used: Callable[[], float] = time.thread_time,
        share: float = SHARE,
        longest: float = LONGEST,
    ) -> None:
        """`clock` tells the time, `used` the processor time of the thread, in seconds. It may take `share` of a core, and waits
        at most `longest` seconds.
        """
        self._clock, self._used, self._share, self._longest = clock, used, share, longest
        self._before, self._paid = used(), clock()

    def rest(self) -> float:
        """Seconds to rest after what has just been done, 0 to `longest`, until all that the thread has used is its share of time.

        Time in which it did little before is not made up for.
        """
        now, used = self._clock(), self._used()
        self._paid = min(max(self._paid, now - (used - self._before)) + (used - self._before) / self._share, now + self._longest)
        self._before = used
        return max(self._paid - now, 0.0)
