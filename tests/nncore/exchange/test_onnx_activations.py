"""Activations that a file spells out as several operators, or names with settings of their own."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from nncore.errors import WeightsError
from nncore.exchange import load_onnx

pytest.importorskip("onnx", reason="onnx is not installed")

from random_graphs import Graph
from test_onnx_read import by_runtime, written


def number(graph: Graph, value: float) -> str:
    return graph.constant(values=np.array(value, np.float32))


def gelu(graph: Graph, half: float = 0.5) -> None:
    """As PyTorch writes it."""
    x = graph.last
    graph.node("Div", number(graph, math.sqrt(2)))
    graph.node("Erf")
    graph.node("Add", number(graph, 1))
    graph.node("Mul", x)
    graph.node("Mul", number(graph, half))


def silu(graph: Graph) -> None:
    x = graph.last
    graph.node("Sigmoid")
    graph.node("Mul", x)


def network(activate) -> Graph:
    graph = Graph(np.random.default_rng(0), (6,))
    graph.node("Gemm", graph.constant(6, 5), graph.constant(5))
    activate(graph)
    graph.node("Gemm", graph.constant(5, 4))
    graph.shape = (4,)
    return graph


@pytest.mark.parametrize(("activate", "kind"), [(gelu, "gelu"), (silu, "silu")])
def test_what_is_spelt_out_is_one_layer_and_answers_as_by_onnx_runtime(activate, kind: str, tmp_path: Path) -> None:
    model = network(activate).model((6,))
    found, _ = load_onnx(written(tmp_path / "n.onnx", model))
    assert [layer.kind for layer in found.layers] == ["linear", kind, "linear"]
    x = np.random.default_rng(1).random((3, 6), np.float32)
    np.testing.assert_allclose(found.forward(x), by_runtime(model, x), rtol=0, atol=1e-5)


def of_another_domain(graph: Graph) -> None:
    silu(graph)
    graph.nodes[-1].domain = "elsewhere"


UNFIT = {
    "Erf (v2) is no layer that DigitLab has": lambda graph: gelu(graph, half=0.6),
    "belongs to elsewhere, not to ONNX's own operators": of_another_domain,
    "has an alpha other than 1; DigitLab's SiLU is x times its sigmoid": lambda graph: graph.node("Swish", alpha=1.7),
}


@pytest.mark.parametrize("words", UNFIT)
def test_what_is_nearly_an_activation_is_refused(words: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=re.escape(words)):
        load_onnx(written(tmp_path / "n.onnx", network(UNFIT[words]).model((6,))))
