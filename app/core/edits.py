"""Edits of the network in view, in the order in which they were made: units that are off, weights with another value. Qt-free.

What becomes of the weights is `nncore.explain.ablation`'s matter. Only copies of them are changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.core.timeline import Moment
from nncore.explain import ablation
from nncore.explain.ablation import Silent, WeightEdit
from nncore.network import LayerSummary, Network

WEIGHTED = ("conv", "linear")
"""Kinds of layers whose units can be off."""

Edit = Silent | WeightEdit


@dataclass(frozen=True)
class Edits:
    """Edits in the order in which they were made."""

    steps: tuple[Edit, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __str__(self) -> str:
        return ", ".join(map(words, self.steps))

    def plus(self, edit: Edit) -> Edits:
        """With one more edit. Another value of the same weight takes the place of the one before."""
        if isinstance(edit, WeightEdit):
            place = (edit.parameter, edit.index)
            kept = [step for step in self.steps if not isinstance(step, WeightEdit) or (step.parameter, step.index) != place]
            return Edits((*kept, edit))
        return self if edit in self.steps else Edits((*self.steps, edit))

    def minus(self, edit: Edit) -> Edits:
        """Without an edit."""
        return Edits(tuple(step for step in self.steps if step != edit))

    @property
    def before(self) -> Edits:
        """Without the last edit."""
        return Edits(self.steps[:-1])

    def applied(self, network: Network, moment: Moment) -> Moment:
        """The moment with weights that are edited; the moment itself where nothing is.

        The network, one's own, has the moment's weights afterwards. Raises ConfigError where there is no such unit or weight.
        """
        if not self:
            return moment
        network.load_state_dict(moment.state)
        silent = frozenset(step for step in self.steps if isinstance(step, Silent))
        weights = tuple(step for step in self.steps if isinstance(step, WeightEdit))
        state = ablation.Edits(silent, weights).apply(network).state_dict()
        return replace(moment, state=state, evaluation=None, val_accuracy=None)


NO_EDITS = Edits()


def words(edit: Edit) -> str:
    """What an edit has done: `conv2 unit 3 is off`."""
    if isinstance(edit, Silent):
        return f"{edit.layer} is off" if edit.unit is None else f"{edit.layer} unit {edit.unit} is off"
    number = f"{edit.value:.4g}".replace("-", "−")
    return f"{edit.parameter}[{', '.join(map(str, edit.index))}] is {number}"


def owner_of(summary: Sequence[LayerSummary], layer: str, unit: int) -> tuple[str, int] | None:
    """The layer with weights, and its unit, that a unit of `layer` belongs to; None where there is none, as of the input.

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
