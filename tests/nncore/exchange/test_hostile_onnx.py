"""Hostile ONNX files: whatever is in one, it is refused in one line or gives a network that answers.

`make test` tries 300 of them; for more, set DIGITLAB_MUTATIONS to their number and DIGITLAB_SEED to another seed.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nncore.errors import WeightsError
from nncore.exchange import load_onnx, onnx_model
from nncore.layers import AvgPool2d, BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Softmax
from nncore.network import Network

COUNT, SEED = int(os.environ.get("DIGITLAB_MUTATIONS", "300")), int(os.environ.get("DIGITLAB_SEED", "20261130"))
LONGEST_MESSAGE = 700
NUMBERS = [0, 1, -1, 2, 3, 7, 255, 65_536, 10**6, 2**31 - 1, 2**31, 2**53, 2**63 - 1, -(2**63)]
TEXTS = ["", "x", "\x00\n", "é" * 900, "Conv", "Reshape", "Shape", "Concat", "Squeeze", "ReduceMean", "Cast", "Constant", "If"]


def good() -> Any:
    """A model with an operator of most kinds."""
    layers = [Conv2d(3, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2), AvgPool2d(2), Flatten(), Linear(10), Softmax()]
    return onnx_model(Network(layers, (8, 8, 2), seed=4), {"data": "mnist"})


def bytes_changed(content: bytes, rng: random.Random) -> bytes:
    """Some bytes are others, or the file is cut."""
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.choice([len(changed), len(changed), len(changed), rng.randrange(len(changed))])])


def message_changed(content: bytes, rng: random.Random) -> bytes:
    """Some numbers, texts and parts of the graph are others, missing, or there twice, in a file that is right in its form."""
    model = good()
    for _ in range(rng.choice([1, 1, 2, 4])):
        change(rng.choice([model.graph, *model.graph.node, *model.graph.initializer, *model.graph.input]), rng)
    return model.SerializeToString()


def change(message: Any, rng: random.Random) -> None:
    """Change a field of a message, or of one within it."""
    fields = message.ListFields()
    if not fields:
        return
    descriptor, value = rng.choice(fields)
    name, is_list = descriptor.name, not isinstance(value, (str, bytes, int, float)) and not hasattr(value, "ListFields")
    if is_list and rng.random() < 0.3:
        place = rng.randrange(len(value))
        if rng.random() < 0.5:
            del value[place]
        elif hasattr(value[place], "ListFields"):
            value.add().CopyFrom(value[place])
        else:
            value.append(value[place])
    elif is_list and hasattr(value[0], "ListFields"):
        change(rng.choice(value), rng)
    elif hasattr(value, "ListFields"):
        change(value, rng)
    elif is_list:
        value[rng.randrange(len(value))] = other(value[0], rng)
    elif "type" not in name or isinstance(value, str):
        setattr(message, name, other(value, rng))


def other(value: Any, rng: random.Random) -> Any:
    match value:
        case str():
            return rng.choice(TEXTS)
        case bytes():
            return rng.choice([b"", value[:-1], value + b"\0", bytes(len(value)), b"\xff" * len(value)])
        case float():
            return rng.choice([0.0, -1.0, 1e30, float("nan"), float("inf")])
    return rng.choice([number for number in NUMBERS if -(2**31) <= number < 2**31] if abs(value) < 20 else NUMBERS)


def test_damaged_and_hostile_files(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    content, path, found = good().SerializeToString(), tmp_path / "n.onnx", Counter[str]()
    for number in range(COUNT):
        kind = (bytes_changed, message_changed)[number % 2]
        path.write_bytes(kind(content, random.Random(f"{SEED} {number}")))
        try:
            found[outcome(path)] += 1
        except BaseException as error:
            error.add_note(f"file {number} of seed {SEED}, kept as {path}")
            raise
    assert found["error"] > COUNT / 5 and found["network"] > COUNT / 20, found


def outcome(path: Path) -> str:
    try:
        network, _ = load_onnx(path)
    except WeightsError as error:
        message = str(error)
        assert message.isprintable() and len(message) < LONGEST_MESSAGE, message[:2000]
        return "error"
    with np.errstate(all="ignore"):
        output = network.forward(np.zeros((1, *network.input_shape), np.float32))
    assert output.shape == (1, *network.output_shape)
    return "network"


@pytest.mark.parametrize("limit", ["MOST_NODES", "MOST_TENSORS", "MOST_FIELDS"])
def test_a_file_of_too_many_parts_is_refused_before_they_fill_the_memory(
    limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    path = tmp_path / "n.onnx"
    path.write_bytes(good().SerializeToString())
    assert outcome(path) == "network"
    monkeypatch.setattr(f"nncore.exchange.onnx_file.{limit}", 3)
    with pytest.raises(WeightsError, match="is damaged or is no ONNX file"):
        load_onnx(path)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    path = tmp_path / "n.onnx"
    path.write_bytes(good().SerializeToString()[:-1])  # within the metadata, which nobody needs
    with pytest.raises(WeightsError, match="is damaged or is no ONNX file"):
        load_onnx(path)
