"""Trainer: the training loop, as a generator of events that any thread can iterate and any other can steer."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DeviceError, DigitLabError, NotCompilable, WeightsError
from nncore.metrics import Evaluation, accuracy
from nncore.network import Network
from nncore.plan import Plan
from nncore.prediction import Predictor, as_input
from nncore.training.batches import Batches, Stretch
from nncore.training.best import Best
from nncore.training.config import SETTINGS, TrainConfig
from nncore.training.control import Control, Pause, Resume, SetLearningRate, Stop, TrainMore
from nncore.training.events import (
    Changed,
    EpochEnd,
    Event,
    Examined,
    Failed,
    Finished,
    Paused,
    Progress,
    Resumed,
    Started,
    Stopped,
    Validated,
)
from nncore.training.fit import check_batches, check_fit, checked_total
from nncore.training.good_weights import GoodWeights
from nncore.training.health import Examiner
from nncore.training.loss_watch import LossWatch, explain, smaller_rate
from nncore.training.meters import Meters, Pace
from nncore.training.position import Position, check_like, grouped
from nncore.training.schedules import Cycle, Cycles
from nncore.training.stops import Stops

SAMPLE = 1000
"""Held-out images looked at between epochs: enough to see accuracy to about half a percent."""
WATCHED = 25
"""The most steps of a stretch while a divergence is likely, so that it is noticed early."""
WATCHED_FOR = 200
"""For how many steps it is likely after the start, and after the learning rate has been set."""


class Trainer:
    """Trains `network` on `data` as `config` says, on `device`, holding part of the data out.

    Iterate `events()`; steer with `control`. Between two events nothing moves, so the network may be read then. The
    network ends with its last weights; `best` holds the ones that did best on the held-out images.

    Everything random follows from the seed, the epoch and the step, so a training that goes on after a stop takes
    exactly the steps that it would have taken. Raises ConfigError or DataError where network and data do not fit.
    """

    def __init__(self, network: Network, data: Dataset, config: TrainConfig, device: str = "cpu") -> None:
        check_fit(network, data)
        self.config, self.network, self.device, self.control = config, network, device, Control()
        self.batches = Batches(data, config, device)
        self.train_data, self.validation_data = self.batches.train_data, self.batches.validation_data
        self.steps_per_epoch = self.batches.steps_per_epoch
        check_batches(network, len(self.train_data), config.batch_size)
        self.loss = config.build_loss()
        self.optimizer = config.build_optimizer(network.parameters())
        self.scheduler = config.build_scheduler(self.optimizer, self.steps_per_epoch)
        self.total_steps = checked_total(config.epochs * self.steps_per_epoch)
        self.step = 0
        self.checkpoint_every: int | None = None
        """Whoever writes a checkpoint every so many steps says so here: the steps of a Progress end at each multiple."""
        self.best: Best | None = None
        self.meters, self.pace, self.stops = Meters(), Pace(), Stops(config)
        self.watch, self._good, self._watched_until = LossWatch(network.output_shape[0]), GoodWeights(), WATCHED_FOR
        self._plan: Plan | None = None
        self._has_kernels = True
        self._broken_off, self._looked_at = False, -1
        self.predictor = Predictor(network, device)
        self._sample = self.validation_data.limit(SAMPLE, config.seed)
        self._examiner = Examiner(self.validation_data, config.seed)

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
        between two stretches. What is learned does not depend on how steps are grouped.

        The last event is Finished after the last step, or before it where a setting says so (`Stops`); or Failed, soon after the
        training has diverged: `best` then holds the best weights from before, and a training that goes on begins with them.
        DeviceError where the device is lost: the trainer is then as it was after the last event, and can be saved, or go on on
        another device.
        """
        if self.watch.has_diverged:
            self._go_back()
        yield Started(self.step, self.total_steps, self.steps_per_epoch, len(self.train_data), len(self.validation_data))
        if self._has_open_end():
            yield self._end_epoch()
        while True:
            for event in self._obey():
                yield event
                if isinstance(event, Stopped):
                    return
            if self.step >= self.total_steps or self.stops.reason(self.seconds):
                break
            if self.watch.is_calm:
                self._good.offer(self.network, self.step)
            progress = self._take_stretch()
            if progress is not None:
                yield progress
            if self.watch.has_diverged:
                yield self._fail()
                return
            if self._has_open_end():
                yield from self._examine()
                yield self._end_epoch()
            elif self.step % self.config.validate_every == 0:
                yield from self._examine()
                yield self._look()
        if self.watch.ends_badly:
            yield self._fail()
        else:
            yield from self._finish()

    def _go_back(self) -> None:
        """Go on with the best weights from before the divergence; the optimizer's running averages begin anew."""
        self.watch.start_over()
        if self.best is not None:
            self.network.load_state_dict(self.best.state)
            for averages in self.optimizer.moments.values():
                for average in averages.values():
                    average[...] = 0

    def _finish(self) -> Iterator[Event]:
        """The end, after the last step or before it; within an epoch all held-out images are looked at first."""
        if self.meters.count and self._looked_at != self.step:
            yield self._validated(self._look_at_all())
        if reason := self.stops.reason(self.seconds):
            self.stops.start_over(self.seconds)
        given_up, self.total_steps = self.total_steps - self.step, self.step
        step, accuracy = (self.best.step, self.best.val_accuracy) if self.best else (self.step, math.nan)
        yield Finished(self.step, self.seconds, step, accuracy, reason, given_up)

    def _fail(self) -> Failed:
        """Make the weights from before the divergence the best ones, unless others from before did better; what to tell."""
        if self.best is not None and self.best.step > self.watch.calm_step:
            self.best = None  # an epoch has ended since
        good = self._good.until(self.watch.calm_step)
        if good is not None:
            with good.within(self.network):
                self._note_best(good.step, self._evaluate(self.validation_data))
        self.watch.has_diverged = True
        kept = None if self.best is None else self.best.step
        rate = smaller_rate(self.scheduler.base_lr, self.config.optimizer)
        return Failed(self.step, explain(self.watch, self.step, kept, rate), self.watch.calm_step, kept, rate)

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
                    self._watched_until = self.step + WATCHED_FOR
                    yield Changed(self.step, "learning_rate", value)
                case TrainMore(epochs):
                    with suppress(ConfigError):  # of more steps than a training can have; it keeps those that it has
                        self.extend(epochs)

    def extend(self, epochs: int) -> None:
        """Add `epochs`, at least 1, to what is left to train. ConfigError where it is no such number.

        The schedule of the steps planned before stays as it is. Milestones and decay after every epoch go on as they count;
        a cosine or a cycle begins again over the added epochs, whether they are added on the way or after the end.
        """
        self._add(SETTINGS["epochs"].kind.check("The number of epochs to add", epochs) * self.steps_per_epoch)

    def _add(self, steps: int) -> None:
        """Add `steps` to what is left to train."""
        planned, self.total_steps = self.total_steps, checked_total(self.total_steps + steps)
        if isinstance(self.scheduler, Cycles):
            self.scheduler.begin(planned, steps)

    def set_epochs(self, epochs: int) -> None:
        """Make `epochs`, at least 1, the number of epochs in all; what is added is added as by `extend`.

        Where more steps have been taken already the training ends where it is.
        """
        wanted = SETTINGS["epochs"].kind.check("The number of epochs", epochs) * self.steps_per_epoch
        if wanted > self.total_steps:
            self._add(wanted - self.total_steps)
        else:
            self.total_steps = max(self.step, wanted)

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
            "watch": self.watch.state_dict(),
            "stops": self.stops.state_dict(),
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
        self.watch.load_state_dict(rest["position"].get("watch"), position.step)
        self.stops.load_state_dict(rest["position"].get("stops"), self.seconds)
        at_end = position.step > 0 and position.step % self.steps_per_epoch == 0 and self.meters.count == len(self.train_data)
        if not at_end and self.meters.count != self.batches.examples(position.step):
            raise WeightsError("The sums of its epoch belong to another step.")
        self.network.load_state_dict(groups["network"])
        self.network.load_random_state(position.random)
        self.optimizer.load_state_dict(groups["optimizer"])
        self.step, self.total_steps, self.best = position.step, position.total_steps, best
        self._good, self._watched_until = GoodWeights(), max(WATCHED_FOR, position.step)
        self.scheduler.base_lr = position.base_lr
        if isinstance(self.scheduler, Cycles):
            first = self.scheduler.cycles[0]._replace(base_lr=position.base_lr)
            self.scheduler.set_cycles([first] if position.cycles is None else [Cycle(*cycle) for cycle in position.cycles])
        self.scheduler.jump(self.step)

    def batch(self, step: int) -> tuple[Array, Array]:
        """The images, uint8 (N, height, width, channels), and labels, int64 (N), of a step."""
        return self.batches.batch(step)

    def _take_stretch(self) -> Progress | None:
        """Take the steps of a stretch: what to tell of them, up to the last one whose loss is a number."""
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
        self.watch.add(self.step + 1, losses.tolist())
        self.step += taken
        self.scheduler.jump(self.step)
        kept = taken - (not math.isfinite(losses[-1]))
        if not kept:
            return None
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
        )

    def _check_whole(self) -> None:
        """Refuse to go on, or to be saved, where it is not known how many of a stretch's steps have been taken."""
        if self._broken_off:
            raise DigitLabError("The training was broken off in the middle of its steps; go on from its last checkpoint.")

    def _end_of_stretch(self) -> int:
        """How many steps will have been taken when the next stretch ends."""
        ends = [self.step + self.pace.steps, self.batches.end_of_stretch(self.step), self.total_steps]
        if self.step < self._watched_until or not self.watch.is_calm:
            ends.append(self.step + WATCHED)
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

    def _examine(self) -> Iterator[Examined]:
        """The state of the layers, where it is due at this look at held-out images."""
        return self._examiner.look(self.step, self.config.validate_every, self.plan(), self.predictor)

    def _look(self) -> Validated:
        """Look at a sample of the held-out images, and at all of them where the sample reaches the target."""
        found = self._evaluate(self._sample)
        return self._validated(found if found.accuracy < self.stops.target else self._look_at_all())

    def _validated(self, found: Evaluation) -> Validated:
        return Validated(self.step, found.loss, found.accuracy, found)

    def _look_at_all(self) -> Evaluation:
        """Loss and answers on all held-out images; these may be the best weights, or the target may be reached."""
        found = self._evaluate(self.validation_data)
        self._looked_at = self.step
        self._note_best(self.step, found)
        self.stops.looked(found.accuracy)
        return found

    def _note_best(self, step: int, found: Evaluation) -> None:
        """Keep the network's weights, which are those of `step`, where they did better than the best so far."""
        if self.best is None or (found.accuracy, -found.loss) > (self.best.val_accuracy, -self.best.val_loss):
            self.best = Best(step, found.accuracy, found.loss, self.network.state_dict())

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
        found = self._look_at_all()
        self.stops.ended_epoch(found.loss)
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
