"""What a training says while it runs. Losses are in nats an example (hinge: no unit), accuracies shares of 1, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from nncore.arrays import Array
from nncore.metrics import Evaluation


@dataclass(frozen=True)
class Started:
    step: int
    """Steps taken before: 0, or more for a training that goes on."""
    total_steps: int
    steps_per_epoch: int
    train_count: int
    validation_count: int


@dataclass(frozen=True, eq=False)
class Progress:
    """A stretch of steps has been taken: arrays hold one value a step, the rest is as of the last one."""

    steps: Array
    """int64, rising by 1: how many steps had been taken with each."""
    train_losses: Array
    """float64: of each step's batch, before the step."""
    train_accuracies: Array
    """float64"""
    learning_rates: Array
    """float64: that each step was taken with."""
    total_steps: int
    epoch: int
    """Counted from 1; a stretch never goes beyond its epoch."""
    examples_per_second: float
    """Over about the last second of training."""
    seconds_left: float

    @property
    def step(self) -> int:
        """Steps taken by the end of the stretch."""
        return int(self.steps[-1])

    @property
    def train_loss(self) -> float:
        """Of the last step's batch."""
        return float(self.train_losses[-1])

    @property
    def train_accuracy(self) -> float:
        """Of the last step's batch."""
        return float(self.train_accuracies[-1])

    @property
    def learning_rate(self) -> float:
        """That the last step was taken with."""
        return float(self.learning_rates[-1])


@dataclass(frozen=True)
class Validated:
    """A look at held-out images on the way: at a sample of them, or at all where the sample is right often enough for the target
    accuracy, or where the training ends within an epoch.
    """

    step: int
    val_loss: float
    val_accuracy: float
    evaluation: Evaluation
    """The sample's images one by one."""


@dataclass(frozen=True)
class EpochEnd:
    """All training images have been seen once more, and all held-out ones looked at."""

    epoch: int
    step: int
    train_loss: float
    """Mean over the epoch's batches."""
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    examples_per_second: float
    """Over the epoch, training time only."""
    seconds: float
    """Training time since the start of the run; looking at held-out images does not count."""
    evaluation: Evaluation
    """The held-out images one by one."""


@dataclass(frozen=True)
class Changed:
    """A setting has been changed on the way: it counts from the step after `step` on."""

    step: int
    setting: str
    """The field of TrainConfig."""
    value: float


@dataclass(frozen=True)
class Refused:
    """What was asked for on the way cannot be done; the training goes on as it was."""

    step: int
    reason: str
    """Why, as a sentence for the user."""
    setting: str = ""
    """The field of TrainConfig that was to be changed; empty where more steps were asked for."""
    kept: float = 0
    """The value that the setting still has."""


@dataclass(frozen=True)
class LayerHealth:
    """The state of one layer. None: it has no such number."""

    layer: str
    """Its name in the network."""
    gradient_norm: float | None
    """L2 norm of the gradient of its parameters that are not frozen, by the last step's batch: clipped where the optimizer clips,
    without weight decay.
    """
    weight_norm: float | None
    """L2 norm of its parameters."""
    dead: float | None
    """Of a ReLU: the share of its units that are 0 for every image of a sample. A unit is a channel of a feature map, with all its
    places, or one number of a vector.
    """


@dataclass(frozen=True)
class Examined:
    """The layers that have parameters, and ReLUs, have been examined after `step`. A look at held-out images follows."""

    step: int
    layers: tuple[LayerHealth, ...]


@dataclass(frozen=True)
class Checkpointed:
    step: int
    path: Path


@dataclass(frozen=True)
class Paused:
    step: int


@dataclass(frozen=True)
class Resumed:
    step: int


@dataclass(frozen=True)
class Stopped:
    """The user has stopped the training; it can go on from here."""

    step: int
    seconds: float


@dataclass(frozen=True)
class Finished:
    """Every step has been taken, or a setting has ended the training before; more can be asked for."""

    step: int
    seconds: float
    best_step: int
    best_val_accuracy: float
    reason: str = ""
    """Why a setting has ended it, as a sentence for the user; empty where only its last step had been taken."""
    steps_given_up: int = 0
    """How many of the steps that were planned have not been taken, and are planned no more."""


@dataclass(frozen=True)
class Failed:
    """The training has diverged. `Trainer.best` holds the best weights from before, where there are any."""

    step: int
    reason: str
    """What happened and what to do, for the user."""
    since: int = 0
    """The last step that went well."""
    kept_step: int | None = None
    """The step whose weights are kept as the best ones; None where none were good."""
    learning_rate: float | None = None
    """A smaller learning rate to start again with."""


Event: TypeAlias = (
    Started
    | Progress
    | Validated
    | EpochEnd
    | Changed
    | Refused
    | Examined
    | Checkpointed
    | Paused
    | Resumed
    | Stopped
    | Finished
    | Failed
)
