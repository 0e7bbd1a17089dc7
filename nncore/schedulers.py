"""Schedulers: how the learning rate changes as training goes on."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from numbers import Real

from nncore.checks import LARGEST_NUMBER, positive_number, real_number, shown, whole_number
from nncore.errors import ConfigError
from nncore.optimizers import MOST_STEPS, Optimizer

LARGEST_FACTOR = 1e12
"""The most that a schedule multiplies a learning rate by, and its inverse the least: beyond both, rates would become 0 or
infinite after many steps, and could not be set any more."""


class Scheduler:
    """Sets `optimizer.lr` to `base_lr · factor(steps taken)`. Setting `base_lr` changes the rate and keeps the shape.

    Every learning rate is positive and finite, after any number of steps.
    """

    warmup = 0
    """Over how many steps the rate rises at the start; see `warm_up`."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lr = optimizer.lr
        self.steps = 0

    def warm_up(self, steps: int) -> None:
        """Let the rate rise in a line over the first `steps` steps: step t, counted from 0, has (t + 1) / steps of what the
        schedule gives it, and from t = steps − 1 on all of it.

        The gradual warm-up of Goyal et al. 2017, arXiv 1706.02677, section 2.2, from near 0. ConfigError for no number of steps.
        """
        self.warmup = whole_number(steps, "The warm-up", 0, MOST_STEPS)
        self.jump(self.steps)

    def factor(self, steps: float) -> float:
        """The learning rate after `steps` steps, as a multiple of the first one: between 1e-12 and 1e12.

        A schedule that is stretched over other numbers of steps is asked in between whole ones, too.
        """
        return min(max(self._factor(steps) * self.warmth(steps), 1 / LARGEST_FACTOR), LARGEST_FACTOR)

    def warmth(self, steps: float) -> float:
        """The share of the schedule's rate that the warm-up lets through after `steps` steps: 1 once it is over."""
        return (steps + 1) / self.warmup if steps < self.warmup else 1.0

    def _factor(self, steps: float) -> float:
        """The schedule's formula."""
        return 1.0

    def rate(self, steps: int) -> float:
        """The learning rate after `steps` steps."""
        return _bounded(self.base_lr * self.factor(steps))

    def step(self) -> None:
        """Say that one more step has been taken."""
        self.jump(self.steps + 1)

    def jump(self, steps: int) -> None:
        """Go to the learning rate that holds after `steps` steps."""
        self.steps = steps
        self.optimizer.lr = self.rate(steps)

    def set_lr(self, lr: float) -> None:
        """Make `lr` the learning rate of now, and scale what is to come with it. ConfigError unless it is positive and finite.

        During a warm-up it is the rate that the warm-up leads to, which would otherwise be thrown far up.
        """
        if not (isinstance(lr, Real) and 0 < lr < math.inf):
            raise ConfigError(f"The learning rate must be a positive number, not {shown(lr)}.")
        lr = _bounded(float(lr))
        warmth = self.warmth(self.steps)
        self.base_lr = lr / self.factor(self.steps) * warmth
        self.optimizer.lr = _bounded(lr * warmth)


class StepLR(Scheduler):
    """factor = gammaᵏ, where k = ⌊steps / step_size⌋."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        super().__init__(optimizer)
        self.step_size, self.gamma = _steps(step_size, "step_size"), positive_number(gamma, "gamma")

    def _factor(self, steps: float) -> float:
        return _power(self.gamma, int(steps) // self.step_size)


class MultiStepLR(Scheduler):
    """factor = gammaᵏ, where k is how many of the `milestones` (counts of steps, rising) have been reached."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        if not isinstance(milestones, Sequence):
            raise ConfigError(f"The milestones are a row of counts of steps, not {shown(milestones)}.")
        super().__init__(optimizer)
        self.milestones = tuple(whole_number(milestone, "A milestone", 0, MOST_STEPS) for milestone in milestones)
        self.gamma = positive_number(gamma, "gamma")
        if list(self.milestones) != sorted(self.milestones):
            raise ConfigError(f"The milestones must rise, but they are {shown(list(self.milestones))}.")

    def _factor(self, steps: float) -> float:
        return _power(self.gamma, bisect_right(self.milestones, steps))


class ExponentialLR(Scheduler):
    """factor = gamma^⌊steps / every⌋: with `every` the number of steps in an epoch, a decay once an epoch.

    Where epochs have different numbers of steps, `epoch_of` is set to what tells how many epochs a number of steps has.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, every: int = 1) -> None:
        super().__init__(optimizer)
        self.gamma, self.every = positive_number(gamma, "gamma"), _steps(every, "every")
        self.epoch_of: Callable[[int], int] = lambda steps: steps // self.every

    def _factor(self, steps: float) -> float:
        return _power(self.gamma, self.epoch_of(int(steps)))


class CosineAnnealingLR(Scheduler):
    """factor = floor + (1 − floor) · (1 + cos(π · steps / T_max)) / 2, and `floor` from T_max steps on.

    `floor` is the last learning rate as a share of the first (PyTorch's eta_min / lr). It is 1 % unless given, so that a
    training that goes on after T_max still learns. Loshchilov and Hutter 2017, arXiv 1608.03983, eq. 5.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, floor: float = 0.01) -> None:
        super().__init__(optimizer)
        self.T_max = _steps(T_max, "T_max")
        self.floor = real_number(floor, "The floor", "between 0 and 1 (the last rate's share of the first)", lambda x: 0 <= x <= 1)

    def _factor(self, steps: float) -> float:
        return _cosine(1.0, self.floor, min(steps, self.T_max) / self.T_max)


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
        super().__init__(optimizer)
        self.total_steps = _steps(total_steps, "total_steps")
        self.pct_start = real_number(pct_start, "pct_start", "between 0 and 1", lambda x: 0 < x < 1)
        self.div_factor = real_number(div_factor, "div_factor", "of at least 1", lambda x: x >= 1)
        self.final_div_factor = real_number(final_div_factor, "final_div_factor", "of at least 1", lambda x: x >= 1)
        self.jump(0)

    def _factor(self, steps: float) -> float:
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


def _bounded(lr: float) -> float:
    """The learning rate that is nearest to `lr` among those that float32 can hold."""
    return min(max(lr, 1 / LARGEST_NUMBER), LARGEST_NUMBER)


def _steps(value: object, what: str) -> int:
    return whole_number(value, what, 1, MOST_STEPS)


def _power(gamma: float, exponent: int) -> float:
    """gamma ** exponent; where that is beyond floating point, 0 or infinity."""
    try:
        return gamma ** min(exponent, MOST_STEPS)
    except OverflowError:
        return math.inf
