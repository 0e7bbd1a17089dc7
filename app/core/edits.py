"""Edits: what is changed in a network to see what becomes of its answers: units that are off, weights with another value. Qt-free.

A unit that is off adds nothing to what the next layer with weights makes: its weights and bias are zero, and so are scale and shift
of batch norms behind it, which would make another number of that zero. Only copies of weights are changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import EllipsisType

import numpy as np

from app.core.timeline import Moment
from nncore.arrays import Array
from nncore.network import LayerSummary

WEIGHTED = ("conv", "linear")
"""Kinds of layers whose units can be off."""
FAR_BELOW = -200.0
"""A bias whose sigmoid is 0 in float32; a sigmoid makes 0.5 of a zero."""


@dataclass(frozen=True)
class Off:
    """A unit of a layer with weights that is off, or all of its units."""

    layer: str
    """A convolution, or a linear layer."""
    unit: int | None = None
    """The channel, or the number of the unit; None: the whole layer."""

    def __str__(self) -> str:
        return f"{self.layer} is off" if self.unit is None else f"{self.layer} unit {self.unit} is off"


@dataclass(frozen=True)
class NewWeight:
    """One number of a parameter that has another value."""

    parameter: str
    """Its full name: `conv1.weight`."""
    index: tuple[int, ...]
    value: float

    def __str__(self) -> str:
        number = f"{self.value:.4g}".replace("-", "−")
        return f"{self.parameter}[{', '.join(map(str, self.index))}] is {number}"


Edit = Off | NewWeight


@dataclass(frozen=True)
class Edits:
    """Edits in the order in which they were made."""

    steps: tuple[Edit, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __str__(self) -> str:
        return ", ".join(map(str, self.steps))

    def plus(self, edit: Edit) -> Edits:
        """With one more edit. Another value of the same weight takes the place of the one before."""
        if isinstance(edit, NewWeight):
            place = (edit.parameter, edit.index)
            kept = [step for step in self.steps if not isinstance(step, NewWeight) or (step.parameter, step.index) != place]
            return Edits((*kept, edit))
        return self if edit in self.steps else Edits((*self.steps, edit))

    def minus(self, edit: Edit) -> Edits:
        """Without an edit."""
        return Edits(tuple(step for step in self.steps if step != edit))

    @property
    def before(self) -> Edits:
        """Without the last edit."""
        return Edits(self.steps[:-1])

    def applied(self, summary: Sequence[LayerSummary], moment: Moment) -> Moment:
        """The moment with weights that are edited; the moment itself where nothing is.

        `summary` are the lines of its network. Arrays that stay as they are, are shared with the moment.
        """
        if not self:
            return moment
        state = dict(moment.state)
        for edit in self.steps:
            for name, places, value in _changes(summary, edit):
                if state[name] is moment.state[name]:
                    state[name] = state[name].copy()
                state[name][places] = value
        return replace(moment, state=state, evaluation=None, val_accuracy=None)


NO_EDITS = Edits()


def owner_of(summary: Sequence[LayerSummary], layer: str, unit: int) -> tuple[str, int] | None:
    """The layer with weights, and the unit of it, that the unit of `layer` stands for; None where it is none's, as of the input.

    An activation, pooling or batch norm shows the units of the layer before it; behind Flatten a number is one place of a channel.
    """
    names = [line.name for line in summary]
    if layer not in names:
        return None
    for place in range(names.index(layer), -1, -1):
        line = summary[place]
        if line.kind in WEIGHTED:
            return line.name, unit
        if line.kind == "flatten" and place and len(before := summary[place - 1].output_shape) == 3:
            unit %= before[-1]
    return None


Places = Array | tuple[int, ...] | tuple[EllipsisType, Array]


def _changes(summary: Sequence[LayerSummary], edit: Edit) -> Iterator[tuple[str, Places, float]]:
    """The names of parameters, places in them, and the value that an edit puts there."""
    if isinstance(edit, NewWeight):
        yield edit.parameter, edit.index, edit.value
        return
    place = next(place for place, line in enumerate(summary) if line.name == edit.layer)
    count = summary[place].output_shape[-1]
    units = np.arange(count) if edit.unit is None else np.array([edit.unit])
    yield f"{edit.layer}.weight", (..., units), 0.0
    yield f"{edit.layer}.bias", units, 0.0
    last, there = edit.layer, units
    for before, line in pairwise(summary[place:]):
        if line.kind in WEIGHTED:
            return
        if line.kind == "norm":
            yield f"{line.name}.weight", units, 0.0
            yield f"{line.name}.bias", units, 0.0
            last, there = line.name, units
        elif line.kind == "sigmoid":
            yield f"{last}.bias", there, FAR_BELOW
        elif line.kind == "flatten" and len(before.output_shape) == 3:
            # A channel becomes as many numbers as it has places, the channels of one place beside each other.
            channels = before.output_shape[-1]
            units = (np.arange(0, line.output_shape[0], channels)[:, None] + units).ravel()
