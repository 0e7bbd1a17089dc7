"""The readable path runs unchanged on arrays of another library, and never makes NumPy arrays of them."""

from __future__ import annotations

import sys
from pathlib import Path

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
from nncore.plan import Plan
from nncore.prediction import Predictor
from nncore.regularizers import L2
from nncore.weights import load_weights, save_weights


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
        np.testing.assert_array_equal(value, away[2][name], err_msg=name)


def moved(twin: Network) -> Network:
    for holder in (twin.parameters() | twin.buffers()).values():
        holder.data = standin.wrap(holder.data)
    return twin


def test_saved_states_are_the_hosts_wherever_the_network_is(tmp_path: Path) -> None:
    here, away = network(False), moved(network(False))
    state = {name: value + np.float32(0.5) for name, value in here.state_dict().items()}
    away.load_state_dict(state)
    assert all(isinstance(holder.data, standin.ndarray) for holder in (away.parameters() | away.buffers()).values())
    optimizer, other = Adam(away.parameters(), 0.01), Adam(here.parameters(), 0.01)
    saved = {name: np.ones_like(value) for name, value in other.state_dict().items()}
    optimizer.load_state_dict(saved)
    for found, expected in ((away.state_dict(), state), (optimizer.state_dict(), saved)):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert type(found[name]) is np.ndarray, name
            np.testing.assert_array_equal(found[name], value, err_msg=name)
    save_weights(tmp_path / "away.safetensors", away)
    again, _ = load_weights(tmp_path / "away.safetensors")
    np.testing.assert_array_equal(again.state_dict()["conv1.weight"], state["conv1.weight"])


def test_a_plan_brings_the_network_back_to_the_host() -> None:
    x, labels = np.random.default_rng(0).random((6, 12, 12, 2), np.float32), np.arange(6)
    here, away = network(False), moved(network(False))
    results = []
    for twin in (here, away):
        optimizer = Adam(twin.parameters(), 0.01)
        plan = Plan(twin, (6, 12, 12, 2), losses.CrossEntropyLoss(), optimizer)
        results.append((plan.step(x, labels), twin.state_dict(), optimizer.state_dict()))
    assert results[0][0] == results[1][0]
    for there, expected in zip(results[1][1:], results[0][1:], strict=True):
        for name, value in expected.items():
            np.testing.assert_array_equal(there[name], value, err_msg=name)
    assert all(type(parameter.data) is np.ndarray for parameter in away.parameters().values())


def test_the_inspector_and_a_few_answers() -> None:
    images = np.random.default_rng(0).integers(256, size=(3, 12, 12, 2), dtype=np.uint8)
    here, away = Predictor(network(False), "reference"), Predictor(moved(network(False)), "reference")
    (expected, maps), (found, outputs) = here.look(images), away.look(images)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert list(outputs) == list(maps)
    for name, values in maps.items():
        assert type(outputs[name]) is np.ndarray
        np.testing.assert_array_equal(outputs[name], values, err_msg=name)
    away._has_kernels = False  # a network with a layer that no plan knows
    np.testing.assert_allclose(away.predict(images), expected, rtol=1e-6)


def test_the_stand_in_refuses_what_cupy_refuses() -> None:
    array = standin.wrap(np.ones(3))
    with pytest.raises(TypeError):
        np.asarray(array)
    with pytest.raises(TypeError):
        array + np.ones(3)
    with pytest.raises(TypeError):
        np.pad(array, 1)
