"""Recipe: the settings of the next training. Qt-free."""

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
    """A network, how it is trained, and on how many images."""

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
        """The preset called `network`."""
        return preset(self.network)

    def with_network(self, network: str) -> Recipe:
        """A recipe for another preset, with that preset's settings. Seed, augmentation and limit stay as they are."""
        config = replace(preset(network).training, seed=self.config.seed, augmentation=self.config.augmentation)
        return Recipe(network, config, self.limit)

    def with_limit(self, limit: int | None) -> Recipe:
        """The same recipe on `limit` images, or on all where it is None."""
        return replace(self, limit=limit)

    def with_settings(self, **settings: Any) -> Recipe:
        """The same recipe with other values for fields of its TrainConfig. Raises ConfigError for values that make no sense."""
        return replace(self, config=replace(self.config, **settings))

    def fitted(self, image_shape: Shape) -> Recipe:
        """This recipe where its network takes images of that shape, or where no preset does; else one for a preset that does."""
        if self.preset.fits(image_shape):
            return self
        fitting = [known for known in PRESETS.values() if known.fits(image_shape)]
        # A preset made for such images, rather than one that takes any.
        return self.with_network(min(fitting, key=lambda known: known.any_input).name) if fitting else self

    def job(self, data: DataInView | None) -> Job:
        """The training on this data. Raises ConfigError where there is none yet."""
        if data is None:
            raise ConfigError("There is no data to train on yet; choose a dataset in the Data panel.")
        return Job(
            self.preset, data.spec, data.train.limit(self.limit, self.config.seed), data.test, self.config, image_limit=self.limit
        )
