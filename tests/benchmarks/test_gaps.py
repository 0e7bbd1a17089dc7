"""What `python -m benchmarks gaps` says of a gap is true of it."""

from __future__ import annotations

import time

from benchmarks.gaps import LONG, Gaps


def sleeping_for_long() -> None:
    time.sleep(6 * LONG)


def test_the_longest_gap_comes_first_with_its_processor_time_and_what_was_done() -> None:
    gaps = Gaps()
    gaps.start()
    for pause in (0.001, 0.001):
        time.sleep(pause)
        gaps.tick()
    sleeping_for_long()
    gaps.tick()
    end = time.thread_time() + 0.02
    while time.thread_time() < end:
        pass
    gaps.tick()
    (length, busy, doing), *others = gaps.stop()
    assert length >= 6 * LONG > 10 * busy and "sleeping_for_long" in doing
    assert any(busy >= 0.02 for _, busy, _ in others)
