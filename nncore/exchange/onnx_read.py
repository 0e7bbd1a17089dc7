"""Opening an ONNX file: a network that was trained elsewhere, of the layers that nncore has, as a Network.

The operators of a file stand in the order in which they are carried out, so they are gone through once: each either works out a
constant, or is applied to what lies behind the layers so far, and then becomes a layer. What is neither is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.errors import ConfigError, WeightsError
from nncore.exchange.onnx_activations import whole_activations
from nncore.exchange.onnx_chain import GREY, IMAGE, IMAGE_LAST, VECTOR, Call, Chain, UnfitError
from nncore.exchange.onnx_constants import folded
from nncore.exchange.onnx_file import FLOATS, PRODUCER, Node, OnnxFile, read_onnx
from nncore.exchange.onnx_operators import OPERATORS, scale
from nncore.files import is_file, printable, shortened, shown
from nncore.layers import Softmax
from nncore.network import Network

OLDEST_OPSET = 7
"""From this version of the operators on (2018), a bias is spread over a batch as in NumPy."""


def load_onnx(path: str | Path, mean: Sequence[float] = (), std: Sequence[float] = ()) -> tuple[Network, dict[str, Any]]:
    """The network of an ONNX file, ready for use, and what is known of it: `network`, its name, `source`, and, where DigitLab wrote
    the file, `producer`.

    It takes images as nncore does, (N, height, width, channels), and ends in one logit a class: a softmax at the end of the file
    is left out. `mean` and `std`, one number each or one a channel, are what the images of its training were normalised by: the
    network then begins with a batch norm that does the same to values from 0 to 1.

    Raises WeightsError where the file is damaged, or holds what nncore has no layer for, which the message names.
    """
    path = Path(path)
    if not is_file(path):
        raise WeightsError(f"There is no ONNX file {shown(path)}.")
    file = read_onnx(path)
    try:
        network = _read(file, mean, std)
    except (UnfitError, ConfigError, WeightsError) as error:
        raise WeightsError(f"{shown(path)} cannot be opened: {str(error).rstrip('.')}.") from error
    info = {"network": printable(path.stem), "source": printable(path.name)}
    return network, info | ({"producer": PRODUCER} if file.producer == PRODUCER else {})


def _read(file: OnnxFile, mean: Sequence[float], std: Sequence[float]) -> Network:
    if file.opset < OLDEST_OPSET:
        raise UnfitError(f"it is of version {file.opset} of ONNX's operators; export it with opset {OLDEST_OPSET} or newer")
    name, chain = _beginning(file)
    if mean or std:
        _normalise(chain, mean, std)
    values = {name: chain.sizes}
    """Every value that lay behind the chain so far, with its shape behind the batch."""
    known, at_end = file.constants, False
    for node in whole_activations(file):
        if not node.is_own:
            raise UnfitError(f"{node} belongs to {printable(shortened(node.domain))}, not to ONNX's own operators")
        if any(output in known or output in values for output in node.outputs if output):
            raise UnfitError(f"{node} makes what is there already")
        if (found := folded(node, known, values)) is not None:
            known[node.outputs[0]] = found
            continue
        _check_place(node, name, known, values)
        if at_end and node.operator != "Identity":
            raise UnfitError(f"{node} follows a LogSoftmax, which can only stand at the end")
        OPERATORS[node.operator](Call(node, chain, known, file.opset))
        at_end = at_end or node.operator == "LogSoftmax"
        name = node.outputs[0]
        values[name] = chain.sizes
    if name not in file.outputs:
        raise UnfitError("what its last operator makes is not what it returns")
    if chain.layers and isinstance(chain.layers[-1], Softmax):
        chain.drop_last()
    return chain.network()


def _check_place(node: Node, name: str, known: dict[str, Array], values: dict[str, Any]) -> None:
    """Raise UnfitError unless the node is one of OPERATORS and applied to the value `name`, which lies behind the chain."""
    if node.operator not in OPERATORS:
        raise UnfitError(f"{node} is no layer that DigitLab has; it has {', '.join(OPERATORS)}")
    if not node.outputs:
        raise UnfitError(f"{node} makes nothing")
    other = [given for given in node.inputs if given and given not in known]
    if other == [name] and (node.inputs[0] == name or OPERATORS[node.operator] is scale):
        return
    if all(given in values for given in other):
        raise UnfitError(f"{node} joins or branches; in DigitLab's networks each layer follows the one before it")
    raise UnfitError(f"{node} takes what nothing before it has made")


def _beginning(file: OnnxFile) -> tuple[str, Chain]:
    """The name of the input, and a chain that has no layers yet."""
    inputs = {name: found for name, found in file.inputs.items() if name not in file.constants}
    if len(inputs) != 1:
        raise UnfitError(f"it has {len(inputs)} inputs; DigitLab opens networks that have one, an image")
    ((name, (kind, sizes)),) = inputs.items()
    if kind not in FLOATS:
        raise UnfitError("its input is not made of floats; export it so that it takes float32")
    batch, *rest = sizes or (None,)
    known = [size for size in rest if size is not None and size > 0]
    if len(known) != len(rest) or len(rest) not in (1, 2, 3):
        shape = "×".join("?" if size is None else str(size) for size in sizes) or "unknown shape"
        raise UnfitError(f"its input is of {shape}; export it for images of one size: (N, channels, height, width)")
    if len(known) == 1:
        return name, Chain((known[0],), VECTOR, batch)
    if len(known) == 2:
        return name, Chain((known[0], known[1], 1), GREY, batch)
    axes = IMAGE_LAST if _has_channels_last(file, name, known) else IMAGE
    return name, Chain(tuple(known[axes.index(axis)] for axis in "HWC"), axes, batch)


def _has_channels_last(file: OnnxFile, name: str, sizes: Sequence[int]) -> bool:
    """Whether an image that is the input has its channels last. What is first done to it tells, and otherwise their number."""
    first = next((node for node in file.nodes if name in node.inputs), None)
    if first is not None and first.operator == "Transpose":
        return first.attributes.get("perm") == (0, 3, 1, 2)
    takes_any = first is None or first.operator in ("Flatten", "Reshape", "Shape", "Identity")
    return takes_any and sizes[2] in (1, 3) and sizes[0] not in (1, 3)


def _normalise(chain: Chain, mean: Sequence[float], std: Sequence[float]) -> None:
    """Begin with y = (x − mean) / std."""
    channels = chain.shape[-1]
    shift, spread = (np.array(given or (default,), np.float32) for given, default in ((mean, 0), (std, 1)))
    if any(len(given) not in (1, channels) for given in (shift, spread)) or not (spread > 0).all():
        raise UnfitError(
            f"its images have {channels:,} channels, so they are normalised by one mean and one standard deviation above 0, "
            f"or by {channels:,} of each"
        )
    with np.errstate(over="ignore"):
        factor = np.broadcast_to(1 / spread, (channels,))
        chain.scale(factor, -shift * factor)
