"""Pace: how often what a thread shows can be renewed without taking much of a core from those who compute."""

from __future__ import annotations

import time
from collections.abc import Callable

SHARE = 0.04
"""Most that showing may take of a core. Every core has a replica of the training, and all wait for the one that is kept up."""
LONGEST = 0.5
"""Most seconds to wait, however busy the thread has been."""


class Pace:
    """Between two updates the thread rests; what it does meanwhile counts, too."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter, used: Callable[[], float] = time.thread_time) -> None:
        """`clock` tells the time, `used` the processor time of the thread, in seconds."""
        self._clock, self._used = clock, used
        self._began, self._before = clock(), used()

    def begin(self) -> None:
        """The rest is over: an update may come."""
        self._began = self._clock()

    def rest(self) -> float:
        """The update has been shown: seconds to rest, so that what the thread has used since the last rest began is at most SHARE
        of the time since then; 0 to LONGEST.
        """
        used, self._before = self._used() - self._before, self._used()
        return min(max(used / SHARE - (self._clock() - self._began), 0.0), LONGEST)
