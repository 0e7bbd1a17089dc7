"""Asking a network: through its plan and without, with the same answers."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

from nncore import prediction
from nncore.backend import evaluation
from nncore.backend.cpu.backend import CpuBackend
from nncore.data import synthetic
from nncore.errors import ConfigError, DeviceError
from nncore.layers import BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU, Softmax
from nncore.losses import softmax
from nncore.network import Network
from nncore.prediction import Predictor


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
def nothing_loaded(monkeypatch):
    """As in a process that has loaded no kernel yet."""
    monkeypatch.setattr(CpuBackend, "is_loaded", lambda _: False)


def test_a_few_images_never_wait_for_a_compiler(nothing_loaded, monkeypatch):
    data = synthetic("test", 20)
    network = Network(layers(), (28, 28, 1))
    predictor = Predictor(network)
    readable = predictor.predict(data.images)
    assert not predictor.is_prepared
    np.testing.assert_allclose(readable, softmax(network.forward(data.images / np.float32(255))), rtol=1e-5)
    predictor.prepare()
    assert predictor.is_prepared
    np.testing.assert_allclose(predictor.predict(data.images), readable, rtol=1e-4, atol=1e-7)
    monkeypatch.undo()
    twin = Predictor(Network(layers(), (28, 28, 1), seed=2))
    twin.predict(data.images[:1])
    assert twin.is_prepared, "of the same architecture: its kernels are loaded"


def test_many_images_are_worth_it(nothing_loaded, monkeypatch):
    monkeypatch.setattr(prediction, "WORTH_COMPILING", 30)
    data = synthetic("test", 40)
    network = Network(layers(), (28, 28, 1))
    predictor = Predictor(network)
    found = predictor.evaluate(data)
    assert predictor.is_prepared
    scores = network.forward(data.images / np.float32(255))
    assert found.loss == pytest.approx(-float(np.log(softmax(scores)[np.arange(40), data.labels]).mean()), rel=1e-5)
    assert predictor.check_accuracy(data) == found.accuracy
    assert predictor.check_accuracy(data, 7, seed=3) == predictor.evaluate(data.limit(7, 3)).accuracy


def test_a_network_that_ends_on_softmax(nothing_loaded):
    data = synthetic("test", 40)
    plain, ends = Predictor(Network(layers(), (28, 28, 1))), Predictor(Network([*layers(), Softmax()], (28, 28, 1)))
    expected = plain.predict(data.images)
    np.testing.assert_allclose(ends.predict(data.images), expected, rtol=1e-4, atol=1e-7)
    ends.prepare()
    np.testing.assert_allclose(ends.predict(data.images), expected, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(ends.look(data.images)[0], expected, rtol=1e-4, atol=1e-7)


def test_a_layer_of_ones_own_takes_the_readable_path():
    predictor = Predictor(Network([Flatten(), Doubled(), Linear(10)], (28, 28, 1)))
    predictor.prepare()
    assert predictor.is_prepared and predictor.predict(synthetic("test", 3).images).shape == (3, 10)


def test_a_mistake_does_not_become_the_readable_path():
    with pytest.raises(DeviceError):
        Predictor(Network(layers(), (28, 28, 1)), device="abacus").prepare()


def test_the_network_is_only_read(nothing_loaded):
    """An answer given in the midst of a training leaves alone what the way back needs."""
    data = synthetic("test", 4)
    network = Network([Flatten(), Dropout(0.5), Linear(10), BatchNorm()], (28, 28, 1))
    network.train()
    x = data.images / np.float32(255)
    network.forward(x)
    grad = np.ones((4, 10), np.float32)
    expected, before = network.backward(grad), network.state_dict()
    predictor = Predictor(network)
    predictor.predict(data.images)
    predictor.look(data.images)
    assert np.array_equal(network.backward(grad), expected) and all(layer.training for layer in network.layers)
    assert all(np.array_equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_look_gives_the_answer_and_every_layer_s_output():
    data = synthetic("test", 3)
    network = Network(layers(), (28, 28, 1))
    predictor = Predictor(network)
    probabilities, outputs = predictor.look(data.images)
    assert list(outputs) == [layer.name for layer in network.layers]
    assert [values.shape for values in outputs.values()] == [(3, *layer.output_shape) for layer in network.layers]
    np.testing.assert_allclose(probabilities, predictor.predict(data.images), rtol=1e-4, atol=1e-7)


def test_threads_that_ask_at_once_get_their_own_answers():
    data = synthetic("test", 400)
    predictor = Predictor(Network(layers(), (28, 28, 1)))
    predictor.prepare()
    expected = predictor.predict(data.images)
    wrong = []

    def ask(start: int) -> None:
        for turn in range(100):
            at = start + turn
            if not np.allclose(predictor.predict(data.images[at : at + 1]), expected[at : at + 1], rtol=1e-4, atol=1e-7):
                wrong.append(at)

    threads = [threading.Thread(target=ask, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_large_network_takes_fewer_images_at_a_time(monkeypatch):
    network, data = Network(layers(), (28, 28, 1)), synthetic("test", 40)
    expected = Predictor(network).predict(data.images)
    values = sum(line.values for line in network.summary())
    monkeypatch.setattr(evaluation, "MOST_VALUES", 7 * values)
    small = Predictor(network)
    assert small.batch == 7 and Predictor(Network([Flatten(), Linear(10)], (28, 28, 1))).batch > 7
    for _ in range(2):
        np.testing.assert_allclose(small.predict(data.images), expected, rtol=1e-4, atol=1e-7)
        small.prepare()


def test_images_that_do_not_fit():
    with pytest.raises(ConfigError, match=r"28×28×1.*32×32×3"):
        Predictor(Network(layers(), (32, 32, 3))).predict(synthetic("test", 3).images)


def test_a_network_a_predictor_and_a_plan_go_together():
    network = Network(layers(), (28, 28, 1))
    predictor = Predictor(network)
    predictor.prepare()
    reference = weakref.ref(network)
    del network, predictor
    gc.collect()
    assert reference() is None


def test_importing_the_engine_imports_no_compiler():
    """Neither Numba nor SciPy, which take a second between them."""
    code = "import nncore.prediction, nncore.plan, sys; print([m for m in ('numba', 'scipy', 'llvmlite') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
