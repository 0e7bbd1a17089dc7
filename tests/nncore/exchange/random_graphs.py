"""Random small networks as other programs write them: images with their channels first, built with onnx.helper."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from nncore.arrays import Array

FLOAT = onnx.TensorProto.FLOAT


@dataclass
class Graph:
    """Operators in a row with random weights; `shape` is (channels, height, width) or (size) of what comes out."""

    rng: np.random.Generator
    shape: tuple[int, ...]
    last: str = "x"
    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)

    def constant(self, *shape: int, values: Array | None = None) -> str:
        """A constant of random numbers, or of the given ones."""
        name = f"c{len(self.weights)}"
        found = self.rng.standard_normal(shape).astype(np.float32) if values is None else values
        self.weights.append(numpy_helper.from_array(found, name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> None:
        """Apply an operator to the last value and these inputs."""
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self.last, *inputs], [output], **attributes))
        self.last = output

    def model(self, sizes: tuple[int, ...], opset: int = 17) -> Any:
        """All of it as a model whose input is (N, *sizes)."""
        graph = helper.make_graph(
            self.nodes,
            "elsewhere",
            [helper.make_tensor_value_info("x", FLOAT, ["batch", *sizes])],
            [helper.make_tensor_value_info(self.last, FLOAT, None)],
            self.weights,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def draw(seed: int) -> tuple[Any, tuple[int, ...], bool]:
    """A random model, the shape of one input in the file, and whether that has its channels last."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.choice((1, 2, 3))), int(rng.integers(8, 15)), int(rng.integers(8, 15)))
    graph, is_last = Graph(rng, shape), bool(rng.random() < 0.3)
    sizes = (*shape[1:], shape[0]) if is_last else shape
    if is_last:
        graph.node("Transpose", perm=[0, 3, 1, 2])
    if rng.random() < 0.3:  # the images are normalised
        graph.node("Sub", graph.constant(1))
        graph.node("Div", graph.constant(values=rng.uniform(0.2, 2, (1, shape[0], 1, 1)).astype(np.float32)))
    for _ in range(int(rng.integers(1, 5))):
        _grow_image(graph)
    _flatten(graph)
    for _ in range(int(rng.integers(0, 3))):
        _grow_vector(graph)
    _linear(graph, 10)
    end = rng.choice(["Softmax", "LogSoftmax", ""])
    if end:
        graph.node(end, axis=int(rng.choice([1, -1])))
    return graph.model(sizes), sizes, is_last


def _grow_image(graph: Graph) -> None:
    rng, (channels, *sides) = graph.rng, graph.shape
    choice = rng.random()
    if choice < 0.45:
        kernel, pads = [int(rng.integers(1, min(side, 5) + 1)) for side in sides], [int(rng.integers(0, 3)) for _ in sides]
        strides, more = [int(rng.integers(1, 3)) for _ in sides], int(rng.integers(1, 6))
        bias = [graph.constant(more)] if rng.random() < 0.5 else []
        graph.node("Conv", graph.constant(more, channels, *kernel), *bias, pads=pads * 2, strides=strides, kernel_shape=kernel)
        if not bias and rng.random() < 0.5:
            graph.node("Add", graph.constant(1, more, 1, 1))
        sides = [(side + 2 * pad - k) // s + 1 for side, pad, k, s in zip(sides, pads, kernel, strides, strict=True)]
        graph.shape = (more, *sides)
    elif choice < 0.7:
        kernel, strides = [int(rng.integers(1, min(side, 3) + 1)) for side in sides], [int(rng.integers(1, 4)) for _ in sides]
        graph.node(str(rng.choice(["MaxPool", "AveragePool"])), kernel_shape=kernel, strides=strides)
        graph.shape = (channels, *((side - k) // s + 1 for side, k, s in zip(sides, kernel, strides, strict=True)))
    elif choice < 0.85:
        _norm(graph)
    else:
        _elementwise(graph)


def _norm(graph: Graph) -> None:
    size = graph.shape[0]
    variance = graph.constant(values=graph.rng.uniform(0.5, 2, size).astype(np.float32))
    graph.node("BatchNormalization", *(graph.constant(size) for _ in range(3)), variance, epsilon=1e-3)


def _elementwise(graph: Graph) -> None:
    """An activation, what changes nothing, or a product with a number for each channel."""
    if graph.rng.random() < 0.2:
        graph.node("Mul", graph.constant(graph.shape[0], *(1 for _ in graph.shape[1:])))
        return
    graph.node(str(graph.rng.choice(["Relu", "Sigmoid", "Tanh", "Dropout", "Identity"])))


def _flatten(graph: Graph) -> None:
    """In one of the ways in which exporters do it."""
    way, size = graph.rng.integers(5), int(np.prod(graph.shape))
    if way == 0:
        graph.node("Flatten")
    elif way == 1:
        graph.node("Reshape", graph.constant(values=np.array([-1, size])))
    elif way == 2:
        graph.node("Transpose", perm=[0, 2, 3, 1])
        graph.node("Flatten")
    elif way == 3:  # x.reshape(len(x), -1)
        zero, axes, rest = (graph.constant(values=np.array(value)) for value in (0, [0], [-1]))
        image = graph.last
        graph.node("Shape")
        graph.node("Gather", zero, axis=0)
        graph.node("Unsqueeze", axes)
        graph.node("Concat", rest, axis=0)
        shape, graph.last = graph.last, image
        graph.node("Reshape", shape)
    else:
        graph.node("GlobalAveragePool")
        graph.node("Squeeze", graph.constant(values=np.array([2, 3])))
        size = graph.shape[0]
    graph.shape = (size,)


def _grow_vector(graph: Graph) -> None:
    choice = graph.rng.random()
    if choice < 0.5:
        _linear(graph, int(graph.rng.integers(1, 20)))
    elif choice < 0.7:
        _norm(graph)
    else:
        _elementwise(graph)


def _linear(graph: Graph, size: int) -> None:
    before = graph.shape[0]
    way = graph.rng.integers(4)
    if way == 0:
        graph.node("Gemm", graph.constant(size, before), graph.constant(size), transB=1)
    elif way == 1:
        graph.node("Gemm", graph.constant(before, size))
    else:
        graph.node("MatMul", graph.constant(before, size))
        if way == 2:
            graph.node("Add", graph.constant(size))
    graph.shape = (size,)
