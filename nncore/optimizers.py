"""Optimizers: how the weights follow their gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nncore.arrays import Array, array_module
from nncore.errors import ConfigError, WeightsError
from nncore.layers.base import checked_decay
from nncore.parameter import Parameter


class Optimizer:
    """Changes parameters by their gradients. `lr`, the learning rate, may be set between any two steps.

    `weight_decay` is λ of a penalty ½ λ ‖θ‖² on every parameter (as in PyTorch): λ θ is added to the gradient.
    """

    slots: tuple[str, ...] = ()
    """Names of the running averages that the rule keeps for each parameter."""

    def __init__(self, parameters: Mapping[str, Parameter], lr: float, weight_decay: float = 0.0) -> None:
        if not (math.isfinite(lr) and lr > 0):
            raise ConfigError(f"The learning rate must be a positive number, not {lr}.")
        self.parameters = dict(parameters)
        self.weight_decay = checked_decay(weight_decay)
        self.lr = float(lr)
        self.steps = 0
        self.moments: dict[str, dict[str, Array]] = {
            slot: {name: array_module(p.data).zeros_like(p.data) for name, p in self.parameters.items()} for slot in self.slots
        }

    def step(self) -> None:
        """Move every parameter by its gradient once."""
        self.steps += 1
        for name, parameter in self.parameters.items():
            self._update(name, parameter)

    def _update(self, name: str, parameter: Parameter) -> None:
        raise TypeError(f"{type(self).__name__} defines no rule")

    def decay(self, parameter: Parameter) -> float:
        """λ of the penalty ½ λ ‖θ‖² on this parameter: the optimizer's own for all, and the parameter's own."""
        return self.weight_decay + parameter.weight_decay

    def _gradient(self, parameter: Parameter) -> Array:
        """The loss's gradient, and with weight decay λ θ added to it."""
        decay = self.decay(parameter)
        return parameter.grad + decay * parameter.data if decay else parameter.grad

    def state_dict(self) -> dict[str, Array]:
        """The step count and a copy of every running average, by `slot.parameter`."""
        state: dict[str, Array] = {"steps": np.array(self.steps, np.int64)}
        return state | {f"{slot}.{name}": value.copy() for slot, values in self.moments.items() for name, value in values.items()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over what `state_dict` returned. Raises WeightsError, and changes nothing, where it does not fit."""
        mine = self.state_dict()
        if mine.keys() != state.keys() or any(mine[name].shape != state[name].shape for name in mine):
            raise WeightsError("The saved optimizer state belongs to another network or another optimizer.")
        self.steps = int(state["steps"])
        for slot, values in self.moments.items():
            for name, value in values.items():
                value[...] = state[f"{slot}.{name}"]


class SGD(Optimizer):
    """θ ← θ − lr · g; with momentum μ: v ← μ v + g, θ ← θ − lr · v (as in PyTorch; v starts at zero)."""

    def __init__(self, parameters: Mapping[str, Parameter], lr: float, momentum: float = 0.0, weight_decay: float = 0.0) -> None:
        if not 0 <= momentum < 1:
            raise ConfigError(f"The momentum must be at least 0 and below 1, not {momentum}.")
        self.momentum = momentum
        self.slots = ("velocity",) if momentum else ()
        super().__init__(parameters, lr, weight_decay)

    @classmethod
    def from_config(cls, parameters: Mapping[str, Parameter], config: Any) -> SGD:
        """SGD with the config's momentum."""
        return cls(parameters, config.learning_rate, config.momentum, config.weight_decay)

    @classmethod
    def plain_from_config(cls, parameters: Mapping[str, Parameter], config: Any) -> SGD:
        """SGD without momentum, whatever the config's momentum is."""
        return cls(parameters, config.learning_rate, weight_decay=config.weight_decay)

    def _update(self, name: str, parameter: Parameter) -> None:
        change = self._gradient(parameter)
        if self.momentum:
            velocity = self.moments["velocity"][name]
            velocity *= self.momentum
            velocity += change
            change = velocity
        parameter.data -= self.lr * change


class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  θ ← θ − lr · m̂ / (√v̂ + ε), where m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).

    Kingma and Ba 2015, arXiv 1412.6980, algorithm 1.
    """

    slots = ("mean", "square")

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        if not all(0 <= beta < 1 for beta in betas):
            raise ConfigError(f"Adam's betas must be at least 0 and below 1, not {betas}.")
        if not 0 < eps < math.inf:
            raise ConfigError(f"Adam's eps must be a positive number, not {eps}.")
        self.betas, self.eps = betas, eps
        super().__init__(parameters, lr, weight_decay)

    @classmethod
    def from_config(cls, parameters: Mapping[str, Parameter], config: Any) -> Adam:
        """Adam with the config's betas."""
        return cls(parameters, config.learning_rate, config.betas, weight_decay=config.weight_decay)

    def _update(self, name: str, parameter: Parameter) -> None:
        first, second = self.betas
        grad, mean, square = self._gradient(parameter), self.moments["mean"][name], self.moments["square"][name]
        mean *= first
        mean += (1 - first) * grad
        square *= second
        square += (1 - second) * grad * grad
        root = array_module(square).sqrt(square / (1 - second**self.steps)) + self.eps
        parameter.data -= (self.lr / (1 - first**self.steps)) * mean / root


OPTIMIZERS: dict[str, Callable[[Mapping[str, Parameter], Any], Optimizer]] = {
    "sgd": SGD.plain_from_config,
    "momentum": SGD.from_config,
    "adam": Adam.from_config,
}
"""Every optimizer by the name that settings give it: what makes it from parameters and a config."""
