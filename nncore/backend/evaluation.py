"""How many images go through a network at a time on a CPU: few enough that what layers make stays in its caches."""

from __future__ import annotations

BATCH = 250
"""Images at a time."""
MOST_VALUES = 2**26
"""Values that they may have in all layers together (256 MB): of a large network fewer images go at a time."""


def usual_batch(values: int) -> int:
    """How many images of so many values each."""
    return max(1, min(BATCH, MOST_VALUES // max(1, values)))
