"""Optimizers: how the weights follow their gradients.

A new optimizer is one class here and its line in `OPTIMIZERS`; a kernel of its own, where it has one, is the backends'.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np

from nncore.arrays import Array, array_module, beside, to_numpy
from nncore.checks import as_whole, decay_rate, positive_number, real_number, shown
from nncore.errors import ConfigError, WeightsError
from nncore.parameter import Parameter, check_saved

MOST_STEPS = 2**53
"""The most steps that a saved state may count: whole numbers up to here are exact as floats."""


class OptimizerConfig(Protocol):
    """The settings from which optimizers are made; each reads those that it needs."""

    @property
    def learning_rate(self) -> float: ...
    @property
    def momentum(self) -> float: ...
    @property
    def betas(self) -> tuple[float, float]: ...
    @property
    def weight_decay(self) -> float: ...


class Optimizer:
    """Changes parameters by their gradients. `lr`, the learning rate, may be set between any two steps.

    `weight_decay` is λ of a penalty ½ λ ‖θ‖² on every parameter (as in PyTorch): λ θ is added to the gradient, unless the rule
    says otherwise (`AdamW`). What a parameter says of itself counts too: see `Parameter`.
    `clip_norm`, where it is above 0, is the longest gradient that a step follows: see `clip_gradients`. It may be set as well.
    A subclass has the compiled rule that it names itself: it does not inherit one, since what it changes, a kernel would
    not do. Raises ConfigError for settings that make no sense.
    """

    slots: tuple[str, ...] = ()
    """Names of the running averages that the rule keeps for each parameter."""
    never_negative: tuple[str, ...] = ()
    """Those among the slots that hold means of squares."""
    rule: str = ""
    """The name of the compiled rule that computes the same (nncore/backend/contract.py); empty where there is none."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "rule" not in vars(cls):
            cls.rule = ""

    def __init__(self, parameters: Mapping[str, Parameter], lr: float, weight_decay: float = 0.0) -> None:
        if not isinstance(parameters, Mapping) or not all(isinstance(value, Parameter) for value in parameters.values()):
            raise ConfigError("An optimizer takes parameters by their names, as network.parameters() gives them.")
        self.parameters = dict(parameters)
        self.weight_decay = decay_rate(weight_decay)
        self.lr = positive_number(lr, "The learning rate")
        self.steps = 0
        self.clip_norm = 0.0
        self.moments: dict[str, dict[str, Array]] = {slot: self._zeros() for slot in self.slots}

    def _zeros(self) -> dict[str, Array]:
        return {name: array_module(p.data).zeros_like(p.data) for name, p in self.parameters.items()}

    def rates(self, lr: float, step: int) -> tuple[float, ...]:
        """The numbers that the rule takes at learning rate `lr` for the step with number `step`, counted from 1.

        The first of them, and no other, is in proportion to `lr`: what a parameter's `lr_mult` is multiplied with.
        """
        return (lr,)

    def step(self) -> None:
        """Move every parameter that is not frozen by its gradient once.

        First the gradients of the frozen ones become zero, and all are clipped, where that is wanted.
        """
        self.steps += 1
        for parameter in self.parameters.values():
            if not parameter.requires_grad:
                parameter.grad = array_module(parameter.grad).zeros_like(parameter.grad)
        if self.clip_norm:
            clip_gradients([parameter.grad for parameter in self.parameters.values()], self.clip_norm)
        rate, *others = self.rates(self.lr, self.steps)
        for name, parameter in self.parameters.items():
            if parameter.requires_grad:
                moments = [self.moments[slot][name] for slot in self.slots]
                self.move(parameter.data, parameter.grad, moments, self.decay(parameter), rate * parameter.lr_mult, *others)

    def move(self, values: Array, grad: Array, moments: Sequence[Array], decay: float, *rates: float) -> None:
        """The rule's formula: change `values` and the running averages `moments`, one a slot, in place.

        All have the shape of the gradient `grad`; `decay` is λ of the weight decay, and `rates` are the numbers that the method of
        that name gives for the step.
        """
        raise TypeError(f"{type(self).__name__} defines no rule")

    def decay(self, parameter: Parameter) -> float:
        """λ of the weight decay of this parameter: the optimizer's own for all, and the parameter's own."""
        return self.weight_decay + parameter.weight_decay

    def begin_anew(self) -> None:
        """Forget the steps taken: the running averages are zero again, as those of a new optimizer."""
        self.steps = 0
        for averages in self.moments.values():
            for average in averages.values():
                average[...] = 0

    def state_dict(self) -> dict[str, Array]:
        """The step count and a copy of every running average on the host, by `slot.parameter`."""
        state: dict[str, Array] = {"steps": np.array(self.steps, np.int64)}
        for slot, values in self.moments.items():
            state |= {f"{slot}.{name}": to_numpy(value.copy()) for name, value in values.items()}
        return state

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over what `state_dict` returned. Raises WeightsError, and changes nothing, where it does not fit."""
        mine = self.state_dict()
        if not isinstance(state, Mapping) or mine.keys() != state.keys():
            raise WeightsError("The saved optimizer state belongs to another network or another optimizer.")
        for name, present in mine.items():
            least = 0.0 if name.split(".")[0] in self.never_negative else -math.inf
            check_saved(f"optimizer state {name}", state[name], present, least)
        steps = as_whole(state["steps"].item(), 0, MOST_STEPS)
        if steps is None:
            raise WeightsError(f"The saved optimizer state counts {shown(state['steps'].item())} steps; the file is of no use.")
        self.steps = steps
        for slot, values in self.moments.items():
            for name, value in values.items():
                value[...] = beside(state[f"{slot}.{name}"], value)


class SGD(Optimizer):
    """θ ← θ − lr · g; with momentum μ: v ← μ v + g, θ ← θ − lr · v; with Nesterov's momentum: θ ← θ − lr · (g + μ v).

    As in PyTorch; v starts at zero. Nesterov's (Sutskever et al. 2013, "On the importance of initialization and momentum in deep
    learning") goes by the gradient as it is expected to be after the step.
    """

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        self.momentum, self.nesterov = _momentum(momentum), nesterov
        self.slots = ("velocity",) if self.momentum else ()
        super().__init__(parameters, lr, weight_decay)

    def set_momentum(self, momentum: float) -> None:
        """Use another momentum from the next step on. Without momentum no velocity is kept; it then begins at zero again."""
        self.momentum = _momentum(momentum)
        self.slots = ("velocity",) if self.momentum else ()
        self.moments = {slot: self.moments[slot] if slot in self.moments else self._zeros() for slot in self.slots}

    @classmethod
    def from_config(cls, parameters: Mapping[str, Parameter], config: OptimizerConfig) -> SGD:
        """SGD with the config's momentum."""
        return cls(parameters, config.learning_rate, config.momentum, config.weight_decay)

    @classmethod
    def plain_from_config(cls, parameters: Mapping[str, Parameter], config: OptimizerConfig) -> SGD:
        """SGD without momentum, whatever the config's momentum is."""
        return cls(parameters, config.learning_rate, weight_decay=config.weight_decay)

    @classmethod
    def nesterov_from_config(cls, parameters: Mapping[str, Parameter], config: OptimizerConfig) -> SGD:
        """SGD with the config's momentum, as Nesterov has it."""
        return cls(parameters, config.learning_rate, config.momentum, config.weight_decay, nesterov=True)

    @property
    def rule(self) -> str:  # type: ignore[override]
        """Which of the three formulas it is."""
        if not self.momentum:
            return "sgd"
        return "nesterov" if self.nesterov else "momentum"

    def rates(self, lr: float, step: int) -> tuple[float, ...]:
        """(lr), or with momentum (lr, μ)."""
        return (lr, self.momentum) if self.momentum else (lr,)

    def move(self, values: Array, grad: Array, moments: Sequence[Array], decay: float, *rates: float) -> None:
        lr, *momentum = rates
        grad = _decayed(grad, values, decay)
        for velocity in moments:
            velocity *= momentum[0]
            velocity += grad
            grad = grad + momentum[0] * velocity if self.nesterov else velocity
        values -= lr * grad


class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  θ ← θ − lr · m̂ / (√v̂ + ε), where m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).

    Kingma and Ba 2015, arXiv 1412.6980, algorithm 1.
    """

    slots = ("mean", "square")
    never_negative = ("square",)
    rule = "adam"

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ConfigError(f"Adam takes two betas, not {shown(betas)}.")
        first, second = (real_number(beta, "Each of Adam's betas", "of at least 0 and below 1", _is_share) for beta in betas)
        self.betas, self.eps = (first, second), positive_number(eps, "Adam's eps")
        super().__init__(parameters, lr, weight_decay)

    @classmethod
    def from_config(cls, parameters: Mapping[str, Parameter], config: OptimizerConfig) -> Adam:
        """Adam with the config's betas."""
        return cls(parameters, config.learning_rate, config.betas, weight_decay=config.weight_decay)

    def rates(self, lr: float, step: int) -> tuple[float, ...]:
        """(lr / (1 − β₁ᵗ), β₁, β₂, ε, 1 − β₁, 1 − β₂, 1 / (1 − β₂ᵗ))."""
        first, second = self.betas
        return lr / (1 - first**step), first, second, self.eps, 1 - first, 1 - second, 1 / (1 - second**step)

    def move(self, values: Array, grad: Array, moments: Sequence[Array], decay: float, *rates: float) -> None:
        lr, first, second, eps, rest, rest_of_second, unbias = rates
        grad = _decayed(grad, values, decay)
        mean, square = moments
        mean *= first
        mean += rest * grad
        square *= second
        square += rest_of_second * grad * grad
        values -= lr * mean / (array_module(square).sqrt(square * unbias) + eps)


class AdamW(Adam):
    """θ ← θ − lr · λ θ, then Adam's step by the gradient alone: the decay does not go through the running averages (as in PyTorch).

    Each weight is pulled towards zero in proportion to itself, however large its gradients are. Loshchilov and Hutter 2019,
    arXiv 1711.05101, algorithm 2.
    """

    rule = "adamw"

    def rates(self, lr: float, step: int) -> tuple[float, ...]:
        """(lr, β₁, β₂, ε, 1 − β₁, 1 − β₂, 1 / (1 − β₂ᵗ), 1 / (1 − β₁ᵗ))."""
        _, *others = super().rates(lr, step)
        return lr, *others, 1 / (1 - self.betas[0] ** step)

    def move(self, values: Array, grad: Array, moments: Sequence[Array], decay: float, *rates: float) -> None:
        lr, *others, unbias_mean = rates
        values *= 1 - lr * decay
        super().move(values, grad, moments, 0.0, lr * unbias_mean, *others)


def _decayed(grad: Array, values: Array, decay: float) -> Array:
    """The gradient of the loss and of the penalty ½ λ ‖θ‖²: λ θ is added."""
    return grad + grad.dtype.type(decay) * values if decay else grad


def clip_gradients(gradients: Sequence[Array], max_norm: float) -> None:
    """g ← g · min(1, max_norm / (‖g‖ + 10⁻⁶)) in place, where ‖g‖ is the Euclidean norm of all gradients together (as in PyTorch).

    Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063, algorithm 1. Weight decay is added to what is left.
    """
    norm = math.sqrt(sum(float((gradient.astype(np.float64) ** 2).sum()) for gradient in gradients))
    for gradient in gradients:
        gradient *= clip_factor(norm, max_norm)


def clip_factor(norm: float, max_norm: float) -> float:
    """What a gradient of that norm is multiplied by so that it is no longer than `max_norm`: from 0 to 1; NaN for no number."""
    factor = max_norm / (norm + 1e-6)
    return 1.0 if factor > 1 else factor


def _momentum(value: float) -> float:
    return real_number(value, "The momentum", "of at least 0 and below 1", _is_share)


def _is_share(number: float) -> bool:
    return 0 <= number < 1


MakeOptimizer: TypeAlias = Callable[[Mapping[str, Parameter], OptimizerConfig], Optimizer]

OPTIMIZERS: dict[str, MakeOptimizer] = {
    "sgd": SGD.plain_from_config,
    "momentum": SGD.from_config,
    "nesterov": SGD.nesterov_from_config,
    "adam": Adam.from_config,
    "adamw": AdamW.from_config,
}
"""Every optimizer by the name that settings and commands give it: what makes it from parameters and a config."""
