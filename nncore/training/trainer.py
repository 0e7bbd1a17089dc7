"""Trainer: the training loop, as a generator of events that any thread can iterate and any other can steer."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from nncore.arrays import Array, shape_text
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DataError, DeviceError, DigitLabError, NotCompilable, WeightsError
from nncore.layers import BatchNorm
from nncore.losses import CrossEntropyLoss
from nncore.metrics import Evaluation, accuracy
from nncore.network import Network
from nncore.plan import Plan
from nncore.prediction import Predictor, as_input
from nncore.training.batches import Batches, Stretch
from nncore.training.best import Best
from nncore.training.config import SETTINGS, TrainConfig
from nncore.training.control import Control, Pause, Resume, SetLearningRate, Stop, TrainMore
from nncore.training.events import EpochEnd, Event, Failed, Finished, Paused, Progress, Resumed, Started, Stopped, Validated
from nncore.training.meters import Meters, Pace
from nncore.training.position import LARGEST_TOTAL, Position, check_like, grouped
from nncore.training.schedules import Cycle, Cycles

SAMPLE = 1000
"""Held-out images looked at between epochs: enough to see accuracy to about half a percent."""


class Trainer:
    """Trains `network` on `data` as `config` says, on `device`, holding part of the data out.

    Iterate `events()`; steer with `control`. Between two events nothing moves, so the network may be read then. The
    network ends with its last weights; `best` holds the ones that did best on the held-out images.

    Everything random follows from the seed, the epoch and the step, so a training that goes on after a stop takes
    exactly the steps that it would have taken. Raises ConfigError or DataError where network and data do not fit.
    """

    def __init__(self, network: Network, data: Dataset, config: TrainConfig, device: str = "cpu") -> None:
        _check_fit(network, data)
        self.config, self.network, self.device, self.control = config, network, device, Control()
        self.batches = Batches(data, config, device)
        self.train_data, self.validation_data = self.batches.train_data, self.batches.validation_data
        self.steps_per_epoch = self.batches.steps_per_epoch
        _check_batches(network, len(self.train_data), config.batch_size)
        self.loss = CrossEntropyLoss()
        self.optimizer = config.build_optimizer(network.parameters())
        self.scheduler = config.build_scheduler(self.optimizer, self.steps_per_epoch)
        self.total_steps = _checked_total(config.epochs * self.steps_per_epoch)
        self.step = 0
        self.checkpoint_every: int | None = None
        """Whoever writes a checkpoint every so many steps says so here: the steps of a Progress end at each multiple."""
        self.best: Best | None = None
        self.meters, self.pace = Meters(), Pace()
        self._plan: Plan | None = None
        self._has_kernels = True
        self._broken_off = False
        self.predictor = Predictor(network, device)
        self._sample = self.validation_data.limit(SAMPLE, config.seed)

    @property
    def seconds(self) -> float:
        """Training time since the start of the run; looking at held-out images does not count."""
        return self.meters.seconds

    def to(self, device: str) -> None:
        """Go on on another device. What has been learned stays; the last bits of what follows may differ."""
        if device != self.device:
            self.device, self._plan, self._has_kernels = device, None, True
            self.predictor = Predictor(self.network, device)

    def plan(self) -> Plan | None:
        """The compiled step, made when first asked for; None for a network with a layer that no kernel knows.

        The first time on a machine that takes some ten seconds, later less than one.
        """
        if self._plan is None and self._has_kernels:
            shape = (min(self.config.batch_size, len(self.train_data)), *self.network.input_shape)
            try:
                self._plan = Plan(self.network, shape, self.loss, self.optimizer, device=self.device)
            except NotCompilable:
                self._has_kernels = False
        return self._plan

    def events(self) -> Iterator[Event]:
        """Train until all steps are taken or a stop is asked for, yielding what happens. Call again to go on.

        Steps are taken some 30 ms at a time, with one Progress for each such stretch; the commands in `control` are obeyed
        between two stretches. What is learned does not depend on how steps are grouped. A loss that is no longer a number
        ends the training with Failed, whose step is the one that had it. DeviceError where the device is lost: the trainer is
        then as it was after the last event, and can be saved, or go on on another device.
        """
        yield Started(self.step, self.total_steps, self.steps_per_epoch, len(self.train_data), len(self.validation_data))
        if self._has_open_end():
            yield self._end_epoch()
        while True:
            for event in self._obey():
                yield event
                if isinstance(event, Stopped):
                    return
            if self.step >= self.total_steps:
                break
            progress, failed = self._take_stretch()
            if progress is not None:
                yield progress
            if failed:
                yield Failed(self.step, "The loss is no longer a number; start again with a smaller learning rate.")
                return
            if self._has_open_end():
                yield self._end_epoch()
            elif self.step % self.config.validate_every == 0:
                found = self._evaluate(self._sample)
                yield Validated(self.step, found.loss, found.accuracy, found)
        best = self.best
        yield Finished(self.step, self.seconds, best.step if best else self.step, best.val_accuracy if best else math.nan)

    def _obey(self) -> Iterator[Event]:
        """Carry out the commands that have come in; while paused, wait for more."""
        paused = False
        while command := self.control.take(wait=paused):
            match command:
                case Pause() if not paused and self.step < self.total_steps:
                    paused = True
                    yield Paused(self.step)
                case Resume() if paused:
                    paused = False
                    yield Resumed(self.step)
                case Stop() if self.step < self.total_steps:  # where all steps have been taken it has finished
                    yield Stopped(self.step, self.seconds)
                case SetLearningRate(value):
                    self.scheduler.set_lr(value)
                case TrainMore(epochs):
                    with suppress(ConfigError):  # of more steps than a training can have; it keeps those that it has
                        self.extend(epochs)

    def extend(self, epochs: int) -> None:
        """Add `epochs`, at least 1, to what is left to train. ConfigError where it is no such number.

        The schedule of the steps planned before stays as it is. Milestones and decay after every epoch go on as they count;
        a cosine or a cycle begins again over the added epochs, whether they are added on the way or after the end.
        """
        steps = SETTINGS["epochs"].kind.check("The number of epochs to add", epochs) * self.steps_per_epoch
        planned, self.total_steps = self.total_steps, _checked_total(self.total_steps + steps)
        if isinstance(self.scheduler, Cycles):
            self.scheduler.begin(planned, steps)

    def set_epochs(self, epochs: int) -> None:
        """Make `epochs`, at least 1, the number of epochs in all; what is added is added as by `extend`.

        Where more steps have been taken already the training ends where it is.
        """
        wanted = SETTINGS["epochs"].kind.check("The number of epochs", epochs)
        planned = self.total_steps // self.steps_per_epoch
        if wanted > planned:
            self.extend(wanted - planned)
        else:
            self.total_steps = max(self.step, wanted * self.steps_per_epoch)

    def state_dict(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """All that the rest of the training depends on beside network, data and config: arrays by name, and the rest as JSON
        can hold it. The order of the images needs no place in it: it follows from the seed and the step.

        Raises DigitLabError where an exception has broken a stretch of steps off.
        """
        self._check_whole()
        groups = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        if self.best:
            groups["best"] = self.best.state
        position = {
            "step": self.step,
            "total_steps": self.total_steps,
            "base_lr": self.scheduler.base_lr,
            "train_count": len(self.train_data),
            "random": self.network.random_state(),
        }
        if isinstance(self.scheduler, Cycles):
            position["cycles"] = self.scheduler.cycles
        arrays = {f"{group}/{name}": value for group, values in groups.items() for name, value in values.items()}
        return arrays, {"position": position | self.meters.state_dict(), "best": self.best and self.best.info()}

    def load_state_dict(self, arrays: Mapping[str, Array], rest: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, the network's weights included.

        Raises WeightsError where it is damaged or belongs to another training; the trainer is then of no use.
        """
        position = Position.of(rest.get("position"), len(self.train_data))
        groups = grouped(arrays, ("network", "optimizer", "best"))
        check_like(groups["network"], self.network.state_dict(), "weights")
        check_like(groups["optimizer"], self.optimizer.state_dict(), "optimizer's")
        if int(groups["optimizer"]["steps"]) != position.step:
            raise WeightsError("Its optimizer has taken another number of steps than its training.")
        best = Best.restored(rest.get("best"), groups["best"], self.network, position.step)
        self.meters.load_state_dict(rest["position"])
        at_end = position.step > 0 and position.step % self.steps_per_epoch == 0 and self.meters.count == len(self.train_data)
        if not at_end and self.meters.count != self.batches.examples(position.step):
            raise WeightsError("The sums of its epoch belong to another step.")
        self.network.load_state_dict(groups["network"])
        self.network.load_random_state(position.random)
        self.optimizer.load_state_dict(groups["optimizer"])
        self.step, self.total_steps, self.best = position.step, position.total_steps, best
        self.scheduler.base_lr = position.base_lr
        if isinstance(self.scheduler, Cycles):
            first = self.scheduler.cycles[0]._replace(base_lr=position.base_lr)
            self.scheduler.set_cycles([first] if position.cycles is None else [Cycle(*cycle) for cycle in position.cycles])
        self.scheduler.jump(self.step)

    def batch(self, step: int) -> tuple[Array, Array]:
        """The images, uint8 (N, height, width, channels), and labels, int64 (N), of a step."""
        return self.batches.batch(step)

    def _take_stretch(self) -> tuple[Progress | None, bool]:
        """Take the steps of a stretch: what to tell of them, and whether the last one's loss was no number."""
        plan, until = self.plan(), self._end_of_stretch()
        began = time.perf_counter()
        stretch = self.batches.stretch(self.step, until)
        rates = [self.scheduler.rate(step) for step in range(self.step, until)]
        prepared = time.perf_counter()
        self._check_whole()
        self._broken_off = True
        try:
            if plan is not None:
                losses, right = plan.steps(stretch.images, stretch.labels, stretch.batches, rates)
            else:
                losses, right = self._learn(stretch, rates)
        except DeviceError:
            self._broken_off = False  # a device that is lost leaves everything as it was before the stretch
            raise
        self._broken_off, ended = False, time.perf_counter()
        taken, sizes = len(losses), [len(batch) for batch in stretch.batches[: len(losses)]]
        self.pace.add(taken, ended - prepared)
        self.meters.add(losses, right, sizes, ended - began)
        steps = np.arange(self.step + 1, self.step + taken + 1)
        self.step += taken
        self.scheduler.jump(self.step)
        failed = not math.isfinite(losses[-1])
        kept = taken - failed
        if not kept:
            return None, failed
        speed = self.meters.examples_per_second
        left = (self.total_steps - self.step) * self.config.batch_size / speed if speed else math.nan
        return Progress(
            steps=steps[:kept],
            train_losses=losses[:kept],
            train_accuracies=right[:kept] / np.array(sizes[:kept]),
            learning_rates=np.array(rates[:kept]),
            total_steps=self.total_steps,
            epoch=(self.step - 1) // self.steps_per_epoch + 1,
            examples_per_second=speed,
            seconds_left=left,
        ), failed

    def _check_whole(self) -> None:
        """Refuse to go on, or to be saved, where it is not known how many of a stretch's steps have been taken."""
        if self._broken_off:
            raise DigitLabError("The training was broken off in the middle of its steps; go on from its last checkpoint.")

    def _end_of_stretch(self) -> int:
        """How many steps will have been taken when the next stretch ends."""
        ends = [self.step + self.pace.steps, self.batches.end_of_stretch(self.step), self.total_steps]
        looks = (self.config.validate_every, self.checkpoint_every)
        return min(*ends, *((self.step // every + 1) * every for every in looks if every is not None))

    def _learn(self, stretch: Stretch, rates: Sequence[float]) -> tuple[Array, Array]:
        """The readable path of a stretch: for each step forward, backward, and a step of the optimizer."""
        self.network.train()
        losses, right = [], []
        for chosen, rate in zip(stretch.batches, rates, strict=True):
            self.optimizer.lr, labels = rate, stretch.labels[chosen]
            with np.errstate(over="ignore", invalid="ignore"):  # a loss that is no number is reported as such
                scores = self.network.forward(as_input(stretch.images[chosen], self.network.input_shape))
                losses.append(self.loss(scores, labels))
                self.network.backward(self.loss.backward())
                self.optimizer.step()
            right.append(round(accuracy(scores, labels) * len(labels)))
            if not math.isfinite(losses[-1]):
                break
        return np.array(losses, np.float64), np.array(right, np.int64)

    def _evaluate(self, data: Dataset) -> Evaluation:
        """Loss and answers on held-out images; where the device is lost meanwhile, by the CPU.

        So a step is never without the look that belongs to it: the device's loss is told by the next step.
        """
        try:
            self.predictor.prepare()
            return self.predictor.evaluate(data)
        except DeviceError:
            if self.predictor.device == "cpu":
                raise
            self.predictor = Predictor(self.network)
            return self.predictor.evaluate(data)

    def _has_open_end(self) -> bool:
        """Whether an epoch's last step has been taken and its held-out images have not been looked at yet."""
        return self.step % self.steps_per_epoch == 0 and self.meters.count > 0

    def _end_epoch(self) -> EpochEnd:
        found = self._evaluate(self.validation_data)
        if self.best is None or (found.accuracy, -found.loss) > (self.best.val_accuracy, -self.best.val_loss):
            self.best = Best(self.step, found.accuracy, found.loss, self.network.state_dict())
        means = self.meters.end_epoch()
        return EpochEnd(
            epoch=self.step // self.steps_per_epoch,
            step=self.step,
            train_loss=means.loss,
            train_accuracy=means.accuracy,
            val_loss=found.loss,
            val_accuracy=found.accuracy,
            examples_per_second=means.examples_per_second,
            seconds=self.seconds,
            evaluation=found,
        )


def _check_fit(network: Network, data: Dataset) -> None:
    """Raise ConfigError or DataError unless `network` can learn from `data`."""
    if len(network.output_shape) != 1:
        raise ConfigError(
            f"The network ends in an image of {shape_text(network.output_shape)}, not in one score a class; "
            "let it end with Flatten and Linear."
        )
    if network.output_shape[0] < len(data.class_names):
        raise ConfigError(f"The network tells {network.output_shape[0]} classes apart, but the data has {len(data.class_names)}.")
    if len(data) < 2:
        raise DataError(f"{data.name} holds {len(data)} images; training needs at least two.")
    if not data.is_labelled:
        raise DataError(f"{data.name} has no labels to learn from; choose data that says what its images show.")
    as_input(data.images[:1], network.input_shape)


def _check_batches(network: Network, count: int, batch_size: int) -> None:
    """Raise ConfigError where a step of the epoch's `count` images would be too small for batch norm."""
    last = (count - 1) % batch_size + 1
    for layer in network.layers:
        if isinstance(layer, BatchNorm) and last * math.prod(layer.input_shape[:-1]) < 2:
            raise ConfigError(
                f"{layer.name} needs at least two images a step, but the last step of an epoch of {count:,} images would have "
                f"one; take another batch size than {batch_size:,}."
            )


def _checked_total(steps: int) -> int:
    if steps > LARGEST_TOTAL:
        raise ConfigError(f"A training of {steps:,} steps would never end; take fewer epochs (at most {LARGEST_TOTAL:,} steps).")
    return steps
