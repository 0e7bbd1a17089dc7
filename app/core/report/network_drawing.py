"""The network as a drawing: what each layer makes of an image, as stacks of maps and rows of numbers, with their shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from app.core.report.drawing import Drawing, elided
from nncore.arrays import Shape, shape_text
from nncore.network import LayerSummary, Network

WIDTH = 1016
COLUMN, HEIGHT, LINE = 127, 172, 12
"""Room for one stage, for one row of stages, and for a line of small layers below it."""
MOST = 48
"""Stages that are drawn; a network with more is cut short in words."""
SIDE = 76
"""The side of the largest map."""
SMALL = ("norm", "dropout", "flatten", "relu", "leakyrelu", "gelu", "silu", "sigmoid", "tanh", "softmax")
"""Kinds of layers that are only named below what they act on."""


@dataclass
class _Stage:
    """One thing that is drawn: the input, or what a layer makes, with the small layers that follow it."""

    name: str
    words: str
    shape: Shape
    then: list[str] = field(default_factory=list)


def network_drawing(network: Network) -> Drawing:
    """The network from left to right, in as many rows as it takes."""
    stages = _stages(network)
    shown = stages[:MOST]
    per_row = int(WIDTH // COLUMN)
    rows = [shown[start : start + per_row] for start in range(0, len(shown), per_row)]
    heights = [HEIGHT + LINE * max(len(_lines(stage.then)) for stage in row) for row in rows]
    more = len(stages) - len(shown)
    drawing = Drawing(WIDTH, sum(heights) + (24 if more else 0), "The layers of the network with their shapes")
    largest = max((max(stage.shape[:2]) for stage in shown if len(stage.shape) == 3), default=1)
    longest = max(math.prod(stage.shape) for stage in shown)
    for place, stage in enumerate(shown):
        row, column = divmod(place, per_row)
        top = sum(heights[:row])
        _draw(drawing, stage, column * COLUMN, top, largest, longest)
        if place + 1 < len(shown):
            _arrow(drawing, (column + 1) * COLUMN - 4, top + 58)
    if more:
        drawing.text(0, drawing.height - 6, f"… and {more:,} more layers", "dim", 12)
    return drawing


def _arrow(drawing: Drawing, x: float, y: float) -> None:
    """An arrow to the right whose point is at (x, y)."""
    drawing.line(x - 12, y, x, y, "dim", 1.2)
    drawing.line(x - 4, y - 4, x, y, "dim", 1.2)
    drawing.line(x - 4, y + 4, x, y, "dim", 1.2)


def _stages(network: Network) -> list[_Stage]:
    found = [_Stage("input", "the image", network.input_shape)]
    for layer in network.summary():
        if layer.kind in SMALL:
            found[-1].then.append(_small(layer))
        else:
            found.append(_Stage(layer.name, layer.description, layer.output_shape))
    return found


def _small(layer: LayerSummary) -> str:
    return f"{layer.description} {math.prod(layer.output_shape):,}" if layer.kind == "flatten" else layer.description


def _draw(drawing: Drawing, stage: _Stage, x: float, y: float, largest: int, longest: int) -> None:
    middle = x + (COLUMN - 18) / 2
    color = "second" if stage.name == "input" else "accent"
    if len(stage.shape) == 3:
        height, width, channels = stage.shape
        # The root, so that maps of a tenth of the image's size can still be seen.
        tall, wide = (max(7.0, SIDE * math.sqrt(size / largest)) for size in (height, width))
        sheets = 1 if stage.name == "input" else min(8, 1 + math.ceil(math.log2(max(1, channels)) / 1.2))
        shift = 4.0
        left, top = middle - (wide + shift * (sheets - 1)) / 2, y + 58 - (tall - shift * (sheets - 1)) / 2
        for sheet in range(sheets - 1, -1, -1):
            drawing.box(left + shift * sheet, top - shift * sheet, wide, tall, "panel", 1, color, 1.5)
            drawing.box(left + shift * sheet, top - shift * sheet, wide, tall, color, 0.16, "", 1.5)
    else:
        count = math.prod(stage.shape)
        tall = 16 + 84 * math.log2(1 + count) / math.log2(1 + longest)
        drawing.box(middle - 7, y + 58 - tall / 2, 14, tall, "panel", 1, color, 3)
        drawing.box(middle - 7, y + 58 - tall / 2, 14, tall, color, 0.16, "", 3)
    room = COLUMN - 18
    drawing.text(middle, y + 126, elided(stage.name, room, 12), "text", 12, "middle", bold=True)
    drawing.text(middle, y + 141, elided(stage.words, room + 8, 10.5), "dim", 10.5, "middle")
    drawing.text(middle, y + 156, shape_text(stage.shape), "text", 10.5, "middle")
    for place, line in enumerate(_lines(stage.then)):
        drawing.text(middle, y + 171 + LINE * place, elided(line, room + 12, 9.5), "accent", 9.5, "middle")


def _lines(words: list[str]) -> list[str]:
    """The names of small layers in at most three lines."""
    lines: list[str] = []
    for word in words:
        if lines and elided(f"{lines[-1]} · {word}", COLUMN, 9.5)[-1] != "…":
            lines[-1] += f" · {word}"
        else:
            lines.append(word)
    return lines if len(lines) <= 3 else [*lines[:2], f"{lines[2]} …"]
