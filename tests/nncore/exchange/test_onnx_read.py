"""Networks that were trained elsewhere: ONNX files with channels first give the same answers here as by ONNX Runtime."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from nncore.arrays import Array
from nncore.errors import WeightsError
from nncore.exchange import load_onnx
from nncore.losses import softmax

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

from onnx import helper, numpy_helper  # noqa: E402
from random_graphs import FLOAT, Graph, draw  # noqa: E402 - they need onnx


def written(path: Path, model: object) -> Path:
    onnx.save_model(model, path)
    return path


def by_runtime(model: object, x: Array) -> Array:
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # threads of its own, which wait by spinning, would only be in each other's way
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize("seed", range(40))
def test_random_networks_answer_as_by_onnx_runtime(seed: int, tmp_path: Path) -> None:
    model, sizes, is_last = draw(seed)
    network, info = load_onnx(written(tmp_path / "elsewhere.onnx", model))
    assert info == {"network": "elsewhere", "source": "elsewhere.onnx"}
    x = np.random.default_rng(seed).random((3, *sizes), dtype=np.float32)
    expected, found = by_runtime(model, x), network.forward(x if is_last else np.ascontiguousarray(np.moveaxis(x, 1, -1)))
    if model.graph.node[-1].op_type in ("Softmax", "LogSoftmax"):  # left out, so that the network ends in logits
        found = softmax(found)
        expected = np.exp(expected) if model.graph.node[-1].op_type == "LogSoftmax" else expected
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))


def test_images_normalised_in_training_are_normalised_by_the_first_layer(tmp_path: Path) -> None:
    path, mean, std = written(tmp_path / "n.onnx", draw(1)[0]), (0.1, 0.2), (0.4, 0.5)
    plain, own = load_onnx(path)[0], load_onnx(path, mean, std)[0]
    assert own.input_shape[2] == 2 and own.layers[0].kind == "norm"
    x = np.random.default_rng(0).random((3, *own.input_shape), dtype=np.float32)
    normal = ((x - np.array(mean)) / np.array(std)).astype(np.float32)
    expected = plain.forward(normal)
    np.testing.assert_allclose(own.forward(x), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    with pytest.raises(WeightsError, match="its images have 2 channels, so"):
        load_onnx(path, (0.1,) * 7, ())


def after_a_convolution(operator: str, *more: str, **attributes: object) -> Graph:
    graph = Graph(np.random.default_rng(0), (1, 8, 8))
    graph.node("Conv", graph.constant(2, 1, 3, 3))
    graph.node(operator, *more, **attributes)
    return graph


UNFIT = {
    "Elu (bent) is no layer that DigitLab has; it has Conv, Gemm": after_a_convolution("Elu", name="bent"),
    "Conv (v1) takes 1 channels, but its input is 2×6×6": after_a_convolution("Conv", "c0"),
    "leaves its padding out of the mean": after_a_convolution("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 1, 1]),
    "A pool's padding may be at most half of its kernel_size": after_a_convolution("MaxPool", kernel_shape=[2, 2], pads=[2] * 4),
    "(ceil_mode)": after_a_convolution("AveragePool", kernel_shape=[4, 4], strides=[4, 4], ceil_mode=1),
    "takes the mean of other axes": after_a_convolution("ReduceMean", axes=[1, 2]),
    "does not compare channels": after_a_convolution("Softmax", axis=2),
    "moves the axis of the examples": after_a_convolution("Transpose", perm=[1, 0, 2, 3]),
    "joins or branches": after_a_convolution("Add", "x"),
    "takes what nothing before it has made": after_a_convolution("Add", "nowhere"),
    "which is not one a channel of 2×6×6": after_a_convolution("Mul", "c0"),
    "ends in an image, 6×6×2": after_a_convolution("Relu"),
    "ends where an image is flattened": after_a_convolution("Flatten"),
    "does not keep the examples apart": after_a_convolution("Flatten", axis=2),
}


@pytest.mark.parametrize("words", UNFIT)
def test_what_does_not_fit_is_named(words: str, tmp_path: Path) -> None:
    path = written(tmp_path / "n.onnx", UNFIT[words].model((1, 8, 8)))
    with pytest.raises(WeightsError, match=re.escape(words)) as caught:
        load_onnx(path)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(f"{path} cannot be opened: ")


def test_a_loop_of_operators_is_refused(tmp_path: Path) -> None:
    graph = after_a_convolution("Relu")
    graph.nodes[0].input[0] = graph.last  # the convolution takes what the ReLU makes of its output
    with pytest.raises(WeightsError, match="takes what nothing before it has made"):
        load_onnx(written(tmp_path / "n.onnx", graph.model((1, 8, 8))))


def test_weights_in_another_file_are_not_opened(tmp_path: Path) -> None:
    graph = Graph(np.random.default_rng(0), (4,))
    graph.node("Gemm", graph.constant(4, 300))
    path = tmp_path / "n.onnx"
    onnx.save_model(graph.model((4,)), path, save_as_external_data=True, location="numbers", size_threshold=0)
    with pytest.raises(WeightsError, match="keeps its weights in another file, which is not opened"):
        load_onnx(path)


def test_a_network_far_too_large_is_refused_before_anything_is_made_of_it(tmp_path: Path) -> None:
    graph = Graph(np.random.default_rng(0), (1, 8, 8))
    graph.node("Conv", graph.constant(1, 1, 1, 1), pads=[10**6] * 4)
    with pytest.raises(WeightsError, match="values for each example"):
        load_onnx(written(tmp_path / "n.onnx", graph.model((1, 8, 8))))


def test_a_tensor_that_claims_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.zeros((4, 3), np.float32), "w")
    weight.dims[0] = 2**40
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", FLOAT, ["N", 3])],
        [weight],
    )
    with pytest.raises(WeightsError, match="is damaged or is no ONNX file"):
        load_onnx(written(tmp_path / "n.onnx", helper.make_model(graph)))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "n.onnx"
    path.write_bytes(bytes(5001))
    monkeypatch.setattr("nncore.exchange.onnx_file.MODEST", 5000)
    with pytest.raises(WeightsError, match="has 5 kB; ONNX files of up to 5 kB are opened"):
        load_onnx(path)
