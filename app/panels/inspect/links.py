"""The few strongest inputs of a unit, and where they are shown. Qt-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.panels.inspect.columns import Shown, place_of
from app.panels.inspect.inspected import Unit
from nncore.explain.forward_pass import ForwardPass
from nncore.explain.pixel import Index, Parts, Pooled, Share, Weighted, explain_joined

MOST = 5
"""Inputs of a unit that are shown."""


@dataclass(frozen=True)
class Link:
    """An input of a unit: where it is shown, and what it adds to the unit."""

    column: int
    unit: int
    place: tuple[int, int] | None
    """Row and column; None for all that the unit sees of that map."""
    part: float


def strongest(columns: Sequence[Shown], done: ForwardPass, unit: Unit) -> list[Link]:
    """The inputs that add the most to a unit, or take the most away from it; the input itself has none.

    Of a convolution the sum over what it sees of each channel, of a linear layer the single products, of a pool what won.
    """
    place = done.place(unit.layer)
    if place == 0:
        return []
    step = explain_joined(done, place, unit.index)[0]
    found = []
    for index, part, is_whole in _inputs_of(step):
        where = place_of(columns, done, Unit(done.name(step.place - 1), index))
        if where is not None:
            column, of, row, at = where
            found.append(Link(column, of, None if is_whole else (row, at), part))
    return found


def _inputs_of(step: Parts) -> list[tuple[Index, float, bool]]:
    """The strongest inputs of a step: where in the layer's input, what each adds, and whether that is about a whole channel."""
    if isinstance(step, Weighted) and step.parts.ndim == 3:
        by_channel = step.parts.sum(axis=(0, 1))
        middle = _inside(step)
        return [((*middle, step.channel + int(channel)), float(by_channel[channel]), True) for channel in _largest(by_channel)]
    if isinstance(step, Weighted | Share):
        amounts = step.parts if isinstance(step, Weighted) else step.powers
        return [(step.source((int(at),)) or (), float(amounts[at]), False) for at in _largest(amounts)]
    if isinstance(step, Pooled):
        flat = _largest(step.parts.reshape(-1))[: 1 if step.winner is not None else MOST]
        places = [divmod(int(at), step.parts.shape[1]) for at in flat]
        return [(step.source(place) or (), float(step.parts[place]), False) for place in places]
    return [(source, step.value, False)] if (source := step.source(())) is not None else []


def _largest(amounts: np.ndarray) -> np.ndarray:
    """The places of the amounts that are furthest from zero, the furthest first; none that is zero."""
    order = np.argsort(-np.abs(amounts), kind="stable")[:MOST]
    return order[amounts[order] != 0]


def _inside(step: Weighted) -> tuple[int, int]:
    """A place of the layer's input under the kernel."""
    return tuple(
        min(max(corner + far * (size // 2), 0), whole - 1)
        for corner, size, whole, far in zip(step.corner, step.parts.shape, step.input_shape, step.dilation, strict=False)
    )
