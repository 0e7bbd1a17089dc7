"""One weight's gradient taken apart, and the step that each optimizer takes with it."""

from __future__ import annotations

import os

import numpy as np
import pytest

from models.presets import PRESETS
from nncore.errors import ConfigError, DataError
from nncore.explain.weight_step import BackwardPass, weight_gradient, weight_step
from nncore.layers import BatchNorm, Conv2d, Flatten, Linear, Softmax
from nncore.losses import CrossEntropyLoss, HingeLoss
from nncore.network import Network
from nncore.optimizers import SGD, Adam, AdamW, Optimizer, clip_gradients
from nncore.parameter import Parameter
from tests.nncore.explain.test_pixel import draw, picture, places, shaken

SEED = int(os.environ["DIGITLAB_RANDOM_SEED"])


def holds(found: BackwardPass, name: str, index: tuple[int, ...]) -> None:
    """Check that a weight's parts add up to its gradient."""
    parts = weight_gradient(found, name, index)
    size = max(1.0, float(np.abs(parts.parts).max(initial=0.0)))
    assert parts.gradient == found.gradients[name][index] and parts.inputs.shape == parts.errors.shape == parts.parts.shape
    assert abs(float(parts.parts.sum()) - parts.gradient) <= 1e-5 * size, f"{name} {index}"
    assert parts.value == pytest.approx(parts.parts.sum()) and parts.weight == found.done.state[name][index]


@pytest.mark.parametrize("name", PRESETS)
def test_the_parts_add_up_to_the_gradient_in_every_preset(name, rng):
    network = shaken(PRESETS[name].build(5), rng)
    found = BackwardPass.of(network, picture(network, rng), 3)
    for parameter, values in found.gradients.items():
        for index in places(values, rng, 4):
            holds(found, parameter, index)


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_add_up_to_the_gradient_in_random_networks(seed):
    rng = np.random.default_rng((SEED, seed))
    network = shaken(draw(rng).build(), rng)
    found = BackwardPass.of(network, picture(network, rng), 1, HingeLoss() if seed % 3 == 0 else None)
    for parameter, values in found.gradients.items():
        for index in places(values, rng):
            holds(found, parameter, index)


def test_every_weight_of_a_kernel_with_padding_and_stride(rng):
    network = shaken(
        Network([Conv2d(2, (3, 4), stride=(2, 3), padding=(2, 1)), BatchNorm(), Flatten(), Linear(3)], (9, 11, 2)), rng
    )
    found = BackwardPass.of(network, picture(network, rng), 2)
    for parameter, values in found.gradients.items():
        for index in np.ndindex(values.shape):
            holds(found, parameter, index)
    parts = weight_gradient(found, "conv1.weight", (2, 1, 1, 0))
    assert parts.corner == (0, 0) and parts.inputs[0, 0] == found.done.values[0][0, 0, 1]
    assert weight_gradient(found, "conv1.weight", (0, 0, 1, 0)).corner == (-2, -1)


@pytest.mark.parametrize("loss", [None, CrossEntropyLoss(0.1), HingeLoss()])
def test_the_gradient_is_that_of_the_loss(loss, rng):
    network = shaken(Network([Conv2d(3, 3, padding=1), Flatten(), Linear(4), *([] if loss else [Softmax()])], (6, 6, 1)), rng)
    image = picture(network, rng)
    found = BackwardPass.of(network, image, 1, loss)
    weight = network.parameters()["conv1.weight"]
    weight.data = weight.data.astype(np.float64)
    index, step, losses = (1, 2, 0, 2), 1e-3, []
    for sign in (1, -1):
        weight.data[index] += sign * step
        losses.append(BackwardPass.of(network, image, 1, loss).loss)
        weight.data[index] -= sign * step
    assert weight_gradient(found, "conv1.weight", index).value == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=2e-3)


def test_the_network_and_its_gradients_stay_as_they_are(rng):
    network = shaken(PRESETS["digitlab-mnist"].build(), rng).train()
    kept = {name: parameter.grad for name, parameter in network.parameters().items()}
    before = network.state_dict()
    found = BackwardPass.of(network, picture(network, rng), 3)
    assert any(gradient.any() for gradient in found.gradients.values())
    for name, parameter in network.parameters().items():
        assert parameter.grad is kept[name] and not parameter.grad.any()
    assert all(np.array_equal(values, before[name]) for name, values in network.state_dict().items())
    assert found.norm() == pytest.approx(np.sqrt(sum((gradient**2).sum() for gradient in found.gradients.values())), rel=1e-5)


OPTIMIZERS = {
    "sgd": lambda parameters: SGD(parameters, 0.03, weight_decay=0.02),
    "momentum": lambda parameters: SGD(parameters, 0.03, 0.9),
    "momentum and decay": lambda parameters: SGD(parameters, 0.03, 0.5, weight_decay=0.1),
    "nesterov and decay": lambda parameters: SGD(parameters, 0.03, 0.5, weight_decay=0.1, nesterov=True),
    "adamw and decay": lambda parameters: AdamW(parameters, 0.002, weight_decay=0.1),
    "adam": lambda parameters: Adam(parameters, 0.002),
    "adam and decay": lambda parameters: Adam(parameters, 0.002, (0.8, 0.95), 1e-3, weight_decay=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("clip", [0.0, 0.5])
def test_the_step_is_that_of_the_optimizer(name, clip, rng):
    parameter = Parameter(rng.standard_normal((3, 2)), 0.01)
    optimizer: Optimizer = OPTIMIZERS[name]({"a": parameter})
    optimizer.clip_norm, parameter.lr_mult = clip, 0.3
    index = (1, 1)
    for number in range(1, 5):
        parameter.grad = rng.standard_normal((3, 2))
        averages = {slot: values["a"][index] for slot, values in optimizer.moments.items()}
        norm = float(np.linalg.norm(parameter.grad))
        found = weight_step(optimizer, parameter.data[index], parameter.grad[index], parameter, averages, optimizer.steps, norm)
        clipped = parameter.grad.copy()
        if clip:
            clip_gradients([clipped], clip)
        assert found.followed == pytest.approx(clipped[index] + ("adamw" not in name) * found.decay * parameter.data[index])
        optimizer.step()
        assert found.number == number == optimizer.steps and found.rule == name.split()[0]
        assert found.new_weight == pytest.approx(parameter.data[index], rel=1e-12)
        assert found.before == averages and found.after.keys() == averages.keys()
        for slot, values in optimizer.moments.items():
            assert found.after[slot] == pytest.approx(values["a"][index], rel=1e-12)


def test_without_averages_a_step_begins_from_zero():
    optimizer = Adam({"a": Parameter(np.zeros(1))}, 0.01)
    found = weight_step(optimizer, 0.5, -0.2)
    assert found.before == {"mean": 0, "square": 0} and found.corrected["mean"] == pytest.approx(-0.2)
    assert found.change == pytest.approx(0.01, rel=1e-6), "the first step of Adam is as long as the learning rate"


def test_a_frozen_weight_stays_and_its_gradient_does_not_count_for_clipping(rng):
    parameter = Parameter(np.zeros(1))
    parameter.requires_grad = False
    found = weight_step(Adam({"a": parameter}), 0.5, -0.2, parameter, {"mean": 1, "square": 2}, 7)
    assert (found.rule, found.change, found.new_weight) == ("", 0, 0.5) and found.after == found.before == {"mean": 1, "square": 2}
    network = Network([Flatten(), Linear(4), Linear(4)], (3, 3, 1))
    passed = BackwardPass.of(network, picture(network, rng), 3)
    later = np.concatenate([passed.gradients[f"linear2.{name}"].ravel() for name in ("weight", "bias")])
    norm = passed.norm(("linear1.weight", "linear1.bias"))
    assert norm == pytest.approx(np.linalg.norm(later)) and norm < passed.norm()


def test_what_there_is_not_is_said(rng):
    network = Network([Flatten(), Linear(4)], (3, 3, 1))
    found = BackwardPass.of(network, picture(network, rng), 3)
    with pytest.raises(IndexError, match=r"linear1\.weight"):
        weight_gradient(found, "linear1.weight", (9, 0))
    with pytest.raises(DataError, match="between 0 and 3"):
        BackwardPass.of(network, picture(network, rng), 4)
    with pytest.raises(ConfigError, match="Optimizer"):
        weight_step(Optimizer({}, 0.1), 0.0, 1.0)
