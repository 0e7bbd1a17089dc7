"""How the weights that ship came about: for each network its data and its training, which `scripts/ship_weights.py` repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models import networks
from models.presets import preset
from nncore.data import open_dataset
from nncore.data.augment import Augmentation
from nncore.data.blended import blended
from nncore.data.dataset import Dataset, joined
from nncore.data.recoloured import recoloured
from nncore.data.scanned import scanned
from nncore.data.street import synthetic_street
from nncore.data.synthetic import foreign_digits
from nncore.layers import Layer
from nncore.network import Network
from nncore.training.config import TrainConfig

SPLIT_SEED = 12
"""Decides which training images are held out: the same ones for every seed of a training, and whatever is mixed in."""


@dataclass(frozen=True)
class Recipe:
    """A network that ships: from which data, and by which training."""

    preset: str
    data: str
    """The dataset whose training images it is trained on."""
    held_out: int
    """Training images that it never learns from; they choose, and set the temperature of its answers."""
    mixed_in: str
    """What else it is trained on, in words."""
    mix: Callable[[Dataset], Dataset]
    """All that it learns from, made from the training images that are not held out."""
    config: TrainConfig
    limits: str
    """Where it is weak, in words."""
    by_photograph: bool = False
    """Whether the last images are held out, not any: neighbours come from one photograph, and would be too easy."""
    teachers: tuple[Recipe, ...] = ()
    """Trainings that come first, each of which may have its own."""
    taught: float = 0.5
    """Which part of what it learns of an image is what the teachers answer on average; 0: it only goes on where the first ended."""
    teacher_seeds: tuple[int, ...] = ()
    """The seeds of these trainings, one network of each teacher for every seed; empty: the seed of its own training."""
    goes_on: bool = False
    """Whether its weights begin as those of its first teacher by the same seed."""
    layers: Callable[[], Sequence[Layer]] | None = None
    """Its layers where it is a teacher with others than the preset's."""

    def build(self, seed: int) -> Network:
        """The network with fresh weights, fixed by the seed."""
        known = preset(self.preset)
        return known.build(seed) if self.layers is None else Network(self.layers(), known.input_shape, seed)

    def datasets(self) -> tuple[Dataset, Dataset]:
        """What it learns from, and the images held out. Raises DataError where the data is missing."""
        train = open_dataset(self.data, "train")
        if self.by_photograph:
            first = len(train) - self.held_out
            rest, held_out = train.subset(np.arange(first)), train.subset(np.arange(first, len(train)))
        else:
            rest, held_out = train.split(self.held_out, SPLIT_SEED)
        return self.mix(rest), held_out


def mnist_mix(train: Dataset) -> Dataset:
    """MNIST's digits, some of them again as coarse scans, and drawn ones of foreign hands."""
    return joined([train, scanned(train.limit(3000, SPLIT_SEED)), foreign_digits(count=6000)], "mnist and drawn digits")


def svhn_mix(train: Dataset) -> Dataset:
    """SVHN's digits as they are and with three other sets of colours, fainter or less sharp, and drawn ones."""
    others = [recoloured(train, seed) for seed in range(3)]
    return joined([train, *others, synthetic_street(count=8000)], "svhn and drawn digits")


def svhn_views(train: Dataset) -> Dataset:
    """SVHN's digits three times as they are and seven times with other colours, and drawn ones."""
    others = [recoloured(train, seed) for seed in range(7)]
    return joined([train] * 3 + others + [synthetic_street(count=16_000)], "svhn and drawn digits")


def svhn_plain(train: Dataset) -> Dataset:
    """SVHN's digits twice as they are and once with other colours, and a few drawn ones."""
    return joined([train] * 2 + [recoloured(train, 20), synthetic_street(count=4000, seed=3)], "svhn and drawn digits")


def svhn_blends(train: Dataset) -> Dataset:
    """SVHN's digits twice as they are, four times with other colours and five times as blends of two, and other drawn ones."""
    others = [recoloured(train, seed) for seed in range(7, 11)]
    blends = [blended(train, 0), blended(joined([train, *others[:3]], "svhn, recoloured"), 1)]
    return joined([train] * 2 + others + blends + [synthetic_street(count=16_000, seed=1)], "svhn, blends and drawn digits")


MNIST_LONG = Recipe(
    "digitlab-mnist",
    "mnist",
    3000,
    "3,000 of the same digits as coarse scans, 6,000 digits drawn by code in foreign hands (1s with a flag and a base, "
    "crossed 7s, slashed 0s, open 4s)",
    mnist_mix,
    replace(
        preset("digitlab-mnist").training,
        epochs=30,
        validation=300,
        validate_every=500,
        augmentation=Augmentation(shift=2, rotate=12, scale=0.12, shear=8, elastic=0.6, thickness=0.3),
    ),
    "Digits one at a time, upright, as the preparation of pictures gives them: bright on black, centred in 28×28. It takes "
    "anything else, such as a letter, for the digit that is most like it.",
)
MNIST = replace(
    MNIST_LONG,
    config=replace(
        MNIST_LONG.config,
        epochs=3,
        learning_rate=1e-3,
        augmentation=Augmentation(shift=1, rotate=6, scale=0.06, shear=4, elastic=0.3, thickness=0.15),
    ),
    teachers=(MNIST_LONG,),
    taught=0.0,
    goes_on=True,
)
"""At the end the digits are varied half as much: strong variations teach more, and leave 7s with a foot too near to 2s."""

SVHN_SIX = Recipe(
    "digitlab-svhn",
    "svhn",
    500,
    "each digit three times more in other colours, fainter or less sharp, 8,000 house numbers drawn by code",
    svhn_mix,
    replace(
        preset("digitlab-svhn").training,
        epochs=24,
        validation=300,
        validate_every=500,
        augmentation=Augmentation(shift=2, rotate=8, scale=0.18, shear=10, elastic=0.6, noise=8),
    ),
    "House numbers from photographs, the digit in the middle of 32×32; trained on 8,001 of the 73,257 that were published.",
    by_photograph=True,
    layers=networks.svhn_six,
)
SVHN_VIEWS = replace(
    SVHN_SIX,
    mixed_in="each digit seven times in other colours, fainter or less sharp, 16,000 house numbers drawn by code",
    mix=svhn_views,
    config=replace(
        SVHN_SIX.config, epochs=10, augmentation=Augmentation(shift=2, rotate=10, scale=0.2, shear=16, elastic=0.6, noise=8)
    ),
    layers=None,
)

SVHN_TAUGHT = replace(
    SVHN_VIEWS,
    mixed_in="each digit four times in other colours, fainter or less sharp, and five times blended with another one, "
    "16,000 house numbers drawn by code",
    mix=svhn_blends,
    config=replace(SVHN_VIEWS.config, epochs=10, learning_rate=3e-3),
    teachers=(SVHN_VIEWS, SVHN_SIX),
    goes_on=True,
)
SVHN = replace(
    SVHN_TAUGHT,
    mixed_in="each digit once more in other colours, fainter or less sharp, 4,000 house numbers drawn by code",
    mix=svhn_plain,
    config=replace(
        SVHN_TAUGHT.config,
        epochs=4,
        learning_rate=1e-3,
        augmentation=Augmentation(shift=1, rotate=5, scale=0.1, shear=8, elastic=0.3, noise=4),
    ),
    teachers=(SVHN_TAUGHT,),
    taught=0.0,
    goes_on=True,
)

RECIPES = {recipe.preset: recipe for recipe in (MNIST, SVHN)}
