"""A network's numbers in one vector: what a backend gets to see of a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nncore.arrays import Array, Shape

ALIGN = 16
"""Every parameter begins at a multiple of 16 floats, a cache line. The gaps are zeros, and stay zeros."""

SLACK = 64
"""Floats behind the last one that a kernel may read (never write), so that it need not stop inside a vector."""


@dataclass(frozen=True)
class Part:
    """Where one parameter or buffer lies in the flat vector."""

    start: int
    shape: Shape

    @property
    def end(self) -> int:
        return self.start + math.prod(self.shape)

    def of(self, values: Array) -> Array:
        """The view of a flat vector that is this part."""
        return values[self.start : self.end].reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Vector:
    """Parameters first, then buffers and zeros, in one float32 vector of at least SLACK values more than these take."""

    values: Array
    parts: Mapping[str, Part]
    """By full name: `conv1.weight`."""
    parameters: int
    """How far the parameters reach: a multiple of ALIGN."""
    zeros: Part
    """As many zeros as the widest parameter has columns: the bias of layers that have none. What a backend finds as their gradient
    it keeps to itself."""
