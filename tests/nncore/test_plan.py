"""The compiled plan is equal to the readable path: forward, gradients, and after twenty optimizer steps."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

import numpy as np
import pytest

from nncore.arrays import Array
from nncore.errors import ConfigError, DataError, DeviceError
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
from nncore.losses import CrossEntropyLoss, HingeLoss, Loss, ProbabilityCrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import SGD, Adam, Optimizer
from nncore.plan import Plan

Make = Callable[[], list[Layer]]

NETWORKS: dict[str, tuple[Make, tuple[int, ...]]] = {
    "cnn": (
        lambda: [
            *(Conv2d(16, 3, padding=1), ReLU(), MaxPool2d(2), Conv2d(32, 3, padding=1), ReLU(), MaxPool2d(2)),
            *(Flatten(), Linear(64), ReLU(), Linear(10)),
        ],
        (28, 28, 1),
    ),
    "lenet": (
        lambda: [
            *(Conv2d(6, 5, padding=2), MaxPool2d(2), ReLU(), Conv2d(16, 3, padding=1), MaxPool2d(2), ReLU()),
            *(Flatten(), Linear(31), ReLU(), Linear(10)),
        ],
        (16, 16, 3),
    ),
    "pool without relu, odd sizes": (
        lambda: [Conv2d(5, (3, 2), padding=(2, 0)), MaxPool2d(2), Conv2d(19, 3, stride=(1, 2)), MaxPool2d(2), Flatten(), Linear(7)],
        (13, 15, 2),
    ),
    "fewer channels than lanes, odd sizes": (
        lambda: [Conv2d(4, (2, 3), padding=1), ReLU(), MaxPool2d(2), Flatten(), Linear(90), ReLU(), Linear(10)],
        (9, 43, 2),
    ),
    "dense convolutions": (
        lambda: [
            *(Conv2d(9, 5, stride=2, padding=2), ReLU(), Conv2d(24, 3, padding=1), Conv2d(40, (1, 3), stride=(2, 1)), ReLU()),
            *(AvgPool2d(2, 1), Flatten(), Linear(10)),
        ],
        (17, 14, 1),
    ),
    "batch norm": (
        lambda: [
            *(Conv2d(8, 3, padding=1), BatchNorm(), ReLU()),
            *(Conv2d(12, 3, padding=1), BatchNorm(momentum=0.3, eps=1e-3), MaxPool2d(2), Tanh()),
            *(Flatten(), Linear(20), BatchNorm(), ReLU(), Linear(10)),
        ],
        (10, 10, 3),
    ),
    "dropout": (
        lambda: [
            *(Conv2d(8, 3, padding=1), ReLU(), Dropout(0.2), Conv2d(8, 3, padding=1), ReLU(), MaxPool2d(2), Dropout(0.0)),
            *(Flatten(), Linear(40), ReLU(), Dropout(0.5), Linear(10)),
        ],
        (10, 10, 1),
    ),
    "activations": (
        lambda: [
            *(Sigmoid(), Conv2d(4, 3), Tanh(), Conv2d(5, 3, padding=1), Sigmoid(), MaxPool2d(2, 1), ReLU(), AvgPool2d((2, 3))),
            *(Softmax(), Flatten(), Linear(16), Tanh(), Linear(10)),
        ],
        (11, 12, 1),
    ),
    "overlapping pools": (
        lambda: [
            *(Conv2d(6, 3), ReLU(), MaxPool2d(3, 2), Conv2d(6, 3, padding=2), MaxPool2d((2, 3), 1)),
            *(Flatten(), Linear(10)),
        ],
        (15, 15, 1),
    ),
    "perceptron": (lambda: [Linear(130), ReLU(), Linear(33), Sigmoid(), Linear(10)], (300,)),
    "wide": (lambda: [Flatten(), Linear(600), ReLU(), Linear(70), ReLU(), Linear(3)], (9, 9, 1)),
    "no parameters before the last": (lambda: [MaxPool2d(2), Flatten(), Tanh(), Linear(10)], (8, 8, 2)),
}  # fmt: skip


def twins(name: str, seed: int = 1) -> tuple[Network, Network]:
    make, shape = NETWORKS[name]
    return Network(make(), shape, seed), Network(make(), shape, seed)


def batch(network: Network, count: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, *network.input_shape)).astype(np.float32), rng.integers(network.output_shape[-1], size=count)


def close(ours: Array, expected: Array, tolerance: float, what: str) -> None:
    scale = max(float(np.abs(expected).max()), 1e-6)
    assert ours.shape == expected.shape and ours.dtype == np.float32, what
    assert float(np.abs(ours - expected).max()) / scale < tolerance, what


def judged(network: Network) -> list[str]:
    """The parameters whose gradient says something: batch norm takes away what a bias right before it adds, so that one's
    gradient is zero but for rounding, which Adam blows up to full steps."""
    pairs = zip(network.layers, [*network.layers[1:], None], strict=True)
    idle = {f"{layer.name}.bias" for layer, reader in pairs if isinstance(reader, BatchNorm)}
    return [name for name in network.parameters() if name not in idle]


def readable_gradients(network: Network, loss: Loss, x: Array, labels: Array) -> float:
    network.train()
    value = loss(network.forward(x), labels)
    network.backward(loss.backward())
    return value


@pytest.mark.parametrize("replicas", [1, 2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_forward_and_gradients(name: str, replicas: int) -> None:
    ours, readable = twins(name)
    plan = Plan(ours, (12, *ours.input_shape), CrossEntropyLoss(), replicas=replicas)
    for count in (12, 7, 2):  # a whole batch, and odd last ones
        x, labels = batch(ours, count, seed=count)
        readable.eval()
        close(plan.forward(x), readable.forward(x), 1e-5, "forward")
        value = plan.gradients(x, labels)
        assert value == pytest.approx(readable_gradients(readable, CrossEntropyLoss(), x, labels), rel=1e-5)
        for key in judged(ours):
            expected = readable.parameters()[key].grad
            # Batch norm over two examples divides by what may be nearly nothing.
            close(ours.parameters()[key].grad, expected, 2e-4 if count > 2 else 2e-3, f"gradient of {key}, {count} examples")
        for key, buffer in ours.buffers().items():
            close(buffer.data, readable.buffers()[key].data, 1e-5, key)
    assert ours.random_state() == readable.random_state()


@pytest.mark.parametrize("replicas", [1, 2])
def test_as_many_examples_as_pay_for_packing(replicas: int) -> None:
    """Large linear layers copy their weights, and take their inputs a part at a time, from some twenty examples on."""
    ours, readable = twins("fewer channels than lanes, odd sizes")
    plan = Plan(ours, (45, *ours.input_shape), CrossEntropyLoss(), replicas=replicas)
    x, labels = batch(ours, 45, seed=0)
    readable.eval()
    close(plan.forward(x), readable.forward(x), 1e-5, "forward")
    readable_gradients(readable, CrossEntropyLoss(), x, labels)
    plan.gradients(x, labels)
    for key, parameter in readable.parameters().items():
        close(ours.parameters()[key].grad, parameter.grad, 2e-4, f"gradient of {key}")


def test_images_may_lie_anyhow() -> None:
    """Reversed, spread out or of another type: the plan reads those in place that it can, and copies the others."""
    network, _ = twins("cnn")
    plan = Plan(network, (3, 28, 28, 1))
    pixels = np.random.default_rng(0).integers(256, size=(6, 28, 56, 1), dtype=np.uint8)
    for images in (pixels[::-2, :, ::2], np.asfortranarray(pixels[:3, :, :28]), pixels[:3, :, 28:] / 255):
        assert np.array_equal(plan.forward(images), plan.forward(np.array(images, order="C")))
        scale = 1 / 255 if images.dtype == np.uint8 else 1.0
        close(plan.forward(images), network.forward((images * scale).astype(np.float32)), 1e-5, "forward")


RULES: dict[str, Callable[[Network], Optimizer]] = {
    "sgd": lambda network: SGD(network.parameters(), 0.05, weight_decay=1e-3),
    "momentum": lambda network: SGD(network.parameters(), 0.02, 0.9),
    "adam": lambda network: Adam(network.parameters(), 1e-3, (0.8, 0.99), 1e-4),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", NETWORKS)
def test_twenty_steps(name: str, rule: str) -> None:
    ours, readable = twins(name)
    for network in (ours, readable):
        next(iter(network.parameters().values())).weight_decay = 0.01
    first, second = RULES[rule](ours), RULES[rule](readable)
    # Exact, since a pool may have another winner of two that are equal but for rounding, and Adam blows that up to full steps.
    plan = Plan(ours, (8, *ours.input_shape), CrossEntropyLoss(), first, replicas=2, exact=True)
    loss = CrossEntropyLoss()
    for step in range(20):
        x, labels = batch(ours, 8 if step % 5 else 5, seed=step)
        value = plan.step(x, labels)
        assert value == pytest.approx(readable_gradients(readable, loss, x, labels), rel=1e-3, abs=1e-5)
        second.step()
        first.lr = second.lr = first.lr * 0.95
    assert first.steps == second.steps == 20
    for key in judged(ours):
        close(ours.parameters()[key].data, readable.parameters()[key].data, 2e-3, key)
        for slot, values in first.moments.items():
            close(values[key], second.moments[slot][key], 5e-3, f"{slot} of {key}")


@pytest.mark.parametrize("loss", [HingeLoss(), HingeLoss(0.5), ProbabilityCrossEntropyLoss()], ids=lambda loss: type(loss).__name__)
def test_losses(loss: Loss) -> None:
    layers = lambda: [Linear(12), ReLU(), Linear(10), *([Softmax()] if isinstance(loss, ProbabilityCrossEntropyLoss) else [])]  # noqa: E731
    ours, readable = Network(layers(), (20,)), Network(layers(), (20,))
    plan = Plan(ours, (9, 20), loss, replicas=2)
    x, labels = batch(ours, 9)
    assert plan.gradients(x, labels) == pytest.approx(readable_gradients(readable, loss, x, labels), rel=1e-5)
    for key, parameter in ours.parameters().items():
        close(parameter.grad, readable.parameters()[key].grad, 1e-4, key)
    assert plan.correct == int((readable.forward(x).argmax(axis=1) == labels).sum())


def test_one_example_and_fewer_than_cores() -> None:
    for name in ("cnn", "perceptron"):
        ours, readable = twins(name)
        plan = Plan(ours, (4, *ours.input_shape), CrossEntropyLoss(), Adam(ours.parameters()), replicas=4)
        for count in (1, 3):
            x, labels = batch(ours, count)
            close(plan.forward(x), readable.forward(x), 1e-5, name)
            plan.gradients(x, labels)
            readable_gradients(readable, CrossEntropyLoss(), x, labels)
            for key, parameter in ours.parameters().items():
                close(parameter.grad, readable.parameters()[key].grad, 2e-4, key)


def test_bytes_are_divided_by_255() -> None:
    network, _ = twins("cnn")
    plan = Plan(network, (3, 28, 28, 1))
    pixels = np.random.default_rng(0).integers(256, size=(7, 28, 28, 1), dtype=np.uint8)
    close(plan.forward(pixels), network.forward(pixels * np.float32(1 / 255)), 1e-5, "bytes")
    assert plan.forward(pixels[:0]).shape == (0, 10)


def test_same_seed_same_bits() -> None:
    """Whatever the threads do, the weights after training are the same to the last bit."""
    results = []
    for _ in range(3):
        network, _ = twins("batch norm")
        plan = Plan(network, (16, *network.input_shape), CrossEntropyLoss(), Adam(network.parameters()), replicas=3)
        for step in range(15):
            plan.step(*batch(network, 16 - step % 3, seed=step))
        results.append(network.state_dict())
    for key in results[0]:
        assert results[0][key].tobytes() == results[1][key].tobytes() == results[2][key].tobytes(), key


def test_plans_share_the_networks_parameters() -> None:
    network, other = twins("cnn")
    small, large = Plan(network, (1, 28, 28, 1)), Plan(network, (8, 28, 28, 1), CrossEntropyLoss(), Adam(network.parameters()))
    x, labels = batch(network, 8)
    before = small.forward(x)
    large.step(x, labels)
    assert not np.array_equal(small.forward(x), before)
    close(small.forward(x), network.forward(x), 1e-5, "readable after the plan's step")
    network.load_state_dict(other.state_dict())
    np.testing.assert_array_equal(small.forward(x), before)
    network.parameters()["linear2.bias"].data = np.ones(10, np.float32)  # another array altogether
    close(small.forward(x), before + 1, 1e-5, "a parameter replaced")


def test_the_readable_path_can_take_over_in_mid_training() -> None:
    ours, readable = twins("batch norm")
    first, second = Adam(ours.parameters()), Adam(readable.parameters())
    plan = Plan(ours, (8, *ours.input_shape), CrossEntropyLoss(), first)
    loss = CrossEntropyLoss()
    for step in range(9):
        x, labels = batch(ours, 8, seed=step)
        readable_gradients(readable, loss, x, labels)
        second.step()
        if step % 3:
            plan.step(x, labels)
        else:
            readable_gradients(ours, loss, x, labels)
            first.step()
    for key in judged(ours):
        close(ours.parameters()[key].data, readable.parameters()[key].data, 2e-3, key)


def test_it_does_not_hold_the_interpreter() -> None:
    """While a step runs, another thread counts; with the interpreter held it could not."""
    network = Network([Linear(1500), ReLU(), Linear(1500), ReLU(), Linear(10)], (1500,))
    plan = Plan(network, (256, 1500), CrossEntropyLoss(), replicas=1)
    x, labels = batch(network, 256)
    plan.gradients(x, labels)
    done, worker = threading.Event(), threading.Thread(target=lambda: (plan.gradients(x, labels), done.set()))
    worker.start()
    rounds = 0
    while not done.wait(0.001):
        rounds += 1
    worker.join()
    assert rounds >= 2


def test_threads_end_with_the_plan() -> None:
    before = set(threading.enumerate())  # other tests' plans may still be alive
    network, _ = twins("perceptron")
    plan = Plan(network, (8, 300), CrossEntropyLoss(), Adam(network.parameters()), replicas=3)
    plan.step(*batch(network, 8))
    threads = set(threading.enumerate()) - before
    assert len(threads) >= 2
    reference = weakref.ref(plan)
    del plan
    gc.collect()
    assert reference() is None
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_mistakes() -> None:
    network, _ = twins("cnn")
    x, labels = batch(network, 4)
    plan = Plan(network, (4, 28, 28, 1), CrossEntropyLoss(), Adam(network.parameters()))
    for make in (
        lambda: Plan(network, (4, 28, 28, 3)),
        lambda: Plan(network, (0, 28, 28, 1)),
        lambda: Plan(network, (4, 28, 28, 1), replicas=0),
        lambda: Plan(network, (4, 28, 28, 1), optimizer=Adam(network.parameters())),
        lambda: Plan(network, (4, 28, 28, 1), CrossEntropyLoss(), Adam(twins("perceptron")[0].parameters())),
        lambda: Plan(network, (4, 28, 28, 1), Loss()),
        lambda: Plan(network, (4, 28, 28, 1)).step(x, labels),
        lambda: Plan(network, (4, 28, 28, 1)).gradients(x, labels),
        lambda: plan.forward(x[:, :27]),
        lambda: plan.step(x[..., [0, 0]], labels),
    ):
        with pytest.raises(ConfigError):
            make()
    with pytest.raises(DataError):
        plan.step(x, np.array([1, 2, 3, 10]))
    with pytest.raises(DataError):
        plan.step(x, labels[:3])
    with pytest.raises(DeviceError):
        Plan(network, (4, 28, 28, 1), device="abacus")
    assert plan.optimizer is not None and plan.optimizer.steps == 0
    single = Network([Linear(3), BatchNorm()], (2,))
    with pytest.raises(DataError, match="norm1"):
        Plan(single, (4, 2), CrossEntropyLoss()).gradients(np.ones((1, 2), np.float32), np.zeros(1, int))
