"""Every preset: its gradients are right, its plan is equal to the readable path, and it learns."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from models.networks import fully_connected, mlp
from models.presets import PRESETS, preset
from nncore.errors import ConfigError
from nncore.layers import BatchNorm, Conv2d, Dropout, Linear
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.plan import Plan

sys.path.insert(0, str(Path(__file__).parent.parent / "nncore"))
from gradcheck import to_float64


def batch(network: Network, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((count, *network.input_shape), np.float32), rng.integers(10, size=count)


def judged(network: Network) -> list[str]:
    """Parameters whose gradient is not zero but for rounding: what is added to whole channels right before batch norm, or before an
    unpadded convolution with batch norm behind it, is taken away again.
    """
    readers = zip(network.layers, [*network.layers[1:], None], [*network.layers[2:], None, None], strict=True)
    idle = set[str]()
    for layer, reader, next_reader in readers:
        passes_on = isinstance(layer, BatchNorm) and isinstance(reader, Conv2d) and reader.padding == (0, 0)
        if isinstance(reader, BatchNorm) or (passes_on and isinstance(next_reader, BatchNorm)):
            idle.add(f"{layer.name}.bias")
    return [name for name in network.parameters() if name not in idle]


@pytest.mark.parametrize("name", PRESETS)
def test_gradients(name):
    network = preset(name).build(3)
    to_float64(network)
    network.train()
    rng, loss = np.random.default_rng(5), CrossEntropyLoss()
    x, labels = rng.standard_normal((3, *network.input_shape)), rng.integers(10, size=3)
    for parameter in network.parameters().values():  # weights × 0.01 leave gradients that are all rounding
        parameter.data += 0.03 * rng.standard_normal(parameter.shape)

    def f() -> float:
        for layer in network.layers:
            if isinstance(layer, Dropout):
                layer.calls = 0
        return loss(network.forward(x), labels)

    f()
    network.backward(loss.backward())
    parameters = network.parameters()
    for key in judged(network):
        claimed = parameters[key].grad.copy()
        direction = np.sign(claimed) * (rng.random(claimed.shape) < 0.5)  # half of all weights, each the way it matters
        values, size, step = parameters[key].data, float(np.linalg.norm(direction)), 1e-7
        before = values.copy()
        values[...] = before + step * direction / size
        above = f()
        values[...] = before - step * direction / size
        measured = (above - f()) / (2 * step)
        values[...] = before
        assert measured == pytest.approx(float((claimed * direction).sum()) / size, rel=1e-6), key


@pytest.mark.parametrize("name", PRESETS)
def test_plan_equals_the_readable_path(name):
    """Forward, gradients, and the weights after eight steps of the preset's own optimizer.

    Deep networks with batch norm, and Adam's full steps on gradients that are all rounding, blow rounding up, so the plan
    is held against the readable path in float64, and may stray no further than a few times what float32 itself does.
    """
    recipe = preset(name).training
    ours, readable, exact = (preset(name).build(1) for _ in range(3))
    to_float64(exact)
    rules = [recipe.build_optimizer(network.parameters()) for network in (ours, readable, exact)]
    loss = CrossEntropyLoss()
    plan = Plan(ours, (8, *ours.input_shape), loss, rules[0], replicas=2)
    x, labels = batch(ours, 8)
    np.testing.assert_allclose(plan.forward(x), readable.forward(x), rtol=1e-4, atol=1e-5)

    def stray(key: str, what: str, start: np.ndarray | float) -> None:
        mine, rough, right = (getattr(network.parameters()[key], what) for network in (ours, readable, exact))
        allowed = 5 * np.linalg.norm(rough - right) + 1e-4 * np.linalg.norm(right - start)
        assert np.linalg.norm(mine - right) <= allowed, f"{what} of {key}"

    first = exact.state_dict()
    for step in range(8):
        x, labels = batch(ours, 5 if step % 4 == 3 else 8, seed=step)
        for network in (readable, exact):
            network.train()
            loss(network.forward(x.astype(next(iter(network.parameters().values())).data.dtype)), labels)
            network.backward(loss.backward())
        if step == 0:
            plan.gradients(x, labels)
            for key in judged(ours):
                stray(key, "grad", 0.0)
            ours.load_random_state(dict.fromkeys(ours.random_state(), 0))
        plan.step(x, labels)
        for rule in rules[1:]:
            rule.step()
    for key in judged(ours):
        stray(key, "data", first[key])


def test_networks_to_change_at_will():
    network = Network(mlp((30, 20, 10), "tanh", (0.1, 0.0, 0.2)), (9, 9, 1))
    assert [line.description for line in network.summary()] == ["flatten", "linear 30", "tanh", "linear 20", "tanh", "linear 10"]
    assert [layer.weight.weight_decay for layer in network.layers if isinstance(layer, Linear)] == [0.1, 0.0, 0.2]
    assert len(fully_connected((5, 6), 3, batch_norm=False, dropout=0)) == 6
    mistakes = [((3,), "swish"), ((3, 4), "relu", (0.1,)), ((),), (5,), ((0,),), ((3,), ["relu"])]
    for arguments in mistakes:
        with pytest.raises(ConfigError):
            Network(mlp(*arguments), (9,))
    assert preset("mlp").build(0, (5, 5, 3)).input_shape == (5, 5, 3)
    assert preset("svhn-mlp").build(0, (5, 5, 3)).input_shape == (32, 32, 3)
