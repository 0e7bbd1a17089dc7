"""Attribution: how much each value of an image counts, as several methods find it."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Array
from nncore.explain.target import Target


@dataclass(frozen=True, eq=False)
class Attribution:
    """What each value of an image has to do with a target."""

    target: Target
    score: float
    """The target of the image: a logit, or the difference of two."""
    values: Array
    """float32 (height, width, channels): above 0 what speaks for the target, below 0 what speaks against it."""

    @property
    def map(self) -> Array:
        """float32 (height, width): the sum over the channels, to be drawn."""
        return self.values.sum(axis=2)
