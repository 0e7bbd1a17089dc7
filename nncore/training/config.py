"""TrainConfig: everything that decides how a training goes, as plain data, each setting described where it is declared."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from nncore.arrays import Array
from nncore.data.augment import AUGMENTATIONS, Augmentation
from nncore.errors import ConfigError
from nncore.initializers import INITIALIZER_CHOICES
from nncore.losses import SOFT_TARGET_LOSSES, TRAINING_LOSSES, Loss
from nncore.optimizers import OPTIMIZERS, Optimizer
from nncore.parameter import Parameter
from nncore.schedulers import Scheduler
from nncore.training.class_weights import ClassWeights, Weighted, weights_of
from nncore.training.older import migrated
from nncore.training.parts import PartNames, PartRates, Rates, assign
from nncore.training.schedules import SCHEDULES, build_scheduler
from nncore.training.values import Choice, Kind, Number, Numbers, ShareOrCount, Steps, Varied, Whole

LARGEST_COUNT = 10**9
"""Images and steps that a setting may name: far more than a training has, and few enough to be counted anywhere."""


@dataclass(frozen=True)
class Setting:
    """What is known of a setting beside its value: the checks, the command line, the form and the documentation follow from it."""

    name: str
    """The field of TrainConfig."""
    title: str
    help: str
    """What the notion means, in a sentence or two."""
    kind: Kind
    """Which values it takes, and how they are read and shown."""
    default: Any
    option: str
    """The option of `digitlab train`."""
    unit: str = ""
    everyday: bool = False
    """Whether it is shown to everybody; the others are for those who look for them."""
    used_by: tuple[str, ...] = ()
    """A setting, and those of its values that alone make use of this one; empty where it is always used."""

    def unused_because(self, config: Any) -> str:
        """Why this setting has no effect in a TrainConfig, as a sentence; empty where it has."""
        name, *users = self.used_by or ("",)
        if not name or (chosen := getattr(config, name)) in users:
            return ""
        return f"Not used now: it belongs to the {name} {' or '.join(users)}, and {chosen} is chosen."


def setting(
    default: Any,
    title: str,
    kind: Kind,
    help: str,
    unit: str = "",
    option: str = "",
    everyday: bool = False,
    used_by: tuple[str, ...] = (),
) -> Any:
    """A field of TrainConfig with all that `Setting` tells of it; the option is the field's name unless `option` is given."""
    described = {"title": title, "kind": kind, "help": help, "unit": unit, "option": option}
    return dataclasses.field(default=default, metadata=described | {"everyday": everyday, "used_by": used_by})


@dataclass(frozen=True)
class TrainConfig:
    """How to train. `SETTINGS` describes each field. Raises ConfigError, naming the setting, for values that make no sense.

    NumPy's numbers and lists are taken, too, and kept as Python's numbers and tuples.
    """

    epochs: int = setting(3, "Epochs", Whole(1, 1_000_000), "How often the network sees every training image.", everyday=True)
    batch_size: int = setting(
        32,
        "Batch size",
        Whole(1, LARGEST_COUNT),
        "Images a step. Small batches learn more from each image, large ones go faster.",
        unit="images",
        everyday=True,
    )
    optimizer: str = setting(
        "adam",
        "Optimizer",
        Choice(OPTIMIZERS),
        "The rule by which the weights follow their gradients. Adam adapts its steps to each weight; AdamW does too, and pulls all "
        "weights alike towards zero. Nesterov is momentum that looks ahead.",
        everyday=True,
    )
    learning_rate: float = setting(
        1e-3,
        "Learning rate",
        Number(0, math.inf, above=True),
        "How far each step moves the weights. Too high and the loss jumps; too low and nothing happens.",
        option="--lr",
        everyday=True,
    )
    momentum: float = setting(
        0.9,
        "Momentum",
        Number(0, 1, below=True),
        "The share of its last step that the optimizer adds to the next one. Used by momentum and nesterov alone.",
        used_by=("optimizer", "momentum", "nesterov"),
    )
    betas: tuple[float, float] = setting(
        (0.9, 0.999),
        "Betas",
        Numbers(2, Number(0, 1, below=True)),
        "How slowly Adam's running averages of the gradient and of its square change: the share of each that stays at every "
        "step. Used by adam and adamw alone.",
        used_by=("optimizer", "adam", "adamw"),
    )
    schedule: str = setting(
        "constant",
        "Schedule",
        Choice(SCHEDULES),
        "How the learning rate changes on the way: not at all (constant), at each of the milestones (steps), after every epoch "
        "(exponential), down along a cosine to the last step, or in one cycle, up and down again, which often learns most in few "
        "epochs.",
        everyday=True,
    )
    milestones: tuple[int, ...] = setting(
        (),
        "Milestones",
        Steps(LARGEST_COUNT),
        "The steps at which the learning rate is multiplied by gamma. Used by the schedule steps alone.",
        used_by=("schedule", "steps"),
    )
    gamma: float = setting(
        0.5,
        "Gamma",
        Number(0, 1, above=True),
        "What the learning rate is multiplied by at every milestone. Used by the schedule steps alone.",
        used_by=("schedule", "steps"),
    )
    epoch_decay: float = setting(
        0.9,
        "Epoch decay",
        Number(0, 1, above=True),
        "What the learning rate is multiplied by after every epoch; 1 keeps it. Used by the schedule exponential alone.",
        used_by=("schedule", "exponential"),
    )
    warmup: int = setting(
        0,
        "Warm-up",
        Whole(0, LARGEST_COUNT),
        "Over how many steps the learning rate rises in a line, from near 0, to what the schedule says; 0 for no warm-up. It keeps "
        "the first gradients, which are the wildest, from throwing the weights far off.",
        unit="steps",
    )
    weight_decay: float = setting(
        0.0,
        "Weight decay",
        Number(0, math.inf),
        "How hard all parameters are pulled towards zero, so that a network learns less by heart: the loss grows by half of this "
        "number times the sum of their squares (L2). With adamw each step takes this share of the learning rate from them instead, "
        "which needs a larger number, such as 0.01. Single layers can ask for more.",
    )
    clip_norm: float = setting(
        0.0,
        "Clip norm",
        Number(0, math.inf),
        "The longest gradient that a step follows: where that of all parameters together is longer, it is shortened to this "
        "length. It keeps single bad batches from throwing the weights far off; 0 takes every gradient as it is.",
    )
    loss: str = setting(
        "cross-entropy",
        "Loss",
        Choice(TRAINING_LOSSES),
        "What the training makes small. Cross-entropy asks for a high probability of the right digit, and is never content; hinge "
        "asks that its score lies above every other by 1, and learns nothing more from images where it does.",
    )
    label_smoothing: float = setting(
        0.0,
        "Label smoothing",
        Number(0, 1, below=True),
        "The share of each label that is spread evenly over all classes. With some, such as 0.1, the network does not become "
        "surer than it should be; the training loss then stays above zero. Used by cross-entropy alone.",
        used_by=("loss", "cross-entropy"),
    )
    class_weights: ClassWeights = setting(  # noqa: RUF009 - it makes a field, as dataclasses.field does
        "none",
        "Class weights",
        Weighted(),
        "How much the images of each class count in the training loss: all alike (none), the rare ones more, so that every class "
        "counts as much in all (balanced), or a weight for each class (1, 2, 0.5, …). It helps where some digits are rare, as 0 "
        "and 9 on house numbers are, at the cost of the frequent ones. The held-out loss is without weights. Used by cross-entropy "
        "alone.",
        used_by=("loss", "cross-entropy"),
    )
    freeze: tuple[str, ...] = setting(
        (),
        "Frozen layers",
        PartNames(),
        "Layers, each by its kind and number (conv1, linear2), or single parameters of them (conv1.bias), that keep the weights "
        "they have. What a trained network sees in pictures can stay while its last layers learn something new; where the first "
        "layers are frozen a step is also quicker. Running statistics of batch norm still follow the data.",
    )
    rates: Rates = setting(  # noqa: RUF009 - it makes a field, as dataclasses.field does
        (),
        "Rates of layers",
        PartRates(),
        "What the learning rate is multiplied by for single layers, or parameters of them (conv1=0.1, linear2=2): below 1 for "
        "those that know something already and should change slowly.",
    )
    initializer: str = setting(
        "network",
        "Initializer",
        Choice(INITIALIZER_CHOICES),
        "What the weights of linear and convolution layers are before the first step: as each layer of the network says, or drawn "
        "at random: he for ReLU, xavier for tanh and sigmoid, normal with a standard deviation of 0.01. Weights that are all zeros "
        "stay equal, and learn next to nothing.",
    )
    validation: int | float = setting(
        1 / 6,
        "Held out",
        ShareOrCount(LARGEST_COUNT),
        "The training images that the network never learns from: a share of them, or how many. How many of these it gets right "
        "says whether it understands digits or only remembers them; they choose the best weights.",
        option="--validation",
        everyday=True,
    )
    augmentation: Augmentation = setting(  # noqa: RUF009 - it makes a field, as dataclasses.field does
        AUGMENTATIONS["none"],
        "Augmentation",
        Varied(),
        "Show the network each image a little different every time, so that it learns what stays the same. It takes longer to "
        "learn, and knows more digits that it has never seen.",
        option="--augment",
        everyday=True,
    )
    validate_every: int = setting(
        100,
        "Validate every",
        Whole(1, LARGEST_COUNT),
        "Steps between two looks at a sample of the held-out images; all of them are looked at once an epoch.",
        unit="steps",
    )
    target_accuracy: float = setting(
        0.0,
        "Target accuracy",
        Number(0, 1),
        "The share of held-out images that, once the network gets it right, ends the training: 0.98 for 98 %; 0 for no target. "
        "Once it has been reached it no longer counts, so that the training can go on.",
    )
    patience: int = setting(
        0,
        "Patience",
        Whole(0, 1_000_000),
        "After how many epochs in a row without a smaller loss on the held-out images the training ends; 0 for never.",
        unit="epochs",
    )
    max_minutes: float = setting(
        0.0,
        "Time limit",
        Number(0, 100_000),
        "After how much training time the training ends; 0 for no limit. Looking at held-out images does not count.",
        unit="minutes",
    )
    seed: int = setting(
        0,
        "Seed",
        Whole(0, 2**63 - 1),
        "Fixes all that is random. The same seed gives the same first weights and the same training.",
        everyday=True,
    )

    def __post_init__(self) -> None:
        for setting in SETTINGS.values():
            object.__setattr__(self, setting.name, setting.kind.check(setting.title, getattr(self, setting.name)))

    def build_optimizer(self, parameters: Mapping[str, Parameter]) -> Optimizer:
        """The optimizer that the config names, over `parameters`: those it names are frozen or have their own rate, no others."""
        assign(parameters, self.freeze, self.rates)
        optimizer = OPTIMIZERS[self.optimizer](parameters, self)
        optimizer.clip_norm = self.clip_norm
        return optimizer

    def build_loss(self, soft_targets: bool = False, counts: Array | None = None) -> Loss:
        """The loss that the config describes, of labels or of rows of target probabilities. ConfigError where it takes no rows.

        `counts` are the training images of each class, int (classes), from which balanced class weights follow: none without.
        """
        if soft_targets and self.loss not in SOFT_TARGET_LOSSES:
            raise ConfigError(f"The loss {self.loss} takes labels, not target probabilities; take {', '.join(SOFT_TARGET_LOSSES)}.")
        weight = weights_of(self.class_weights, counts)
        return (SOFT_TARGET_LOSSES if soft_targets else TRAINING_LOSSES)[self.loss](self, weight)

    def build_held_out_loss(self) -> Loss | None:
        """What held-out images are measured by: the same loss, of their labels as they are; None for cross-entropy."""
        return None if self.loss == "cross-entropy" else self.build_loss()

    def build_scheduler(self, optimizer: Optimizer, steps_per_epoch: int = 1) -> Scheduler:
        """The scheduler that the config names, over `optimizer`."""
        return build_scheduler(self, optimizer, steps_per_epoch)

    def as_dict(self) -> dict[str, Any]:
        """The config as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> TrainConfig:
        """The config that `as_dict` wrote, that of an earlier version included (`migrated`).

        ConfigError for a setting that does not exist, or no settings at all.
        """
        if not isinstance(settings, Mapping):
            raise ConfigError(f"A training's settings come by name, not as {settings!r:.40}.")
        if unknown := settings.keys() - SETTINGS.keys():
            raise ConfigError(f"There is no training setting called {', '.join(sorted(map(str, unknown)))}.")
        return cls(**migrated(settings))


def settings_of(config: type[TrainConfig]) -> dict[str, Setting]:
    """The settings that are declared in a class, in the order of its fields."""
    return {field.name: _described(field) for field in fields(config)}


def _described(field: dataclasses.Field[Any]) -> Setting:
    known = dict(field.metadata)
    known["option"] = known["option"] or f"--{field.name.replace('_', '-')}"
    return Setting(name=field.name, default=field.default, **known)


SETTINGS: dict[str, Setting] = settings_of(TrainConfig)
"""Every setting of a training by the name of its field in TrainConfig, in the order of the fields."""


def settings_table() -> str:
    """The settings as the table of docs/settings.md (Markdown), a line each."""
    lines = ["| setting | option | takes | default | what it is |", "|---|---|---|---|---|"]
    for setting in SETTINGS.values():
        default = " ".join(filter(None, (setting.kind.show(setting.default), setting.unit)))
        cells = (setting.title, f"`{setting.option}`", setting.kind.words, default, setting.help)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
