"""Batches that do not fit into the device's memory are taken in passes, down to the error that says what to make smaller."""

from __future__ import annotations

import re
import weakref
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from classifier import classifier, images_and_labels

from nncore.arrays import Array
from nncore.backend.contract import Batches
from nncore.backend.cuda import feed, record
from nncore.backend.cuda.host import HostDevice
from nncore.errors import DeviceError
from nncore.layers import AvgPool2d, BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU, Sigmoid
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import Adam
from nncore.plan import Plan

SHAPE, BATCH = (9, 8, 2), 13


@pytest.fixture(autouse=True)
def _small_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ring takes two batches, so that it is not what decides how much memory a program needs."""
    monkeypatch.setattr(feed, "HALF", 1)


def layers() -> list[Layer]:
    return [
        *(Conv2d(5, 3, padding=1), ReLU(), MaxPool2d(2), Conv2d(6, 2), Sigmoid(), AvgPool2d(2, stride=1)),
        *(Dropout(0.3), Flatten(), Linear(9), ReLU(), Linear(4)),
    ]


def planned(net: list[Layer] | None = None, device: str = "cuda-host", batch: int = BATCH) -> Plan:
    network = Network(net or layers(), SHAPE, seed=3)
    optimizer = Adam(network.parameters(), 0.01, eps=1e-3, weight_decay=0.01)
    optimizer.clip_norm = 0.1
    return Plan(network, (batch, *SHAPE), CrossEntropyLoss(0.1), optimizer, 1, device)


def capacity(program: Any) -> int:
    """How many images it takes at a time."""
    found: int = program.record.capacity
    return found


def limit(monkeypatch: pytest.MonkeyPatch, wanted: int) -> None:
    """Give the device the most memory with which a plan takes no more than so many images at a time."""
    free = [100_000]
    monkeypatch.setattr(HostDevice, "free_memory", lambda _: free[0])
    while capacity(planned()._program) > wanted:
        free[0] -= free[0] // 50
    assert capacity(planned()._program) == wanted


class Memory:
    """A device whose memory ends at `size` bytes, though it says that more is free."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
        self.left, sound = size, HostDevice.zeros

        def zeros(device: HostDevice, count: int, dtype: npt.DTypeLike) -> Array:
            wanted = count * np.dtype(dtype).itemsize
            if wanted > self.left:
                raise MemoryError
            buffer = sound(device, count, dtype)
            self.left -= wanted
            weakref.finalize(buffer, self.give_back, wanted)
            return buffer

        monkeypatch.setattr(HostDevice, "zeros", zeros)

    def give_back(self, size: int) -> None:
        self.left += size


def examples(count: int = 40) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.integers(256, size=(count, *SHAPE), dtype=np.uint8), rng.integers(4, size=count)


def everything(plan: Plan) -> dict[str, Any]:
    """Answers and gradients of whole and of odd batches, and a few steps."""
    (images, labels), rng = examples(), np.random.default_rng(1)
    found: dict[str, Any] = {"answers": plan.forward(images)}
    for count in (BATCH, 3, 8):
        found[f"loss of {count}"], found[f"right of {count}"] = plan.gradients(images[:count], labels[:count]), plan.correct
        found |= {f"gradient of {name}, {count}": p.grad.copy() for name, p in plan.network.parameters().items()}
    batches = [rng.integers(40, size=count) for count in (BATCH, 5, BATCH, 1)]
    found["losses"], found["right"] = plan.steps(images, labels, batches, [0.01] * 4)
    return found | plan.network.state_dict()


def assert_close(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        scale = np.abs(values).max()
        np.testing.assert_allclose(found[name], values, rtol=0, atol=2e-6 * scale if "right" not in name else 0, err_msg=name)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("wanted", [7, 4, 2])
def test_a_batch_splits_itself(wanted: int, order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone, and in stretches; answers are the same bits, since no sum runs over images."""
    expected = everything(planned())
    monkeypatch.setattr(HostDevice, "order", order)
    limit(monkeypatch, wanted)
    found = everything(planned())
    assert_close(found, expected)
    np.testing.assert_array_equal(found["answers"], expected["answers"])


def test_memory_that_others_have_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device says that there is enough, and then there is not: smaller passes, and what was made before is given back."""
    memory = Memory(monkeypatch, 10**6)
    whole = planned()
    expected, used = everything(whole), 10**6 - memory.left
    del whole
    assert memory.left == 10**6
    memory.left = size = used * 4 // 5
    plan = planned()
    assert 1 < capacity(plan._program) < BATCH
    memory.left += size  # what a run makes, such as the room for its steps' numbers
    assert_close(everything(plan), expected)
    del plan
    assert memory.left == 2 * size


def test_what_is_read_of_several_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = images_and_labels()
    images[5] = np.nan
    batches = Batches(images, labels, np.array([0, 1, 2, 3, 6, 7, 8, 9]), (4, 4))
    broken = Batches(images, labels, np.array([0, 1, 2, 3, 6, 7, 5, 9]), (4, 4))
    found = []
    for wanted in (4, 3):
        monkeypatch.setattr(record, "capacity_for", lambda *_, wanted=wanted: wanted)
        program, scores, _ = classifier("cuda-host")
        found.append((program, [program.run("gradients", run, [scores]) for run in (batches, broken)], program.gradient()))
    assert [capacity(program) for program, *_ in found] == [4, 3]
    for whole, parts in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_array_equal(parts.values[0], whole.values[0])
        np.testing.assert_allclose(parts.losses, whole.losses, rtol=1e-6)
        np.testing.assert_array_equal(parts.right[:-1], whole.right[:-1])
    np.testing.assert_allclose(found[1][2], found[0][2], rtol=1e-5)


def test_answers_do_not_change_the_gradient_of_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """That was taken in several passes, and the answers in one."""
    images, labels = examples()
    limit(monkeypatch, 4)
    plan = planned()
    plan.gradients(images[:BATCH], labels[:BATCH])
    expected = plan._program.gradient()
    plan.forward(images[:1])
    np.testing.assert_array_equal(plan._program.gradient(), expected)


def test_not_even_one_image_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HostDevice, "free_memory", lambda _: 3_000)
    with pytest.raises(
        DeviceError, match=r"^Even a single image needs 0 MB of the GPU's memory, most of it for 9×8×2 values each, .*"
    ):
        planned()


def test_too_many_passes_ask_for_a_smaller_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pass leaves a copy of the gradient: one image at a time would fit, but not the copies of so many passes."""
    net = lambda: [Flatten(), Linear(500), ReLU(), Linear(4)]  # noqa: E731
    monkeypatch.setattr(HostDevice, "free_memory", lambda _: 3_000_000)
    with pytest.raises(DeviceError, match=r"^A batch of 400 needs .* most of it for gradients, .*; take a smaller batch, or"):
        planned(net(), batch=400)
    planned(net(), batch=1)


def test_batch_norm_needs_its_batch_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    net = lambda: [Conv2d(5, 3), BatchNorm(), Flatten(), Linear(4)]  # noqa: E731
    images, labels = examples()
    plan = planned(net())
    before = plan.network.state_dict()
    monkeypatch.setattr(HostDevice, "free_memory", lambda _: 60_000)
    with pytest.raises(
        DeviceError, match=r"^A batch of 13 with batch norm, which needs it whole, needs .*; take a smaller batch, or"
    ):
        Plan(plan.network, (BATCH, *SHAPE), CrossEntropyLoss(), device="cuda-host")
    for name, values in plan.network.state_dict().items():
        np.testing.assert_array_equal(values, before[name])
    plan.step(images[:BATCH], labels[:BATCH])  # goes on with what it has
    assert capacity(planned(net(), batch=4)._program) == 4


def test_memory_that_ends_in_the_middle_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer stretch needs more room for its numbers: one sentence, and everything as before it."""
    images, labels = examples()
    plan = planned()
    plan.step(images[:BATCH], labels[:BATCH])
    state = plan.network.state_dict(), plan.network.random_state(), plan.optimizer.steps  # type: ignore[union-attr]
    with monkeypatch.context() as patch:
        Memory(patch, 100)
        with pytest.raises(DeviceError, match=re.escape("GPU's memory is full")):
            plan.steps(images, labels, [np.arange(BATCH)] * 20, [0.01] * 20)
    for name, values in plan.network.state_dict().items():
        np.testing.assert_array_equal(values, state[0][name])
    assert (plan.network.random_state(), plan.optimizer.steps) == state[1:]  # type: ignore[union-attr]
    losses, _ = plan.steps(images, labels, [np.arange(BATCH)] * 20, [0.01] * 20)
    assert len(losses) == 20
