"""One number explained: the steps in which it was made as sections of a sheet."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from app.colors import DIVERGING, GREY, MAGMA
from app.panels.inspect.columns import LEFT_OUT
from app.panels.inspect.formulas import equation_of, general, largest_first, lines_of, product
from app.panels.inspect.inspected import Unit, Weight
from app.widgets.contributions import Contributions, Slices
from app.widgets.equation import LEAST, Equation, Ranking
from app.widgets.sections import HIGHEST, Beside, Grid, Grids, Line, Lines, number, signed
from app.widgets.sheet import Section
from nncore.arrays import Array, Shape
from nncore.explain.forward_pass import ForwardPass
from nncore.explain.pixel import Index, Parts, Pooled, Share, Weighted, explain, explain_joined

MOST_ROWS, FEW_ROWS = 8, 4
"""Contributions that are listed one by one, and that are beside grids."""
WRITTEN = 4
"""Most rows and columns of a kernel whose numbers are written into its cells; of a larger one the largest products are listed."""
BETWEEN = 14
"""Pixels between grids and what is listed beside them."""
LARGEST_GRID = 32
"""Most rows and columns of an input that a linear layer's weights are drawn as."""


def origin_of(done: ForwardPass, place: int, index: Index) -> Unit:
    """The unit behind a number of the layer at `place`: where flatten and dropout have it from."""
    while place and done.layers[place - 1].kind in LEFT_OUT:
        source = explain(done, place, index).source(())
        assert source is not None, "such a layer has no padding"
        place, index = place - 1, source
    return Unit(done.name(place), index)


def sections_of(done: ForwardPass, unit: Unit, image: Array, channel: int | None = None, highest: float = HIGHEST) -> list[Section]:
    """How the number of a unit was made: the result first, and then what it consists of.

    `channel` is the slice that is shown large; None: the strongest. Grids of numbers are at most `highest` pixels high.
    The keys of what can be clicked: ("unit", a Unit), ("slice", a channel), ("weight", a Weight).
    """
    place = done.place(unit.layer)
    if place == 0:
        return [_of_input(done, unit, image)]
    steps = explain_joined(done, place, unit.index)
    first = steps[0]
    if isinstance(first, Weighted):
        terms, after = equation_of(first, steps[1:], done)
        made: list[Section] = [Equation(terms), *([Lines(lines_of(after, done))] if after else [])]
        return [*made, *_weighted(first, done, channel, image.shape, highest), Lines(general(steps[:1], done))]
    lines = Lines(lines_of(steps, done))
    match first:
        case Pooled():
            found: list[Section] = [Beside(_window(first, done, highest), lines)]
        case Share():
            found = [lines, _powers(first, done)]
        case _:
            origin = origin_of(done, first.place - 1, first.source(()) or ())
            found = [Lines([Line(f"x from {origin}", number(float(first.inputs)), key=("unit", origin))]), lines]
    return [*found, Lines(general(steps, done))]


def table_of(done: ForwardPass, unit: Unit) -> Iterator[Sequence[object]]:
    """The parts of a unit's number as a table: what stands where in the layer before, its weight, what it adds."""
    yield "layer", "row", "column", "unit", "input", "weight", "part"
    place = done.place(unit.layer)
    if place == 0:
        return
    for step in explain_joined(done, place, unit.index):
        for at in np.ndindex(step.inputs.shape):
            source = step.source(at)
            row, column, of = ("", "", "") if source is None else source if len(source) == 3 else ("", "", source[0])
            weight = step.weights[at] if isinstance(step, Weighted) else ""
            part = step.parts[at] if step.parts.shape == step.inputs.shape else step.value
            yield done.name(step.place - 1), row, column, of, step.inputs[at], weight, part
        if isinstance(step, Weighted) and step.has_bias:
            yield done.name(step.place), "", "", "", "bias", "", step.bias


def _of_input(done: ForwardPass, unit: Unit, image: Array) -> Section:
    value = float(done.values[0][unit.index])
    return Lines(
        [
            Line("byte of the picture", str(round(value * 255))),
            Line("÷ 255", number(value), True),
            Line("Here the way back ends: this is a pixel of the picture as the network sees it, from 0 to 1."),
        ]
    )


# -- convolution and linear


def _weighted(step: Weighted, done: ForwardPass, channel: int | None, picture: Shape, highest: float) -> list[Section]:
    shape = _image_shape(step, done, picture)
    if shape is None:
        return [_rows(step, done, picture)]
    inputs, weights, parts = (values.reshape(shape) for values in (step.inputs, step.weights, step.parts))
    sums = parts.sum(axis=(0, 1))
    order = largest_first(sums)
    shown = int(order[0]) if channel is None or channel >= len(order) else channel
    found: list[Section] = []
    if len(order) > 1:
        name = done.name(_behind(done, step.place - 1))
        top = float(np.abs(parts).max()) or 1.0
        found.append(
            Slices(
                f"what each of the {len(order)} channels of {name} adds, the strongest first",
                parts.transpose(2, 0, 1)[order],
                sums[order],
                [("slice", int(at)) for at in order],
                [f"channel {step.channel + at} adds {number(float(sums[at]))}; click to see its products" for at in order],
                DIVERGING,
                top,
                int(np.flatnonzero(order == shown)[0]),
            )
        )
    is_written = max(shape[:2]) <= WRITTEN
    grids = replace(
        _grids(step, done, inputs[..., shown], weights[..., shown], parts[..., shown], shown),
        highest=highest,
        beside=0.0 if is_written else BETWEEN + LEAST,
    )
    return [*found, grids if is_written else Beside(grids, _largest(step, done, picture), BETWEEN, 0.0)]


def _image_shape(step: Weighted, done: ForwardPass, picture: Shape) -> Shape | None:
    """The shape (height, width, channels) of what the step looks at; None where that is a vector that comes from no image."""
    if step.parts.ndim == 3:
        return step.parts.shape
    place = _behind(done, step.place - 1)
    shape = done.values[place].shape if place else picture
    return shape if len(shape) == 3 and 1 < max(shape[:2]) <= LARGEST_GRID else None


def _behind(done: ForwardPass, place: int) -> int:
    """The place of the layer whose numbers flatten and dropout pass on to `place`."""
    while place and done.layers[place - 1].kind in LEFT_OUT:
        place -= 1
    return place


def _grids(step: Weighted, done: ForwardPass, inputs: Array, weights: Array, parts: Array, channel: int) -> Grids:
    before, behind = step.place - 1, done.name(_behind(done, step.place - 1))
    rows, columns = inputs.shape

    def at(row: int, column: int) -> Index:
        """Where in `step.inputs` a cell stands."""
        if step.parts.ndim == 3:
            return row, column, channel
        return (int((row * columns + column) * (step.parts.size // (rows * columns)) + channel),)

    def unit(row: int, column: int) -> Hashable:
        source = step.source(at(row, column))
        return None if source is None else ("unit", origin_of(done, before, source))

    def weight(row: int, column: int) -> Hashable:
        return "weight", Weight(f"{own}.weight", (*at(row, column), step.index[-1]))

    own = done.name(step.place)
    tops = [float(np.abs(values).max()) or 1.0 for values in (step.weights, step.parts)]
    is_one_of_several = step.parts.size > rows * columns or step.input_shape[2:] > (1,)  # a group may see one of many channels
    of = f", channel {step.channel + channel}" if is_one_of_several else ""
    click = "click to see how it was made" if before else "click to see it"
    return Grids(
        [
            Grid(f"{behind}{of}", inputs, *_input_colors(step, before), unit, f"x = {{value}}: {click}", _outside(step)),
            Grid(
                f"{own}, kernel {step.index[-1]}" if step.parts.ndim == 3 else f"{own}, weights of unit {step.index[-1]}",
                weights,
                DIVERGING,
                -tops[0],
                tops[0],
                weight,
                "w = {value}: click to see what the loss wants of this weight",
            ),
            Grid(
                f"{'products, ' if max(rows, columns) <= WRITTEN else ''}Σ = {number(float(parts.sum()))}",
                parts,
                DIVERGING,
                -tops[1],
                tops[1],
                unit,
                "x · w = {value}",
            ),
        ],
        ("×", "="),
    )


def _outside(step: Weighted) -> Array | None:
    """Which rows and columns of a convolution's window lie in the padding; None for another layer."""
    if step.parts.ndim != 3:
        return None
    rows, columns = (
        (far * np.arange(size) + corner < 0) | (far * np.arange(size) + corner >= whole)
        for size, corner, whole, far in zip(step.parts.shape, step.corner, step.input_shape, step.dilation, strict=False)
    )
    return rows[:, None] | columns[None]


def _input_colors(step: Parts, before: int) -> tuple[Array, float, float]:
    """The colours of what a step looks at: grey for the picture, else as in the network."""
    if before == 0:
        return GREY, 0.0, 1.0
    top = float(np.abs(step.inputs).max()) or 1.0
    return (DIVERGING, -top, top) if step.inputs.min() < 0 else (MAGMA, 0.0, top)


def _rows(step: Weighted, done: ForwardPass, picture: Shape) -> Contributions:
    """The largest contributions to a unit of a linear layer."""
    order = largest_first(step.parts)
    shown, others = order[:MOST_ROWS], order[MOST_ROWS:]
    units = [origin_of(done, step.place - 1, (int(at),)) for at in shown]
    rest = f"… and {len(others):,} others: {signed(float(step.parts[others].sum()))}" if len(others) else ""
    return Contributions(
        "the largest contributions, x × w",
        [_name(unit, picture) for unit in units],
        [product(float(step.inputs[at]), float(step.weights[at])) for at in shown],
        step.parts[shown],
        [("unit", unit) for unit in units],
        rest,
    )


def _largest(step: Weighted, done: ForwardPass, picture: Shape) -> Ranking:
    """The largest products of a large sum, by where they stand, and what the others come to."""
    parts = step.parts.reshape(-1)
    order = largest_first(parts)
    shown, others = order[:FEW_ROWS], order[FEW_ROWS:]
    places = [tuple(int(at) for at in np.unravel_index(flat, step.parts.shape)) for flat in shown]
    sources = [step.source(place) for place in places]  # None in the padding, where all products are zero
    units = [None if source is None else origin_of(done, step.place - 1, source) for source in sources]
    names = ["padding" if unit is None else _place(unit, picture) for unit in units]
    amounts = [signed(float(parts[flat])) for flat in shown]
    words = [
        "padding: outside of the image all numbers are 0"
        if unit is None
        else f"{_name(unit, picture)}: {product(float(step.inputs[place]), float(step.weights[place]))} = {amount}"
        for unit, place, amount in zip(units, places, amounts, strict=True)
    ]
    return Ranking(
        f"largest of {len(parts):,}",
        names,
        parts[shown],
        amounts,
        [None if unit is None else ("unit", unit) for unit in units],
        words,
        (f"{len(others):,} others", signed(float(parts[others].sum()))) if len(others) else None,
    )


def _index(unit: Unit, picture: Shape) -> Index:
    """Where a unit stands; of a network that takes vectors, the pixel of the picture that is shown to it."""
    if unit.layer != "input" or len(unit.index) == 3:
        return unit.index
    return tuple(int(at) for at in np.unravel_index(unit.index[0], picture))


def _place(unit: Unit, picture: Shape) -> str:
    """Where a unit stands, in brackets: row, column, and channel where there are several."""
    index = _index(unit, picture)
    return f"[{', '.join(map(str, index[:2] if unit.layer == 'input' and picture[2] == 1 else index))}]"


def _name(unit: Unit, picture: Shape) -> str:
    """A unit in words; of a network that takes vectors, a pixel of the picture that is shown to it."""
    if unit.layer != "input" or len(unit.index) == 3:
        return str(unit)
    row, column, channel = _index(unit, picture)
    return f"input, row {row}, column {column}" + (f", channel {channel}" if picture[2] > 1 else "")


# -- the other kinds


def _window(step: Pooled, done: ForwardPass, highest: float) -> Grids:
    before = step.place - 1

    def unit(row: int, column: int) -> Hashable:
        return "unit", origin_of(done, before, step.source((row, column)) or ())

    colors = _input_colors(step, before)
    name, click = done.name(before), "click to see how it was made"
    words = "{value}: " + (click if before else "click to see it")
    return Grids([Grid(f"{name}, unit {step.index[2]}", step.inputs, *colors, unit, words, None, step.winner)], (), highest)


def _powers(step: Share, done: ForwardPass) -> Contributions:
    order = largest_first(step.powers)
    shown, others = order[:MOST_ROWS], order[MOST_ROWS:]
    units = [origin_of(done, step.place - 1, step.source((int(at),)) or ()) for at in shown]
    rest = f"… and {len(others):,} others: {signed(float(step.powers[others].sum()))}" if len(others) else ""
    largest = float(step.inputs.max())
    return Contributions(
        "the powers that share the 1, e^(x − largest x)",
        [str(unit) for unit in units],
        [f"e^({number(float(step.inputs[at]) - largest)})" for at in shown],
        step.powers[shown],
        [("unit", unit) for unit in units],
        rest,
    )
