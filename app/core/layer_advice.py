"""What is wrong with a layer that does not fit, and what would: one sentence each. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nncore.arrays import Shape, shape_text
from nncore.errors import ConfigError
from nncore.layers import AvgPool2d, Conv2d, GlobalAvgPool2d, Layer, Linear, MaxPool2d, layer_from_config
from nncore.layers.cost import Cost

DIGITS = 10
SIZES = {"Conv2d": ("out_channels", "channels"), "Linear": ("out_features", "outputs")}
"""What makes a layer of a type large: the setting, and its name in the editor."""


def advice(layer: Layer, shape: Shape, before: Sequence[Layer]) -> str:
    """Why `layer` cannot take inputs of `shape`, and what to do; empty where its shape is not the reason.

    `before` are the layers above it.
    """
    gets = f"{layer.name} {{}}, but gets {shape_text(shape)}"
    if isinstance(layer, Linear):
        return gets.format("takes a flat vector") + "; put a flatten before it." if len(shape) != 1 else ""
    if not isinstance(layer, Conv2d | MaxPool2d | AvgPool2d | GlobalAvgPool2d):
        return ""
    if len(shape) != 3:
        where = "; move it above the flatten." if any(each.kind == "flatten" for each in before) else "; it cannot work here."
        return gets.format("takes images") + where
    if isinstance(layer, GlobalAvgPool2d):
        return ""
    if isinstance(layer, Conv2d):
        span, margins = layer.span, [sum(pad) for pad in layer.margins]
        if shape[2] % layer.groups:
            return f"{layer.name} has {layer.groups:,} groups, but gets {shape[2]:,} channels; take groups that divide them."
    else:
        span, margins = layer.kernel_size, [2 * pad for pad in layer.padding]
    if all(reach <= size + more for reach, size, more in zip(span, shape, margins, strict=False)):
        return ""
    mends = ["remove a pool before it"] if any(isinstance(each, MaxPool2d | AvgPool2d) for each in before) else []
    rooms = [size + more for size, more in zip(shape, margins, strict=False)]
    if isinstance(layer, Conv2d):  # the cells of a dilated kernel lie apart
        rooms = [(room - 1) // far + 1 for room, far in zip(rooms, layer.dilation, strict=True)]
    fitting = shape_text(tuple(rooms))
    mends += (
        ["add padding", f"use a kernel of up to {fitting}"] if isinstance(layer, Conv2d) else [f"use a window of up to {fitting}"]
    )
    least = shape_text(tuple(max(1, reach - more) for reach, more in zip(span, margins, strict=True)))
    return f"{layer.name} needs at least {least}, but gets {shape_text(shape[:2])}; {either(mends)}."


def either(ways: Sequence[str]) -> str:
    """Words for a choice: `a, b or c`."""
    return " or ".join(filter(None, (", ".join(ways[:-1]), ways[-1])))


def largest_that_fits(make: Callable[[int], Mapping[str, Any]], shape: Shape, above: Cost, least: int, most: int) -> int | None:
    """The largest number from `least` to `most` for which the layer that `make` describes takes inputs of `shape`, and its cost and
    that of the layers `above` are not too much together. None where not even `least` is. Nothing is allocated.
    """

    def fits(number: int) -> bool:
        try:
            layer = layer_from_config(dict(make(number)))
            (above + layer.cost(shape)).check("")
        except ConfigError:
            return False
        return True

    if not fits(least):
        return None
    low, high = least, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def advice_on_size(error: ConfigError, layer: Layer, shape: Shape, above: Cost) -> str:
    """What `error` says of a layer that makes the network too large, and the size with which it would not."""
    config = layer.config()
    name, title = SIZES.get(config["type"], ("", ""))
    most = largest_that_fits(lambda size: config | {name: size}, shape, above, 1, config[name]) if name else None
    return str(error) if most is None else f"{str(error).partition(';')[0]}; up to {most:,} {title} fit in {layer.name}."


def advice_on_end(output: Shape | None, learns: bool, classes: int) -> str:
    """Why layers that make `output` (None: there are no layers) give no score a class, and what to do; empty where they do.

    Ten scores do for fewer classes, too: some data has not all digits. `learns` says whether one of the layers has weights.
    """
    if output is None:
        return f"There are no layers yet; add flatten and linear {classes}."
    wants = "The last layer must give one score a class"
    if len(output) != 1:
        return f"{wants}, but gives {shape_text(output)}; end in flatten, linear {classes}."
    if not classes <= output[0] <= max(classes, DIGITS):
        return f"{wants}, but gives {output[0]:,} for {classes}; end in linear {classes}."
    if not learns:
        return f"There is nothing to learn yet; end in linear {classes}."
    return ""
