"""A plan asked for a few images: the same answers from any array, in any thread, after any change."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from nncore.arrays import Array
from nncore.errors import ConfigError, DataError
from nncore.layers import BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, ReLU
from nncore.network import Network
from nncore.plan import Plan
from nncore.plan import plan as plans
from nncore.prediction import Predictor

SHAPE = (12, 12, 1)


def make(seed: int = 0) -> Network:
    return Network([Conv2d(5, 3), ReLU(), MaxPool2d(2), Flatten(), Linear(40), BatchNorm(), ReLU(), Linear(10)], SHAPE, seed)


def numbers(count: int) -> Array:
    return np.random.default_rng(1).integers(0, 256, (count, *SHAPE), np.uint8)


def expected(network: Network, images: Array) -> Array:
    return network.in_use().forward(images / np.float32(255))


def unaligned(images: Array) -> Array:
    memory = np.zeros(4 * images.size + 1, np.uint8)[1:]
    found = memory.view(np.float32).reshape(images.shape)
    found[...] = images / np.float32(255)
    return found


def mapped(images: Array, folder: Path) -> Array:
    found = np.memmap(folder / "images", np.uint8, "w+", shape=images.shape)
    found[...] = images
    return found


def frozen(images: Array) -> Array:
    found = images.copy()
    found.flags.writeable = False
    return found


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5])
def test_images_of_every_kind(count: int, tmp_path: Path) -> None:
    network, images = make(), numbers(10)
    plan, few = Plan(network, (6, *SHAPE), replicas=2), images[:count]
    answers = expected(network, few)
    kinds = {
        "bytes": few,
        "floats": few / np.float32(255),
        "doubles": few / 255,
        "rows": few.reshape(count, 144),
        "every other one": np.repeat(few, 2, axis=0)[::2],
        "columns first": few.transpose(2, 1, 3, 0).copy().transpose(3, 1, 0, 2),
        "read only": frozen(few),
        "unaligned": unaligned(few),
    }
    if count:
        kinds["in a file"] = mapped(few, tmp_path)
    for name, given in kinds.items():
        found = plan.forward(given)
        assert found.shape == (count, 10) and found.dtype == np.float32 and found.flags.writeable, name
        np.testing.assert_allclose(found, answers, rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_network_that_ends_in_an_image() -> None:
    network, images = Network([Conv2d(3, 3), MaxPool2d(2)], SHAPE), numbers(2)
    np.testing.assert_allclose(Plan(network, (4, *SHAPE)).forward(images), expected(network, images), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("images", "error", "words"),
    [
        (np.zeros((1, 13, 12, 1), np.uint8), ConfigError, "13×12×1, but the network takes 12×12×1"),
        (np.zeros((1, 143), np.float32), ConfigError, "143, but"),
        (np.zeros((1, *SHAPE), np.int64), DataError, "int64"),
        (np.zeros((1, *SHAPE), ">f4"), DataError, "float32"),
        ([[0.0] * 144], DataError, "list"),
    ],
)
def test_what_is_no_image_is_told(images: Array, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Plan(make(), (4, *SHAPE)).forward(images)


def test_answers_stay_and_follow_the_weights() -> None:
    """An answer is nobody else's memory, and the next one sees weights that were changed in place or replaced."""
    network, images = make(), numbers(1)
    plan = Plan(network, (4, *SHAPE))
    first = plan.forward(images)
    kept = first.copy()
    network.parameters()["linear2.weight"].data *= 2
    second = plan.forward(images)
    np.testing.assert_allclose(second, expected(network, images), rtol=1e-4, atol=1e-5)
    network.parameters()["linear2.weight"].data = np.zeros((40, 10), np.float32)
    np.testing.assert_allclose(plan.forward(images), expected(network, images), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(first, kept)
    assert not np.array_equal(first, second)


def test_many_threads_with_different_images() -> None:
    """Single images, handfuls and more at once, as bytes and as floats: each thread gets the answers to its own."""
    network, images = make(), numbers(160)
    predictor = Predictor(network)
    predictor.prepare()
    answers, wrong, start = predictor.outputs(images), [], threading.Barrier(8)
    plan = Plan(network, (20, *SHAPE), replicas=2)

    def ask(number: int) -> None:
        count, floats = (1, 3, 4, 17)[number % 4], number % 2 == 1
        start.wait()
        for turn in range(60):
            at = (number * 19 + turn * 7) % (160 - count)
            part = images[at : at + count]
            found = plan.forward(part / np.float32(255)) if floats else predictor.outputs(part)
            if not np.allclose(found, answers[at : at + count], rtol=1e-4, atol=1e-5):
                wrong.append((number, turn))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_nobody_is_answered_by_old_weights_while_another_thread_records_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    network, images = make(), numbers(1)
    plan, join = Plan(network, (4, *SHAPE)), plans.join
    network.parameters()["linear2.weight"].data = np.zeros((40, 10), np.float32)
    new = expected(network, images)
    recording, go_on = threading.Event(), threading.Event()

    def slow(*arguments: object) -> object:
        if threading.current_thread() is first:
            recording.set()
            go_on.wait(60)
        return join(*arguments)

    monkeypatch.setattr(plans, "join", slow)
    first = threading.Thread(target=plan.forward, args=(images,))
    first.start()
    assert recording.wait(60)
    try:
        np.testing.assert_allclose(plan.forward(images), new, rtol=1e-4, atol=1e-5)
    finally:
        go_on.set()
        first.join()
    np.testing.assert_allclose(plan.forward(images), new, rtol=1e-4, atol=1e-5)
