"""Schedulers: how the learning rate changes as training goes on."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from nncore.errors import ConfigError
from nncore.optimizers import Optimizer


class Scheduler:
    """Sets `optimizer.lr` to `base_lr · factor(steps taken)`. Setting `base_lr` changes the rate and keeps the shape."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lr = optimizer.lr
        self.steps = 0

    def factor(self, steps: int) -> float:
        """The learning rate after `steps` steps, as a multiple of the first one."""
        return 1.0

    def rate(self, steps: int) -> float:
        """The learning rate after `steps` steps."""
        return self.base_lr * self.factor(steps)

    def step(self) -> None:
        """Say that one more step has been taken."""
        self.jump(self.steps + 1)

    def jump(self, steps: int) -> None:
        """Go to the learning rate that holds after `steps` steps."""
        self.steps = steps
        self.optimizer.lr = self.rate(steps)

    def set_lr(self, lr: float) -> None:
        """Make `lr` the learning rate of now, and scale what is to come with it."""
        self.base_lr = lr / self.factor(self.steps)
        self.optimizer.lr = lr


class StepLR(Scheduler):
    """factor = gammaᵏ, where k = ⌊steps / step_size⌋."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        if step_size < 1:
            raise ConfigError(f"step_size must be at least one step, not {step_size}.")
        super().__init__(optimizer)
        self.step_size, self.gamma = step_size, _checked_gamma(gamma)

    def factor(self, steps: int) -> float:
        return self.gamma ** (steps // self.step_size)


class MultiStepLR(Scheduler):
    """factor = gammaᵏ, where k is how many of the `milestones` (counts of steps, rising) have been reached."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        if list(milestones) != sorted(milestones):
            raise ConfigError(f"The milestones must rise, but they are {list(milestones)}.")
        super().__init__(optimizer)
        self.milestones, self.gamma = tuple(milestones), _checked_gamma(gamma)

    def factor(self, steps: int) -> float:
        return self.gamma ** bisect_right(self.milestones, steps)


class ExponentialLR(Scheduler):
    """factor = gamma^⌊steps / every⌋: with `every` the number of steps in an epoch, a decay once an epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, every: int = 1) -> None:
        if every < 1:
            raise ConfigError(f"The learning rate can decay every 1 step or more, not every {every}.")
        super().__init__(optimizer)
        self.gamma, self.every = _checked_gamma(gamma), every

    def factor(self, steps: int) -> float:
        return self.gamma ** (steps // self.every)


class CosineAnnealingLR(Scheduler):
    """factor = floor + (1 − floor) · (1 + cos(π · steps / T_max)) / 2, and `floor` from T_max steps on.

    `floor` is the last learning rate as a share of the first (PyTorch's eta_min / lr). Loshchilov and Hutter 2017, eq. 5.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, floor: float = 0.0) -> None:
        if T_max < 1:
            raise ConfigError(f"T_max must be at least one step, not {T_max}.")
        if not 0 <= floor <= 1:
            raise ConfigError(f"The last learning rate must be a share of the first between 0 and 1, not {floor}.")
        super().__init__(optimizer)
        self.T_max, self.floor = T_max, floor

    def factor(self, steps: int) -> float:
        return _cosine(1.0, self.floor, min(steps / self.T_max, 1.0))


class OneCycleLR(Scheduler):
    """From peak / div_factor up to the peak, then down to peak / (div_factor · final_div_factor), both along a cosine.

    The peak is the learning rate that the optimizer was given; the way up takes `pct_start` of `total_steps`; after them
    the rate stays. As in PyTorch. Smith and Topin 2018, arXiv 1708.07120.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_steps: int,
        pct_start: float = 0.3,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        if total_steps < 1:
            raise ConfigError(f"total_steps must be at least one step, not {total_steps}.")
        if not (0 < pct_start < 1 and div_factor >= 1 and final_div_factor >= 1):
            raise ConfigError(
                f"OneCycleLR needs pct_start between 0 and 1 and divisors of at least 1, not {pct_start}, {div_factor}, "
                f"{final_div_factor}."
            )
        super().__init__(optimizer)
        self.total_steps, self.pct_start = total_steps, pct_start
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self.jump(0)

    def factor(self, steps: int) -> float:
        steps = min(steps, self.total_steps - 1)
        first = 1 / self.div_factor
        rise = max(self.pct_start * self.total_steps - 1, 0.0)
        if steps < rise:
            return _cosine(first, 1.0, steps / rise)
        fall = max(self.total_steps - 1 - rise, 1.0)
        return _cosine(1.0, first / self.final_div_factor, (steps - rise) / fall)


def _cosine(start: float, end: float, share: float) -> float:
    """Half a wave of the cosine from `start` (share 0) to `end` (share 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _checked_gamma(gamma: float) -> float:
    if not (math.isfinite(gamma) and gamma > 0):
        raise ConfigError(f"gamma must be a positive number, not {gamma}.")
    return gamma
