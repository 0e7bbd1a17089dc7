"""What `python -m benchmarks launches` says of a step is true of the step that runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import launches
from benchmarks.cases import GPU_NETWORKS, Trained
from benchmarks.costs import COSTS, Cost, cost
from benchmarks.launches import GPUS, Gpu, rows_of, sums
from benchmarks.purposes import WORDS
from nncore.arrays import Array
from nncore.backend.cuda.device import At, Launch
from nncore.backend.cuda.memory import passes
from nncore.backend.cuda.record import Record
from nncore.backend.cuda.sources import kernels
from nncore.layers import AvgPool2d, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU, Sigmoid
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.plan import Plan

MNIST_CNN = next(trained for trained in GPU_NETWORKS if trained.name == "mnist-cnn")
MADE = ("y", "gx", "g", "c", "copies", "winner", "partial", "found", "running", "gradient")
"""Parameters behind which a launch writes most of what it makes; the others take a few numbers a step, or are told apart."""


def mixed() -> list[Layer]:
    """Layers that have kernels of their own."""
    return [
        MaxPool2d(3, stride=2), ReLU(), Dropout(0.5), Conv2d(6, 3), MaxPool2d(2), Sigmoid(), AvgPool2d(2, stride=1), Flatten(),
        Linear(66), ReLU(), Linear(10),
    ]  # fmt: skip


def recorded(trained: Trained, batch: int) -> tuple[Record, list[Launch]]:
    """A step as a program runs it, on images and labels that are there."""
    network = Network(trained.layers(), trained.input_shape)
    plan = Plan(network, (batch, *trained.input_shape), CrossEntropyLoss(), trained.rule(network.parameters()), device="cuda-host")
    program: Any = plan._program
    record, size = program.record, int(np.prod(trained.input_shape))
    pixels = np.random.default_rng(0).integers(0, 256, batch * size).astype(np.uint8)
    record.order[:batch] = np.arange(batch)
    record.theta[...] = record.vector.values
    return record, record.launches("train", passes(batch, batch, pixels, np.arange(batch, dtype=np.int32) % 10, "Byte"))


@contextmanager
def kept(buffers: list[Array]) -> Iterator[None]:
    """The buffers are afterwards what they were."""
    before = [buffer.copy() for buffer in buffers]
    yield
    for buffer, values in zip(buffers, before, strict=True):
        buffer[...] = values


def values_written(record: Record, launch: Launch, places: list[At]) -> int:
    """Bytes that a launch changes behind these places, whatever was there before."""
    buffers = [at.buffer for at in launch.arguments.values() if isinstance(at, At)]
    changed = [np.zeros(at.buffer.shape, bool) for at in places]
    for more in (0, 1):
        with kept(buffers):
            for at in places:
                at.buffer[...] = at.buffer + at.buffer.dtype.type(more)
            before = [at.buffer.copy() for at in places]
            record.device.run([launch])
            for at, was, found in zip(places, before, changed, strict=True):
                found |= at.buffer != was
    return sum(int(found.sum()) * at.buffer.itemsize for at, found in zip(places, changed, strict=True))


def test_every_kernel_has_its_cost_and_its_words() -> None:
    assert kernels().keys() <= COSTS.keys()
    assert WORDS.keys() == COSTS.keys()


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("batch", [32, 128, 512, 2048])
def test_a_step_of_mnist_cnn_takes_at_most_15_launches(batch: int) -> None:
    rows = rows_of(MNIST_CNN, batch)
    assert len(rows) <= 15
    assert len({row.purpose for row in rows}) == len(rows)


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize(
    "trained", [MNIST_CNN, Trained("mixed", mixed, (17, 19, 3), "sgd"), *GPU_NETWORKS[1:]], ids=lambda trained: trained.name
)
def test_bytes_written_are_those_that_change(trained: Trained) -> None:
    record, step = recorded(trained, 6)
    for launch in step:
        types = kernels()[launch.kernel].types(launch.instance)
        places = [at for name, at in launch.arguments.items() if name in MADE and at and not types[name].startswith("const")]
        if not launch.kernel.startswith("update"):
            assert cost(launch, record).written == values_written(record, launch, places), launch.key
        record.device.run([launch])


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("trained", GPU_NETWORKS, ids=lambda trained: trained.name)
def test_bytes_read_are_there_to_be_read(trained: Trained) -> None:
    record, step = recorded(trained, 6)
    for launch in step:
        held = {id(at.buffer): at.buffer.nbytes for at in launch.arguments.values() if isinstance(at, At)}
        assert 0 < cost(launch, record).read <= sum(held.values()), launch.key


@pytest.mark.usefixtures("compiler")
def test_the_update_reads_every_copy_once() -> None:
    record, step = recorded(MNIST_CNN, 128)
    copies = {part.start: part.end - part.start for part in record.vector.parts.values()}
    table = step[-1].arguments["table"].buffer.reshape(-1, 5)
    in_table = sum(int(row[3]) * copies[int(row[0])] for row in table)
    needs = cost(step[-1], record)
    assert step[-1].kernel == "update_adam"
    assert needs.read == 4 * (3 * record.vector.parameters + in_table)
    assert needs.written == 4 * 3 * record.vector.parameters


@pytest.mark.usefixtures("compiler")
def test_products_are_counted_as_the_definition_asks_for() -> None:
    forward = {row.purpose.split(":")[0]: row.operations for row in rows_of(MNIST_CNN, 10) if "product" in row.purpose}
    assert forward == {"linear1": 10 * 2 * 1568 * 64, "linear2": 10 * 2 * 64 * 10}
    convolutions = [row.operations for row in rows_of(MNIST_CNN, 10) if row.purpose.endswith("pool")]
    assert convolutions == [10 * 2 * 9 * 16 * 28 * 28, 10 * 2 * 9 * 16 * 32 * 14 * 14]


def test_the_least_time_is_that_of_what_takes_longest() -> None:
    gpu = Gpu("a", bandwidth=100.0, arithmetic=10.0)
    assert gpu.least(Cost(50, 150, 10)) == 2.0
    assert gpu.least(Cost(50, 150, 50)) == 5.0


@pytest.mark.usefixtures("compiler")
def test_a_step_costs_a_node_a_launch_at_least() -> None:
    found = sums(rows_of(MNIST_CNN, 32))
    for gpu in GPUS:
        times = found["least_seconds"][gpu.name]
        assert times["with_nodes"] >= max(times["work"], found["launches"] * gpu.node)


@pytest.mark.usefixtures("compiler")
def test_launches_know_their_layers() -> None:
    purposes = [row.purpose for row in rows_of(Trained("mixed", mixed, (17, 19, 3), "sgd"), 6)]
    assert "conv1: convolution, bias, pool" in purposes
    assert "after conv1: sigmoid" in purposes and "after conv1: the way back of sigmoid" in purposes
    assert "linear2: gradient of the input" in purposes


@pytest.mark.usefixtures("compiler")
def test_the_command_prints_json_and_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert launches.main(["--only", "mnist-cnn", "--batch", "32,64", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)
    assert [(step["network"], step["batch"], step["launches"]) for step in steps] == [("mnist-cnn", 32, 15), ("mnist-cnn", 64, 15)]
    assert steps[0]["bytes"] == sum(row["read"] + row["written"] for row in steps[0]["rows"])
    assert launches.main(["--only", "mnist-cnn", "--batch", "32", "--markdown"]) == 0
    text = capsys.readouterr().out
    assert "| conv1: convolution, bias and ReLU, pool |" in text and "| mnist-cnn | 32 | 15 |" in text


@pytest.mark.usefixtures("compiler")
def test_the_documentation_has_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Where this fails, a step costs something else now: paste what the two commands print into docs/performance.md."""
    known = (Path(__file__).parents[2] / "docs" / "performance.md").read_text("utf-8").splitlines()
    for command in (["--only", "mnist-cnn", "--batch", "128"], []):
        assert launches.main([*command, "--markdown"]) == 0
        table = capsys.readouterr().out.split("\n\n")[1 if command else -1]
        assert [line for line in table.splitlines() if line.startswith("|") and line not in known] == []


def test_an_unknown_benchmark_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nothing"], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        == "There is no benchmark 'nothing'; there are data, torch, shortest, onnx, window, drawing, beside, gaps, live, "
        "slider, strokes, wild, teach, doubt, explain, launches, gpu."
    )
