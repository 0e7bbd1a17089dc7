"""Trainer: the training loop, as a generator of events that any thread can iterate and any other can steer."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DeviceError, DigitLabError, NotCompilable
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.plan import Plan
from nncore.prediction import Predictor
from nncore.training.batches import Batches
from nncore.training.best import Best
from nncore.training.config import TrainConfig
from nncore.training.control import Control
from nncore.training.course import Course
from nncore.training.events import EpochEnd, Event, Examined, Failed, Finished, Progress, Started, Stopped, Validated
from nncore.training.fit import check_batches, check_fit, check_settings
from nncore.training.good_weights import GoodWeights
from nncore.training.health import Examiner
from nncore.training.live import LiveSettings
from nncore.training.loss_watch import LossWatch, explain, smaller_rate
from nncore.training.meters import Meters, Pace
from nncore.training.readable import learn
from nncore.training.saved import load_state, state_of
from nncore.training.steering import obey
from nncore.training.stops import Stops
from nncore.training.validation import Validation

WATCHED = 25
"""The most steps of a stretch while a divergence is likely, so that it is noticed early."""
WATCHED_FOR = 200
"""For how many steps it is likely after the start, and after a setting has been changed."""


class Trainer:
    """Trains `network` on `data` as `config` says, on `device`, holding part of the data out.

    Iterate `events()`; steer with `control`. Between two events nothing moves, so the network may be read then. The
    network ends with its last weights; `best` holds the ones that did best on the held-out images.

    Everything random follows from the seed, the epoch and the step, so a training that goes on after a stop takes
    exactly the steps that it would have taken. Raises ConfigError or DataError where network and data do not fit.
    """

    def __init__(self, network: Network, data: Dataset, config: TrainConfig, device: str = "cpu") -> None:
        check_fit(network, data)
        check_settings(network, config)
        self.config, self.network, self.device, self.control = config, network, device, Control()
        self.batches = Batches(data, config, device)
        self.train_data, self.validation_data = self.batches.train_data, self.batches.validation_data
        check_batches(network, len(self.train_data), config.batch_size)
        counts = np.bincount(self.train_data.labels, minlength=network.output_shape[0])
        self.loss = config.build_loss(data.targets is not None, counts)
        self.optimizer = config.build_optimizer(network.parameters())
        self.scheduler = config.build_scheduler(self.optimizer, self.steps_per_epoch)
        self.course = Course(self.batches, self.scheduler, config.epochs)
        self.settings = LiveSettings(config, network, self.optimizer, self.scheduler, self.batches, self.course)
        self.step = 0
        self.checkpoint_every: int | None = None
        """Whoever writes a checkpoint every so many steps says so here: the steps of a Progress end at each multiple."""
        self.meters, self.pace, self.stops = Meters(), Pace(), Stops(config)
        self.watch, self._good, self._watched_until = (
            LossWatch(self.loss.guessing(network.output_shape[0])),
            GoodWeights(),
            WATCHED_FOR,
        )
        self._plan: Plan | None = None
        self._has_kernels = True
        self._broken_off, self._looked_at = False, -1
        self.optimizer_began = 0
        """The step after which the optimizer's averages began."""
        self.validation = Validation(network, self.validation_data, config.build_held_out_loss(), config.seed, device)
        self._examiner = Examiner(self.validation_data, config.seed)

    @property
    def total_steps(self) -> int:
        """How many steps the training shall have taken at its end."""
        return self.course.total_steps

    @total_steps.setter
    def total_steps(self, steps: int) -> None:
        self.course.total_steps = steps

    @property
    def best(self) -> Best | None:
        """The weights that did best on the held-out images; None where all of these have not been looked at yet."""
        return self.validation.best

    @best.setter
    def best(self, best: Best | None) -> None:
        self.validation.best = best

    @property
    def predictor(self) -> Predictor:
        """What answers held-out images, on the training's device, or on the CPU after that was lost."""
        return self.validation.predictor

    @property
    def steps_per_epoch(self) -> int:
        """Steps of a whole epoch by the present batch size."""
        return self.batches.steps_per_epoch

    @property
    def seconds(self) -> float:
        """Training time since the start of the run; looking at held-out images does not count."""
        return self.meters.seconds

    def to(self, device: str) -> None:
        """Go on on another device. What has been learned stays; the last bits of what follows may differ."""
        if device != self.device:
            self.device, self._plan, self._has_kernels = device, None, True
            self.validation.to(device)

    def plan(self) -> Plan | None:
        """The compiled step, made when first asked for; None for a network with a layer that no kernel knows.

        The first time on a machine that takes some ten seconds, later less than one.
        """
        if self._plan is None and self._has_kernels:
            shape = (min(self.batches.epochs.batch_size, len(self.train_data)), *self.network.input_shape)
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
            self._recover()
        yield Started(self.step, self.total_steps, self.steps_per_epoch, len(self.train_data), len(self.validation_data))
        if self._has_open_end():
            yield self._end_epoch()
        while True:
            for event in obey(self):
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

    def _recover(self) -> None:
        """Go on with the best weights from before the divergence; the optimizer begins anew."""
        self.watch.start_over()
        if self.best is not None:
            self.network.load_state_dict(self.best.state)
            self._begin_optimizer_anew()

    def _begin_optimizer_anew(self) -> None:
        """Forget the optimizer's averages, which belong to other weights."""
        self.optimizer.begin_anew()
        self.optimizer_began = self.step

    def go_back(self, step: int, state: Mapping[str, Array], losses: Sequence[float], accuracies: Sequence[float]) -> None:
        """Be after `step` again, with the weights `state` that the network had then; what came later is given up.

        `losses` and `accuracies` are those of the epoch's steps up to `step`, none where an epoch has just ended. The optimizer
        begins anew, as do the counts of what ends a training early; the planned end, the settings and the time that training took
        stay. Raises ConfigError, and changes nothing, for a step that has not been taken or other numbers of losses, WeightsError
        where the weights are another network's.
        """
        sizes = self.batches.sizes(step)
        if not 0 <= step <= self.step:
            raise ConfigError(f"The training has taken {self.step:,} steps, so it cannot go back to step {step:,}.")
        if not len(losses) == len(accuracies) == len(sizes):
            raise ConfigError(f"The curves up to step {step:,} are not complete, so the training cannot go back to it.")
        self.network.load_state_dict(state)
        self.step = step
        self.course.go_back(step)
        self._begin_optimizer_anew()
        right = np.array([round(share * size) for share, size in zip(accuracies, sizes, strict=True)], np.int64)
        self.meters.begin_epoch()
        self.meters.add(np.array(losses, np.float64), right, sizes, 0.0)
        self.validation.forget_best_after(step)
        self.watch.go_back(step)
        self.stops.start_over(self.seconds)
        self._good, self._watched_until, self._looked_at, self._broken_off = GoodWeights(), step + WATCHED_FOR, -1, False
        self.scheduler.jump(step)

    def _finish(self) -> Iterator[Event]:
        """The end, after the last step or before it; within an epoch all held-out images are looked at first."""
        if self.meters.count and self._looked_at != self.step:
            yield self._validated(self._look_at_all())
        if reason := self.stops.reason(self.seconds):
            self.stops.start_over(self.seconds)
        given_up, self.total_steps, self.course.pause_at = self.total_steps - self.step, self.step, None
        step, accuracy = (self.best.step, self.best.val_accuracy) if self.best else (self.step, math.nan)
        yield Finished(self.step, self.seconds, step, accuracy, reason, given_up)

    def _fail(self) -> Failed:
        """Make the weights from before the divergence the best ones, unless others from before did better; what to tell."""
        self.validation.forget_best_after(self.watch.calm_step)  # an epoch may have ended since
        good = self._good.until(self.watch.calm_step)
        if good is not None:
            with good.within(self.network):
                self.validation.on_all(good.step)
        self.watch.has_diverged = True
        kept = None if self.best is None else self.best.step
        rate = smaller_rate(self.scheduler.base_lr, self.config.optimizer)
        return Failed(self.step, explain(self.watch, self.step, kept, rate), self.watch.calm_step, kept, rate)

    def change(self, setting: str, value: float) -> None:
        """Use another value of a setting, one of CHANGEABLE, from the next step on; `settings.value` tells what holds.

        A learning rate scales what is left of the schedule. After another batch size the rest of the epoch is taken in batches of
        that size, and the same epochs are left to train. Raises ConfigError, and changes nothing, where the value makes no sense
        or has no effect, and a DigitLabError where the device's memory does not hold such batches.
        """
        self.settings.change(setting, value, self.step, self._new_plan)
        self._watched_until = self.step + WATCHED_FOR

    def _new_plan(self) -> None:
        """Make the plan anew, for the present batch size; where that cannot be done the one before stays."""
        before, self._plan = self._plan, None
        try:
            self.plan()
        except BaseException:
            self._plan = before
            raise

    def extend(self, epochs: int) -> None:
        """Add `epochs`, at least 1, to what is left to train. ConfigError where it is no such number.

        The schedule of the steps planned before stays as it is. Milestones and decay after every epoch go on as they count;
        a cosine or a cycle begins again over the added epochs, whether they are added on the way or after the end.
        """
        self.course.extend(epochs)

    def set_epochs(self, epochs: int) -> None:
        """Make `epochs`, at least 1, the number of epochs in all; what is added is added as by `extend`.

        Where more steps have been taken already the training ends where it is.
        """
        self.course.set_epochs(epochs, self.step)

    def take_steps(self, count: int) -> None:
        """Pause when `count` more steps have been taken. ConfigError unless that is a whole number of at least 1.

        Where fewer are planned, whole epochs are added as by `extend`, so that steps taken one by one are those of the epoch
        that they begin. Where the last step asked for is the last one planned, the training finishes.
        """
        self.course.take_steps(count, self.step)

    def state_dict(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """All that the rest of the training depends on beside network, data and config: arrays by name, and the rest as JSON
        can hold it. The order of the images needs no place in it: it follows from the seed and the step.

        Raises DigitLabError where an exception has broken a stretch of steps off.
        """
        self._check_whole()
        return state_of(self)

    def load_state_dict(self, arrays: Mapping[str, Array], rest: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, the network's weights included.

        Raises WeightsError where it is damaged or belongs to another training; the trainer is then of no use.
        """
        load_state(self, arrays, rest)
        self._plan, self._good, self._watched_until = None, GoodWeights(), max(WATCHED_FOR, self.step)

    def batch(self, step: int) -> tuple[Array, Array]:
        """The images, uint8 (N, height, width, channels), of a step, and its labels: int64 (N), or target probabilities, float32
        (N, classes), where the data has these.
        """
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
                losses, right = learn(self.network, self.loss, self.optimizer, stretch, rates)
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
        left = (self.total_steps - self.step) * self.batches.epochs.batch_size / speed if speed else math.nan
        return Progress(
            steps=steps[:kept],
            train_losses=losses[:kept],
            train_accuracies=right[:kept] / np.array(sizes[:kept]),
            learning_rates=np.array(rates[:kept]),
            total_steps=self.total_steps,
            epoch=self.batches.epochs.epoch_of(self.step - 1) + 1,
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
        if self.course.pause_at is not None:
            ends.append(self.course.pause_at)
        looks = (self.config.validate_every, self.checkpoint_every)
        return min(*ends, *((self.step // every + 1) * every for every in looks if every is not None))

    def _examine(self) -> Iterator[Examined]:
        """The state of the layers, where it is due at this look at held-out images."""
        return self._examiner.look(self.step, self.config.validate_every, self.plan(), self.predictor)

    def _look(self) -> Validated:
        """Look at a sample of the held-out images, and at all of them where the sample reaches the target."""
        found = self.validation.on_sample()
        return self._validated(found if found.accuracy < self.stops.target else self._look_at_all())

    def _validated(self, found: Evaluation) -> Validated:
        return Validated(self.step, found.loss, found.accuracy, found)

    def _look_at_all(self) -> Evaluation:
        """Loss and answers on all held-out images; these may be the best weights, or the target may be reached."""
        found = self.validation.on_all(self.step)
        self._looked_at = self.step
        self.stops.looked(found.accuracy)
        return found

    def _has_open_end(self) -> bool:
        """Whether an epoch's last step has been taken and its held-out images have not been looked at yet."""
        return self.batches.examples(self.step) == 0 and self.meters.count > 0

    def _end_epoch(self) -> EpochEnd:
        found = self._look_at_all()
        self.stops.ended_epoch(found.loss)
        means = self.meters.end_epoch()
        return EpochEnd(
            epoch=self.batches.epochs.epoch_of(self.step),
            step=self.step,
            train_loss=means.loss,
            train_accuracy=means.accuracy,
            val_loss=found.loss,
            val_accuracy=found.accuracy,
            examples_per_second=means.examples_per_second,
            seconds=self.seconds,
            evaluation=found,
        )
