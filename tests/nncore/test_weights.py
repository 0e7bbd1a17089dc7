"""Weights files: what is written is read again, and what is damaged is refused in one sentence."""

from __future__ import annotations

import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nncore.errors import DigitLabError, WeightsError
from nncore.files import write_atomically
from nncore.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU
from nncore.network import Network
from nncore.weights import FORMAT, load_weights, save_weights, write_tensors


def small() -> Network:
    return Network([Conv2d(3, 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), Linear(10)], (8, 8, 1), seed=4)


def test_a_network_comes_back_as_it_was(tmp_path, rng):
    network, path = small(), tmp_path / "deep" / "w.safetensors"
    save_weights(path, network, {"data": "mnist", "val_accuracy": 0.5})
    again, info = load_weights(path)
    x = rng.random((5, 8, 8, 1), np.float32)
    assert np.array_equal(network(x), again(x))
    assert again.config() == network.config() and info == {"data": "mnist", "val_accuracy": 0.5}


def test_missing_cut_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    with pytest.raises(WeightsError, match="no weights file"):
        load_weights(path)
    save_weights(path, small())
    whole = path.read_bytes()
    for content in (b"", whole[:7], whole[:200], whole[:-1], b"\xff" * 500, b"PK\x03\x04" + whole):
        path.write_bytes(content)
        with pytest.raises(WeightsError):
            load_weights(path)
    write_tensors(path, {"x": np.zeros(3, np.float32)}, other="file")
    with pytest.raises(WeightsError, match="not written by DigitLab"):
        load_weights(path)


def test_weights_that_do_not_fit_their_network_are_refused(tmp_path):
    network, path = small(), tmp_path / "w.safetensors"
    wrong_shape = network.state_dict() | {"conv1.weight": np.zeros((3, 3, 1, 4), np.float32)}
    lacking = {name: value for name, value in network.state_dict().items() if name != "linear1.bias"}
    not_numbers = network.state_dict() | {"linear1.bias": np.full(10, np.nan, np.float32)}
    for state, words in ((wrong_shape, "3×3×1×4"), (lacking, "linear1.bias"), (not_numbers, "not numbers")):
        write_tensors(path, state, format=FORMAT, architecture=network.config(), info={})
        with pytest.raises(WeightsError, match=words):
            load_weights(path)


@pytest.mark.parametrize(
    "architecture",
    [
        None, 5, {}, {"input_shape": [8, 8, 1]}, {"input_shape": [8, 8, 1], "layers": []}, {"input_shape": "abc", "layers": [{}]},
        {"input_shape": [8, 8, 1], "layers": [{"type": "Exploit"}]}, {"input_shape": [-1], "layers": [{"type": "Flatten"}]},
        {"input_shape": [8, 8, 1], "layers": [{"type": "Linear", "out_features": 10}]},
        {"input_shape": [4096, 4096, 4096], "layers": [{"type": "Flatten"}, {"type": "Linear", "out_features": 10**9}]},
        {"input_shape": [8, 8, 1], "layers": [{"type": "Conv2d", "out_channels": "x", "kernel_size": 3}]},
    ],
)  # fmt: skip
def test_impossible_architectures_are_refused(tmp_path, architecture):
    path = tmp_path / "w.safetensors"
    write_tensors(path, small().state_dict(), format=FORMAT, architecture=architecture, info={})
    with pytest.raises(WeightsError):
        load_weights(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 2000), byte=st.integers(0, 255), length=st.integers(0, 2**63))
def test_no_change_of_a_file_raises_anything_but_weights_error(tmp_path, at, byte, length):
    path = tmp_path / "w.safetensors"
    save_weights(path, small())
    content = bytearray(path.read_bytes())
    content[at % len(content)] = byte
    if at % 5 == 0:
        content[:8] = struct.pack("<Q", length)
    path.write_bytes(content)
    with contextlib.suppress(WeightsError):
        load_weights(path)


def test_the_metadata_is_plain_json(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, small(), {"seed": 0})
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    assert json.loads(header["__metadata__"]["architecture"])["layers"][0]["type"] == "Conv2d"


def test_a_failed_write_leaves_the_old_file_and_no_scraps(tmp_path):
    path = tmp_path / "w.bin"
    write_atomically(path, b"old")
    (tmp_path / "w.bin").chmod(0o644)
    blocked = tmp_path / "w.bin" / "inside"
    with pytest.raises(DigitLabError, match="Could not write"):
        write_atomically(blocked, b"new")
    assert path.read_bytes() == b"old" and not list(tmp_path.glob(".w.bin*"))
