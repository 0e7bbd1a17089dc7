"""PyTorch as a second opinion: outputs and gradients of every layer, and twenty steps of every optimizer and scheduler."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nncore import losses
from nncore.arrays import Array
from nncore.layers import (
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from nncore.optimizers import SGD, Adam, AdamW, Optimizer, clip_gradients
from nncore.parameter import Parameter
from nncore.schedulers import CosineAnnealingLR, ExponentialLR, MultiStepLR, OneCycleLR, StepLR

torch = pytest.importorskip("torch", reason="PyTorch is not installed: no second opinion")


def to_torch(x: Array) -> Any:
    """A float64 tensor; images from NHWC to PyTorch's NCHW."""
    return torch.tensor(np.moveaxis(x, -1, 1).copy() if x.ndim == 4 else x.copy(), dtype=torch.float64)


def from_torch(x: Any) -> Array:
    x = x.detach().numpy()
    return np.moveaxis(x, 1, -1) if x.ndim == 4 else x


IMAGE = (9, 8, 3)
nn = torch.nn
PAIRS: list[tuple[Layer, Any, tuple[int, ...]]] = [
    (Linear(5), nn.Linear(12, 5), (12,)),
    (Linear(5, bias=False), nn.Linear(12, 5, bias=False), (12,)),
    (Conv2d(4, 3), nn.Conv2d(3, 4, 3), IMAGE),
    (Conv2d(4, 3, bias=False), nn.Conv2d(3, 4, 3, bias=False), IMAGE),
    (Conv2d(4, 3, stride=2, padding=1), nn.Conv2d(3, 4, 3, 2, 1), IMAGE),
    (Conv2d(4, (5, 2), stride=(1, 3), padding=(2, 0)), nn.Conv2d(3, 4, (5, 2), (1, 3), (2, 0)), IMAGE),
    (Conv2d(4, (4, 3), padding="same"), nn.Conv2d(3, 4, (4, 3), padding="same"), IMAGE),
    (Conv2d(4, 2, padding="same", dilation=3), nn.Conv2d(3, 4, 2, padding="same", dilation=3), IMAGE),
    (Conv2d(4, 3, stride=2, padding=2, dilation=(1, 2)), nn.Conv2d(3, 4, 3, 2, 2, (1, 2)), IMAGE),
    (Conv2d(3, 3, padding=1, groups=3), nn.Conv2d(3, 3, 3, padding=1, groups=3), IMAGE),
    (Conv2d(6, 2, groups=3, bias=False), nn.Conv2d(3, 6, 2, groups=3, bias=False), IMAGE),
    (MaxPool2d(2), nn.MaxPool2d(2), IMAGE),
    (MaxPool2d(3, 2), nn.MaxPool2d(3, 2), IMAGE),
    (MaxPool2d((2, 3), (1, 2)), nn.MaxPool2d((2, 3), (1, 2)), IMAGE),
    (AvgPool2d(2), nn.AvgPool2d(2), IMAGE),
    (AvgPool2d((3, 2), 1), nn.AvgPool2d((3, 2), 1), IMAGE),
    (MaxPool2d(3, 2, padding=1), nn.MaxPool2d(3, 2, 1), IMAGE),
    (MaxPool2d((2, 5), (1, 3), padding=(1, 2)), nn.MaxPool2d((2, 5), (1, 3), (1, 2)), IMAGE),
    (AvgPool2d(3, 2, padding=1), nn.AvgPool2d(3, 2, 1), IMAGE),
    (GlobalAvgPool2d(), nn.AdaptiveAvgPool2d(1), IMAGE),
    (ReLU(), nn.ReLU(), IMAGE),
    (Sigmoid(), nn.Sigmoid(), IMAGE),
    (Tanh(), nn.Tanh(), (7,)),
    (Softmax(), nn.Softmax(dim=1), (7,)),
    (LeakyReLU(), nn.LeakyReLU(), IMAGE),
    (LeakyReLU(0.3), nn.LeakyReLU(0.3), (7,)),
    (GELU(), nn.GELU(), IMAGE),
    (GELU("tanh"), nn.GELU(approximate="tanh"), (7,)),
    (SiLU(), nn.SiLU(), IMAGE),
    (BatchNorm(), nn.BatchNorm1d(7), (7,)),
    (BatchNorm(momentum=0.3, eps=1e-3), nn.BatchNorm2d(3, momentum=0.3, eps=1e-3), IMAGE),
]


def weight_to_torch(weight: Array) -> Array:
    return weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight.T


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # PyTorch tells that it makes a copy
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize(("ours", "theirs", "shape"), PAIRS, ids=[repr(theirs) for _, theirs, _ in PAIRS])
def test_layer(ours: Layer, theirs: Any, shape: tuple[int, ...], training: bool) -> None:
    rng = np.random.default_rng(0)
    ours.build(shape, rng)
    theirs = copy.deepcopy(theirs).double()
    ours.training = training
    theirs.train(training)
    for name, parameter in ours.parameters():
        parameter.data = parameter.data + 0.1 * rng.standard_normal(parameter.shape)
        with torch.no_grad():
            getattr(theirs, name).copy_(torch.tensor(weight_to_torch(parameter.data).copy()))
    x = rng.standard_normal((4, *shape))
    tensor = to_torch(x).requires_grad_()
    y, expected = ours.forward(x), theirs(tensor)
    np.testing.assert_allclose(y, from_torch(expected), rtol=1e-6, atol=1e-7)
    grad = rng.standard_normal(y.shape)
    expected.backward(to_torch(grad))
    np.testing.assert_allclose(ours.backward(grad), from_torch(tensor.grad), rtol=1e-6, atol=1e-7)
    for name, parameter in ours.parameters():
        np.testing.assert_allclose(weight_to_torch(parameter.grad), getattr(theirs, name).grad.numpy(), rtol=1e-6, atol=1e-7)
    for name, buffer in ours.buffers():
        np.testing.assert_allclose(buffer.data, getattr(theirs, name).numpy(), rtol=1e-6, atol=1e-7)


def test_flatten_keeps_the_order_of_its_own_layout() -> None:
    x = np.random.default_rng(0).standard_normal((2, *IMAGE))
    layer = Flatten()
    layer.build(IMAGE, np.random.default_rng(0))
    expected = torch.flatten(torch.tensor(x), 1).numpy()
    np.testing.assert_array_equal(layer.forward(x), expected)


LOSSES: list[tuple[losses.Loss, Callable[[Any, Any], Any]]] = [
    (losses.CrossEntropyLoss(), nn.functional.cross_entropy),
    (losses.CrossEntropyLoss(0.1), lambda z, t: nn.functional.cross_entropy(z, t, label_smoothing=0.1)),
    (losses.ProbabilityCrossEntropyLoss(), lambda p, t: nn.functional.nll_loss(torch.log(p), t)),
    (losses.HingeLoss(), lambda z, t: 10 * nn.functional.multi_margin_loss(z, t)),
]


@pytest.mark.parametrize(("ours", "theirs"), LOSSES, ids=[type(ours).__name__ for ours, _ in LOSSES])
def test_loss(ours: losses.Loss, theirs: Callable[[Any, Any], Any]) -> None:
    rng = np.random.default_rng(0)
    scores, labels = losses.softmax(rng.standard_normal((6, 10))), rng.integers(10, size=6)
    tensor = torch.tensor(scores, requires_grad=True)
    expected = theirs(tensor, torch.tensor(labels))
    expected.backward()
    assert ours(scores, labels) == pytest.approx(expected.item(), rel=1e-9)
    np.testing.assert_allclose(ours.backward(), tensor.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_cross_entropy_on_rows() -> None:
    rng = np.random.default_rng(0)
    scores, rows = rng.standard_normal((6, 10)), losses.softmax(rng.standard_normal((6, 10)))
    tensor = torch.tensor(scores, requires_grad=True)
    expected = nn.functional.cross_entropy(tensor, torch.tensor(rows))
    expected.backward()
    loss = losses.CrossEntropyLoss()
    assert loss(scores, rows) == pytest.approx(expected.item(), rel=1e-9)
    np.testing.assert_allclose(loss.backward(), tensor.grad.numpy(), rtol=1e-9, atol=1e-12)


RULES: list[tuple[Any, Any]] = [
    (lambda p: SGD(p, 0.1), lambda p: torch.optim.SGD(p, 0.1)),
    (lambda p: SGD(p, 0.1, 0.9), lambda p: torch.optim.SGD(p, 0.1, 0.9)),
    (lambda p: SGD(p, 0.1, 0.9, 0.03), lambda p: torch.optim.SGD(p, 0.1, 0.9, weight_decay=0.03)),
    (lambda p: Adam(p, 0.1), lambda p: torch.optim.Adam(p, 0.1)),
    (
        lambda p: Adam(p, 0.1, (0.7, 0.9), 1e-3, 0.02),
        lambda p: torch.optim.Adam(p, 0.1, (0.7, 0.9), 1e-3, weight_decay=0.02),
    ),
    (
        lambda p: SGD(p, 0.1, 0.9, 0.03, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.1, 0.9, weight_decay=0.03, nesterov=True),
    ),
    (
        lambda p: AdamW(p, 0.1, (0.7, 0.9), 1e-3, 0.2),
        lambda p: torch.optim.AdamW(p, 0.1, (0.7, 0.9), 1e-3, weight_decay=0.2),
    ),
]
SCHEDULES: list[tuple[Any, Any]] = [
    (lambda o: StepLR(o, 4, 0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 4, 0.5)),
    (lambda o: MultiStepLR(o, [3, 8, 9], 0.5), lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [3, 8, 9], 0.5)),
    (lambda o: ExponentialLR(o, 0.9), lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9)),
    (lambda o: CosineAnnealingLR(o, 20, 0.01), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 20, 0.1 * 0.01)),
    (lambda o: OneCycleLR(o, 21), lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, 21, cycle_momentum=False)),
]


def twenty_steps(rule: Any, torch_rule: Any, schedule: Any = None, torch_schedule: Any = None) -> None:
    """Both minimise the same bumpy function of two arrays; every step's parameters and learning rates must agree."""
    rng = np.random.default_rng(0)
    values = {"a": rng.standard_normal((4, 3)), "b": rng.standard_normal(5)}
    ours = {name: Parameter(value.copy()) for name, value in values.items()}
    theirs = {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}
    optimizer: Optimizer = rule(ours)
    reference = torch_rule(list(theirs.values()))
    scheduler = schedule(optimizer) if schedule else None
    torch_scheduler = torch_schedule(reference) if schedule else None
    for _ in range(20):
        assert optimizer.lr == pytest.approx(reference.param_groups[0]["lr"], rel=1e-9)
        reference.zero_grad()
        sum((torch.sin(3 * value) + value * value).sum() for value in theirs.values()).backward()
        for parameter in ours.values():
            parameter.grad = 3 * np.cos(3 * parameter.data) + 2 * parameter.data
        reference.step()
        optimizer.step()
        for name, parameter in ours.items():
            np.testing.assert_allclose(parameter.data, theirs[name].detach().numpy(), rtol=1e-8, atol=1e-10)
        if scheduler is not None:
            scheduler.step()
            torch_scheduler.step()


@pytest.mark.parametrize("index", range(len(RULES)))
def test_optimizer(index: int) -> None:
    twenty_steps(*RULES[index])


@pytest.mark.parametrize("max_norm", [0.01, 3.0, 1e3])
def test_clipping(max_norm: float) -> None:
    rng = np.random.default_rng(0)
    ours = {name: Parameter(rng.standard_normal(shape)) for name, shape in (("a", (4, 3)), ("b", (5,)))}
    theirs = [torch.tensor(parameter.data, requires_grad=True) for parameter in ours.values()]
    for parameter, tensor in zip(ours.values(), theirs, strict=True):
        parameter.grad = rng.standard_normal(parameter.shape)
        tensor.grad = torch.tensor(parameter.grad)
    nn.utils.clip_grad_norm_(theirs, max_norm)
    clip_gradients([parameter.grad for parameter in ours.values()], max_norm)
    for parameter, tensor in zip(ours.values(), theirs, strict=True):
        np.testing.assert_allclose(parameter.grad, tensor.grad.numpy(), rtol=1e-9)


@pytest.mark.parametrize("index", range(len(SCHEDULES)))
def test_scheduler(index: int) -> None:
    twenty_steps(*RULES[0], *SCHEDULES[index])
