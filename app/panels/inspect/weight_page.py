"""One weight explained: its gradient on this probe, and the step that the optimizer takes with it, as sections of a sheet."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np

from app.colors import DIVERGING, GREY, MAGMA
from app.panels.inspect.backwards import Asked, NextStep
from app.panels.inspect.explained import origin_of
from app.panels.inspect.formulas import small
from app.panels.inspect.inspected import Unit, Weight
from app.widgets.map_sections import Histogram
from app.widgets.sections import Grid, Grids, Line, Lines, number
from app.widgets.sheet import Section
from nncore.arrays import Array
from nncore.explain.pixel import Index
from nncore.explain.weight_step import BackwardPass, WeightGradient, WeightStep, weight_gradient

BINS = 41
"""Bars of the histogram."""


def weight_sections(asked: Asked, found: BackwardPass, weight: Weight, following: NextStep) -> list[Section]:
    """What the loss wants of a weight, the numbers of which that consists, and the step that follows."""
    parts = weight_gradient(found, weight.parameter, weight.index)
    taken = f"it shows {asked.label}" if asked.is_known else f"its answer, {asked.label}, is right"
    the_weight = "the weight w" if following.step.rule else "the weight w, which is frozen"
    sections: list[Section] = [
        Lines([Line(f"loss, given that {taken}", number(found.loss)), Line(the_weight, number(parts.weight))])
    ]
    sections.append(_parts(parts, found, weight))
    sections.append(Lines(_gradient_lines(parts)))
    sections.append(Lines(step_lines(following.step)))
    if following.remark:
        sections.append(Lines([Line(following.remark)]))
    sections.append(_spread(found.gradients[weight.parameter], weight.parameter))
    return sections


def weight_table(found: BackwardPass, weight: Weight) -> Iterator[Sequence[object]]:
    """The parts of a weight's gradient as a table."""
    parts = weight_gradient(found, weight.parameter, weight.index)
    yield "place", "input", "error", "part"
    for at in np.ndindex(parts.parts.shape):
        yield " ".join(map(str, at)), parts.inputs[at], parts.errors[at], parts.parts[at]


def _gradient_lines(parts: WeightGradient) -> list[Line]:
    count = parts.parts.size
    wants = "smaller" if parts.value > 0 else "larger" if parts.value < 0 else "as it is"
    return [
        Line("∂L/∂w" if count == 1 else f"∂L/∂w = Σ of {count:,} products", number(parts.value), True),
        Line("∂L/∂w = Σ x · δ, over all places where the weight is used; δ = ∂L/∂y is what the loss wants of the output there"),
        Line(f"To lower the loss on this picture the weight should be {wants}."),
    ]


def _parts(parts: WeightGradient, found: BackwardPass, weight: Weight) -> Section:
    """The products of which the gradient is the sum: as grids, or of a vector's weight as lines."""
    layer = weight.parameter.partition(".")[0]
    place = found.done.place(layer)
    if parts.parts.ndim < 2:
        lines = [
            Line("x, what the weight is multiplied with", number(float(parts.inputs[0])), key=_input_key(found, weight, place)),
            Line("δ = ∂L/∂y", number(float(parts.errors[0]))),
        ]
        return Lines(lines)

    def unit(row: int, column: int) -> Hashable:
        return "unit", Unit(layer, (row, column, weight.index[-1]))

    top = float(np.abs(parts.inputs).max()) or 1.0
    table, low = (GREY, 0.0) if place == 1 else (DIVERGING, -top) if parts.inputs.min() < 0 else (MAGMA, 0.0)
    errors, products = (float(np.abs(values).max()) or 1.0 for values in (parts.errors, parts.parts))
    return Grids(
        [
            Grid("x under the weight", parts.inputs, table, low, top, unit, "place {row}, {column}: x = {value}"),
            Grid("δ = ∂L/∂y", parts.errors, DIVERGING, -errors, errors, unit, "place {row}, {column}: δ = {value}"),
            Grid("products", parts.parts, DIVERGING, -products, products, unit, "place {row}, {column}: x · δ = {value}"),
        ],
        ("×", "="),
    )


def _input_key(found: BackwardPass, weight: Weight, place: int) -> Hashable:
    """The unit that a linear layer's weight is multiplied with."""
    index: Index = weight.index
    if not weight.parameter.endswith(".weight") or len(index) != 2:
        return None
    return "unit", origin_of(found.done, place - 1, (index[0],))


def step_lines(step: WeightStep) -> list[Line]:
    """The optimizer's formulas with the numbers of the step in them."""
    if not step.rule:
        frozen = Line("This weight is frozen: whatever the loss wants of it, no step changes it.")
        return [frozen, Line("w", number(step.weight), True)]
    lines = [Line(f"The step that {NAMES[step.rule]} would take, were this picture the batch:")]
    if step.clip != 1:
        lines.append(Line("the gradient is too long, and made shorter by", number(step.clip)))
    with_decay = bool(step.decay) and step.rule != "adamw"
    if with_decay or step.clip != 1:
        clip = "" if step.clip == 1 else f"{number(step.clip)} · "
        decay = f" + {number(step.decay)} · {_bracketed(step.weight)}" if with_decay else ""
        lines.append(Line(f"g = {clip}{_bracketed(step.gradient)}{decay}", number(step.followed)))
    g = _bracketed(step.followed)
    if step.rule in ("adam", "adamw"):
        pull = step.lr * step.decay * step.weight if step.decay and step.rule == "adamw" else None
        first, second = step.settings["first"], step.settings["second"]
        m, v = step.after["mean"], step.after["square"]
        lines += [
            Line(f"m = {first:g} · {_bracketed(step.before['mean'])} + {1 - first:.3g} · {g}", number(m)),
            Line(f"v = {second:g} · {_bracketed(step.before['square'])} + {1 - second:.3g} · {g}²", number(v)),
            Line(f"m′ = m / (1 − {first:g}^{step.number:,})", number(step.corrected["mean"])),
            Line(f"v′ = v / (1 − {second:g}^{step.number:,})", number(step.corrected["square"])),
        ]
        if pull is not None:
            lines.append(Line(f"p = {step.lr:.3g} · {number(step.decay)} · {_bracketed(step.weight)}, its decay", number(pull)))
        rest = "" if pull is None else " − p"
        lines.append(Line(f"Δw = −{step.lr:.3g} · m′ / (√v′ + {small(step.settings['eps'])}){rest}", number(step.change)))
    elif step.rule in ("momentum", "nesterov"):
        mu, velocity = step.settings["momentum"], step.after["velocity"]
        way = "v" if step.rule == "momentum" else f"({g} + {mu:g} · v)"
        lines += [
            Line(f"v = {mu:g} · {_bracketed(step.before['velocity'])} + {g}", number(velocity)),
            Line(f"Δw = −{step.lr:.3g} · {way}", number(step.change)),
        ]
    else:
        lines.append(Line(f"Δw = −{step.lr:.3g} · {g}", number(step.change)))
    return [*lines, Line(f"w = {number(step.weight)} + {_bracketed(step.change)}", number(step.new_weight), True)]


NAMES = {
    "adam": "Adam",
    "adamw": "AdamW",
    "momentum": "SGD with momentum",
    "nesterov": "SGD with Nesterov's momentum",
    "sgd": "SGD",
}
"""The rules as they are called."""


def _bracketed(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def _spread(gradient: Array, name: str) -> Histogram:
    top = float(np.abs(gradient).max()) or 1.0
    counts, _ = np.histogram(gradient, BINS, (-top, top))
    return Histogram(f"how the gradients of {name} are spread on this picture", counts, -top, top, "second")
