"""The scripts that a network is exported as: run by themselves, they answer as the network does here."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.presets import PRESETS
from nncore.arrays import Array
from nncore.errors import ConfigError
from nncore.exchange import save_scripts
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

EVERY_LAYER: list[Layer] = [
    *(
        Conv2d(5, (3, 11), stride=(1, 2), padding=(2, 0)),
        Tanh(),
        MaxPool2d(3, 1, padding=(1, 0)),
        Softmax(),
        BatchNorm(eps=1e-2),
        Dropout(0.3),
    ),
    *(
        Conv2d(10, (2, 3), padding="same", dilation=(3, 1), groups=5),
        Conv2d(4, 1, bias=False),
        Sigmoid(),
        AvgPool2d((2, 3), (2, 1), padding=1),
        GELU(),
        GlobalAvgPool2d(),
        Flatten(),
        Linear(9, bias=False),
        BatchNorm(),
        ReLU(),
        Linear(8),
    ),
    *(LeakyReLU(0.2), SiLU(), GELU("tanh"), Linear(4), Softmax()),
]
NETWORKS = {name: PRESETS[name].build(seed=1) for name in ("mnist-cnn", "mnist-mlp", "alexnet-mini", "digitlab-svhn")} | {
    "every layer": Network(EVERY_LAYER, (17, 19, 3), seed=2),
    "colours as a vector": Network([Linear(3)], (75,), seed=3),
}
SCRIPT = {"numpy": "network_numpy.py", "torch": "network_torch.py"}


@pytest.fixture(params=SCRIPT)
def library(request: pytest.FixtureRequest) -> str:
    if request.param == "torch":
        pytest.importorskip("torch", reason="PyTorch is not installed")
    return str(request.param)


def exported(name: str, folder: Path) -> Network:
    """The network by that name with statistics such as training leaves, and its scripts in the folder."""
    network, rng = NETWORKS[name], np.random.default_rng(5)
    for full_name, buffer in network.buffers().items():
        size = buffer.data.shape
        buffer.data[...] = rng.uniform(0.5, 1.5, size) if full_name.endswith("var") else rng.normal(0, 0.2, size)
    save_scripts(folder, network, {"network": name})
    return network.in_use()


def run(folder: Path, script: str, *pictures: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"} | {"PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, str(folder / script), *map(str, pictures)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def expected(network: Network, picture: Array) -> Array:
    """What the network says of one picture, uint8 (height, width, channels)."""
    found = network.forward(picture.reshape(1, *network.input_shape).astype(np.float32) / 255)[0]
    return found if isinstance(network.layers[-1], Softmax) else softmax(found)


def printed(lines: list[str]) -> list[float]:
    return [float(line.split()[1]) for line in lines]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_script_says_of_picture_files_what_the_network_says(name: str, library: str, tmp_path: Path) -> None:
    network = exported(name, tmp_path)
    shape = {"mnist-mlp": (28, 28, 1), "colours as a vector": (5, 5, 3)}.get(name, network.input_shape)
    rng = np.random.default_rng(8)
    pictures = rng.integers(256, size=(2, *shape), dtype=np.uint8) * (rng.random((2, *shape)) < 0.4)  # mostly black, as digits are
    files = [tmp_path / "one.png", tmp_path / "two.png"]
    for picture, file in zip(pictures, files, strict=True):
        Image.fromarray(picture[..., 0] if shape[2] == 1 else picture).save(file)
    lines = run(tmp_path, SCRIPT[library], *files).splitlines()
    for number, (picture, file) in enumerate(zip(pictures, files, strict=True)):
        title, *rows = lines[number * (network.classes + 1) :][: network.classes + 1]
        answer = expected(network, picture)
        assert title == f"{file}: {answer.argmax()}"
        np.testing.assert_allclose(printed(rows), answer, rtol=0, atol=1e-5)


def test_a_digit_of_any_size_on_paper_is_centred_as_in_mnist(library: str, tmp_path: Path) -> None:
    network = exported("mnist-cnn", tmp_path)
    picture = np.full((90, 120), 250, np.uint8)
    picture[20:60, 70:76] = 10  # a 1 of 40 by 6 pixels, which becomes 20 by 3
    Image.fromarray(picture).save(tmp_path / "one.png")
    centred = np.zeros((28, 28, 1), np.uint8)
    centred[4:24, 13:16] = 255
    lines = run(tmp_path, SCRIPT[library], tmp_path / "one.png").splitlines()
    np.testing.assert_allclose(printed(lines[1:]), expected(network, centred), rtol=0, atol=1e-5)


def test_ink_on_bright_paper_is_turned_over_though_its_size_is_right(library: str, tmp_path: Path) -> None:
    network = exported("mnist-cnn", tmp_path)
    digit = np.zeros((28, 28, 1), np.uint8)
    digit[4:24, 13:16] = 255
    Image.fromarray(255 - digit[..., 0]).save(tmp_path / "one.png")
    lines = run(tmp_path, SCRIPT[library], tmp_path / "one.png").splitlines()
    np.testing.assert_allclose(printed(lines[1:]), expected(network, digit), rtol=0, atol=1e-5)


def test_a_blank_picture_gets_an_answer_too(library: str, tmp_path: Path) -> None:
    network = exported("mnist-cnn", tmp_path)
    Image.fromarray(np.full((50, 40), 255, np.uint8)).save(tmp_path / "blank.png")
    lines = run(tmp_path, SCRIPT[library], tmp_path / "blank.png").splitlines()
    np.testing.assert_allclose(printed(lines[1:]), expected(network, np.zeros((28, 28, 1))), rtol=0, atol=1e-5)


def test_the_scripts_have_the_layers_of_the_network_and_no_others(tmp_path: Path) -> None:
    exported("mnist-mlp", tmp_path)
    tree = ast.parse((tmp_path / "network_numpy.py").read_text("utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert functions == ["linear", "relu", "softmax", "forward", "read_picture", "centred"]
    assert "permute" not in (tmp_path / "network_torch.py").read_text("utf-8")


def test_no_name_of_a_network_puts_code_into_a_script(tmp_path: Path) -> None:
    name = '"""\nimport os; os.mkdir("here")\n"""\\'
    save_scripts(tmp_path, NETWORKS["mnist-mlp"], {"network": name})
    for script in SCRIPT.values():
        text = (tmp_path / script).read_text("utf-8")
        assert text.startswith('"""The network import os os.mkdirhere in ') and ast.parse(text)


def test_a_network_that_reads_no_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="takes 7, which is no picture"):
        save_scripts(tmp_path / "folder", Network([Linear(2)], (7,)))
    assert not (tmp_path / "folder").exists()
