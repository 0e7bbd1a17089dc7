"""A training with everything around it: the table of runs, checkpoints, the weights at the end, the test images."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from app.core.moment_writer import MomentWriter
from app.core.runs import INTERRUPTED, Run, RunStore
from app.core.runs.marks import CONTINUED, LayerState, Mark
from app.core.runs.moments import Moments
from app.core.timeline import Moment
from models.presets import Preset
from nncore.arrays import Array
from nncore.data.catalogue import lasting_name
from nncore.data.checksums import content_sum
from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DeviceError, DigitLabError
from nncore.files import shown
from nncore.network import Network
from nncore.prediction import Predictor, can_evaluate
from nncore.training.checkpoint import save_checkpoint
from nncore.training.config import TrainConfig
from nncore.training.events import (
    Changed,
    Checkpointed,
    EpochEnd,
    Event,
    Examined,
    Failed,
    Finished,
    Progress,
    Started,
    Stopped,
    Validated,
)
from nncore.training.trainer import Trainer
from nncore.weights import save_weights

log = logging.getLogger("digitlab")

FLUSH = 2000
"""Rows of metrics that are written to the database together; however many they are, the training waits some 10 ms."""
INTERVAL = 30.0
"""Seconds after which a checkpoint is written though nobody asked for one: no more work than that is ever lost."""


@dataclass(frozen=True, eq=False)
class Job:
    """A training that is asked for: which network, on which data, how."""

    preset: Preset
    data_spec: str
    """The name or path of the data, for the table of runs."""
    train_data: Dataset
    test_data: Dataset | None
    config: TrainConfig
    run_name: str | None = None
    """None: the preset's name, numbered."""
    image_limit: int | None = None
    """To how many images `train_data` was limited, with the config's seed; None where all were taken."""
    device: str = "cpu"
    """Where it is computed: a name that nncore.backend.devices knows."""
    weights: Mapping[str, Array] | None = None
    """What `Network.state_dict` gave: the weights to begin with. None: new ones, by the config's seed."""
    parent: tuple[str, int] | None = None
    """The name of the run that `weights` are taken from, and the step after which it had them."""
    steps: int | None = None
    """After how many steps it ends, where that is before the config's last epoch does."""

    def begin(self, store: RunStore, checkpoint_every: int | None = None) -> TrainingSession:
        """Build network and trainer, and enter the run into the table. ConfigError or DataError where they do not fit, WeightsError
        where the weights to begin with are another network's.
        """
        network = self.preset.build(self.config.seed, self.train_data.image_shape, self.config.initializer)
        if self.weights is not None:
            network.load_state_dict(self.weights)
        parent, parent_step = self.parent or (None, None)
        trainer = Trainer(network, self.train_data, self.config, self.device)
        if self.steps is not None:
            trainer.total_steps = min(self.steps, trainer.total_steps)
        run = store.create(
            self.run_name,
            self.preset.name,
            lasting_name(self.data_spec),
            self.config.as_dict(),
            image_limit=self.image_limit,
            checksum=content_sum(self.train_data),
            class_count=len(self.train_data.class_names),
            versions={"digitlab": version("digitlab"), "numpy": np.__version__},
            checkpoint_every=checkpoint_every,
            parent=parent,
            parent_step=parent_step,
            layers=network.config() if self.preset.is_own else None,
        )
        store.hold(run)
        return TrainingSession(trainer, store, run, self.test_data, checkpoint_every)


@dataclass(frozen=True)
class Result:
    """What a training left behind. `test_accuracy` is None where the data has no test images."""

    weights: Path
    val_accuracy: float | None
    test_accuracy: float | None


class TrainingSession:
    """Wraps a trainer: iterate `events()` instead of the trainer's, and all that happens is kept.

    On the way, moments of the training are kept: weights and answers on held-out images at some of its steps (MomentWriter).
    When the training ends, finished or stopped, a checkpoint is written, and the weights that did best on the held-out images
    (the last ones where none were looked at) are saved, and measured on `test_data`; `result` holds the outcome.

    Where the disk refuses, the training goes on, and `warn` is told once. Where the training ends in any other way, the run is
    marked as interrupted and can be resumed from its last checkpoint, which is written then where the device was lost.
    """

    def __init__(
        self, trainer: Trainer, store: RunStore, run: Run, test_data: Dataset | None = None, checkpoint_every: int | None = None
    ) -> None:
        self.trainer, self.store, self.run = trainer, store, run
        # A test part of another kind than the training part says nothing, and must not cost the training.
        self.test_data = test_data if test_data is not None and can_evaluate(trainer.network, test_data) else None
        self.checkpoint_every = trainer.checkpoint_every = checkpoint_every
        self.result: Result | None = None
        self.warn: Callable[[str], None] = log.warning
        self.warning: str | None = None
        """What `warn` was told since `events` was last called."""
        self._rows: list[tuple[str, int, float, float] | tuple[str, int, float, float, float]] = []
        self._marks: list[Mark] = []
        self._states: list[LayerState] = []
        self._flush_at = FLUSH
        self._checkpoint_step: int | None = None
        self._checkpoint_time = time.monotonic()
        self._moments: MomentWriter | None = None
        self._has_gone_back = False
        """Whether what is on the disk of later steps belongs to the run no more."""
        self._held_over: list[Changed] = []
        """Settings that were changed later, and hold from the step on that it goes back to."""

    def events(self) -> Generator[Event, None, None]:
        """The trainer's events, each kept as it passes, and a Checkpointed for each checkpoint written.

        ConfigError where the run has been deleted, or is being trained elsewhere; DeviceError where the device is lost. Close the
        generator to break the training off.
        """
        self.store.hold(self.run)
        self.warning = None
        try:
            self.run = self.store.again(self.run)  # it may have been renamed since the training was last stopped
            self._moments = MomentWriter(Moments(self.store.moments_of(self.run)), self.trainer)
            happening = self.trainer.events()
            last: Event | None = None
            try:
                for last in happening:
                    yield from self._keep(last)
                    while self._held_over:
                        yield from self._keep(self._held_over.pop(0))
            except GeneratorExit:
                self._leave(last, happening)
                raise
            except DeviceError as error:
                raise self._without_device(error) from error
            except BaseException:
                # The trainer may have been interrupted in the middle of a step: the last checkpoint is the one to go on from.
                self._interrupted()
                raise
        finally:
            try:
                self._finish_moments()
            finally:
                self.store.release(self.run)

    def go_back(self, moment: Moment) -> None:
        """Let the training go on from `moment`, a moment of its run: what came later is given up when `events` is called.

        ConfigError where the moment is none that the training can go back to, DigitLabError where the curves cannot be read.
        """
        begun = len(self.trainer.batches.sizes(moment.step))
        rows = [row for row in self.store.metrics(self.run, "train") if moment.step - begun < row[0] <= moment.step]
        self.trainer.go_back(moment.step, moment.state, [loss for _, loss, _ in rows], [share for *_, share in rows])
        later = {mark.kind: mark.value for mark in self.store.marks(self.run) if mark.step > moment.step and mark.value is not None}
        self._held_over = [Changed(moment.step, setting, value) for setting, value in later.items()]
        self._has_gone_back = True

    def checkpoint(self) -> Checkpointed:
        """Write a checkpoint of this moment, after the curves up to it. DigitLabError where either fails.

        Without the curves there is no checkpoint either: a training that went on from it would have a gap in them.
        """
        path = self.store.checkpoint_of(self.run)
        self._checkpoint_time = time.monotonic()
        self._write_rows()
        save_checkpoint(path, self.trainer)
        self._checkpoint_step = self.trainer.step
        return Checkpointed(self.trainer.step, path)

    def _keep(self, event: Event) -> Iterator[Event]:
        """Keep what an event tells, pass it on, and write a checkpoint where one is due."""
        self._record(event)
        if isinstance(event, Started):
            self._attempt(lambda: self._begin(event))
        if self._moments is not None:
            self._moments.take(event)
            self._tell_of_moments(self._moments)
        if isinstance(event, Stopped | Finished):
            # A reason to end changes more than the step: it does so no more, and the rest of the plan is given up.
            is_new = (isinstance(event, Finished) and event.reason) or self._checkpoint_step != self.trainer.step
            kept = self._attempt(self.checkpoint) if is_new else None
            self._conclude("stopped" if isinstance(event, Stopped) else "finished")
            self._finish_moments()  # whoever hears of the end finds them all
            yield event
            if kept:
                yield kept
            return
        elif isinstance(event, Failed):
            self._conclude("failed")
        elif len(self._rows) >= self._flush_at:
            self._flush()
        yield event
        if self._is_due(event) and (kept := self._attempt(self.checkpoint)):
            yield kept

    def _begin(self, event: Started) -> None:
        """Mark the run as running; of a training that goes on, forget what was written after its checkpoint.

        A checkpoint of this moment lets a training go on that is cut off before the next one, and knows how many steps are wanted.
        It is written before curves are forgotten, so that none has a gap, and after weights of a later step are gone.
        """
        self.store.update(self.run, status="running")
        if self._has_gone_back:
            self._forget_best(event.step)
        self.checkpoint()
        self.store.forget_metrics_after(self.run, event.step)

    def _forget_best(self, step: int) -> None:
        """Remove the weights that were saved at the end, since they are of a step after `step`, or will be saved again."""
        path = self.store.weights_of(self.run)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise DigitLabError(f"Could not remove {shown(path)}: {error.strerror or error}.") from error
        best = self.trainer.best
        self.store.update(self.run, steps=step, val_accuracy=best and best.val_accuracy, test_accuracy=None)
        self._has_gone_back = False

    def _record(self, event: Event) -> None:
        match event:
            case Progress():
                columns = (event.steps, event.train_losses, event.train_accuracies, event.learning_rates)
                self._rows.extend(("train", *row) for row in zip(*(column.tolist() for column in columns), strict=True))
            case Validated() | EpochEnd():
                kind = "full" if isinstance(event, EpochEnd) else "validation"
                self._rows.append((kind, event.step, event.val_loss, event.val_accuracy))
            case Changed():
                self._marks.append(Mark(event.step, event.setting, event.value))
            case Examined():
                self._states.extend(
                    LayerState(event.step, found.layer, found.gradient_norm, found.weight_norm, found.dead)
                    for found in event.layers
                )
            case Started() if event.step:
                self._marks.append(Mark(event.step, CONTINUED))

    def _is_due(self, event: Event) -> bool:
        """Whether a checkpoint is to be written after this event."""
        if not isinstance(event, Progress | Validated | EpochEnd) or not self._is_complete(event):
            return False
        asked = self.checkpoint_every is not None and event.step % self.checkpoint_every == 0
        return asked or time.monotonic() - self._checkpoint_time >= INTERVAL

    def _is_complete(self, event: Event | None) -> bool:
        """Whether the event is the last of its step, after which nothing of the step is still to be told."""
        trainer = self.trainer
        if isinstance(event, Examined):  # a look at held-out images follows
            return False
        if trainer.batches.epochs.is_end(trainer.step):
            return not isinstance(event, Progress)
        return not isinstance(event, Progress) or trainer.step % trainer.config.validate_every != 0

    def _leave(self, last: Event | None, happening: Iterator[Event]) -> None:
        """Whoever listened has gone, between two events: write a checkpoint of this moment."""
        if isinstance(last, Stopped | Finished | Failed):
            return  # all is written
        with suppress(Exception):
            while not self._is_complete(last):
                last = next(happening)  # what else belongs to the step: the state of the layers, the look at held-out images
                self._record(last)
            self.checkpoint()
        self._interrupted()

    def _without_device(self, error: DeviceError) -> DeviceError:
        """The device is lost, and the trainer as it was before: write a checkpoint of this moment. Returns what to tell."""
        with suppress(Exception):
            self.checkpoint()
        self._interrupted()
        upto = "" if self._checkpoint_step is None else f" up to step {self._checkpoint_step:,}"
        return DeviceError(f"{error} The run {self.run.name} is kept{upto}.")

    def _interrupted(self) -> None:
        """Say that the training ended before its end. Where even that cannot be written, the lock that is let go of says so."""
        with suppress(Exception):
            self.store.update(self.run, status=INTERRUPTED, steps=self.trainer.step, seconds=self.trainer.seconds)
            self._write_rows()

    def _attempt(self, action: Callable[[], Any]) -> Any:
        """The outcome of `action`; None where the disk refuses, which is told once."""
        try:
            return action()
        except ConfigError:
            raise
        except DigitLabError as error:
            self._tell(error, "what could not be written will be tried again")
            return None

    def _tell(self, error: DigitLabError, outcome: str) -> None:
        """Warn, once, that the disk refuses something, and what comes of it."""
        if self.warning is None:
            self.warning = f"{error} The training goes on; {outcome}."
            self.warn(self.warning)

    def _tell_of_moments(self, writer: MomentWriter) -> None:
        problem, writer.problem = writer.problem, None
        if problem is not None:
            self._tell(problem, "moments that could not be written are left out")

    def _finish_moments(self) -> None:
        """Wait until the moments that were taken are written."""
        if self._moments is not None:
            self._moments.close()
            self._tell_of_moments(self._moments)
            self._moments = None

    def _write_rows(self) -> bool:
        """Write the rows that have gathered. DigitLabError where the disk refuses; they stay then."""
        self.store.add_metrics(self.run, self._rows, self._marks, self._states)
        for written in (self._rows, self._marks, self._states):
            written.clear()
        self._flush_at = FLUSH
        return True

    def _flush(self) -> None:
        """Write the rows that have gathered; where the disk refuses, the next `FLUSH` rows are waited for."""
        if not self._attempt(self._write_rows):
            self._flush_at = len(self._rows) + FLUSH

    def _conclude(self, status: str) -> None:
        self._flush()
        trainer, best = self.trainer, self.trainer.best
        self._attempt(lambda: self.store.forget_metrics_after(self.run, trainer.step))  # where it could not be done at the start
        network = trainer.network if best is None else _with_state(trainer.network, best.state)
        test_accuracy = None
        if self.test_data is not None and status != "failed":
            test_accuracy = Predictor(network, trainer.predictor.device).evaluate(self.test_data).accuracy
        info = {
            "run": self.run.name,
            "network": self.run.network,
            "data": self.run.data,
            "step": best.step if best else trainer.step,
            "val_accuracy": best.val_accuracy if best else None,
            "test_accuracy": test_accuracy,
            "config": trainer.config.as_dict(),
        }
        path = self.store.weights_of(self.run)
        save_weights(path, network, info)
        self.result = Result(path, best.val_accuracy if best else None, test_accuracy)
        self.store.update(
            self.run,
            status=status,
            steps=trainer.step,
            seconds=trainer.seconds,
            val_accuracy=self.result.val_accuracy,
            test_accuracy=test_accuracy,
        )


def _with_state(network: Network, state: Mapping[str, Array]) -> Network:
    """A network of the same layers with the weights in `state`; those of `network` may be no numbers any more."""
    twin = Network.from_config(network.config())
    twin.load_state_dict(state)
    return twin
