"""The formulas that a recorder asks for by name: activations and losses, which are the layers' own, and the optimizers' rules.

A rule works on flat arrays. It takes parameters (changed in place), their gradient, the rule's running averages (changed in
place) and the numbers of the step, which are those of `contract.Batches.rates`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nncore.arrays import Array, array_module
from nncore.errors import NotCompilable
from nncore.layers import activations
from nncore.losses import CrossEntropyLoss, HingeLoss, Loss, ProbabilityCrossEntropyLoss, softmax

ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "relu": (activations.relu, activations.relu_backward),
    "sigmoid": (activations.sigmoid, activations.sigmoid_backward),
    "tanh": (activations.tanh, activations.tanh_backward),
    "softmax": (softmax, activations.softmax_backward),
}
"""Forward, from x, and backward, from y and dL/dy."""

LOSSES: dict[str, Callable[..., Loss]] = {
    "cross_entropy": CrossEntropyLoss,
    "probability": ProbabilityCrossEntropyLoss,
    "hinge": HingeLoss,
}


def sgd(values: Array, grad: Array, moments: Sequence[Array], lr: float, *unused: float) -> None:
    """θ ← θ − lr · g."""
    values -= lr * grad


def momentum(values: Array, grad: Array, moments: Sequence[Array], lr: float, momentum: float) -> None:
    """v ← μ v + g,  θ ← θ − lr · v."""
    velocity = moments[0]
    velocity[...] = momentum * velocity + grad
    values -= lr * velocity


def adam(
    values: Array, grad: Array, moments: Sequence[Array], lr: float, beta: float, beta2: float, eps: float, *corrections: float
) -> None:
    """m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  θ ← θ − lr / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε).

    `lr` has been divided by 1 − β₁ᵗ already; `corrections` are 1 − β₁, 1 − β₂ and 1 / (1 − β₂ᵗ).
    """
    (mean, square), (rest, rest2, unbias) = moments, corrections
    mean[...] = beta * mean + rest * grad
    square[...] = beta2 * square + rest2 * grad * grad
    values -= lr * mean / (array_module(square).sqrt(square * unbias) + eps)


RULES: dict[str, Callable[..., None]] = {"sgd": sgd, "momentum": momentum, "adam": adam}
"""By the names of contract.Rule."""


def known(table: dict[str, Any], name: str, what: str) -> Any:
    """What the table holds under `name`. Raises NotCompilable where it holds nothing."""
    if name not in table:
        raise NotCompilable(f"The reference backend has no {what} called {name}; it has {', '.join(table)}.")
    return table[name]
