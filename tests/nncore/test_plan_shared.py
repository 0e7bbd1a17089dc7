"""A plan beside others: threads, copies, forks, several plans of one network, and changes made after it was recorded."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nncore.errors import ConfigError, DataError
from nncore.layers import BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import SGD, Adam
from nncore.plan import Plan

SHAPE = (12, 12, 1)


def make(seed: int = 0) -> Network:
    return Network(
        [Conv2d(5, 3), ReLU(), MaxPool2d(2), Flatten(), Linear(20), BatchNorm(), ReLU(), Dropout(0.3), Linear(10)], SHAPE, seed
    )


def numbers(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *SHAPE), np.uint8), rng.integers(0, 10, count)


def trainer(network: Network, optimizer=None, batch: int = 16, replicas: int = 2) -> Plan:
    return Plan(network, (batch, *SHAPE), CrossEntropyLoss(), optimizer or Adam(network.parameters(), 0.01), replicas)


def weights(network: Network) -> np.ndarray:
    return np.concatenate([value.ravel() for value in network.state_dict().values()])


@pytest.mark.parametrize("replicas", [1, 2])
def test_each_thread_gets_its_own_answer(replicas):
    images, _ = numbers(300)
    plan = Plan(make(), (8, *SHAPE), replicas=replicas)
    expected, wrong = np.concatenate([plan.forward(image[None]) for image in images]), []

    def ask(start: int) -> None:
        for n in range(start, start + 300):
            answer = plan.forward(images[n % 300][None])[0]
            wrong.extend([n] * (not np.array_equal(answer, expected[n % 300])))

    threads = [threading.Thread(target=ask, args=(70 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])  # noqa: S301
def test_a_copy_of_a_network_with_a_plan_is_a_network_of_its_own(duplicate):
    images, labels = numbers(16)
    first = make()
    plan = trainer(first)
    plan.step(images, labels)
    second = duplicate(first)
    kept = weights(first)
    other = trainer(second)
    for _ in range(3):
        other.step(images, labels)
    assert not np.array_equal(weights(second), kept) and np.array_equal(weights(first), kept)
    second.eval()
    np.testing.assert_allclose(other.forward(images), second.forward(images / np.float32(255)), rtol=1e-4, atol=1e-5)
    twin = make()
    twin.load_state_dict(first.state_dict())
    for _ in range(3):
        plan.step(images, labels)
    assert not np.array_equal(weights(first), kept)


@pytest.mark.parametrize("rule", [lambda p: Adam(p, 0.01), lambda p: SGD(p, 0.01, momentum=0.9)])
def test_two_plans_with_one_optimizer_train_as_one_would(rule):
    images, labels = numbers(64)
    alone, shared = make(), make()
    one = trainer(alone, rule(alone.parameters()))
    optimizer = rule(shared.parameters())
    pair = [trainer(shared, optimizer), trainer(shared, optimizer)]
    for n in range(8):
        part = slice(8 * n, 8 * n + 8)
        one.step(images[part], labels[part])
        pair[n % 2].step(images[part], labels[part])
    assert np.array_equal(weights(alone), weights(shared)) and optimizer.steps == 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_plan_goes_on_after_a_fork():
    code = """
import os, threading, numpy as np
from tests.nncore.test_plan_shared import make, numbers, trainer
images, labels = numbers(16)
plan = trainer(make())
plan.step(images, labels)                  # the second replica's thread runs
plan._program.lock.acquire()              # and somebody is just asking
child = os.fork()
if child == 0:
    plan.step(images, labels)
    os._exit(0 if np.isfinite(plan.forward(images)).all() else 1)
plan._program.lock.release()
assert os.waitpid(child, 0)[1] == 0
plan.step(images, labels)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=100)


def test_an_optimizer_of_another_network_is_refused():
    mine, other = make(), make()
    with pytest.raises(ConfigError, match="another network"):
        trainer(mine, Adam(other.parameters()))


def test_changed_numbers_are_followed():
    """Dropout's p, batch norm's eps and weight decay may change at any time, and weights may be replaced."""
    images, labels = numbers(16)
    x = images / np.float32(255)
    network, twin = make(), make()
    plan, rule = trainer(network, SGD(network.parameters(), 0.1)), SGD(twin.parameters(), 0.1)
    loss = CrossEntropyLoss()

    def both() -> None:
        plan.step(images, labels)
        twin.train()
        loss(twin.forward(x), labels)
        twin.backward(loss.backward())
        rule.step()
        np.testing.assert_allclose(weights(network), weights(twin), rtol=2e-3, atol=2e-5)

    both()
    for which in (network, twin):
        which.layers[7].p, which.layers[5].eps, which.layers[5].momentum = 0.6, 0.1, 0.5
    both()
    for which in (network, twin):
        which.parameters()["linear1.weight"].weight_decay = 0.5
    plan.optimizer.weight_decay = rule.weight_decay = 0.25
    both()
    for which in (network, twin):
        which.parameters()["conv1.weight"].data = np.full((3, 3, 1, 5), 0.1, np.float32)
    both()
    twin.eval()
    np.testing.assert_allclose(plan.forward(images), twin.forward(x), rtol=1e-3, atol=1e-4)


def test_changed_layers_are_refused():
    images, labels = numbers(4)
    for change in (
        lambda network: setattr(network.layers[0], "stride", (2, 2)),
        lambda network: network.layers.pop(),
        lambda network: network.layers.__setitem__(1, ReLU()),
    ):
        network = make()
        plan = trainer(network)
        plan.step(images, labels)
        change(network)
        for ask in (lambda p=plan: p.forward(images), lambda p=plan: p.step(images, labels)):
            with pytest.raises(ConfigError, match="changed"):
                ask()


def test_a_network_that_ends_in_an_image_can_answer_but_not_train():
    network = Network([Conv2d(3, 3), MaxPool2d(2)], SHAPE)
    images, _ = numbers(3)
    np.testing.assert_allclose(
        Plan(network, (2, *SHAPE)).forward(images), network.forward(images / np.float32(255)), rtol=1e-5, atol=1e-6
    )
    with pytest.raises(ConfigError, match="ends in 5×5×3"):
        Plan(network, (2, *SHAPE), CrossEntropyLoss())


@pytest.mark.parametrize("pool", [MaxPool2d(2), MaxPool2d(3, stride=1)])
@pytest.mark.parametrize("before", [[], [Conv2d(5, 3)], [Conv2d(17, 3), ReLU()]])
def test_what_is_not_a_number_passes_through_pooling(pool, before):
    network = Network([*copy.deepcopy(before), copy.deepcopy(pool), Flatten(), Linear(3)], SHAPE)
    for n in range(9):
        x = np.random.default_rng(n).random((2, *SHAPE), np.float32)
        x[0, 2 + n // 3, 2 + n % 3] = np.nan
        with np.errstate(invalid="ignore"):
            expected = network.forward(x)
        assert np.array_equal(np.isnan(Plan(network, (2, *SHAPE)).forward(x)), np.isnan(expected)) and np.isnan(expected[0]).all()


@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(1, 16), min_size=1, max_size=8), seed=st.integers(0, 5), cut=st.integers(1, 7))
def test_steps_do_not_depend_on_how_they_are_grouped(lengths, seed, cut):
    images, labels = numbers(40, seed)
    order = np.random.default_rng(seed)
    batches = [order.integers(0, 40, length) for length in lengths if length > 1] or [np.arange(3)]
    rates = [0.01 / (n + 1) for n in range(len(batches))]
    together, apart = make(), make()
    losses, right = trainer(together).steps(images, labels, batches, rates)
    plan, starts = trainer(apart), range(0, len(batches), cut)
    found = [plan.steps(images, labels, batches[start : start + cut], rates[start : start + cut]) for start in starts]
    assert np.array_equal(weights(together), weights(apart))
    assert np.array_equal(losses, np.concatenate([a for a, _ in found]))
    assert np.array_equal(right, np.concatenate([b for _, b in found])) and len(losses) == len(batches)


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_a_loss_that_is_no_number_ends_the_steps(replicas):
    images, labels = numbers(40)
    network = make()
    optimizer = SGD(network.parameters(), 0.01)
    plan = trainer(network, optimizer, replicas=replicas)
    rates = [0.01, 0.01, 1e30, 0.01, 0.01, 0.01, 0.01]
    for _ in range(20):
        losses, right = plan.steps(images, labels, [np.arange(n, n + 8) for n in range(7)], rates)
        assert len(losses) == len(right) <= 5 and np.isfinite(losses[:-1]).all() and not np.isfinite(losses[-1])
        network.load_state_dict(make().state_dict())


def test_batches_that_cannot_be():
    images, labels = numbers(20)
    plan = trainer(make())
    for batch, error in (
        (np.array([20]), DataError), (np.array([0, -1]), DataError), (np.arange(17), ConfigError),
        (np.array([0.0, 1.0]), DataError), (np.array([3]), DataError), ([[0, 1]], DataError),
    ):  # fmt: skip
        with pytest.raises(error):
            plan.steps(images, labels, [np.arange(4), batch], [0.1, 0.1])
    for rates in ([], [0.1, 0.1], [float("nan")], [-1.0], ["fast"]):
        with pytest.raises(ConfigError, match="learning rate"):
            plan.steps(images, labels, [np.arange(4)], rates)
    for shape in (None, (2.5, *SHAPE), (0, *SHAPE), (4, 12), "1234"):
        with pytest.raises(ConfigError):
            Plan(make(), shape)
    assert plan.optimizer.steps == 0
    assert all(len(found) == 0 for found in plan.steps(images, labels, [], []))
    assert plan.forward(images[:0]).shape == (0, 10)
