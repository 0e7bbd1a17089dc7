"""How images reach the device: datasets once, everything else through the ring, and the labels with them."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from trial import ON_EACH_CUDA_DEVICE

from nncore.arrays import Array
from nncore.backend.cuda import feed
from nncore.backend.cuda.host import HostDevice, HostStage
from nncore.errors import DeviceError
from nncore.layers import Linear
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.plan import Plan

FEATURES, CLASSES, BATCH, SIZE = 6, 5, 4, 30
STEPS = [np.arange(4), np.array([29, 3]), np.array([7, 7, 8])]


def planned(device: str = "cuda-host") -> Plan:
    network = Network([Linear(CLASSES)], (FEATURES,), seed=1)
    return Plan(network, (BATCH, FEATURES), CrossEntropyLoss(), device=device)


def examples(seed: int = 0, dtype: Any = np.uint8) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.integers(256, size=(SIZE, FEATURES)).astype(dtype), rng.integers(CLASSES, size=SIZE)


def frozen(*arrays: Array) -> list[Array]:
    """The arrays, which nobody can write to any more."""
    for array in arrays:
        array.flags.writeable = False
    return list(arrays)


def losses(plan: Plan, images: Array, labels: Array, steps: list[Array] = STEPS) -> Array:
    return plan._run("gradients", images, labels, steps, ()).losses


def losses_apart(images: Array, labels: Array, steps: list[Array] = STEPS) -> Array:
    """A step at a time, of copies, each in a program of its own that has no other images."""
    return np.array([planned().gradients(images[chosen], labels[chosen]) for chosen in steps])


class Copies:
    """Counts the values that are sent to a device from images and labels: whole datasets, and by the ring."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.whole, self.sent = 0, 0
        put, send = HostDevice.put, HostStage.send

        def counted_put(device: HostDevice, buffer: Array, values: Array) -> None:
            self.whole += values.size == SIZE * FEATURES
            put(device, buffer, values)

        def counted_send(stage: HostStage, buffer: Array, offset: int, count: int, overlap: bool = False) -> None:
            self.sent += count
            send(stage, buffer, offset, count, overlap)

        monkeypatch.setattr(HostDevice, "put", counted_put)
        monkeypatch.setattr(HostStage, "send", counted_send)


@ON_EACH_CUDA_DEVICE
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_dataset_that_nobody_can_write_to_is_copied_once(dtype: Any, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = frozen(*examples(dtype=dtype))
    expected, copies, plan = losses_apart(images, labels), Copies(monkeypatch), planned(device)
    for _ in range(3):
        np.testing.assert_array_equal(losses(plan, images, labels), expected)
    if device == "cuda-host":
        assert (copies.whole, copies.sent) == (1, 0)


def test_one_that_can_be_written_to_is_sent_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what has changed in between is seen, in images and in labels."""
    (images, labels), plan = examples(), planned()
    copies, sent = Copies(monkeypatch), 9 * (FEATURES + 1)
    for change in range(3):
        images[3] = 80 * change
        labels[29] = change
        before = copies.sent
        found = losses(plan, images, labels)
        assert (copies.whole, copies.sent - before) == (0, sent)
        np.testing.assert_array_equal(found, losses_apart(images, labels))


@pytest.mark.parametrize("which", [0, 1])
def test_one_of_which_a_part_can_be_written_to(which: int) -> None:
    arrays, plan = examples(), planned()
    frozen(arrays[1 - which])
    for change in range(2):
        arrays[which][3] = change
        np.testing.assert_array_equal(losses(plan, *arrays), losses_apart(*arrays))


def test_a_run_that_takes_every_image_once_sends_no_dataset_but_the_next_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """For one run nothing would be won by keeping it; on a fast GPU every run is a whole epoch."""
    steps = [np.arange(SIZE)[start : start + BATCH] for start in range(0, SIZE, BATCH)]
    plan = planned()
    for seed in range(2):
        images, labels = frozen(*examples(seed))
        expected, copies = losses_apart(images, labels, steps), Copies(monkeypatch)
        for whole in (0, 1, 1):
            np.testing.assert_array_equal(losses(plan, images, labels, steps), expected)
            assert copies.whole == whole
        assert copies.sent == SIZE * (FEATURES + 1)


def test_other_labels_for_the_same_images() -> None:
    (images, labels), plan = examples(), planned()
    frozen(images, labels)
    (others,) = frozen((labels + 1) % CLASSES)
    for chosen in (labels, others, labels):
        np.testing.assert_array_equal(losses(plan, images, chosen), losses_apart(images, chosen))


def test_a_dataset_that_is_gone_frees_its_memory() -> None:
    """At the next run, whatever that works on."""
    for writeable in (False, True):
        plan = planned()
        images, labels = frozen(*examples())
        losses(plan, images, labels)
        ((_, _, *buffers),) = plan._program._feed._datasets.values()  # type: ignore[attr-defined]
        watched = [weakref.ref(buffer) for buffer in buffers]
        del images, labels, buffers
        gc.collect()
        other = examples(1)
        losses(plan, *(other if writeable else frozen(*other)))
        gc.collect()
        assert all(ref() is None for ref in watched)


def test_many_datasets_one_after_the_other() -> None:
    """New arrays lie where old ones lay, and have their identities."""
    plan = planned()
    for seed in range(20):
        images, labels = frozen(*examples(seed))
        np.testing.assert_array_equal(losses(plan, images, labels), losses_apart(images, labels))
        del images, labels


def test_a_dataset_for_which_there_is_too_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = frozen(*examples())
    plan, expected, size = planned(), losses_apart(images, labels), SIZE * (FEATURES + 4)
    copies = Copies(monkeypatch)
    for free, whole in ((2 * size - 1, 0), (2 * size, 1)):
        monkeypatch.setattr(HostDevice, "free_memory", lambda _, free=free: free)
        np.testing.assert_array_equal(losses(plan, images, labels), expected)
        assert copies.whole == whole


def test_a_dataset_whose_memory_is_taken_at_the_last_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = frozen(*examples())
    plan, sound = planned(), HostDevice.zeros
    losses(plan, *examples())

    def zeros(device: HostDevice, count: int, dtype: Any) -> Array:
        if count == SIZE * FEATURES:
            raise MemoryError
        return sound(device, count, dtype)

    monkeypatch.setattr(HostDevice, "zeros", zeros)
    np.testing.assert_array_equal(losses(plan, images, labels), losses_apart(images, labels))


@ON_EACH_CUDA_DEVICE
@pytest.mark.parametrize("more", range(BATCH + 1))
def test_every_alignment_of_counts_in_the_ring(more: int, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Halves of one batch and up to one more; steps of any size, none among them; each run begins with the first half again."""
    monkeypatch.setattr(feed, "HALF", (BATCH + more) * FEATURES)
    (images, labels), plan, rng = examples(), planned(device), np.random.default_rng(more)
    alone = dict(enumerate(losses_apart(images, labels, [np.array([n]) for n in range(SIZE)])))
    for length in (1, 2, 5, 9, 16):
        steps = [rng.integers(SIZE, size=count) for count in rng.integers(BATCH + 1, size=length)]
        expected = [np.mean([alone[n] for n in chosen]) if len(chosen) else 0 for chosen in steps]
        np.testing.assert_allclose(losses(plan, images, labels, steps), expected, rtol=1e-5)
        np.testing.assert_allclose(plan.gradients(images[:3], labels[:3]), np.mean([alone[n] for n in range(3)]), rtol=1e-5)


def test_bytes_and_floats_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind has a ring of its own, which grows with the first run that needs more."""
    monkeypatch.setattr(feed, "HALF", 8 * FEATURES)
    plan = planned()
    for length in (1, 3, 2, 6):
        for seed, dtype in enumerate((np.uint8, np.float32, np.float64)):
            images, labels = examples(seed, dtype)
            steps = (STEPS * 2)[:length]
            np.testing.assert_array_equal(losses(plan, images, labels, steps), losses_apart(images, labels, steps))


def test_images_that_lie_apart_in_memory() -> None:
    images, labels = examples()
    wide = np.zeros((2 * SIZE, 2 * FEATURES), np.uint8)
    wide[::2, ::2] = images
    for part in (wide[::2, ::2], np.asfortranarray(images)):
        for is_frozen in (False, True):
            given = part.view()
            given.flags.writeable = not is_frozen
            frozen(labels)
            np.testing.assert_array_equal(losses(planned(), given, labels), losses_apart(images, labels))


@pytest.mark.parametrize("kept", [BATCH, 12])
def test_a_ring_that_finds_too_little_memory_becomes_smaller(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By halves, down to a batch; with less than that the run ends in one sentence, and a later one finds all in order."""
    images, labels = examples()
    steps = [np.arange(start, start + BATCH) for start in range(24)]
    expected, plan, sound = losses_apart(images, labels, steps), planned(), HostDevice.zeros
    left = [2 * kept * FEATURES]

    def zeros(device: HostDevice, count: int, dtype: Any) -> Array:
        if dtype == np.uint8 and count > left[0]:
            raise MemoryError
        return sound(device, count, dtype)

    monkeypatch.setattr(HostDevice, "zeros", zeros)
    for _ in range(2):
        np.testing.assert_array_equal(losses(plan, images, labels, steps), expected)
        assert plan._program._feed._rings[np.dtype(np.uint8)].half == kept  # type: ignore[attr-defined]
    left[0], other = 2 * BATCH * FEATURES - 1, planned()
    with pytest.raises(DeviceError, match="memory is full"):
        losses(other, images, labels, steps)
    left[0] = 10**6
    np.testing.assert_array_equal(losses(other, images, labels, steps), expected)
