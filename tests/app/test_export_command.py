"""`digitlab export` and `digitlab import`, and that other commands take an ONNX file as they take weights."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.core.runs import RunStore
from nncore.exchange import save_onnx
from nncore.layers import Flatten, Linear
from nncore.network import Network
from nncore.weights import load_weights, save_weights


def digitlab(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_a_network_goes_to_onnx_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    onnx, weights = tmp_path / "n.onnx", tmp_path / "w.safetensors"
    assert digitlab("export", "--weights", "mnist-cnn", "--onnx", onnx, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"event": "finished", "onnx": [str(onnx)]}
    assert digitlab("import", onnx, "--out", weights) == 0
    assert capsys.readouterr().out == f"Wrote {weights}: 10 layers, 105,866 parameters, for 28×28×1, 10 classes.\n"
    network, info = load_weights(weights)
    assert info["network"] == "n" and network.layers[0].name == "conv1"
    found = []
    for name in ("mnist-cnn", onnx, weights):
        assert digitlab("evaluate", "--weights", name, "--data", "synthetic", "--limit", 50, "--json") == 0
        found.append(json.loads(capsys.readouterr().out)["loss"])
    np.testing.assert_allclose(found, found[0], rtol=1e-5)


def test_a_run_is_exported_as_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, network = RunStore(), Network([Flatten(), Linear(10)], (28, 28, 1), seed=3)
    kept = store.create("one", "mlp", "synthetic", {})
    save_weights(store.weights_of(kept), network)
    assert digitlab("export", "--run", "one", "--code", tmp_path / "code") == 0
    assert f"Wrote {tmp_path / 'code' / 'network_numpy.py'}\n" in capsys.readouterr().out
    with np.load(tmp_path / "code" / "weights.npz") as weights:
        assert np.array_equal(weights["linear1.weight"], network.state_dict()["linear1.weight"])


def test_images_that_were_normalised_are_said_to_be(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    save_onnx(tmp_path / "n.onnx", Network([Flatten(), Linear(10)], (28, 28, 1)))
    assert digitlab("import", tmp_path / "n.onnx", "--out", tmp_path / "w", "--mean", 0.1307, "--std", 0.3081) == 0
    first = load_weights(tmp_path / "w")[0].in_use().layers[0]
    np.testing.assert_allclose(first.forward(np.full((1, 28, 28, 1), 0.1307 + 0.3081, np.float32)), 1, atol=1e-6)


def test_mistakes_are_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    file = tmp_path / "n.onnx"
    file.write_bytes(b"\x3a\x05nonsense")
    for arguments, words in (
        (("export",), "Say what to write: --onnx FILE, or --code FOLDER"),
        (("export", "--onnx", tmp_path / "o.onnx"), "Writing ONNX needs the package onnx"),
        (("export", "--run", "none", "--onnx", file), "There is no run called none"),
        (("export", "--code", file), "Could not write"),
        (("import", file, "--out", tmp_path / "w"), "is damaged or is no ONNX file"),
        (("import", file, "--out", file), "is the network itself; give the weights file another name"),
        (("import", tmp_path / "none.onnx", "--out", file), "There is no ONNX file"),
    ):
        assert digitlab(*arguments) == 2
        told = capsys.readouterr().err
        assert words in told and told.count("\n") == 1, told
    assert file.read_bytes() == b"\x3a\x05nonsense" and not (tmp_path / "o.onnx").exists()
