"""TrainConfig: everything that decides how a training goes, as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from nncore.data.augment import AUGMENTATIONS, Augmentation
from nncore.errors import ConfigError
from nncore.optimizers import SGD, Adam, Optimizer
from nncore.parameter import Parameter
from nncore.schedulers import CosineAnnealingLR, ExponentialLR, MultiStepLR, OneCycleLR, Scheduler

OPTIMIZERS = ("sgd", "momentum", "adam")
SCHEDULES = ("steps", "cosine", "one-cycle")


@dataclass(frozen=True)
class TrainConfig:
    """How to train. Raises ConfigError, naming the setting, for values that make no sense."""

    epochs: int = 3
    batch_size: int = 32
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    """Used by the optimizer `momentum` alone."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Used by Adam alone."""
    schedule: str = "steps"
    """How the learning rate changes: in `steps` (at the milestones or after every epoch, where either is given), down along a
    `cosine` to the last step, or in `one-cycle`, up and down again (Smith and Topin 2018)."""
    milestones: tuple[int, ...] = ()
    """Steps at which the learning rate is multiplied by `gamma`; none keeps it constant. Used by `steps` alone."""
    gamma: float = 0.5
    epoch_decay: float = 1.0
    """What the learning rate is multiplied by after every epoch; 1 keeps it constant. Used by `steps` alone."""
    weight_decay: float = 0.0
    """λ of a penalty ½ λ ‖θ‖² on all parameters, besides those that single layers ask for."""
    validation: float = 1 / 6
    """Share of the training images held out, or, where it is a whole number, how many: never trained on, from each class alike,
    they choose the best weights."""
    augmentation: Augmentation = AUGMENTATIONS["none"]
    """How the training images are varied each time that they are seen."""
    validate_every: int = 100
    """Steps between two looks at a sample of the held-out images; all of them are looked at once an epoch."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "validate_every"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ConfigError(f"{name} must be a whole number of at least 1, not {getattr(self, name)}.")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ConfigError(f"The seed must be a whole number of at least 0, not {self.seed}.")
        if self.optimizer not in OPTIMIZERS:
            raise ConfigError(f"There is no optimizer {self.optimizer!r}; there are {', '.join(OPTIMIZERS)}.")
        if self.schedule not in SCHEDULES:
            raise ConfigError(f"There is no schedule {self.schedule!r}; there are {', '.join(SCHEDULES)}.")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ConfigError(f"The learning rate must be a positive number, not {self.learning_rate}.")
        if not (math.isfinite(self.epoch_decay) and 0 < self.epoch_decay <= 1):
            raise ConfigError(f"epoch_decay must lie between 0 and 1, not {self.epoch_decay}.")
        if self.epoch_decay != 1 and self.milestones:
            raise ConfigError("The learning rate can fall at milestones or after every epoch, but not both.")
        if not (self.validation >= 1 if isinstance(self.validation, int) else 0 < self.validation < 1):
            raise ConfigError(f"validation must be a share between 0 and 1, or a whole number of images, not {self.validation}.")

    def build_optimizer(self, parameters: Mapping[str, Parameter]) -> Optimizer:
        """The optimizer that the config names, over `parameters`."""
        if self.optimizer == "adam":
            return Adam(parameters, self.learning_rate, self.betas, weight_decay=self.weight_decay)
        return SGD(parameters, self.learning_rate, self.momentum if self.optimizer == "momentum" else 0.0, self.weight_decay)

    def build_scheduler(self, optimizer: Optimizer, steps_per_epoch: int = 1) -> Scheduler:
        """The scheduler that the config names, over `optimizer`."""
        total_steps = self.epochs * steps_per_epoch
        if self.schedule == "cosine":
            return CosineAnnealingLR(optimizer, total_steps)
        if self.schedule == "one-cycle":
            return OneCycleLR(optimizer, total_steps)
        if self.milestones:
            return MultiStepLR(optimizer, self.milestones, self.gamma)
        if self.epoch_decay != 1:
            return ExponentialLR(optimizer, self.epoch_decay, steps_per_epoch)
        return Scheduler(optimizer)

    def as_dict(self) -> dict[str, Any]:
        """The config as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> TrainConfig:
        """The config that `as_dict` wrote. ConfigError for a setting that does not exist."""
        if unknown := settings.keys() - {field.name for field in fields(cls)}:
            raise ConfigError(f"There is no training setting called {', '.join(sorted(unknown))}.")
        made: dict[str, Any] = {name: tuple(value) for name, value in settings.items() if isinstance(value, list)}
        if "augmentation" in settings:
            made["augmentation"] = Augmentation.from_dict(settings["augmentation"])
        return cls(**{**settings, **made})
