"""Every preset's plan on the GPU's kernels against the readable path: answers, gradients, a step by each rule, and many steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from trial import GPU, ON_EACH_CUDA_DEVICE

from models.presets import PRESETS
from nncore.arrays import Array
from nncore.layers import BatchNorm, Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import SGD, Adam, Optimizer
from nncore.plan import Plan


def odd() -> list[Layer]:
    """Channels, rows and cols that fill no block and no vector."""
    head = [Conv2d(7, 3, padding=1), MaxPool2d(2), ReLU(), Conv2d(37, 5, padding=(2, 1)), BatchNorm(), ReLU()]
    return [*head, Conv2d(6, (1, 2)), ReLU(), MaxPool2d(2), Flatten(), Linear(33), ReLU(), Linear(10)]


NETWORKS: dict[str, Callable[[], Network]] = {
    **{name: lambda preset=preset: preset.build(seed=1) for name, preset in PRESETS.items()},  # type: ignore[misc]
    "odd sizes": lambda: Network(odd(), (13, 10, 3), 1),
}
RULES: dict[str, Callable[[Network], Optimizer]] = {
    "sgd": lambda network: SGD(network.parameters(), 0.1, weight_decay=0.01),
    "momentum": lambda network: SGD(network.parameters(), 0.1, momentum=0.9),
    "adam": lambda network: Adam(network.parameters(), 1e-3, weight_decay=0.01),
}
BATCH, ODD = 6, 5
DRAWS = 3
ONCE = pytest.mark.parametrize("device", ["cuda-host", GPU], indirect=True)
"""For what takes long: other tests have threads and blocks in both orders."""


def made(name: str) -> Network:
    """The network, with a penalty of one layer's own, and one channel without weights."""
    network = NETWORKS[name]()
    network.layers[-1].weight_decay = 0.02
    tie(network)
    return network


def tie(network: Network) -> None:
    """Take the first channel's weights away: its values are all equal, and the first of each window must win."""
    first = network.layers[0]
    if isinstance(first, Conv2d):
        first.weight.data[..., 0], first.bias.data[0] = 0, 0.5


def examples(network: Network, count: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    images = rng.integers(256, size=(count, *network.input_shape), dtype=np.uint8)
    return images, rng.integers(network.output_shape[0], size=count)


def readable_gradients(network: Network, images: Array, labels: Array) -> tuple[float, int]:
    """The loss of a batch and how many of its answers are right; its gradients are in the parameters."""
    network.train()
    loss = CrossEntropyLoss()
    scores = network.forward(images * np.float32(1 / 255))
    value = loss(scores, labels)
    network.backward(loss.backward())
    return value, int((scores.argmax(axis=1) == labels).sum())


def assert_close(found: Array, expected: Array, tolerance: float, what: str) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * max(float(np.abs(expected).max()), 1e-6), err_msg=what)


def busy_parameters(network: Network) -> set[str]:
    """Those whose gradient is more than rounding: of a bias before batch norm it is nothing else."""
    sizes = {key: float(np.abs(parameter.grad).max()) for key, parameter in network.parameters().items()}
    return {key for key, size in sizes.items() if size > 1e-5 * max(sizes.values())}


def apart(ours: Network, readable: Network) -> float:
    """The largest difference between gradients of two networks, as a share of the parameter's largest."""
    pairs = [(ours.parameters()[key].grad, readable.parameters()[key].grad) for key in busy_parameters(readable)]
    return max(float(np.abs(found - expected).max() / np.abs(expected).max()) for found, expected in pairs)


def assert_gaps_are_zero(plan: Plan) -> None:
    vector = plan._flat.vector
    gaps = np.ones(len(vector.values), bool)
    for part in vector.parts.values():
        gaps[part.start : part.end] = False
    assert gaps.any() and not vector.values[gaps].any()
    assert not plan._program.gradient()[gaps[: vector.parameters]].any()


@ONCE
@pytest.mark.parametrize("name", NETWORKS)
def test_answers_and_gradients(name: str, device: str) -> None:
    """Where a value lies so close to a kink that the two take different sides, some entries differ, and another batch is drawn."""
    ours, readable = made(name), made(name)
    plan = Plan(ours, (BATCH, *ours.input_shape), CrossEntropyLoss(), device=device)
    for count in (BATCH, ODD):
        errors = []
        while len(errors) < DRAWS and (not errors or errors[-1] > 2e-5):
            images, labels = examples(ours, count, count + len(errors))
            loss, right = readable_gradients(readable, images, labels)
            assert plan.gradients(images, labels) == pytest.approx(loss, rel=1e-5)
            assert plan.correct == right
            errors.append(apart(ours, readable))
        assert min(errors) <= 2e-5 and max(errors) <= 0.1, errors
        statistics = readable.buffers()
        for key, buffer in ours.buffers().items():
            # Where the values before were normalised a mean is all but zero: it is held against how far they are spread.
            spread = np.sqrt(statistics[key.replace("_mean", "_var")].data).max() if key.endswith("_mean") else 0.0
            np.testing.assert_allclose(
                buffer.data, statistics[key].data, 0, max(1e-5 * np.abs(statistics[key].data).max(), 1e-6 * spread), err_msg=key
            )
        readable.eval()
        expected = readable.forward(images * np.float32(1 / 255))
        assert_close(plan.forward(images), expected, 1e-5, "bytes")
        assert_close(plan.forward(images * np.float32(1 / 255)), expected, 1e-5, "floats")
    assert_gaps_are_zero(plan)


@ON_EACH_CUDA_DEVICE
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["mnist-cnn", "odd sizes"])
def test_a_step_from_equal_states(name: str, rule: str, device: str) -> None:
    """From the second step on, running averages are in motion. Where a gradient is next to nothing, Adam steps by its noise."""
    ours, readable = made(name), made(name)
    optimizer, expected = RULES[rule](ours), RULES[rule](readable)
    plan = Plan(ours, (BATCH, *ours.input_shape), CrossEntropyLoss(), optimizer, device=device)
    for count in (BATCH, ODD, BATCH):
        tie(readable)
        ours.load_state_dict(readable.state_dict())
        optimizer.load_state_dict(expected.state_dict())
        before = readable.state_dict()
        images, labels = examples(ours, count, count)
        loss, _ = readable_gradients(readable, images, labels)
        expected.step()
        assert plan.step(images, labels) == pytest.approx(loss, rel=1e-5)
        busy = busy_parameters(readable)
        for slot, values in expected.moments.items():
            for key in busy:
                assert_close(optimizer.moments[slot][key], values[key], 4e-5, f"{slot} of {key}")
        for key in busy:
            parameter = readable.parameters()[key]
            moved = np.abs(parameter.data - before[key])
            clear = np.abs(parameter.grad) > 1e-4 * np.abs(parameter.grad).max()
            apart = np.abs(ours.parameters()[key].data - parameter.data)[clear]
            assert apart.max(initial=0) <= 1e-2 * moved.max() + 1e-7, key
    assert_gaps_are_zero(plan)


@ONCE
@pytest.mark.parametrize("name", ["mnist-cnn", "odd sizes"])
def test_many_free_steps(name: str, device: str) -> None:
    """Twenty steps, every third of an odd batch, without setting anything equal in between."""
    ours, readable = made(name), made(name)
    optimizer, expected = (Adam(network.parameters(), 1e-3, eps=1e-4) for network in (ours, readable))
    plan = Plan(ours, (BATCH, *ours.input_shape), CrossEntropyLoss(), optimizer, device=device)
    for number in range(20):
        images, labels = examples(ours, ODD if number % 3 == 2 else BATCH, number)
        loss, right = readable_gradients(readable, images, labels)
        expected.step()
        assert plan.step(images, labels) == pytest.approx(loss, rel=1e-3, abs=1e-4)
        assert plan.correct == right
    for key in busy_parameters(readable):
        assert_close(ours.parameters()[key].data, readable.parameters()[key].data, 2e-2, key)


@ON_EACH_CUDA_DEVICE
def test_a_stretch_of_a_preset_is_single_steps_to_the_bit(device: str) -> None:
    states = []
    for together in (False, True, True):
        network = made("mnist-cnn")
        plan = Plan(network, (BATCH, *network.input_shape), CrossEntropyLoss(), Adam(network.parameters()), device=device)
        images, labels = examples(network, 40)
        batches = [np.arange(start, start + BATCH) for start in range(0, 30, BATCH)]
        parts = [batches] if together else [[batch] for batch in batches]
        losses = np.concatenate([plan.steps(images, labels, part, [1e-3] * len(part))[0] for part in parts])
        states.append(network.state_dict() | {"losses": losses})
    for state in states[1:]:
        for key, values in states[0].items():
            np.testing.assert_array_equal(state[key], values, key)
