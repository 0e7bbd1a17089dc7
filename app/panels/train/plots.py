"""Which plots a training has besides loss and accuracy, and what is said where there is nothing to draw. Qt-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.core.history import History
from app.core.runs.marks import CONTINUED, Mark
from nncore.arrays import Array
from nncore.files import printable
from nncore.training.config import SETTINGS

Curve = tuple[Array, Array]
"""(steps, values), float64 (N) each."""

LONGEST = 40
"""Letters of a name that come from the table of runs."""
SHORT = {CONTINUED: "continued", "learning_rate": "lr", "batch_size": "batch"}
"""What a mark is called in a plot, by its kind; all others by their field of TrainConfig."""


@dataclass(frozen=True)
class PlotSpec:
    """One plot of lines."""

    title: str
    """In the list of plots."""
    value: str
    """What is plotted, in the words of a table's heading."""
    notion: str
    """What it tells, for whoever does not know."""
    lines: Callable[[History], dict[str, Curve]]
    why_empty: Callable[[History], str]
    """A sentence that says why there are no lines, for a run with curves."""
    is_logarithmic: bool = False
    least_top: float = 0.0
    """What a linear axis reaches at least."""
    write: Callable[[float], str] = "{:.3g}".format


def _rates(history: History) -> dict[str, Curve]:
    steps, rates = history.rates.columns()
    return {"learning rate": (steps, rates)} if len(steps) else {}


def _of_layers(column: int, factor: float = 1.0) -> Callable[[History], dict[str, Curve]]:
    """The lines of one column of `History.layers`; layers that have no such number have none."""

    def lines(history: History) -> dict[str, Curve]:
        found: dict[str, Curve] = {}
        for name, rows in history.layers.items():
            columns = rows.columns()
            known = ~np.isnan(columns[column])
            if known.any():
                found[printable(name)[:LONGEST]] = columns[0][known], columns[column][known] * factor
        return found

    return lines


def _why_no_states(otherwise: str) -> Callable[[History], str]:
    def why(history: History) -> str:
        if history.layers:
            return otherwise
        return "Nothing is known of this run's layers: it was trained before they were looked at, or has not come to a first look."

    return why


PLOTS = (
    PlotSpec(
        "Learning rate",
        "learning rate",
        "Learning rate: how far each step moved the weights, as the schedule and you have set it.",
        _rates,
        lambda _: "This run was trained before learning rates were kept.",
    ),
    PlotSpec(
        "Gradient norms",
        "gradient norm",
        "Gradient norm: how strongly each layer was asked to change. One that falls towards 0 learns nothing; one that shoots up "
        "asks for a smaller learning rate, or for clipping.",
        _of_layers(1),
        _why_no_states("No layer of this network has parameters, so none has a gradient."),
        is_logarithmic=True,
    ),
    PlotSpec(
        "Weight norms",
        "weight norm",
        "Weight norm: how large the weights of each layer are altogether. Weights that grow without end ask for weight decay.",
        _of_layers(2),
        _why_no_states("No layer of this network has parameters, so none has weights."),
    ),
    PlotSpec(
        "Dead units",
        "dead units in percent",
        "Dead units: the share of a ReLU's units that answer 0 to every image of a sample. They learn nothing any more; a smaller "
        "learning rate keeps more of them alive.",
        _of_layers(3, 100.0),
        _why_no_states("This network has no ReLU, so none of its units can be dead."),
        least_top=10.0,
        write="{:.1f} %".format,
    ),
)


def _plain(kind: str) -> str:
    """A kind of mark that has no words of its own, as it may stand in a damaged table."""
    return printable(kind)[:LONGEST].replace("_", " ")


def mark_label(mark: Mark) -> str:
    """A mark in one or two words: continued, lr 0.01."""
    short = SHORT.get(mark.kind, _plain(mark.kind))
    return short if mark.value is None else f"{short} {mark.value:.4g}"


def mark_words(mark: Mark) -> str:
    """A mark as a sentence."""
    after = f"after step {mark.step:,}"
    if mark.kind == CONTINUED:
        return f"The training had ended {after}, and went on from there."
    title = SETTINGS[mark.kind].title if mark.kind in SETTINGS else _plain(mark.kind)
    return f"{title} was changed {after}." if mark.value is None else f"{title} was set to {mark.value:.6g} {after}."
