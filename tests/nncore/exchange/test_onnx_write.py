"""Networks as ONNX: every preset and random networks answer by ONNX Runtime as they do here, and come back as they were."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.presets import PRESETS
from nncore.arrays import Array
from nncore.errors import ConfigError
from nncore.exchange import load_onnx, onnx_model, save_onnx
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
from nncore.losses import softmax
from nncore.network import Network

WINDOWS: list[Layer] = [
    *(Conv2d(5, (11, 3), stride=(1, 2), padding=(2, 0)), Tanh(), MaxPool2d(3, 1), Softmax(), BatchNorm(eps=1e-2), Dropout(0.3)),
    *(Conv2d(4, 1), Sigmoid(), AvgPool2d((2, 3), (2, 1)), Flatten(), Linear(9), BatchNorm(), Softmax(), Linear(4), Softmax()),
]
BENT: list[Layer] = [
    Conv2d(3, 3, bias=False),
    GELU(),
    Conv2d(4, 2),
    LeakyReLU(0.2),
    SiLU(),
    Flatten(),
    Linear(5, bias=False),
    GELU("tanh"),
    Linear(4),
]
NETWORKS: dict[str, Network] = {name: preset.build(seed=1) for name, preset in PRESETS.items()} | {
    "windows": Network(WINDOWS, (17, 19, 3), seed=2),
    "bent": Network(BENT, (7, 6, 2), seed=3),
    "around": Network(
        [Conv2d(3, 3), MaxPool2d(3, 2, padding=1), AvgPool2d((2, 3), 1, padding=1), GlobalAvgPool2d(), Flatten(), Linear(4)],
        (9, 8, 2),
        seed=4,
    ),
    "spread": Network(
        [
            Conv2d(4, (2, 3), padding="same"),
            Conv2d(8, 3, padding=2, dilation=2, groups=4, bias=False),
            Conv2d(4, 2, padding=(1, 0), dilation=(3, 1)),
            Flatten(),
            Linear(4),
        ],
        (9, 8, 2),
        seed=5,
    ),
    "no layer that ONNX sees": Network([Dropout(0.2)], (6,)),
    "linear": Network([Linear(3), ReLU()], (6,)),
}


def used(network: Network) -> Network:
    """The network with statistics and biases such as training leaves."""
    rng = np.random.default_rng(5)
    for name, holder in (network.parameters() | network.buffers()).items():
        if name.endswith("bias") or "running" in name:
            holder.data[...] = rng.uniform(0.5, 1.5, holder.data.shape) if "var" in name else rng.normal(0, 0.2, holder.data.shape)
    return network


def images(network: Network) -> Array:
    return np.random.default_rng(6).random((4, *network.input_shape), dtype=np.float32)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_answers_by_onnx_runtime_as_here(name: str, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    network = used(NETWORKS[name])
    save_onnx(tmp_path / "n.onnx", network)
    onnx.checker.check_model(tmp_path / "n.onnx", full_check=True)
    x = images(network)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # threads of its own, which wait by spinning, would only be in each other's way
    session = runtime.InferenceSession(tmp_path / "n.onnx", options, providers=["CPUExecutionProvider"])
    logits, probabilities = session.run(None, {"input": np.moveaxis(x, -1, 1) if x.ndim == 4 else x})
    expected = network.in_use().forward(x)
    if isinstance(network.layers[-1], Softmax):
        np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)
    else:
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(probabilities, softmax(logits), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "no layer that ONNX sees"])
def test_a_network_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    network = used(NETWORKS[name])
    save_onnx(tmp_path / "n.onnx", network)
    back, _ = load_onnx(tmp_path / "n.onnx")
    kept = [layer for layer in network.layers if not isinstance(layer, Dropout)]
    if isinstance(kept[-1], Softmax):
        del kept[-1]
    assert [described(layer) for layer in back.layers] == [described(layer) for layer in kept]
    expected, found = network.in_use().forward(images(network)), back.forward(images(network))
    if isinstance(network.layers[-1], Softmax):
        found = softmax(found)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def described(layer: Layer) -> dict[str, Any]:
    """A layer's settings without those that only its training knows."""
    return {name: value for name, value in layer.config().items() if name not in ("initializer", "weight_decay")}


def test_the_file_says_how_a_picture_becomes_its_input() -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    grey = onnx_model(NETWORKS["mnist-cnn"], {"network": "mnist-cnn", "val_accuracy": 0.99})
    entries = {entry.key: json.loads(entry.value) for entry in grey.metadata_props}
    assert entries["format"] == "digitlab-onnx/1" and entries["info"] == {"network": "mnist-cnn", "val_accuracy": 0.99}
    assert entries["preprocessing"]["shape"] == [1, 28, 28] and entries["preprocessing"]["layout"] == "NCHW"
    assert "float32 (N, 1, 28, 28)" in grey.graph.doc_string and "scale it in proportion to fit 20×20" in grey.graph.doc_string
    assert "red, green and blue" in onnx_model(NETWORKS["svhn-lenet"]).graph.doc_string
    assert grey.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_what_cannot_be_written_is_one_sentence() -> None:
    class Halved(ReLU):
        pass

    pytest.importorskip("onnx", reason="onnx is not installed")
    with pytest.raises(ConfigError, match="ends in 3×3×2"):
        onnx_model(Network([Conv2d(2, 3)], (5, 5, 1)))
    with pytest.raises(ConfigError, match="relu1 is a Halved, which ONNX has no operator for"):
        onnx_model(Network([Halved()], (5,)))


def test_without_the_package_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match=r"needs the package onnx; install it with: .* \(or the extra: digitlab\[onnx\]\)"):
        onnx_model(NETWORKS["linear"])
