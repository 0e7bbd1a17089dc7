"""Recipe: the settings of the next training. Qt-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from app.core import own_networks
from app.core.in_view import DataInView
from app.core.layer_list import LayerList
from app.core.session import Job
from models.presets import PRESETS, Preset, described, preset
from nncore.arrays import Shape, shape_text
from nncore.errors import ConfigError
from nncore.training.config import TrainConfig
from nncore.training.older import MARK, as_before


@dataclass(frozen=True)
class Recipe:
    """A network, how it is trained, and on how many images."""

    network: str
    """The name of a preset, or of a network of the user's own."""
    config: TrainConfig
    limit: int | None = None
    """Train on this many images only, drawn by the seed; None: on all."""
    layers: LayerList | None = None
    """The layers of a network of the user's own, as they were when it was chosen; None for a preset."""

    @classmethod
    def of(cls, network: str, layers: LayerList | None = None) -> Recipe:
        """A preset, or the user's own network of these layers, with its own settings, on all images.

        Raises ConfigError where there is no such preset, or the layers make no network.
        """
        return cls(network, _preset(network, layers).training, layers=layers)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Recipe:
        """The recipe that `as_dict` wrote. Raises ConfigError for anything else, and where its network is gone."""
        network, settings, limit = kept.get("network"), kept.get("settings"), kept.get("limit")
        if not isinstance(network, str) or not isinstance(settings, Mapping):
            raise ConfigError("This is no recipe; a recipe names a network and its settings.")
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise ConfigError("The number of images of a recipe must be a whole number from 1.")
        layers = None if network in PRESETS else own_networks.read(network)
        usual = _preset(network, layers).training.as_dict()
        settings = {**(usual if MARK in settings else as_before(usual)), **settings}
        return cls(network, TrainConfig.from_dict(settings), limit, layers)

    def as_dict(self) -> dict[str, Any]:
        """The recipe as JSON can hold it, with those settings only that are not the preset's, and the mark of this version."""
        usual = self.preset.training.as_dict()
        changed = {name: value for name, value in self.config.as_dict().items() if value != usual.get(name) or name == MARK}
        return {"network": self.network, "settings": changed, "limit": self.limit}

    @cached_property
    def preset(self) -> Preset:
        """The preset called `network`, or the user's own network as one."""
        return _preset(self.network, self.layers)

    def with_network(self, network: str, layers: LayerList | None = None) -> Recipe:
        """A recipe for another network, with that network's settings. Seed and limit stay as they are, and so does an augmentation
        that is in none of the present network's templates, and so the user's own.

        Raises ConfigError as `of` does.
        """
        config = replace(_preset(network, layers).training, seed=self.config.seed)
        if self.config.augmentation not in (self.preset.recipe(name).augmentation for name in self.preset.templates):
            config = replace(config, augmentation=self.config.augmentation)
        return Recipe(network, config, self.limit, layers)

    def with_template(self, template: str) -> Recipe:
        """The recipe that one of the preset's templates names, whole: only seed and limit stay. ConfigError for another name."""
        return replace(self, config=replace(self.preset.recipe(template), seed=self.config.seed))

    @property
    def template(self) -> str | None:
        """The name of the template that this recipe is, whatever its seed; None where it is neither."""
        found = (name for name in self.preset.templates if self.with_template(name).config == self.config)
        return next(found, None)

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
        if reason := misfit(self.preset, data.train.image_shape):
            fitting = [known.name for known in PRESETS.values() if known.fits(data.train.image_shape)]
            raise ConfigError(f"{reason}. Choose other data, or another network" + (f": {', '.join(fitting)}." if fitting else "."))
        return Job(
            self.preset, data.spec, data.train.limit(self.limit, self.config.seed), data.test, self.config, image_limit=self.limit
        )


def _preset(network: str, layers: LayerList | None) -> Preset:
    return preset(network) if layers is None else described(network, layers.as_config())


def misfit(preset: Preset, image_shape: Shape) -> str:
    """Why a preset's network cannot take images of that shape, in words; empty where it can."""
    if preset.fits(image_shape):
        return ""
    return f"{preset.name} takes {shape_text(preset.input_shape)}; this data is {shape_text(image_shape)}"
