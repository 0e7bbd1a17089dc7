"""What is noted of a run at single steps: marks in its curves, and the state of its layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

CONTINUED = "continued"
"""The kind of a mark where a training that had ended went on; all other kinds are settings that were changed, by name."""


class Mark(NamedTuple):
    """Something that happened to a run after `step`."""

    step: int
    kind: str
    """CONTINUED, or the field of TrainConfig that was changed."""
    value: float | None = None
    """What the setting was changed to."""


def batch_sizes(marks: Iterable[Mark]) -> list[tuple[int, int]]:
    """(step, batch size) of each change of the batch size, in the order of the marks; the last one counts of those at one step."""
    found = {mark.step: int(mark.value) for mark in marks if mark.kind == "batch_size" and mark.value and 1 <= mark.value < 2**53}
    return [*found.items()]


class LayerState(NamedTuple):
    """How a layer with parameters, or an activation, was after `step`. None: it has no such number."""

    step: int
    layer: str
    """Its name in the network."""
    gradient: float | None
    """The norm (L2) of the gradient of its parameters."""
    weight: float | None
    """The norm (L2) of its parameters."""
    dead: float | None
    """The share, 0 to 1, of its units that answer no image of a sample."""
