"""Every backward is the derivative of its forward."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable

import numpy as np
import pytest
import standin
from gradcheck import Place, check_direction, check_layer, check_parameters, to_float64
from scipy import special

from nncore.backend.devices import get_backend
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
from nncore.losses import CrossEntropyLoss, HingeLoss, Loss, ProbabilityCrossEntropyLoss, softmax
from nncore.network import Network
from nncore.regularizers import L2

IMAGE, VECTOR = (7, 6, 3), (9,)

LAYERS: list[tuple[Layer, tuple[int, ...]]] = [
    (Linear(5), VECTOR),
    (Linear(5, bias=False), VECTOR),
    (Conv2d(4, 3), IMAGE),
    (Conv2d(4, 3, padding=1, bias=False), IMAGE),
    (Conv2d(4, 3, padding=1), IMAGE),
    (Conv2d(2, (3, 2), stride=(2, 1), padding=(0, 2)), IMAGE),
    (Conv2d(3, 5, stride=3, padding=2), IMAGE),
    (Conv2d(5, 1), IMAGE),
    (Conv2d(4, (2, 3), padding="same", dilation=(1, 2)), IMAGE),
    (Conv2d(6, 3, stride=2, padding=1, dilation=(2, 1), groups=3, bias=False), IMAGE),
    (MaxPool2d(2), IMAGE),
    (MaxPool2d(3, stride=1), IMAGE),
    (MaxPool2d((3, 2), stride=(2, 3)), IMAGE),
    (AvgPool2d(2), IMAGE),
    (AvgPool2d((3, 2), stride=(1, 2)), IMAGE),
    (MaxPool2d(3, stride=2, padding=1), IMAGE),
    (AvgPool2d((3, 4), stride=(2, 1), padding=(1, 2)), IMAGE),
    (GlobalAvgPool2d(), IMAGE),
    (Flatten(), IMAGE),
    (ReLU(), IMAGE),
    (Sigmoid(), VECTOR),
    (Tanh(), IMAGE),
    (Softmax(), VECTOR),
    (LeakyReLU(0.2), IMAGE),
    (GELU(), VECTOR),
    (GELU("tanh"), IMAGE),
    (SiLU(), IMAGE),
    (BatchNorm(), VECTOR),
    (BatchNorm(eps=0.1), IMAGE),
]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[f"{layer.describe()}-{len(shape)}d" for layer, shape in LAYERS])
def test_layer(layer: Layer, shape: tuple[int, ...], training: bool) -> None:
    rng = np.random.default_rng(1)
    layer.build(shape, rng)
    layer.training = training
    x = rng.standard_normal((4, *shape))
    check_layer(layer, x, rng)
    assert layer.forward(x).shape == (4, *layer.output_shape)


def away(monkeypatch: pytest.MonkeyPatch) -> Place:
    """Arrays of the stand-in for CuPy."""
    monkeypatch.setitem(sys.modules, "cupy", standin.module())
    monkeypatch.setitem(sys.modules, "cupyx.scipy.special", standin.module_like(special))
    return standin.wrap


def on_the_gpu(monkeypatch: pytest.MonkeyPatch) -> Place:
    return get_backend("cuda").asarray


@pytest.mark.parametrize("put", [away, pytest.param(on_the_gpu, marks=pytest.mark.gpu)])
@pytest.mark.parametrize("number", range(len(LAYERS)), ids=[f"{layer.describe()}-{len(shape)}d" for layer, shape in LAYERS])
def test_layer_on_arrays_of_another_library(number: int, put: Callable[..., Place], monkeypatch: pytest.MonkeyPatch) -> None:
    layer, shape = copy.deepcopy(LAYERS[number])
    rng = np.random.default_rng(1)
    layer.build(shape, rng)
    layer.training = True
    check_layer(layer, rng.standard_normal((4, *shape)), rng, put(monkeypatch))


def test_max_pooling_of_equal_values_and_of_what_is_no_number() -> None:
    """The gradient goes to the first of equal values in reading order, and a NaN is passed on."""
    layer = MaxPool2d(2, stride=1)
    layer.build((2, 3, 1), np.random.default_rng(0))
    x = np.array([[1.0, 5, 5], [5, 0, 5]]).reshape(1, 2, 3, 1)
    assert layer.forward(x).ravel().tolist() == [5, 5]
    assert layer.backward(np.array([[[[2.0], [3.0]]]])).ravel().tolist() == [0, 5, 0, 0, 0, 0]
    x[0, 1, 0] = np.nan
    y = layer.forward(x).ravel()
    assert np.isnan(y[0]) and y[1] == 5


def test_dropout() -> None:
    rng = np.random.default_rng(2)
    layer = Dropout(0.3)
    layer.build(VECTOR, rng)
    layer.training = True
    x, weights = rng.standard_normal((40, *VECTOR)), rng.standard_normal((40, *VECTOR))

    def loss() -> float:
        layer.calls = 7  # the same values fall each time
        return float((layer.forward(x) * weights).sum())

    loss()
    check_direction(loss, x, layer.backward(weights), rng, "dropout")


LOSSES: list[tuple[Loss, bool]] = [
    (CrossEntropyLoss(), False),
    (CrossEntropyLoss(), True),
    (CrossEntropyLoss(0.3), False),
    (CrossEntropyLoss(0.3), True),
    (ProbabilityCrossEntropyLoss(), False),
    (ProbabilityCrossEntropyLoss(), True),
    (HingeLoss(), False),
    (HingeLoss(0.3), False),
]


@pytest.mark.parametrize(("loss", "rows"), LOSSES, ids=[f"{type(loss).__name__}-{rows}" for loss, rows in LOSSES])
def test_loss(loss: Loss, rows: bool) -> None:
    rng = np.random.default_rng(3)
    scores = rng.standard_normal((6, 10))
    labels = rng.integers(10, size=6)
    if isinstance(loss, ProbabilityCrossEntropyLoss):
        scores = softmax(scores)
    target = softmax(rng.standard_normal((6, 10))) if rows else labels
    loss(scores, target)
    check_direction(lambda: loss(scores, target), scores, loss.backward(), rng, type(loss).__name__)


def test_l2() -> None:
    rng = np.random.default_rng(4)
    network = Network([Linear(5), Tanh(), Linear(3)], (4,))
    to_float64(network)
    network.parameters()["linear1.bias"].data += 1
    penalty = L2(0.7)
    for parameter in network.parameters().values():
        parameter.grad = np.zeros_like(parameter.data)
    penalty.add_gradient(network.parameters())
    check_parameters(lambda: penalty.penalty(network.parameters()), network.parameters(), rng)
    assert penalty.penalty(network.parameters()) > 0


def test_whole_network() -> None:
    rng = np.random.default_rng(5)
    layers = [Conv2d(4, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2), Flatten(), Linear(8), Sigmoid(), Linear(10)]
    network = Network(layers, (8, 8, 1))
    to_float64(network)
    network.train()
    x, labels, loss = rng.standard_normal((5, 8, 8, 1)), rng.integers(10, size=5), CrossEntropyLoss()

    def f() -> float:
        return loss(network.forward(x), labels)

    f()
    grad_x = network.backward(loss.backward())
    check_parameters(f, network.parameters(), rng)
    check_direction(f, x, grad_x, rng, "x")
