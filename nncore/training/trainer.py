"""Trainer: the training loop, as a generator of events that any thread can iterate and any other can steer."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DataError, NotCompilable
from nncore.losses import CrossEntropyLoss
from nncore.metrics import Evaluation, accuracy
from nncore.network import Network
from nncore.plan import Plan
from nncore.prediction import Predictor, as_input
from nncore.training.config import TrainConfig
from nncore.training.control import Control, Pause, Resume, SetLearningRate, Stop, TrainMore
from nncore.training.events import EpochEnd, Event, Failed, Finished, Paused, Progress, Resumed, Started, Stopped, Validated

VARIATION = 1
"""Marks the random stream of augmentation apart from that of the shuffle."""
VARIED = 2048
"""Images that are varied together, where batches are smaller."""
SAMPLE = 1000
"""Held-out images looked at between epochs: enough to see accuracy to about half a percent."""


@dataclass(frozen=True)
class Best:
    """The weights that did best on the held-out images so far."""

    step: int
    val_accuracy: float
    val_loss: float
    state: dict[str, Array]


class Trainer:
    """Trains `network` on `data` as `config` says, holding part of the data out.

    Iterate `events()`; steer with `control`. Between two events nothing moves, so the network may be read then. The
    network ends with its last weights; `best` holds the ones that did best on the held-out images.

    Everything random follows from the seed, the epoch and the step, so a training that goes on after a stop takes
    exactly the steps that it would have taken. Raises ConfigError or DataError where network and data do not fit.
    """

    def __init__(self, network: Network, data: Dataset, config: TrainConfig) -> None:
        self.config = config
        if len(network.output_shape) != 1 or network.output_shape[0] < len(data.class_names):
            raise ConfigError(
                f"The network tells {network.output_shape[0]} classes apart, but the data has {len(data.class_names)}."
            )
        if len(data) < 2:
            raise DataError(f"{data.name} holds {len(data)} images; training needs at least two.")
        if not data.is_labelled:
            raise DataError(f"{data.name} has no labels to learn from; choose data that says what its images show.")
        self.train_data, self.validation_data = data.split(self._held_out(len(data)), config.seed)
        as_input(data.images[:1], network.input_shape)
        self.network, self.control = network, Control()
        self.loss = CrossEntropyLoss()
        self.optimizer = config.build_optimizer(network.parameters())
        self.steps_per_epoch = math.ceil(len(self.train_data) / config.batch_size)
        self.scheduler = config.build_scheduler(self.optimizer, self.steps_per_epoch)
        self.total_steps = config.epochs * self.steps_per_epoch
        self.step = 0
        self.seconds = 0.0
        self.best: Best | None = None
        self._plan: Plan | None = None
        self._has_kernels = True
        self.predictor = Predictor(network)
        self._sample = self.validation_data.limit(SAMPLE, config.seed)
        self._order_epoch, self._order = -1, np.empty(0, np.int64)
        self._varied_steps = max(1, VARIED // config.batch_size)
        self._varied_block, self._varied = (-1, -1), np.empty(0, np.uint8)
        self._epoch_sums = np.zeros(3)  # loss, right answers, examples since the epoch began
        self._epoch_began = 0.0
        self._taken = 0  # examples in all
        self._recent: deque[tuple[float, int]] = deque()  # (training clock, examples in all) of about the last second

    def _held_out(self, count: int) -> int:
        """How many of `count` images are held out; of a share at least one, and never all."""
        wanted = self.config.validation
        return int(wanted) if wanted >= 1 else min(max(1, round(count * wanted)), count - 1)

    def plan(self) -> Plan | None:
        """The compiled step, made when first asked for; None for a network with a layer that no kernel knows.

        The first time on a machine that takes some ten seconds, later less than one.
        """
        if self._plan is None and self._has_kernels:
            shape = (min(self.config.batch_size, len(self.train_data)), *self.network.input_shape)
            try:
                self._plan = Plan(self.network, shape, self.loss, self.optimizer)
            except NotCompilable:
                self._has_kernels = False
        return self._plan

    def events(self) -> Iterator[Event]:
        """Train until all steps are taken or a stop is asked for, yielding what happens. Call again to go on.

        A loss that is no longer a number ends it with Failed.
        """
        yield Started(self.step, self.total_steps, self.steps_per_epoch, len(self.train_data), len(self.validation_data))
        while self.step < self.total_steps:
            for event in self._obey():
                yield event
                if isinstance(event, Stopped):
                    return
            if self.step >= self.total_steps:
                break
            loss, share = self._step()
            if not math.isfinite(loss):
                yield Failed(self.step, "The loss is no longer a number; start again with a smaller learning rate.")
                return
            yield self._progress(loss, share)
            if self.step % self.steps_per_epoch == 0:
                yield self._end_epoch()
            elif self.step % self.config.validate_every == 0:
                found = self._evaluate(self._sample)
                yield Validated(self.step, found.loss, found.accuracy)
        best = self.best
        yield Finished(self.step, self.seconds, best.step if best else self.step, best.val_accuracy if best else math.nan)

    def _obey(self) -> Iterator[Event]:
        """Carry out the commands that have come in; while paused, wait for more."""
        paused = False
        while command := self.control.take(wait=paused):
            match command:
                case Pause() if not paused:
                    paused = True
                    yield Paused(self.step)
                case Resume() if paused:
                    paused = False
                    yield Resumed(self.step)
                case Stop():
                    yield Stopped(self.step, self.seconds)
                case SetLearningRate(value) if math.isfinite(value) and value > 0:
                    self.scheduler.set_lr(value)
                case TrainMore(epochs):
                    self.extend(epochs)

    def extend(self, epochs: int) -> None:
        """Add `epochs` to what is left to train."""
        self.total_steps += epochs * self.steps_per_epoch

    def epoch_position(self) -> dict[str, float]:
        """What a checkpoint keeps of the epoch under way: sums of loss, right answers and examples, and when it began."""
        loss, right, count = self._epoch_sums.tolist()
        return {"loss": loss, "right": right, "count": count, "began": self._epoch_began}

    def restore_epoch(self, seconds: float, position: dict[str, float]) -> None:
        """Take over the training time so far and what `epoch_position` returned."""
        self.seconds, self._epoch_began = float(seconds), float(position["began"])
        self._epoch_sums = np.array([position["loss"], position["right"], position["count"]], float)

    def batch(self, step: int) -> tuple[Array, Array]:
        """The images and labels of a step: slices of a shuffle that the seed and the epoch alone decide, varied as they and
        the step alone decide.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._order_epoch:
            self._order = np.random.default_rng((self.config.seed, epoch)).permutation(len(self.train_data))
            self._order_epoch = epoch
        chosen = self._order[position * self.config.batch_size : (position + 1) * self.config.batch_size]
        labels = self.train_data.labels[chosen]
        if not self.config.augmentation.changes_something:
            return self.train_data.images[chosen], labels
        block, place = divmod(position, self._varied_steps)
        start = place * self.config.batch_size
        return self._varied_images(epoch, block)[start : start + len(chosen)], labels

    def _varied_images(self, epoch: int, block: int) -> Array:
        """Variations of the images of `_varied_steps` steps of an epoch: many at a time, for all cores."""
        if (epoch, block) != self._varied_block:
            size = self._varied_steps * self.config.batch_size
            members = self.train_data.images[self._order[block * size : (block + 1) * size]]
            rng = np.random.default_rng((self.config.seed, epoch, block, VARIATION))
            self._varied, self._varied_block = self.config.augmentation(members, rng), (epoch, block)
        return self._varied

    def _step(self) -> tuple[float, float]:
        """Take one step; return the batch's loss and the share of it that was right, both before the step."""
        plan = self.plan()
        began = time.perf_counter()
        images, labels = self.batch(self.step)
        if plan is not None:
            loss = plan.step(images.reshape(len(images), *self.network.input_shape), labels)
            right = plan.correct
        else:
            loss, right = self._learn(images, labels)
        self.scheduler.step()
        self.step += 1
        self.seconds += time.perf_counter() - began
        self._epoch_sums += (loss * len(labels), right, len(labels))
        self._taken += len(labels)
        self._recent.append((self.seconds, self._taken))
        return loss, right / len(labels)

    def _learn(self, images: Array, labels: Array) -> tuple[float, int]:
        """The readable path of a step: forward, backward, and a step of the optimizer."""
        self.network.train()
        with np.errstate(over="ignore", invalid="ignore"):  # a loss that is no number is reported as such
            scores = self.network.forward(as_input(images, self.network.input_shape))
            loss = self.loss(scores, labels)
            self.network.backward(self.loss.backward())
            self.optimizer.step()
        return loss, round(accuracy(scores, labels) * len(labels))

    def _progress(self, loss: float, share: float) -> Progress:
        while len(self._recent) > 2 and self._recent[-1][0] - self._recent[0][0] > 1.0:
            self._recent.popleft()
        (began, before), (now, taken) = self._recent[0], self._recent[-1]
        speed = (taken - before) / (now - began) if now > began else 0.0
        left = (self.total_steps - self.step) * self.config.batch_size / speed if speed else math.nan
        epoch = (self.step - 1) // self.steps_per_epoch + 1
        return Progress(self.step, self.total_steps, epoch, loss, share, self.optimizer.lr, speed, left)

    def _evaluate(self, data: Dataset) -> Evaluation:
        self.predictor.prepare()
        return self.predictor.evaluate(data)

    def _end_epoch(self) -> EpochEnd:
        found = self._evaluate(self.validation_data)
        if self.best is None or (found.accuracy, -found.loss) > (self.best.val_accuracy, -self.best.val_loss):
            self.best = Best(self.step, found.accuracy, found.loss, self.network.state_dict())
        loss, right, count = self._epoch_sums
        seconds = self.seconds - self._epoch_began
        self._epoch_sums, self._epoch_began = np.zeros(3), self.seconds
        return EpochEnd(
            epoch=self.step // self.steps_per_epoch,
            step=self.step,
            train_loss=float(loss / count),
            train_accuracy=float(right / count),
            val_loss=found.loss,
            val_accuracy=found.accuracy,
            examples_per_second=float(count / seconds) if seconds else 0.0,
            seconds=self.seconds,
            evaluation=found,
        )
