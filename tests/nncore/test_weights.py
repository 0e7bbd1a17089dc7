"""Weights files: what is written is read again, and what is damaged is refused in one sentence."""

from __future__ import annotations

import contextlib
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from nncore.errors import DigitLabError, WeightsError
from nncore.files import write_atomically
from nncore.layers import Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU
from nncore.network import Network
from nncore.weights import FORMAT, load_weights, read_tensors, save_weights, write_tensors


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


def conv(**settings: object) -> dict[str, object]:
    return {"type": "Conv2d", "out_channels": 1, "kernel_size": 1, **settings}


EXPLODING = {
    "padding": [conv(padding=20_000)],
    "padding, again and again": [conv(padding=900)] * 3,
    "a pool of everything": [conv(padding=900), {"type": "MaxPool2d", "kernel_size": 256, "stride": 1}],
    "channels": [conv(out_channels=10**6)],
    "products": [conv(padding=400), conv(kernel_size=200, padding=199), conv(kernel_size=200, padding=199)],
    "outputs": [{"type": "Flatten"}, {"type": "Linear", "out_features": 200_000}],
    "layers": [{"type": "ReLU"}] * 100_000,
}


@pytest.mark.parametrize("case", EXPLODING)
def test_a_small_file_cannot_ask_for_much(tmp_path, monkeypatch, case):
    """It is refused before any layer is built, so nothing has been allocated."""
    built: list[Layer] = []
    monkeypatch.setattr(Layer, "build", lambda layer, *_: built.append(layer))
    path = tmp_path / "w.safetensors"
    architecture = {"input_shape": [28, 28, 1], "layers": EXPLODING[case]}
    write_tensors(path, {"conv1.weight": np.zeros((1, 1, 1, 1), np.float32)}, format=FORMAT, architecture=architecture, info={})
    with pytest.raises(WeightsError, match="is of no use: "):
        load_weights(path)
    assert not built


def write_header(path: Path, header: str | bytes, numbers: bytes = b"") -> None:
    encoded = header.encode() if isinstance(header, str) else header
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + numbers)


def metadata_with(**entries: str) -> str:
    good = {"format": json.dumps(FORMAT), "architecture": json.dumps({"input_shape": [4], "layers": [{"type": "ReLU"}]})}
    return json.dumps({"__metadata__": good | entries})


BAD_METADATA = {
    "nested too deep": metadata_with(info="[" * 200_000),
    "nested too deep and closed": metadata_with(info='{"a":' * 100_000 + "1" + "}" * 100_000),
    "infinite": metadata_with(info='{"accuracy": Infinity}'),
    "no number": metadata_with(info='{"accuracy": NaN}'),
    "too large": metadata_with(info='{"accuracy": 1e999}'),
    "digits without end": metadata_with(info='{"accuracy": ' + "9" * 5000 + "}"),
    "info is a list": metadata_with(info="[1, 2]"),
    "info is text": metadata_with(info='"mnist"'),
    "config is a list": metadata_with(config="[1]"),
    "position is a number": metadata_with(position="3"),
    "architecture is a list": metadata_with(architecture="[]"),
    "architecture is nested too deep": metadata_with(architecture="[" * 200_000),
    "a name twice": metadata_with(info='{"a": 1, "a": 2}'),
    "no metadata": "{}",
    "metadata is a list": '{"__metadata__": []}',
    "metadata is no text": '{"__metadata__": {"format": 5}}',
    "no header": "5",
    "no UTF-8": b"\xff\xfe",
    "header nested too deep": "[" * 200_000,
    "header too long": " " * (9 * 2**20) + metadata_with(),
}


@pytest.mark.parametrize("case", BAD_METADATA)
def test_a_header_that_is_not_strict_json_is_refused_in_one_line(tmp_path, case):
    path = tmp_path / "w.safetensors"
    write_header(path, metadata_with())
    assert load_weights(path)[0].output_shape == (4,)
    write_header(path, BAD_METADATA[case])
    with pytest.raises(WeightsError) as caught:
        load_weights(path)
    assert str(path) in str(caught.value) and str(caught.value).isprintable() and len(str(caught.value)) < 400


def test_tensors_that_come_twice_or_are_of_another_kind_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    metadata = metadata_with()[1:-1]
    entry = '{"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'
    write_header(path, f'{{{metadata}, "a": {entry}, "a": {entry}}}', bytes(4))
    with pytest.raises(WeightsError, match="damaged"):
        load_weights(path)
    for dtype, words in (("BF16", "tensors that DigitLab does not read"), ("BOOL", "does not read"), ("x", "does not read")):
        write_header(path, f'{{{metadata}, "a": {entry.replace("F32", dtype)}}}', bytes(4))
        with pytest.raises(WeightsError, match=words):
            load_weights(path)
    many = ", ".join(f'"{number}": {{"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}' for number in range(20_001))
    write_header(path, f"{{{metadata}, {many}}}")
    with pytest.raises(WeightsError, match="does not read"):
        load_weights(path)


def test_names_from_a_file_are_shown_in_one_short_line(tmp_path):
    path = tmp_path / "w.safetensors"
    tensors = {name: np.zeros(1, np.float32) for name in ("a\nb", "\x1b[31mred", "x" * 9999, "y", "z")}
    write_tensors(path, small().state_dict() | tensors, format=FORMAT, architecture=small().config(), info={})
    with pytest.raises(WeightsError, match="and 2 more") as caught:
        load_weights(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 500
    architecture = {"input_shape": [4], "layers": [{"type": "ReLU\n" * 999, "a\n": 1}]}
    write_tensors(path, {}, format=FORMAT, architecture=architecture)
    with pytest.raises(WeightsError, match="no layer called") as caught:
        load_weights(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 500


def test_values_that_make_no_sense_are_refused(tmp_path):
    path, state = tmp_path / "w.safetensors", small().state_dict()
    for value in (np.full(10, 1e300), np.full(10, np.inf, np.float32)):
        write_tensors(path, state | {"linear1.bias": value}, format=FORMAT, architecture=small().config(), info={})
        with pytest.raises(WeightsError, match=r"linear1\.bias"):
            load_weights(path)


def test_what_is_no_number_is_written_as_null(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, small(), {"val_loss": float("nan"), "best": [1.5, float("inf"), {"a": -float("inf")}], "data": ("mnist",)})
    assert load_weights(path)[1] == {"val_loss": None, "best": [1.5, None, {"a": None}], "data": ["mnist"]}


def test_a_path_may_be_text(tmp_path):
    path = str(tmp_path / "w.safetensors")
    save_weights(path, small(), {"a": 1})
    assert load_weights(path)[1] == {"a": 1} and read_tensors(path, FORMAT)[0].keys() == small().state_dict().keys()


def test_files_that_may_not_be_read_say_why(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    save_weights(path, small())

    def denied(self, *_, **__):
        raise PermissionError(13, os.strerror(13), str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", denied)
        with pytest.raises(WeightsError, match="cannot be read: Permission denied"):
            load_weights(path)
    with pytest.raises(WeightsError, match="no weights file"):
        load_weights(tmp_path)
    with pytest.raises(WeightsError, match="no weights file"):
        load_weights("a\0b")
    with pytest.raises(WeightsError, match="no weights file"):
        load_weights("x" * 5000)


def test_a_file_of_holes_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    count = 300 * 2**20 // 4
    architecture = json.dumps({"input_shape": [1], "layers": [{"type": "Linear", "out_features": count // 2}]})
    header = json.loads(metadata_with(architecture=architecture))
    header["linear1.weight"] = {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}
    write_header(path, json.dumps(header))
    os.truncate(path, path.stat().st_size + 4 * count)
    if path.stat().st_blocks * 512 > 2**20:
        pytest.skip("this file system keeps no holes")
    with pytest.raises(WeightsError, match="mostly holes"):
        load_weights(path)


def test_the_file_of_another_program_is_told_from_a_damaged_one(tmp_path):
    path = tmp_path / "w.safetensors"
    write_header(path, '{"__metadata__": {"format": "pt"}}')
    with pytest.raises(WeightsError, match="not written by DigitLab"):
        load_weights(path)


def test_a_network_that_comes_back_drops_what_it_would_have_dropped(tmp_path, rng):
    """The seed is in the file, and with it which values dropout drops."""
    network, path = Network([Dropout(0.5), Linear(4)], (40,), seed=9), tmp_path / "w.safetensors"
    save_weights(path, network)
    again, _ = load_weights(path)
    x = rng.random((5, 40), np.float32)
    assert again.seed == 9
    assert np.array_equal(network.train()(x), again.train()(x))


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


def test_no_damaged_number_is_read(tmp_path):
    path = tmp_path / "small.safetensors"
    save_weights(path, Network([Linear(3)], (2,), seed=1))
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    assert len(content) - start == 4 * 9
    for place in range(start, len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(WeightsError, match="is damaged: its numbers are not those that were written"):
            load_weights(path)


def test_a_file_without_a_checksum_is_read(tmp_path):
    path, network = tmp_path / "old.safetensors", Network([Linear(3)], (2,), seed=1)
    metadata = {"format": json.dumps(FORMAT), "architecture": json.dumps(network.config())}
    path.write_bytes(save(network.state_dict(), metadata))
    loaded, _ = load_weights(path)
    assert all(np.array_equal(value, network.state_dict()[name]) for name, value in loaded.state_dict().items())
