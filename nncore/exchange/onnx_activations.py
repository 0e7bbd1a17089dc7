"""Activations that a file spells out as several operators, as exporters write GELU and SiLU: found, and named as one operator.

What operators between a value and where their ways meet again compute is found by trying: on a few numbers it must give what the
activation gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from nncore.arrays import Array
from nncore.exchange.onnx_file import FLOATS, KINDS, Node, OnnxFile
from nncore.layers import GELU, Sigmoid, SiLU
from nncore.layers.activations import Activation
from nncore.layers.input_activations import erf

NUMBERS = np.linspace(-6, 6, 41)
"""What is tried, in float64."""
LARGEST_ERROR = 1e-5
"""How far an activation may be from what the operators give: their constants are float32."""
MOST_OPERATORS = 24
"""Operators, constants among them, that an activation is spelt out as, at most."""
ACTIVATIONS: tuple[tuple[str, dict[str, str], Activation], ...] = (
    ("Gelu", {"approximate": "none"}, GELU()),
    ("Gelu", {"approximate": "tanh"}, GELU("tanh")),
    ("Swish", {}, SiLU()),
)
"""The operator that each is named as, its attributes, and the layer."""
FLOAT_TYPES = tuple(np.dtype(KINDS[kind]) for kind in FLOATS)

OPERATORS: dict[str, Callable[..., Array]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Tanh": np.tanh,
    "Sigmoid": Sigmoid().of,
    "Erf": erf,
    "Identity": lambda x: x,
}
"""What an activation may be spelt out with."""
ONE_INPUT = {"Tanh", "Sigmoid", "Erf", "Identity"}


def whole_activations(file: OnnxFile) -> list[Node]:
    """The file's operators in order, those that together are an activation replaced by one that is named so."""
    readers = Counter(name for node in file.nodes for name in set(node.inputs))
    numbers = {name: values for name, values in file.constants.items() if _is_number(values)}
    numbers |= {node.outputs[0]: values for node in file.nodes if (values := _constant(node)) is not None}
    found, at = list[Node](), 0
    while at < len(file.nodes):
        whole, count = _activation(file.nodes[at : at + MOST_OPERATORS], readers, numbers, file.outputs)
        taken = file.nodes[at : at + count]
        found += taken if whole is None else [whole, *(node for node in taken if node.operator == "Constant")]
        at += count
    return found


def _is_number(values: Array) -> bool:
    return values.size == 1 and values.dtype in FLOAT_TYPES


def _constant(node: Node) -> Array | None:
    """The single number that a node is; None for any other node."""
    if node.operator != "Constant" or len(node.outputs) != 1:
        return None
    value = next(iter(node.attributes.values()), None)
    values = value if isinstance(value, np.ndarray) else np.array(value, np.float32) if isinstance(value, float) else None
    return values if values is not None and _is_number(values) else None


def _activation(
    nodes: Sequence[Node], readers: Counter[str], numbers: dict[str, Array], outputs: Sequence[str]
) -> tuple[Node | None, int]:
    """The activation that begins with the first of `nodes`, and how many of them it takes; (None, 1) where none does."""
    start = next((name for name in nodes[0].inputs if name not in numbers), "")
    if not _is_known(nodes[0]) or readers[start] < 2:
        return None, 1
    made, unread = {start: NUMBERS}, Counter[str]()
    for count, node in enumerate(nodes, 1):
        if _constant(node) is not None:
            continue
        given = [made.get(name, numbers.get(name)) for name in node.inputs]
        values = [each.reshape(-1).astype(np.float64) for each in given if each is not None]
        if not _is_known(node) or len(node.outputs) != 1 or len(values) != (1 if node.operator in ONE_INPUT else 2):
            break
        (output,) = node.outputs
        with np.errstate(all="ignore"):
            made[output] = OPERATORS[node.operator](*values)
        unread.subtract(name for name in set(node.inputs) & made.keys() if name != start)
        if not any(unread.values()) and (whole := _named(made[output], start, output)) is not None:
            return whole, count
        unread[output] = readers[output]
        if output in outputs:
            break
    return None, 1


def _is_known(node: Node) -> bool:
    return node.is_own and node.operator in OPERATORS


def _named(values: Array, start: str, output: str) -> Node | None:
    """The operator that gives `values` for NUMBERS, applied to `start`."""
    for operator, attributes, layer in ACTIVATIONS:
        if values.shape == NUMBERS.shape and np.abs(values - layer.of(NUMBERS)).max() <= LARGEST_ERROR:
            return Node(operator, output, "", (start,), (output,), dict(attributes))
    return None
