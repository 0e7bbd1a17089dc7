"""Recipe: the training that the next press of Start asks for. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.core.in_view import DataInView
from app.core.session import Job
from models.presets import PRESETS, Preset, preset
from nncore.arrays import Shape
from nncore.errors import ConfigError
from nncore.training.config import TrainConfig


@dataclass(frozen=True)
class Recipe:
    """Which network, trained how, on how many images."""

    network: str
    """The name of a preset."""
    config: TrainConfig
    limit: int | None = None
    """Train on this many images only, drawn by the seed; None: on all."""

    @classmethod
    def of(cls, network: str) -> Recipe:
        """A preset with its own settings, on all images. Raises ConfigError where there is no such preset."""
        return cls(network, preset(network).training)

    @property
    def preset(self) -> Preset:
        """The preset that it names."""
        return preset(self.network)

    def with_network(self, network: str) -> Recipe:
        """Another preset with its own settings. Seed, augmentation and limit stay, which belong to no network."""
        config = replace(preset(network).training, seed=self.config.seed, augmentation=self.config.augmentation)
        return Recipe(network, config, self.limit)

    def with_limit(self, limit: int | None) -> Recipe:
        """The same on `limit` images; None: on all."""
        return replace(self, limit=limit)

    def with_settings(self, **settings: Any) -> Recipe:
        """Other values for fields of the TrainConfig, by name. Raises ConfigError for values that make no sense."""
        return replace(self, config=replace(self.config, **settings))

    def fitted(self, image_shape: Shape) -> Recipe:
        """A recipe whose network takes such images: this one where it does or where no preset does, else another preset's."""
        if self.preset.fits(image_shape):
            return self
        fitting = [known for known in PRESETS.values() if known.fits(image_shape)]
        # A preset made for such images, rather than one that takes any.
        return self.with_network(min(fitting, key=lambda known: known.any_input).name) if fitting else self

    def job(self, data: DataInView | None) -> Job:
        """The training on this data. Raises ConfigError where there is none yet."""
        if data is None:
            raise ConfigError("There is no data to train on yet; choose a dataset in the Data panel.")
        return Job(self.preset, data.spec, data.train.limit(self.limit, self.config.seed), data.test, self.config)
