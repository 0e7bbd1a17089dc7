"""Schedules by name: which scheduler a config asks for, and in words what it will do to the learning rate."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from nncore.arrays import Array
from nncore.optimizers import Optimizer
from nncore.schedulers import CosineAnnealingLR, ExponentialLR, MultiStepLR, OneCycleLR, Scheduler
from nncore.training.values import listed, number_text

LEAST_FACTOR = 1e-12
"""What the factor of a step counts as where it is less, when a learning rate is set there."""
LARGEST_RATE = 1e38
"""About the largest number of float32."""
CLOSE = 50
"""Steps that are tried one by one for the largest learning rate."""


class Settings(Protocol):
    """What a schedule reads of a TrainConfig."""

    @property
    def epochs(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def schedule(self) -> str: ...
    @property
    def milestones(self) -> tuple[int, ...]: ...
    @property
    def gamma(self) -> float: ...
    @property
    def epoch_decay(self) -> float: ...
    @property
    def warmup(self) -> int: ...


class Cycle(NamedTuple):
    """One run through a schedule that has an end, or the rest of one."""

    start: int
    """The step at which it begins; it lasts until the next one begins."""
    length: int
    """Steps from its first to its last learning rate, as it was planned."""
    base_lr: float
    """What its factors are multiplied by."""
    offset: float = 0.0
    """How many of these steps lie before `start`."""
    pace: float = 1.0
    """How many of these steps a step counts as, where the batch size was changed since it was planned."""

    def progress(self, step: float) -> float:
        """How many of the planned steps lie before `step`."""
        return self.offset + (step - self.start) * self.pace

    @property
    def end(self) -> int:
        """The step at which its last learning rate is reached."""
        return self.start + round((self.length - self.offset) / self.pace)


class Cycles(Scheduler):
    """A schedule with an end, begun again from its first learning rate whenever steps are added (`begin`).

    A restart is what SGDR does with the cosine (Loshchilov and Hutter 2017, arXiv 1608.03983). It leaves the steps that were
    planned before as they were, so the same steps follow whether epochs are added on the way or after the end.

    A learning rate that is set changes the rest of the present cycle in proportion; the cycles after it have it as their
    `base_lr`. Only the first steps of all are a warm-up.

    Where the batch size is changed, what is left of the cycles is stretched over the steps that the same images now take
    (`stretch`). A cycle belongs to a number of epochs, not of steps: so the rate goes on from where it is, without a leap, every
    image is seen at the rate that was planned for it, and the last rate comes with the last step as before.
    """

    def __init__(self, optimizer: Optimizer, make: Callable[[Optimizer, int], Scheduler], length: int) -> None:
        """`make(optimizer, steps)` builds the scheduler of a cycle of so many steps; the first has `length`."""
        super().__init__(optimizer)
        self._make = make
        self.cycles: list[Cycle] = []
        self.set_cycles([Cycle(0, length, self.base_lr)])

    def set_cycles(self, cycles: Sequence[Cycle]) -> None:
        """Replace the cycles: the first begins with step 0, each later one after the one before; lengths are at least 1."""
        self.cycles = list(cycles)
        self._schedulers = [self._make(self.optimizer, cycle.length) for cycle in cycles]
        self.jump(self.steps)

    def begin(self, step: int, length: int) -> None:
        """Begin a cycle of `length` steps at `step`, in the place of those that would have begun there or later."""
        self.set_cycles([*(cycle for cycle in self.cycles if cycle.start < step), Cycle(step, length, self.base_lr)])

    def stretch(self, step: int, moved: Callable[[int], int]) -> None:
        """Stretch what comes after `step`: `moved` tells for a step that was planned at `step` or later where it lies now."""
        cycles = {cycle.start: cycle for cycle in self.cycles if cycle.start < step}
        for cycle in self.cycles[self._which(step) :]:
            begins = max(cycle.start, step)
            start, offset, end = moved(begins), cycle.progress(begins), max(cycle.end, begins)
            if offset < cycle.length:
                pace = (cycle.length - offset) / max(moved(end) - start, 1)
                cycles[start] = cycle._replace(start=start, offset=offset, pace=pace)
        self.set_cycles(list(cycles.values()))

    def factor(self, steps: float) -> float:
        which = self._which(steps)
        factor = self._schedulers[which].factor(self.cycles[which].progress(steps))
        return max(factor * self.warmth(steps), LEAST_FACTOR)

    def rate(self, steps: int) -> float:
        return self.cycles[self._which(steps)].base_lr * self.factor(steps)

    def set_lr(self, lr: float) -> None:
        which, warmth = self._which(self.steps), self.warmth(self.steps)
        self.base_lr = lr
        present = min(lr / self.factor(self.steps) * warmth, LARGEST_RATE)
        self.cycles[which:] = [cycle._replace(base_lr=present if n == 0 else lr) for n, cycle in enumerate(self.cycles[which:])]
        self.optimizer.lr = lr * warmth

    def _which(self, steps: float) -> int:
        return bisect_right(self.cycles, steps, key=lambda cycle: cycle.start) - 1


@dataclass(frozen=True)
class Schedule:
    """A way for the learning rate to change."""

    build: Callable[[Settings, Optimizer, int], Scheduler]
    """The scheduler for a config, an optimizer and the number of steps in an epoch."""
    describe: Callable[[Settings, int], str]
    """What it will do, in words, for a config and the number of steps in an epoch."""


def describe_schedule(config: Settings, steps_per_epoch: int) -> str:
    """What happens to the learning rate in a training of `config`, a TrainConfig: "0.001, halved at steps 800, 1,600 and 2,400"."""
    text, total = SCHEDULES[config.schedule].describe(config, steps_per_epoch), config.epochs * steps_per_epoch
    if not config.warmup:
        return text
    if config.warmup > total:
        return f"{text}; a warm-up of {config.warmup:,} steps would end after the end, at {total:,}"
    return f"{text}; warmed up over the first {f'{config.warmup:,} steps' if config.warmup > 1 else 'step'}"


def build_scheduler(config: Settings, optimizer: Optimizer, steps_per_epoch: int) -> Scheduler:
    """The scheduler that `config`, a TrainConfig, names, over `optimizer`, its warm-up included."""
    scheduler = SCHEDULES[config.schedule].build(config, optimizer, steps_per_epoch)
    if config.warmup:
        scheduler.warm_up(config.warmup)
    return scheduler


def learning_rates(config: Settings, steps_per_epoch: int, points: int) -> tuple[Array, Array]:
    """The learning rates of a training of `config`, a TrainConfig, before it runs: steps, int64 rising from 0, how many have been
    taken before; and the rate of each, float64.

    At most `points` of them, which is at least 3: the first, the last and that of the largest rate are among them.
    """
    total = config.epochs * steps_per_epoch
    rate = build_scheduler(config, Optimizer({}, config.learning_rate), steps_per_epoch).rate
    steps = _spread(0, total - 1, points if total <= points else points - 1)
    if total > points:
        steps = sorted({*steps, _largest(rate, steps)})
    return np.array(steps, np.int64), np.array([rate(step) for step in steps])


def _largest(rate: Callable[[int], float], steps: Sequence[int]) -> int:
    """The step of the largest rate, which is looked for between the neighbours of the largest of `steps`, ever more closely."""
    while True:
        best = max(range(len(steps)), key=lambda place: rate(steps[place]))
        low, high = steps[max(best - 1, 0)], steps[min(best + 1, len(steps) - 1)]
        if high - low <= CLOSE or len(steps) < 3:
            return max(range(low, high + 1), key=rate)
        steps = _spread(low, high, CLOSE)


def _spread(first: int, last: int, points: int) -> list[int]:
    """At most `points` whole numbers, evenly spread from `first` to `last`."""
    count = min(points, last - first + 1)
    return [first + (last - first) * place // max(count - 1, 1) for place in range(count)]


def _describe_steps(config: Settings, steps_per_epoch: int) -> str:
    rate, total = number_text(config.learning_rate), config.epochs * steps_per_epoch
    reached = [f"{step:,}" for step in config.milestones if step < total]
    later = [f"{step:,}" for step in config.milestones if step >= total]
    text = f"{rate}, {_changed(config.gamma)} at {_steps(reached)}" if reached else f"{rate} throughout"
    return text + (f" ({_steps(later)} would come after the end, at {total:,})" if later else "")


def _describe_exponential(config: Settings, steps_per_epoch: int) -> str:
    if config.epoch_decay == 1:
        return f"{number_text(config.learning_rate)} throughout, since the epoch decay is 1"
    return f"{number_text(config.learning_rate)}, {_changed(config.epoch_decay)} after every epoch ({steps_per_epoch:,} steps)"


def _describe_cosine(config: Settings, steps_per_epoch: int) -> str:
    total = config.epochs * steps_per_epoch
    scheduler = CosineAnnealingLR(Optimizer({}, config.learning_rate), total)
    last = config.learning_rate * scheduler.factor(total)
    return f"{number_text(config.learning_rate)}, down along a cosine to {number_text(last)} at step {total:,}"


def _describe_cycle(config: Settings, steps_per_epoch: int) -> str:
    total = config.epochs * steps_per_epoch
    scheduler = OneCycleLR(Optimizer({}, config.learning_rate), total)
    first, last = (number_text(config.learning_rate * scheduler.factor(step)) for step in (0, total))
    peak = max(round(scheduler.pct_start * total) - 1, 0)
    return f"{first}, up to {number_text(config.learning_rate)} at step {peak:,}, then down to {last} at step {total:,}"


def _changed(factor: float) -> str:
    return "halved" if factor == 0.5 else f"multiplied by {number_text(factor)}"


def _steps(steps: list[str]) -> str:
    return f"{'step' if len(steps) == 1 else 'steps'} {listed(steps)}"


SCHEDULES = {
    "constant": Schedule(
        lambda config, optimizer, per_epoch: Scheduler(optimizer),
        lambda config, per_epoch: f"{number_text(config.learning_rate)} throughout",
    ),
    "steps": Schedule(
        lambda config, optimizer, per_epoch: MultiStepLR(optimizer, config.milestones, config.gamma), _describe_steps
    ),
    "exponential": Schedule(
        lambda config, optimizer, per_epoch: ExponentialLR(optimizer, config.epoch_decay, per_epoch), _describe_exponential
    ),
    "cosine": Schedule(
        lambda config, optimizer, per_epoch: Cycles(optimizer, CosineAnnealingLR, config.epochs * per_epoch), _describe_cosine
    ),
    "one-cycle": Schedule(
        lambda config, optimizer, per_epoch: Cycles(optimizer, OneCycleLR, config.epochs * per_epoch), _describe_cycle
    ),
}
"""Every schedule by its name."""
