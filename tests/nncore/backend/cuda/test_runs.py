"""Runs of many steps on the GPU's kernels: the same bits as one step at a time, ends, faults of the device, the ring of images."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from classifier import classifier, images_and_labels
from trial import ON_EACH_CUDA_DEVICE

from nncore.arrays import Array
from nncore.backend.contract import Batches
from nncore.backend.cuda import feed
from nncore.backend.cuda.host import HostDevice
from nncore.errors import DeviceError
from nncore.layers import BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import SGD, Adam, Optimizer
from nncore.plan import Plan

SHAPE, BATCH = (8, 7, 2), 6
HALVES = (1, feed.HALF)
"""Bytes of a half of the ring: of one batch, and of all batches."""


def layers() -> list[Layer]:
    return [Conv2d(5, 3, padding=1), ReLU(), MaxPool2d(2), BatchNorm(), Flatten(), Linear(9), ReLU(), Dropout(0.3), Linear(4)]


class Learner:
    """A network with optimizer and plan, and all that training changes."""

    def __init__(self, device: str, rule: Any = Adam, net: Callable[[], list[Layer]] = layers, **settings: Any) -> None:
        self.network = Network(net(), SHAPE, seed=3)
        self.optimizer: Optimizer = rule(self.network.parameters(), lr=0.01, **settings)
        self.plan = Plan(self.network, (BATCH, *SHAPE), CrossEntropyLoss(), self.optimizer, 1, device)

    def state(self) -> dict[str, Array]:
        moments = {f"{slot} of {name}": v.copy() for slot, of in self.optimizer.moments.items() for name, v in of.items()}
        return self.network.state_dict() | moments | {"steps": np.array(self.optimizer.steps)} | self.network.random_state()


def examples(count: int = 40, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.integers(256, size=(count, *SHAPE), dtype=np.uint8), rng.integers(4, size=count)


def batches_of(*counts: int) -> list[Array]:
    rng = np.random.default_rng(1)
    return [rng.integers(40, size=count) for count in counts]


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, name)


@ON_EACH_CUDA_DEVICE
@pytest.mark.parametrize("half", HALVES)
def test_a_stretch_is_single_steps_to_the_bit(device: str, half: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice in a row, so that graphs of the first time serve the second; and again from the start, for the same bits."""
    monkeypatch.setattr(feed, "HALF", half)
    images, labels = examples()
    batches, ends = batches_of(6, 2, 6, 6, 1, 5, 6), []
    for together in (False, True, True):
        learner, losses, right = Learner(device, weight_decay=0.01), [], []
        for _ in range(2):
            for part in [batches] if together else [[batch] for batch in batches]:
                found = learner.plan.steps(images, labels, part, [0.01] * len(part))
                losses += [*found[0]]
                right += [*found[1]]
        ends.append(learner.state() | {"losses": np.array(losses), "right": np.array(right)})
    assert_same(ends[1], ends[0])
    assert_same(ends[2], ends[0])


@ON_EACH_CUDA_DEVICE
@pytest.mark.parametrize("half", HALVES)
def test_the_end_behind_a_loss_that_is_not_finite(device: str, half: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the CPU: that step still moves parameters and running averages, and no later one does anything."""
    monkeypatch.setattr(feed, "HALF", half)
    images, labels = examples()
    images = images.astype(np.float32) / 255
    images[7, 3, 3] = np.inf
    batches = [np.arange(6), np.arange(10, 14), np.array([5, 6, 7]), np.arange(20, 26), np.arange(2)]
    net = lambda: [Conv2d(3, 3), ReLU(), Flatten(), Dropout(0.2), Linear(4)]  # noqa: E731
    ours, cpu = (Learner(name, SGD, net, momentum=0.9) for name in (device, "cpu"))
    results = [learner.plan.steps(images, labels, batches, [0.1, 0.2, 0.3, 0.4, 0.5]) for learner in (ours, cpu)]
    (losses, right), (expected_losses, expected_right) = results
    assert len(losses) == 3 and not np.isfinite(losses[2])
    np.testing.assert_allclose(losses[:2], expected_losses[:2], rtol=1e-5)
    np.testing.assert_array_equal(right[:2], expected_right[:2])
    for name, values in cpu.state().items():
        np.testing.assert_allclose(ours.state()[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    gradients = [learner.plan._program.gradient() for learner in (ours, cpu)]
    np.testing.assert_array_equal(np.isnan(gradients[0]), np.isnan(gradients[1]))


@ON_EACH_CUDA_DEVICE
def test_after_such_an_end_a_run_is_as_any_other(device: str) -> None:
    images, labels = examples()
    broken, expected = Learner(device, SGD), Learner(device, SGD)
    start = broken.network.state_dict()
    nans = np.full(images.shape, np.nan, np.float32)
    broken.plan.steps(nans, labels, batches_of(6, 3, 2), [0.1] * 3)
    broken.network.load_state_dict(start)
    broken.network.load_random_state(expected.network.random_state())
    broken.optimizer.steps = 0
    results = [learner.plan.steps(images, labels, batches_of(6, 6, 5), [0.1] * 3) for learner in (broken, expected)]
    assert_same(dict(enumerate(results[0])), dict(enumerate(results[1])))
    assert_same(broken.state(), expected.state())


@ON_EACH_CUDA_DEVICE
def test_running_averages_move_once_a_step(device: str) -> None:
    """A learning rate beyond all sense: the second step's loss is not finite, and the batch norm before all of it still sound."""
    images, labels = examples()
    ours, cpu = (Learner(name, SGD, lambda: [BatchNorm(), Flatten(), Linear(5), Linear(4), Linear(4)]) for name in (device, "cpu"))
    for learner in (ours, cpu):
        losses, _ = learner.plan.steps(images, labels, batches_of(6, 6, 6, 6), [1e30] * 4)
        assert len(losses) == 2 and not np.isfinite(losses[1])
    for name in ("norm1.running_mean", "norm1.running_var"):
        expected = cpu.network.state_dict()[name]
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(ours.network.state_dict()[name], expected, rtol=1e-5, err_msg=name)


@ON_EACH_CUDA_DEVICE
def test_in_the_second_half_of_the_ring(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read is that of the step that ended the run, though later steps have used its memory."""
    monkeypatch.setattr(feed, "HALF", 1)
    images, labels = images_and_labels()
    images[7] = np.inf
    found = []
    for name in (device, "cpu"):
        program, scores, _ = classifier(name, replicas=1)
        batches = Batches(images, labels, np.array([0, 1, 2, 3, 4, 5, 7, 6, 8, 9, 10, 11]), (4, 2, 2, 4))
        outcome = program.run("gradients", batches, [scores])
        assert len(outcome.losses) == 3
        found.append((outcome.values[0], program.gradient()))
    for ours, expected in zip(*found, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


@ON_EACH_CUDA_DEVICE
def test_each_layer_that_draws_has_keys_of_its_own(device: str) -> None:
    """Masks of three layers over several steps are those of the readable path: with them, losses are equal."""
    net = lambda: [Dropout(0.5), Flatten(), Linear(30), Dropout(0.2), ReLU(), Dropout(0.7), Linear(4)]  # noqa: E731
    images, labels = examples()
    learner, readable = Learner(device, SGD, net), Network(net(), SHAPE, seed=3)
    batches = batches_of(6, 5, 6)
    losses, _ = learner.plan.steps(images, labels, batches, [0.0] * 3)
    readable.train()
    loss = CrossEntropyLoss()
    expected = [loss(readable.forward(images[batch] / np.float32(255)), labels[batch]) for batch in batches]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert learner.network.random_state() == readable.random_state()


@pytest.mark.parametrize("method", ["put", "run", "get"])
def test_a_device_that_is_lost_leaves_everything_as_it_was(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = examples()
    learner, undisturbed = Learner("cuda-host"), Learner("cuda-host")
    before = learner.state()

    def lost(*_: Any) -> None:
        raise DeviceError("The GPU has stopped answering.")

    with monkeypatch.context() as patch:
        patch.setattr(HostDevice, method, lost)
        with pytest.raises(DeviceError, match="stopped answering"):
            learner.plan.steps(images, labels, batches_of(6), [0.01])
    assert_same(learner.state(), before)
    for each in (learner, undisturbed):
        each.plan.steps(images, labels, batches_of(6, 2), [0.01, 0.01])
    assert_same(learner.state(), undisturbed.state())


def test_lost_while_results_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written to the host before all has been fetched."""
    images, labels = examples()
    learner, sound = Learner("cuda-host"), HostDevice.get
    before, calls = learner.state(), []
    for fails_at in range(1, 20):
        calls.clear()

        def get(device: HostDevice, buffer: Array, count: int | None = None, fails_at: int = fails_at) -> Array:
            calls.append(buffer)
            if len(calls) == fails_at:
                raise DeviceError("The GPU has stopped answering.")
            return sound(device, buffer, count)

        monkeypatch.setattr(HostDevice, "get", get)
        try:
            learner.plan.steps(images, labels, batches_of(6), [0.01])
        except DeviceError:
            assert_same(learner.state(), before)
        else:
            break
    assert fails_at == len(calls) + 1 >= 5  # clock, results, parameters, two running averages


def test_threads_with_programs_of_their_own() -> None:
    """The host device's kernels keep which thread of which block they are in memory that all programs of a process share."""
    images, labels = examples()
    learners = [Learner("cuda-host") for _ in range(3)]
    expected, wrong = learners[0].plan.gradients(images[:6], labels[:6]), []

    def learn(learner: Learner) -> None:
        for _ in range(40):
            learner.network.load_random_state(dict.fromkeys(learner.network.random_state(), 0))
            wrong.extend([1] * (learner.plan.gradients(images[:6], labels[:6]) != expected))

    threads = [threading.Thread(target=learn, args=(learner,)) for learner in learners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
