"""Schedulers: how the learning rate changes as training goes on."""

from __future__ import annotations

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

    def step(self) -> None:
        """Say that one more step has been taken."""
        self.jump(self.steps + 1)

    def jump(self, steps: int) -> None:
        """Go to the learning rate that holds after `steps` steps."""
        self.steps = steps
        self.optimizer.lr = self.base_lr * self.factor(steps)

    def set_lr(self, lr: float) -> None:
        """Make `lr` the learning rate of now, and scale what is to come with it."""
        self.base_lr = lr / self.factor(self.steps)
        self.optimizer.lr = lr


class MultiStepLR(Scheduler):
    """factor = gammaᵏ, where k is how many of the `milestones` (counts of steps, rising) have been reached."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        if list(milestones) != sorted(milestones):
            raise ConfigError(f"The milestones must rise, but they are {list(milestones)}.")
        if not gamma > 0:
            raise ConfigError(f"gamma must be positive, not {gamma}.")
        super().__init__(optimizer)
        self.milestones, self.gamma = tuple(milestones), gamma

    def factor(self, steps: int) -> float:
        return self.gamma ** bisect_right(self.milestones, steps)
