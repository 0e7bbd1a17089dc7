"""Label smoothing and gradient clipping: a plan does what the readable path does, on each device."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from nncore.errors import ConfigError
from nncore.layers import BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, ReLU
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.optimizers import SGD, Adam, Optimizer, clip_gradients
from nncore.plan import Plan

NO_COMPILER = pytest.mark.skipif(shutil.which("g++") is None, reason="the GPU's kernels run on the CPU only where g++ is installed")
DEVICES = pytest.mark.parametrize("device", ["cpu", "reference", pytest.param("cuda-host", marks=NO_COMPILER)])
RULES = {
    "sgd": lambda network: SGD(network.parameters(), 0.5),
    "momentum": lambda network: SGD(network.parameters(), 0.1, 0.9, 0.01),
    "adam": lambda network: Adam(network.parameters(), 0.01, eps=0.1),
}


def network() -> Network:
    layers = [Conv2d(5, 3, padding=1), ReLU(), MaxPool2d(2), BatchNorm(), Flatten(), Linear(12), ReLU(), Linear(10)]
    return Network(layers, (8, 8, 1), 3)


def clipped(optimizer: Optimizer, max_norm: float) -> Optimizer:
    optimizer.clip_norm = max_norm
    return optimizer


def norm(network: Network) -> float:
    return float(np.sqrt(sum((parameter.grad**2).sum() for parameter in network.parameters().values())))


@DEVICES
@pytest.mark.parametrize("rule", RULES)
def test_ten_steps(rule: str, device: str) -> None:
    ours, readable, loss = network(), network(), CrossEntropyLoss(0.2)
    plan = Plan(ours, (6, 8, 8, 1), CrossEntropyLoss(0.2), clipped(RULES[rule](ours), 0.3), 2, device)
    second, rng = clipped(RULES[rule](readable), 0.3), np.random.default_rng(1)
    readable.train()
    for _ in range(10):
        x, labels = rng.standard_normal((6, 8, 8, 1)).astype(np.float32), rng.integers(10, size=6)
        expected = loss(readable.forward(x), labels)
        readable.backward(loss.backward())
        assert plan.step(x, labels) == pytest.approx(expected, rel=1e-4)
        assert norm(readable) > 0.3, "otherwise nothing is clipped"
        second.step()
        assert norm(readable) == pytest.approx(0.3, rel=1e-5)
    for name, parameter in ours.parameters().items():
        np.testing.assert_allclose(parameter.data, readable.parameters()[name].data, rtol=2e-3, atol=2e-4, err_msg=name)


@DEVICES
def test_numbers_that_are_changed_on_the_way_count_from_the_next_step(device: str) -> None:
    ours = network()
    loss, optimizer = CrossEntropyLoss(), SGD(ours.parameters(), 1.0)
    plan = Plan(ours, (6, 8, 8, 1), loss, optimizer, device=device)
    rng = np.random.default_rng(1)
    x, labels = rng.standard_normal((6, 8, 8, 1)).astype(np.float32), rng.integers(10, size=6)

    def moved() -> float:
        before = ours.state_dict()
        plan.step(x, labels)
        return float(np.sqrt(sum(((p.data - before[name]) ** 2).sum() for name, p in ours.parameters().items())))

    assert moved() > 0.1
    optimizer.clip_norm = 0.01
    assert moved() == pytest.approx(0.01, rel=1e-3), "with a learning rate of 1 a step is as long as the gradient"
    optimizer.clip_norm, optimizer.lr = 0.0, 1e-6
    sharp = plan.step(x, labels)
    loss.label_smoothing = 0.5
    assert plan.step(x, labels) > sharp + 0.1


def test_a_gradient_that_is_short_enough_stays_as_it_is() -> None:
    gradients = [np.array([3.0], np.float32), np.array([[0.0, 4.0]], np.float32)]
    clip_gradients(gradients, 5.1)
    assert [g.tolist() for g in gradients] == [[3.0], [[0.0, 4.0]]]
    clip_gradients(gradients, 2.5)
    assert gradients[0][0] == pytest.approx(1.5) and gradients[1][0, 1] == pytest.approx(2.0)
    assert gradients[0].dtype == np.float32


def test_smoothing_by_hand() -> None:
    """Four classes, all scores alike: every share of the label costs log 4; and a sure answer costs what the other classes get."""
    assert CrossEntropyLoss(0.4)(np.zeros((1, 4)), np.array([2])) == pytest.approx(np.log(4))
    sure = np.array([[0.0, 0.0, 100.0, 0.0]])
    assert CrossEntropyLoss(0.4)(sure, np.array([2])) == pytest.approx(0.4 * 3 / 4 * 100)
    assert CrossEntropyLoss()(sure, np.array([2])) == pytest.approx(0)


@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan, "much", None, True])
def test_smoothing_that_is_no_share_is_refused(share: object) -> None:
    with pytest.raises(ConfigError, match="label smoothing must be a number from 0 to 1"):
        CrossEntropyLoss(share)  # type: ignore[arg-type]
