"""What both sides of the race on a GPU are given, and that they do the same with it: on the CPU, the GPU's kernels too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases import GPU_NETWORKS
from benchmarks.gpu.given import Order, answers_a_second, given, rate, take_steps
from benchmarks.gpu.ours import TO_99, Nncore
from benchmarks.gpu.theirs import Torch, Training
from nncore.arrays import Array
from nncore.training.meters import Pace

NETWORKS = {trained.name: trained for trained in GPU_NETWORKS}
MLP, CNN = NETWORKS["mnist-mlp"], NETWORKS["mnist-cnn"]


# What both sides are given


def test_an_epoch_has_each_image_once_and_no_stretch_goes_beyond_it() -> None:
    order = Order(images=23, batch=4)
    stretches = [order.take(2), order.take(2), order.take(2)]
    assert [stretch.shape for stretch in stretches] == [(2, 4), (2, 4), (1, 4)]
    seen = np.concatenate(stretches).ravel()
    assert len(set(seen.tolist())) == 20 and seen.max() < 23
    assert not np.array_equal(order.take(5), np.concatenate(stretches))


def test_both_sides_get_the_same_order() -> None:
    one, other = Order(40, 4), Order(40, 4)
    assert np.array_equal(np.concatenate([one.take(3) for _ in range(4)]), other.take(10))


def test_images_are_as_many_as_asked_for_and_may_stay_on_the_device() -> None:
    images, labels = given(CNN, 10_003)
    assert images.shape == (10_003, 28, 28, 1) and images.dtype == np.uint8 and len(labels) == 10_003
    assert np.array_equal(images[10_000:], images[:3])
    assert not images.flags.writeable and not labels.flags.writeable


def test_steps_are_taken_to_the_last_one() -> None:
    asked: list[int] = []

    def stretch(steps: int) -> Array:
        asked.append(steps)
        return np.zeros(min(steps, 3))

    assert len(take_steps(stretch, 8)) == 8
    assert asked == [8, 5, 2]


def test_a_rate_counts_the_steps_that_were_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def stretch(steps: int) -> Array:
        taken = min(steps, 40)
        now[0] += taken / 1024
        return np.zeros(taken)

    pace = Pace()
    assert rate(stretch, pace, 1.0) == 1024
    assert pace.steps == 30
    assert answers_a_second(lambda: stretch(1), 1.0) == 1024


# Both sides do the same


def torch_on_the_cpu() -> Torch:
    pytest.importorskip("torch", reason="PyTorch is not installed: nothing to race against")
    return Torch("cpu", tf32=False)


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("layout", ["default", "channels_last"])
@pytest.mark.parametrize("name", NETWORKS)
def test_both_sides_learn_the_same(name: str, layout: str) -> None:
    """Over the end of an epoch. Batch norm by SGD and less exactly: gradients before it should be 0, and Adam makes whole steps of
    what rounding leaves of them; and ReLU behind it cuts values that are next to 0.
    """
    theirs, trained, apart = torch_on_the_cpu(), replace(NETWORKS[name], learning_rate=1e-3), 2e-4
    if name == "batch norm":
        trained, apart = replace(trained, optimizer="sgd", learning_rate=0.01), 3e-3
    ours = take_steps(Nncore("cuda-host").learner(trained, 12, "", "", 36), 4)
    for variant in ("eager", "graph"):
        found = take_steps(theirs.learner(trained, 12, variant, layout, 36), 4)
        np.testing.assert_allclose(found[0], ours[0], rtol=1e-5, err_msg=variant)
        np.testing.assert_allclose(found, ours, rtol=apart, err_msg=variant)


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("count", [1, 9])
def test_both_sides_answer_the_same(name: str, count: int) -> None:
    theirs, trained = torch_on_the_cpu(), NETWORKS[name]
    ours = Nncore("cuda-host").answerer(trained, count, "", "")()
    assert ours.shape == (count, 10)
    for variant, layout in (("eager", "default"), ("graph", "channels_last")):
        np.testing.assert_allclose(theirs.answerer(trained, count, variant, layout)(), ours, atol=1e-4)


@pytest.mark.parametrize("name", ["mnist-cnn", "batch norm", "svhn-lenet"])
def test_warming_up_leaves_nothing_behind(name: str) -> None:
    side, trained = torch_on_the_cpu(), replace(NETWORKS[name], learning_rate=0.01)
    training = Training(side, trained, 8, "default", 40)
    for n in range(3):
        training.learn(training.order[n], training.forward)
    training.begin_again()
    found = take_steps(training.eager(), 5)
    np.testing.assert_array_equal(found, take_steps(side.learner(trained, 8, "eager", "default", 40), 5))


# MNIST


@pytest.mark.usefixtures("compiler")
def test_a_training_to_99_counts_all_but_warming_up() -> None:
    config = replace(TO_99, epochs=2, batch_size=16, validation=20)
    found = Nncore("cuda-host").to_99(MLP, config, limit=100)
    assert (found["data"], found["steps"], found["epochs"], found["batch"]) == ("synthetic", 10, 2, 16)
    assert 0 <= found["test_accuracy"] <= 1
    assert found["parts"].keys() == {"preparing", "training", "testing"}
    assert sum(found["parts"].values()) <= found["seconds"]
