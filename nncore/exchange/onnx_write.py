"""Writing a network as ONNX, the format that most other programs open.

The input is (N, channels, height, width), the order of axes that programs for ONNX expect of images; DigitLab's own is
(N, height, width, channels). Only where an image is flattened does the order matter to the weights: there the graph brings the
channels back to the end, so that every weight stays as DigitLab has it, but for the order of its axes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.errors import ConfigError
from nncore.exchange.onnx_file import PRODUCER
from nncore.exchange.preprocessing import about, scoring_layers
from nncore.files import write_atomically
from nncore.layers import (
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from nncore.layers.input_activations import CUBIC
from nncore.network import Network

FORMAT = "digitlab-onnx/1"
OPSET, IR_VERSION = 17, 8
"""Versions of the operators and of the file: those of 2022, which every runtime in use reads."""
INPUT, LOGITS, PROBABILITIES = "input", "logits", "probabilities"


def save_onnx(path: Path, network: Network, info: Mapping[str, Any] | None = None) -> None:
    """Write the network, as in use, to an ONNX file; `info` is what else should be known (network, data, accuracy, …).

    Raises what `onnx_model` raises, and DigitLabError where the file cannot be written.
    """
    write_atomically(path, onnx_model(network, info).SerializeToString(deterministic=True))


def onnx_model(network: Network, info: Mapping[str, Any] | None = None) -> Any:
    """The network as an onnx.ModelProto: float32 `input` (N, channels, height, width) or (N, values), from 0 to 1; outputs `logits`
    and `probabilities`, float32 (N, classes).

    Raises ConfigError where the package onnx is missing, the network ends in an image, or a layer is none of nncore's own.
    """
    try:
        import onnx
    except ImportError as error:
        raise ConfigError(
            "Writing ONNX needs the package onnx; install it with: python -m pip install onnx (or the extra: digitlab[onnx])."
        ) from error
    classes, graph = network.classes, _Graph(network.state_dict())
    for layer in scoring_layers(network):
        if type(layer) not in WRITERS:
            raise ConfigError(f"{layer.name} is a {type(layer).__name__}, which ONNX has no operator for.")
        WRITERS[type(layer)](graph, layer)
    graph.add("Identity", LOGITS)
    graph.add("Softmax", PROBABILITIES, axis=1)
    described, make = about(network), onnx.helper
    numbers = onnx.TensorProto.FLOAT
    found = make.make_graph(
        graph.nodes(make),
        "digitlab",
        [make.make_tensor_value_info(INPUT, numbers, ["N", *described["shape"]])],
        [make.make_tensor_value_info(name, numbers, ["N", classes]) for name in (LOGITS, PROBABILITIES)],
        [onnx.numpy_helper.from_array(values, name) for name, values in graph.weights.items()],
    )
    shape = ", ".join(map(str, described["shape"]))
    found.doc_string = (
        f"Input: float32 (N, {shape}), values from 0 to 1. {described['preparation']} "
        f"Outputs: logits and probabilities, (N, {classes})."
    )
    model = make.make_model(found, opset_imports=[make.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name=PRODUCER)
    model.doc_string = found.doc_string
    entries = {"format": FORMAT, "preprocessing": described, "architecture": network.config(), "info": dict(info or {})}
    make.set_model_props(model, {name: json.dumps(value, ensure_ascii=False) for name, value in entries.items()})
    return model


class _Graph:
    """Operators in a row, each of which takes what the one before it has made, and their weights."""

    def __init__(self, state: Mapping[str, Array]) -> None:
        self._state = state
        self._operators: list[tuple[str, list[str], str, dict[str, Any]]] = []
        self.weights: dict[str, Array] = {}
        self.last = INPUT
        """The name of the last value."""

    def add(self, operator: str, output: str, *weights: str, **attributes: Any) -> None:
        """Apply an operator to the last value; `weights` name its further inputs, `output` what it makes."""
        self._operators.append((operator, [self.last, *weights], output, attributes))
        self.last = output

    def number(self, name: str, value: float) -> str:
        """Take over a single number as a further input; returns its name."""
        self.weights[name] = np.array(value, np.float32)
        return name

    def weight(self, name: str, axes: tuple[int, ...] | None = None) -> str:
        """Take over one of the network's arrays, its axes in the order `axes`; returns its name."""
        values = self._state[name]
        self.weights[name] = np.ascontiguousarray(values if axes is None else values.transpose(axes), np.float32)
        return name

    def nodes(self, make: Any) -> list[Any]:
        """The operators as nodes; `make` is onnx.helper."""
        return [
            make.make_node(operator, inputs, [output], name=output, **attributes)
            for operator, inputs, output, attributes in self._operators
        ]


def _conv(graph: _Graph, layer: Conv2d) -> None:
    weight = graph.weight(f"{layer.name}.weight", (3, 2, 0, 1))
    bias = [graph.weight(f"{layer.name}.bias")] if layer.has_bias else []
    (above, below), (left, right) = layer.margins
    size, stride, pads = layer.kernel_size, layer.stride, (above, left, below, right)
    own = {} if layer.dilation == (1, 1) and layer.groups == 1 else {"dilations": layer.dilation, "group": layer.groups}
    graph.add("Conv", layer.name, weight, *bias, kernel_shape=size, strides=stride, pads=pads, **own)


def _linear(graph: _Graph, layer: Linear) -> None:
    bias = [graph.weight(f"{layer.name}.bias")] if layer.has_bias else []
    graph.add("Gemm", layer.name, graph.weight(f"{layer.name}.weight"), *bias)


def _norm(graph: _Graph, layer: BatchNorm) -> None:
    weights = [graph.weight(f"{layer.name}.{name}") for name in ("weight", "bias", "running_mean", "running_var")]
    # ONNX keeps the share of the old statistics, nncore that of the new.
    graph.add("BatchNormalization", layer.name, *weights, epsilon=layer.eps, momentum=1 - layer.momentum)


def _pool(operator: str) -> Callable[[_Graph, Any], None]:
    def write(graph: _Graph, layer: MaxPool2d | AvgPool2d) -> None:
        own = {"count_include_pad": 1} if operator == "AveragePool" and any(layer.padding) else {}
        pads = {"pads": layer.padding * 2} if any(layer.padding) else {}
        graph.add(operator, layer.name, kernel_shape=layer.kernel_size, strides=layer.stride, **pads, **own)

    return write


def _flatten(graph: _Graph, layer: Flatten) -> None:
    if len(layer.input_shape) == 3:
        graph.add("Transpose", f"{layer.name}.channels_last", perm=(0, 2, 3, 1))
    graph.add("Flatten", layer.name, axis=1)


def _dropout(graph: _Graph, layer: Dropout) -> None:
    """Nothing: in use, dropout lets everything through."""


def _plain(operator: str, **attributes: Any) -> Callable[[_Graph, Any], None]:
    def write(graph: _Graph, layer: Layer) -> None:
        graph.add(operator, layer.name, **attributes)

    return write


def _leaky_relu(graph: _Graph, layer: LeakyReLU) -> None:
    graph.add("LeakyRelu", layer.name, alpha=layer.negative_slope)


def _gelu(graph: _Graph, layer: GELU) -> None:
    """From its parts: ONNX has an operator for it only since version 20."""
    x, name = graph.last, layer.name
    if layer.approximate == "tanh":
        graph.add("Pow", f"{name}.cube", graph.number(f"{name}.three", 3))
        graph.add("Mul", f"{name}.part", graph.number(f"{name}.cubic", CUBIC))
        graph.add("Add", f"{name}.sum", x)
        graph.add("Mul", f"{name}.scaled", graph.number(f"{name}.scale", math.sqrt(2 / math.pi)))
        graph.add("Tanh", f"{name}.tanh")
    else:
        graph.add("Mul", f"{name}.scaled", graph.number(f"{name}.scale", math.sqrt(0.5)))
        graph.add("Erf", f"{name}.erf")
    graph.add("Add", f"{name}.twice", graph.number(f"{name}.one", 1))
    graph.add("Mul", f"{name}.product", x)
    graph.add("Mul", name, graph.number(f"{name}.half", 0.5))


def _silu(graph: _Graph, layer: SiLU) -> None:
    x = graph.last
    graph.add("Sigmoid", f"{layer.name}.sigmoid")
    graph.add("Mul", layer.name, x)


WRITERS: dict[type[Layer], Callable[[_Graph, Any], None]] = {
    Conv2d: _conv,
    Linear: _linear,
    BatchNorm: _norm,
    MaxPool2d: _pool("MaxPool"),
    AvgPool2d: _pool("AveragePool"),
    GlobalAvgPool2d: _plain("GlobalAveragePool"),
    Flatten: _flatten,
    Dropout: _dropout,
    ReLU: _plain("Relu"),
    LeakyReLU: _leaky_relu,
    GELU: _gelu,
    SiLU: _silu,
    Sigmoid: _plain("Sigmoid"),
    Tanh: _plain("Tanh"),
    Softmax: _plain("Softmax", axis=1),  # of an image: over its channels, as the last axis of nncore's
}
"""What each layer is in ONNX. By its very class: a subclass may compute something else."""
