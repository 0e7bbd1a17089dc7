"""The readable path runs unchanged on arrays of another library, and never makes NumPy arrays of them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import standin

from nncore import losses
from nncore.layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from nncore.network import Network
from nncore.optimizers import SGD, Adam, Optimizer
from nncore.regularizers import L2


def layers() -> list[Layer]:
    return [
        Conv2d(4, 3, padding=1),
        BatchNorm(),
        ReLU(),
        MaxPool2d(2),
        Conv2d(4, 3, stride=2, padding=1),
        Sigmoid(),
        AvgPool2d(2),
        Flatten(),
        Dropout(0.3),
        Linear(8),
        BatchNorm(),
        Tanh(),
        Linear(10),
    ]


@pytest.fixture(autouse=True)
def cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", standin.module())


def network(softmax: bool) -> Network:
    return Network([*layers(), Softmax()] if softmax else layers(), (12, 12, 2), seed=3)


@pytest.mark.parametrize("rule", [lambda p: SGD(p, 0.1, 0.9, 0.01), lambda p: Adam(p, 0.01)], ids=["sgd", "adam"])
@pytest.mark.parametrize(
    "loss", [losses.CrossEntropyLoss(), losses.ProbabilityCrossEntropyLoss(), losses.HingeLoss()], ids=lambda x: type(x).__name__
)
def test_training_steps(loss: losses.Loss, rule: object) -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.random((6, 12, 12, 2), np.float32), rng.integers(10, size=6)
    results = []
    for there in (False, True):
        twin = network(isinstance(loss, losses.ProbabilityCrossEntropyLoss))
        wrap = standin.wrap if there else (lambda array: array)
        for holder in (twin.parameters() | twin.buffers()).values():
            holder.data = wrap(holder.data)
        optimizer: Optimizer = rule(twin.parameters())  # type: ignore[operator]
        twin.train()
        for _ in range(2):
            value = loss(twin.forward(wrap(x)), wrap(labels))
            twin.backward(loss.backward())
            L2(0.01).add_gradient(twin.parameters())
            optimizer.step()
        twin.eval()
        results.append((value, twin.forward(wrap(x)), twin.state_dict()))
    here, away = results
    assert isinstance(away[1], standin.ndarray)
    assert here[0] == away[0]
    np.testing.assert_array_equal(here[1], away[1]._values)
    for name, value in here[2].items():
        np.testing.assert_array_equal(value, away[2][name]._values, err_msg=name)


def test_the_stand_in_refuses_what_cupy_refuses() -> None:
    array = standin.wrap(np.ones(3))
    with pytest.raises(TypeError):
        np.asarray(array)
    with pytest.raises(TypeError):
        array + np.ones(3)
    with pytest.raises(TypeError):
        np.pad(array, 1)
