"""What a program does with a run of several steps, on each backend."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import trials
from classifier import classifier, images_and_labels
from trial import GPU, SECTION, record, run

from nncore.backend.contract import Batches
from nncore.backend.cpu.backend import CpuBackend
from nncore.backend.devices import get_backend
from nncore.backend.reference.backend import ReferenceBackend
from nncore.errors import DataError, DeviceError
from nncore.layers import BatchNorm, Dropout, Flatten, Linear, ReLU
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.plan import Plan
from nncore.prediction import Predictor
from tests.nncore import standin

EACH = pytest.mark.parametrize("device", ["cpu", "reference", "cuda-host", GPU], indirect=True)


@EACH
def test_many_steps_in_one_run_are_many_runs(device: str) -> None:
    images, labels = images_and_labels()
    indices, counts, rates = (
        np.random.default_rng(3).integers(20, size=10),
        (4, 1, 0, 3, 2),
        [(0.5,), (0.4,), (0.3,), (0.2,), (0.1,)],
    )
    program, _, values = classifier(device)
    together = program.run(SECTION, Batches(images, labels, indices, counts, rates))
    other, _, values_apart = classifier(device)
    start = 0
    for step, count in enumerate(counts):
        part = Batches(images, labels, indices[start : start + count], (count,), rates[step : step + 1])
        alone = other.run(SECTION, part)
        assert together.losses[step] == alone.losses[0] and together.right[step] == alone.right[0]
        start += count
    assert together.losses.dtype == np.float64 and together.right.dtype == np.int64
    assert together.losses[2] == together.right[2] == 0  # a batch of none
    np.testing.assert_array_equal(values, values_apart)


@EACH
def test_a_long_run_of_steps(device: str) -> None:
    """Longer than what a backend takes together, with odd batches in between: the same bits as step by step."""
    images, labels = images_and_labels()
    counts = (4,) * 75 + (2,) + (4,) * 9 + (1, 1)
    indices, starts = np.random.default_rng(3).integers(20, size=sum(counts)), np.cumsum((0, *counts))
    rates = [(0.3 / (1 + step),) for step in range(len(counts))]
    (program, _, values), (other, _, values_apart) = classifier(device), classifier(device)
    together = program.run(SECTION, Batches(images, labels, indices, counts, rates))
    for step, count in enumerate(counts):
        chosen = indices[starts[step] : starts[step + 1]]
        alone = other.run(SECTION, Batches(images, labels, chosen, (count,), rates[step : step + 1]))
        assert together.losses[step] == alone.losses[0] and together.right[step] == alone.right[0]
    np.testing.assert_array_equal(values, values_apart)


@EACH
def test_sections_lie_in_each_other(device: str) -> None:
    images, labels = images_and_labels()
    batches = Batches(images, labels, np.arange(4), (4,), [(0.5,)])
    program, _, values = classifier(device)
    before = values.copy()
    first = program.run("gradients", batches)
    np.testing.assert_array_equal(values, before)
    assert program.run(SECTION, batches).losses[0] == first.losses[0]
    assert not np.array_equal(values, before)


@EACH
def test_a_run_ends_behind_a_loss_that_is_not_finite(device: str) -> None:
    images, labels = images_and_labels()
    images[7] = np.inf
    program, scores, _ = classifier(device)
    indices = np.array([0, 1, 2, 7, 3, 4, 5, 6])
    found = program.run("gradients", Batches(images, labels, indices, (2, 3, 1, 2)), [scores])
    assert len(found.losses) == len(found.right) == 2
    assert np.isfinite(found.losses[0]) and not np.isfinite(found.losses[1])
    assert found.values[0].shape == (3, 1, 1, 5)  # of the last step that was taken
    assert np.isfinite(found.values[0][[0, 2]]).all() and np.isnan(found.values[0][1]).any()


@EACH
def test_a_loss_that_was_not_finite_ends_no_later_run(device: str) -> None:
    images, labels = images_and_labels()
    program, scores, _ = classifier(device)
    broken = np.full_like(images, np.nan)
    program.run("gradients", Batches(broken, labels, np.arange(6), (2, 2, 2)))
    found = program.run("answers", Batches(images, None, np.arange(6), (2, 1, 3)), [scores])
    expected = program.run("answers", Batches(images, None, np.arange(3, 6), (3,)), [scores])
    np.testing.assert_array_equal(found.values[0], expected.values[0])


@EACH
def test_without_labels_there_are_only_answers(device: str) -> None:
    images, _ = images_and_labels()
    trial = trials.take((1, 1, 3), False)
    recording, _, _ = record(trial, device)
    outcome = recording.record.finish().run(SECTION, Batches(images, None, np.array([5, 0, 5]), (3,)), recording.outputs)
    assert len(outcome.losses) == len(outcome.right) == 0
    np.testing.assert_array_equal(outcome.values[0].reshape(3, 3), images[[5, 0, 5]])


@EACH
def test_what_was_found_stays(device: str) -> None:
    """Results are copies: a later run leaves them as they are."""
    images, labels = images_and_labels()
    program, scores, _ = classifier(device)
    first = program.run(SECTION, Batches(images, labels, np.arange(4), (4,), [(0.5,)]), [scores])
    gradient = program.gradient()
    kept = first.values[0].copy(), gradient.copy()
    program.run(SECTION, Batches(images, labels, np.arange(4, 8), (4,), [(0.5,)]), [scores])
    np.testing.assert_array_equal(first.values[0], kept[0])
    np.testing.assert_array_equal(gradient, kept[1])


@EACH
def test_a_batch_larger_than_recorded(device: str) -> None:
    images, labels = images_and_labels()
    with pytest.raises(ValueError, match="recorded for 4 examples, not 5"):
        classifier(device)[0].run("gradients", Batches(images, labels, np.arange(6), (1, 5)))


@EACH
def test_a_batch_without_images_leaves_running_averages_alone(device: str) -> None:
    """Batch norm of images needs two values a channel, and one image has more than two, but none has none."""
    network = Network([BatchNorm(), Flatten(), Linear(3)], (2, 2, 1))
    plan = Plan(network, (4, 2, 2, 1), CrossEntropyLoss(), device=device)
    with pytest.raises(DataError, match="norm1 needs at least two values a channel to train on, but got 0"):
        plan.gradients(np.zeros((0, 2, 2, 1), np.float32), np.zeros(0, np.int64))
    plan.gradients(np.ones((1, 2, 2, 1), np.float32), np.zeros(1, np.int64))
    assert np.isfinite(network.state_dict()["norm1.running_mean"]).all()


def test_dropout_draws_anew_at_every_step() -> None:
    losses = []
    for device in ("cpu", "reference"):
        images, labels = images_and_labels()
        layer = Dropout(0.4)
        layer.build((3,), np.random.default_rng(0))
        program = classifier(device, dropout=layer)[0]
        found = program.run("gradients", Batches(images, labels, np.tile(np.arange(4), 3), (4, 4, 4)))
        losses.append(found.losses)
    assert len(set(losses[0])) == 3
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)


def test_devices_by_name() -> None:
    assert isinstance(get_backend("cpu"), CpuBackend) and isinstance(get_backend("reference"), ReferenceBackend)
    with pytest.raises(DeviceError, match=r"there are auto, cpu, cuda|there are cpu, cuda"):
        get_backend("abacus")


def test_the_reference_backend_needs_no_compiler() -> None:
    backend = get_backend("reference")
    assert backend.is_loaded() and backend.is_ready() and backend.prepare(lambda: True)
    values = np.arange(3.0)
    assert backend.asarray(values) is values and backend.to_numpy(values) is values
    assert backend.describe()


def test_plan_and_predictor_take_the_reference_backend() -> None:
    network = Network([Linear(20), ReLU(), Linear(10)], (12,), seed=1)
    images = np.random.default_rng(0).integers(256, size=(9, 12), dtype=np.uint8)
    plan = Plan(network, (4, 12), CrossEntropyLoss(), device="reference", wait=False)
    expected = network.forward(images * np.float32(1 / 255))
    np.testing.assert_allclose(plan.forward(images), expected, rtol=0, atol=1e-6)
    predictor = Predictor(network, "reference")
    predictor.prepare()
    np.testing.assert_allclose(predictor.predict(images), Predictor(network).predict(images), atol=1e-6)


ELSEWHERE = {
    "take": trials.take((3, 4, 2), True, (1, 0)),
    "linear": trials.linear(5, 3, True),
    "linear back": trials.linear_backward(5, 3, True),
    "conv": trials.conv((5, 6, 2), 3, trials.square(3), (1, 1), True),
    "conv back": trials.conv_backward((5, 6, 2), 3, trials.square(3), (1, 1), True),
    "conv and pool": trials.conv_pool((5, 6, 2), 3, trials.square(3), (1, 1), True),
    **{name: trials.activation(name, (3, 4, 2)) for name in ("relu", "sigmoid", "tanh", "softmax")},
    **{f"{name} back": trials.activation_backward(name, (3, 4, 2)) for name in ("relu", "sigmoid", "tanh", "softmax")},
    "max pool": trials.max_pool((5, 6, 2), trials.square(3, 2)),
    "avg pool": trials.avg_pool((5, 6, 2), trials.square(3, 2)),
    "batch norm": trials.batch_norm((3, 4, 2), True),
    "batch norm in use": trials.batch_norm((3, 4, 2), True, False),
    "dropout": trials.dropout((3, 4, 2), 0.3),
    "cross entropy": trials.loss("cross_entropy", 4),
    "probability": trials.loss("probability", 4),
    "hinge": trials.loss("hinge", 4, (0.5,)),
    "momentum": trials.update("momentum", (0.1, 0.9), 0.03),
    "adam": trials.update("adam", trials.adam_rates(0.1, 0.9, 0.999, 1e-8, 1), 0.03),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_arrays_of_another_library(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference backend works where the network's numbers are, on CuPy arrays (here a stand-in) as on NumPy's."""
    expected = run(ELSEWHERE[name], "reference")
    cupy = standin.module()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    found = run(ELSEWHERE[name], "reference", standin.wrap)
    for key, values in expected.items():
        np.testing.assert_array_equal(found[key], values, key)
