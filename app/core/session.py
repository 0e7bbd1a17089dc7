"""A training with everything around it: the table of runs, checkpoints, the weights at the end, the test images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.core.runs import Run, RunStore
from models.presets import Preset
from nncore.arrays import Array
from nncore.data.dataset import Dataset
from nncore.network import Network
from nncore.prediction import Predictor, can_evaluate
from nncore.training.checkpoint import save_checkpoint
from nncore.training.config import TrainConfig
from nncore.training.events import Checkpointed, EpochEnd, Event, Failed, Finished, Progress, Started, Stopped, Validated
from nncore.training.trainer import Trainer
from nncore.weights import save_weights

FLUSH = 500
"""Rows of metrics that are written to the database together."""


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

    def begin(self, store: RunStore, checkpoint_every: int | None = None) -> TrainingSession:
        """Build network and trainer, and enter the run into the table. ConfigError or DataError where they do not fit."""
        network = self.preset.build(self.config.seed, self.train_data.image_shape)
        trainer = Trainer(network, self.train_data, self.config)
        run = store.create(self.run_name, self.preset.name, self.data_spec, self.config.as_dict())
        return TrainingSession(trainer, store, run, self.test_data, checkpoint_every)


@dataclass(frozen=True)
class Result:
    """What a training left behind. `test_accuracy` is None where the data has no test images."""

    weights: Path
    val_accuracy: float | None
    test_accuracy: float | None


class TrainingSession:
    """Wraps a trainer: iterate `events()` instead of the trainer's, and all that happens is kept.

    When the training ends, finished or stopped, the weights that did best on the held-out images (the last ones where
    none were looked at) are saved, and measured on `test_data`; `result` holds the outcome.
    """

    def __init__(
        self, trainer: Trainer, store: RunStore, run: Run, test_data: Dataset | None = None, checkpoint_every: int | None = None
    ) -> None:
        self.trainer, self.store, self.run = trainer, store, run
        # A test part of another kind than the training part says nothing, and must not cost the training.
        self.test_data = test_data if test_data is not None and can_evaluate(trainer.network, test_data) else None
        self.checkpoint_every = trainer.checkpoint_every = checkpoint_every
        self.result: Result | None = None
        self._rows: list[tuple[str, int, float, float]] = []

    def events(self) -> Iterator[Event]:
        """The trainer's events, each kept as it passes, and a Checkpointed for each checkpoint written."""
        for event in self.trainer.events():
            match event:
                case Started():
                    self.store.update(self.run, status="running")
                case Progress():
                    columns = (event.steps, event.train_losses, event.train_accuracies)
                    self._rows.extend(("train", *row) for row in zip(*(column.tolist() for column in columns), strict=True))
                case Validated() | EpochEnd():
                    self._rows.append(("validation", event.step, event.val_loss, event.val_accuracy))
                case Finished():
                    self._conclude("finished")
                case Stopped():
                    self._conclude("stopped")
                case Failed():
                    self._conclude("failed")
            if len(self._rows) >= FLUSH:
                self._flush()
            yield event
            if self._is_due(event):
                yield self.checkpoint()

    def checkpoint(self) -> Checkpointed:
        """Write a checkpoint of this moment."""
        path = self.store.checkpoint_of(self.run)
        save_checkpoint(path, self.trainer)
        return Checkpointed(self.trainer.step, path)

    def _is_due(self, event: Event) -> bool:
        if isinstance(event, Stopped):
            return True
        # The last step of an epoch is only complete once the held-out images have been looked at.
        complete = EpochEnd if self.trainer.step % self.trainer.steps_per_epoch == 0 else Progress
        return isinstance(event, complete) and bool(self.checkpoint_every) and event.step % (self.checkpoint_every or 1) == 0

    def _flush(self) -> None:
        self.store.add_metrics(self.run, self._rows)
        self._rows.clear()

    def _conclude(self, status: str) -> None:
        self._flush()
        trainer, best = self.trainer, self.trainer.best
        network = trainer.network if best is None else _with_state(trainer.network, best.state)
        test_accuracy = None
        if self.test_data is not None and status != "failed":
            test_accuracy = Predictor(network).evaluate(self.test_data).accuracy
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
    twin = network.copy()
    twin.load_state_dict(state)
    return twin
