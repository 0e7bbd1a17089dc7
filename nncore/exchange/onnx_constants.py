"""Constants of an ONNX graph: working out what operators make of constants, and of the shapes of values, before anything is run.

Exporters write `x.reshape(len(x), -1)` as half a dozen operators on a shape. The number of examples, which nobody knows, is −1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nncore.arrays import Array, Shape
from nncore.exchange.onnx_chain import UnfitError
from nncore.exchange.onnx_file import Node

MOST_VALUES = 64
"""Numbers of a constant that is computed with; only views are made of larger ones."""


def folded(node: Node, known: Mapping[str, Array], values: Mapping[str, Shape]) -> Array | None:
    """What a node of FOLDED makes of constants (`known`) alone, or Shape of a value whose shape behind the batch is known.

    None for any other. Raises UnfitError where it cannot be worked out.
    """
    given = [name for name in node.inputs if name]
    if node.operator == "Shape" and len(given) == len(node.outputs) == 1 and given[0] in values:
        shape = (-1, *values[given[0]])
        return np.array(shape[_number(node, "start", 0) : _number(node, "end", len(shape))], np.int64)
    if node.operator not in FOLDED or not all(name in known for name in given) or len(node.outputs) != 1:
        return None
    try:
        return FOLDED[node.operator](node, *(known[name] for name in given))
    except (ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
        raise UnfitError(f"{node} cannot be worked out") from error


def _number(node: Node, name: str, default: int) -> int:
    found = node.attributes.get(name, default)
    if not isinstance(found, int):
        raise UnfitError(f"{node} has a {name} that is no whole number")
    return found


def _constant(node: Node) -> Array:
    value = next(iter(node.attributes.values()))
    return value if isinstance(value, np.ndarray) else np.array(value, np.float32 if _has_floats(value) else np.int64)


def _has_floats(value: Any) -> bool:
    return isinstance(value[0] if isinstance(value, tuple) else value, float)


def _transpose(node: Node, array: Array) -> Array:
    perm = node.attributes.get("perm", tuple(reversed(range(array.ndim))))
    if not isinstance(perm, tuple):
        raise ValueError("no axes")
    return array.transpose([int(axis) for axis in perm])


def _gather(node: Node, array: Array, places: Array) -> Array:
    _check_small(node, array, places)
    return np.array(array[places])


def _unsqueeze(node: Node, array: Array, axes: Array | None = None) -> Array:
    return np.expand_dims(array, _axes(node, axes))


def _squeeze(node: Node, array: Array, axes: Array | None = None) -> Array:
    return np.squeeze(array, _axes(node, axes))


def _axes(node: Node, axes: Array | None) -> tuple[int, ...]:
    """The axes that a node names, in an attribute or, from version 13 on, in an input."""
    found = node.attributes["axes"] if axes is None else tuple(axes.reshape(-1).tolist())
    if not isinstance(found, tuple) or len(found) > 8:
        raise ValueError("no axes")
    return tuple(int(axis) for axis in found)


def _concat(node: Node, *arrays: Array) -> Array:
    _check_small(node, *arrays)
    return np.concatenate(arrays)


def _slice(node: Node, array: Array, start: Array, end: Array, axes: Array | None = None, steps: Array | None = None) -> Array:
    _check_small(node, array)
    if array.ndim != 1 or (axes is not None and axes.any()):
        raise ValueError("not a list")
    return array[int(start[0]) : int(end[0]) : 1 if steps is None else int(steps[0])]


def _cast(node: Node, array: Array) -> Array:
    """Shapes stay the whole numbers that they are, whatever kind of them is asked for."""
    if array.dtype.kind != "i" or node.attributes.get("to") not in (6, 7):
        raise ValueError("not whole numbers")
    return array


def _check_small(node: Node, *arrays: Array) -> None:
    if sum(array.size for array in arrays) > MOST_VALUES:
        raise ValueError("too many numbers to compute with")


FOLDED: dict[str, Callable[..., Array]] = {
    "Constant": _constant,
    "Identity": lambda node, array: array,
    "Transpose": _transpose,
    "Gather": _gather,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Concat": _concat,
    "Slice": _slice,
    "Cast": _cast,
}
"""The operators on constants; each function takes the node and its inputs."""
