"""All of a network's numbers in one flat vector, so that an optimizer's step is one loop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nncore.backend import Array, Shape
from nncore.layers.base import Buffer, Parameter

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


class Flat:
    """Makes every parameter's and buffer's `data` a view of one vector, `values`: parameters first, then the buffers.

    Values are kept; who holds on to a former `data` array no longer sees it change.
    """

    def __init__(self, parameters: Mapping[str, Parameter], buffers: Mapping[str, Buffer]) -> None:
        self.parts: dict[str, Part] = {}
        size = self._place(parameters, 0)
        self.parameters = size
        """How far the parameters reach: a multiple of ALIGN."""
        size = self._place(buffers, size)
        self.values: Array = _aligned_zeros(size + SLACK)
        self._holders: list[tuple[Parameter | Buffer, Array]] = []
        holders: dict[str, Parameter | Buffer] = {**parameters, **buffers}
        for name, holder in holders.items():
            view = self.parts[name].of(self.values)
            view[...] = holder.data
            holder.data = view
            self._holders.append((holder, view))

    def _place(self, holders: Mapping[str, Parameter] | Mapping[str, Buffer], start: int) -> int:
        """Give each a place from `start` on; buffers of one layer follow each other directly where their sizes allow."""
        for name, holder in holders.items():
            self.parts[name] = Part(start, holder.shape)
            size = math.prod(holder.shape)
            start += size if isinstance(holder, Buffer) else -(-size // ALIGN) * ALIGN
        return -(-start // ALIGN) * ALIGN

    def holds(self) -> bool:
        """Whether every parameter and buffer still is the view it was made, and none has been replaced since."""
        return all(holder.data is view for holder, view in self._holders)

    def moment(self, values: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        """A flat vector holding an optimizer's running averages `values`, and by name the views that replace them."""
        flat = _aligned_zeros(self.parameters + SLACK)
        views = {name: self.parts[name].of(flat) for name in values}
        for name, view in views.items():
            view[...] = values[name]
        return flat, views


def _aligned_zeros(size: int) -> Array:
    """float32 zeros that begin at a cache line."""
    memory = np.zeros(size + ALIGN, np.float32)
    start = -(memory.ctypes.data // 4) % ALIGN
    return memory[start : start + size]
