"""PyTorch as a second opinion on what counts for a part alone: the classes' weights, frozen parameters, parameters' own rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nncore.losses import WeightedCrossEntropyLoss, softmax
from nncore.optimizers import SGD, AdamW
from nncore.parameter import Parameter

torch = pytest.importorskip("torch", reason="PyTorch is not installed: no second opinion")
WEIGHT = (0.2, 1.0, 3.0, 0.7, 1.5, 1.0, 9.0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["labels", "rows"])
def test_class_weights(kind: str, smoothing: float) -> None:
    rng = np.random.default_rng(0)
    scores = 2 * rng.standard_normal((6, len(WEIGHT)))
    wanted = rng.integers(len(WEIGHT), size=6) if kind == "labels" else softmax(rng.standard_normal(scores.shape))
    tensor = torch.tensor(scores, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(
        tensor, torch.tensor(wanted), weight=torch.tensor(WEIGHT, dtype=torch.float64), label_smoothing=smoothing
    )
    expected.backward()
    loss = WeightedCrossEntropyLoss(WEIGHT, smoothing)
    assert loss(scores, wanted) == pytest.approx(expected.item(), rel=1e-9)
    np.testing.assert_allclose(loss.backward(), tensor.grad.numpy(), rtol=1e-9, atol=1e-12)


RULES: list[tuple[Any, Any]] = [
    (lambda p: SGD(p, 0.1, 0.9, 0.03), lambda groups: torch.optim.SGD(groups, 0.1, 0.9, weight_decay=0.03)),
    (lambda p: AdamW(p, 0.1, weight_decay=0.2), lambda groups: torch.optim.AdamW(groups, 0.1, weight_decay=0.2)),
]


@pytest.mark.parametrize("index", range(len(RULES)))
def test_frozen_parameters_and_own_rates(index: int) -> None:
    """Twenty clipped steps, in whose middle one parameter is frozen and, with SGD, another one is no longer.

    PyTorch's AdamW counts the steps of each parameter by itself, which is seen where one begins late.
    """
    rng = np.random.default_rng(0)
    values = {name: rng.standard_normal((4, 3)) for name in ("frozen first", "frozen later", "slow", "usual")}
    ours = {name: Parameter(value.copy()) for name, value in values.items()}
    theirs = {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}
    ours["slow"].lr_mult = 0.1
    optimizer = RULES[index][0](ours)
    groups = [{"params": [value], "lr": 0.01 if name == "slow" else 0.1} for name, value in theirs.items()]
    reference = RULES[index][1](groups)
    optimizer.clip_norm = 2.0
    for step in range(20):
        frozen = {"frozen first"} if step < 10 else {"frozen later"} | ({"frozen first"} if index else set())
        for name, tensor in theirs.items():
            ours[name].requires_grad = name not in frozen
            tensor.requires_grad_(name not in frozen)
            tensor.grad = None
            ours[name].grad = 3 * np.cos(3 * ours[name].data) + 2 * ours[name].data
        sum((torch.sin(3 * value) + value * value).sum() for value in theirs.values()).backward()
        torch.nn.utils.clip_grad_norm_(theirs.values(), 2.0)
        reference.step()
        optimizer.step()
        for name, parameter in ours.items():
            np.testing.assert_allclose(parameter.data, theirs[name].detach().numpy(), rtol=1e-8, atol=1e-10, err_msg=name)
