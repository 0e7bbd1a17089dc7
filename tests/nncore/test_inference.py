"""Asking a network: through its plan and without, with the same answers."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest

from nncore import inference
from nncore.data import synthetic
from nncore.errors import ConfigError
from nncore.layers import Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU, Softmax
from nncore.losses import softmax
from nncore.network import Network


def layers(outputs: int = 10) -> list[Layer]:
    return [Conv2d(4, 3), MaxPool2d(2), ReLU(), Flatten(), Linear(outputs)]


class Doubled(Layer):
    """A layer that no kernel knows."""

    kind = "doubled"

    def forward(self, x):
        return 2 * x

    def backward(self, grad):
        return 2 * grad


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.setattr(inference, "_compiled", set())


def test_a_few_images_never_wait_for_a_compiler(compiled):
    data = synthetic("test", 20)
    network = Network(layers(), (28, 28, 1))
    readable = inference.predict(network, data.images)
    assert network.plan is None
    np.testing.assert_allclose(readable, softmax(network.forward(data.images / np.float32(255))), rtol=1e-5)
    inference.prepare(network)
    assert network.plan is None  # the network itself has only been read
    fast = inference.predict(network, data.images)
    assert network.plan is not None
    np.testing.assert_allclose(fast, readable, rtol=1e-4, atol=1e-7)
    twin = Network(layers(), (28, 28, 1), seed=2)
    inference.predict(twin, data.images[:1])
    assert twin.plan is not None  # of the same architecture: its kernels are loaded


def test_many_images_are_worth_it(compiled, monkeypatch):
    monkeypatch.setattr(inference, "MANY", 30)
    data = synthetic("test", 40)
    network = Network(layers(), (28, 28, 1))
    found = inference.evaluate(network, data)
    assert network.plan is not None
    scores = network.forward(data.images / np.float32(255))
    assert found.loss == pytest.approx(-float(np.log(softmax(scores)[np.arange(40), data.labels]).mean()), rel=1e-5)
    assert inference.check_accuracy(network, data) == found.accuracy
    assert inference.check_accuracy(network, data, 7, seed=3) == inference.evaluate(network, data.limit(7, 3)).accuracy


def test_a_network_that_ends_on_softmax(compiled, monkeypatch):
    data = synthetic("test", 40)
    plain, ends = Network(layers(), (28, 28, 1)), Network([*layers(), Softmax()], (28, 28, 1))
    expected = inference.predict(plain, data.images)
    np.testing.assert_allclose(inference.predict(ends, data.images), expected, rtol=1e-4, atol=1e-7)
    monkeypatch.setattr(inference, "MANY", 30)
    np.testing.assert_allclose(inference.predict(ends, data.images), expected, rtol=1e-4, atol=1e-7)


def test_a_layer_of_ones_own_takes_the_readable_path(compiled, monkeypatch):
    monkeypatch.setattr(inference, "MANY", 1)
    network = Network([Flatten(), Doubled(), Linear(10)], (28, 28, 1))
    inference.prepare(network)
    assert inference.predict(network, synthetic("test", 3).images).shape == (3, 10)
    assert network.plan is None and not network.can_compile


def test_images_that_do_not_fit():
    with pytest.raises(ConfigError, match=r"28×28×1.*32×32×3"):
        inference.predict(Network(layers(), (32, 32, 3)), synthetic("test", 3).images)


def test_a_network_and_its_plan_go_together(compiled, monkeypatch):
    monkeypatch.setattr(inference, "MANY", 1)
    network = Network(layers(), (28, 28, 1))
    inference.predict(network, synthetic("test", 3).images)
    reference = weakref.ref(network)
    del network
    gc.collect()
    assert reference() is None


def test_importing_the_engine_imports_no_compiler():
    """Neither Numba nor SciPy, which take a second between them."""
    code = "import nncore.inference, nncore.plan, sys; print([m for m in ('numba', 'scipy', 'llvmlite') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
