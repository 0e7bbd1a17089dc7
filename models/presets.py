"""Presets: networks by name, each with the way it is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models import networks
from nncore.arrays import Shape
from nncore.data.augment import AUGMENTATIONS, Augmentation
from nncore.errors import ConfigError
from nncore.initializers import INITIALIZER_CHOICES
from nncore.layers import Conv2d, Layer, Linear, layer_from_config
from nncore.network import Network, layers_from_config, total_cost
from nncore.training.config import TrainConfig

RECOMMENDED, PUBLISHED = TEMPLATES = ("recommended", "published")
"""The recipes of a preset, by name."""


@dataclass(frozen=True)
class Preset:
    """A network by name: how it is built and how it is trained."""

    name: str
    description: str
    input_shape: Shape
    layers: Callable[[], Sequence[Layer]]
    training: TrainConfig
    """The recipe that works well on the data at hand: the default."""
    published: TrainConfig | None = None
    """The recipe as the network's source gives it, where that is another one."""
    any_input: bool = False
    """Whether it takes images of any size; `input_shape` is then only what it takes unless told otherwise."""
    is_own: bool = False
    """Whether it is a network of the user's own, which may take images of any size that its layers can work on."""

    @property
    def templates(self) -> tuple[str, ...]:
        """The names of its recipes: TEMPLATES, of which a network of the user's own has only the first."""
        return TEMPLATES[:1] if self.is_own else TEMPLATES

    def recipe(self, template: str) -> TrainConfig:
        """The recipe that one of `templates` names. Raises ConfigError for any other name."""
        if self.is_own and template == PUBLISHED:
            raise ConfigError(f"{self.name} is a network of your own, so nobody has published a recipe for it; leave that out.")
        if template not in TEMPLATES:
            raise ConfigError(f"There is no template {template!r:.60}; there are {' and '.join(TEMPLATES)}.")
        return self.published if self.published is not None and template == PUBLISHED else self.training

    def fits(self, input_shape: Shape) -> bool:
        """Whether it takes images of that shape."""
        if self.is_own and self.any_input and input_shape != self.input_shape:
            return self._works_on(input_shape)
        return self.any_input or math.prod(self.input_shape) == math.prod(input_shape)

    def _works_on(self, input_shape: Shape) -> bool:
        """Whether the layers make scores of images of that shape."""
        layers, shape = self.layers(), input_shape
        try:
            total_cost(layers, input_shape)
            for layer in layers:
                shape = layer.infer_shape(shape)
        except ConfigError:
            return False
        return len(shape) == 1

    def takes(self, input_shape: Shape) -> Shape:
        """The shape of one input of the network that is built for images of `input_shape`."""
        return input_shape if self.any_input else self.input_shape

    def build(self, seed: int = 0, input_shape: Shape | None = None, initializer: str = "network") -> Network:
        """The network with fresh weights, fixed by the seed; for images of `input_shape`, where it takes any.

        `initializer`, one of INITIALIZER_CHOICES, is that of all linear and convolution layers. ConfigError for any other name.
        """
        if initializer not in INITIALIZER_CHOICES:
            raise ConfigError(f"There is no initializer {initializer!r:.60}; there are {', '.join(INITIALIZER_CHOICES)}.")
        layers, chosen = self.layers(), INITIALIZER_CHOICES[initializer]
        if chosen is not None:
            for layer in layers:
                if isinstance(layer, Conv2d | Linear):
                    layer.initializer = chosen
        return Network(layers, self.takes(input_shape) if input_shape else self.input_shape, seed)


GREY, COLOUR = (28, 28, 1), (32, 32, 3)
STREET_PUBLISHED = TrainConfig(epochs=10, batch_size=250, optimizer="sgd", learning_rate=1e-2)
"""How the sources of the small networks for house numbers train them."""
STREET = TrainConfig(epochs=30, batch_size=64, schedule="one-cycle", augmentation=AUGMENTATIONS["light"], label_smoothing=0.05)
"""What works for them on a few thousand images."""

PRESETS = {
    preset.name: preset
    for preset in [
        Preset(
            "mnist-cnn",
            "Two convolutions and two linear layers for grey digits: small, quick, and right 99 times in 100.",
            GREY,
            networks.mnist_cnn,
            TrainConfig(epochs=3, batch_size=32, learning_rate=1e-3, schedule="steps", milestones=(800, 1600, 2400)),
        ),
        Preset(
            "mnist-mlp",
            "Three linear layers from tiny weights. As published they take one image at a time: slow, and worth watching.",
            (784,),
            networks.mnist_mlp,
            TrainConfig(epochs=5, batch_size=64, learning_rate=1e-3, schedule="one-cycle"),
            published=TrainConfig(epochs=10, batch_size=1, optimizer="sgd", learning_rate=1e-4, validation=0.1),
        ),
        Preset(
            "mlp",
            "A perceptron to change at will: sizes, activation, and a weight decay for each layer.",
            GREY,
            networks.mlp,
            TrainConfig(epochs=5, batch_size=64, optimizer="momentum", learning_rate=0.05),
            any_input=True,
        ),
        Preset(
            "svhn-lenet",
            "After LeNet, for colour pictures of house numbers: two convolutions, the pool before the ReLU.",
            COLOUR,
            networks.svhn_lenet,
            replace(STREET, learning_rate=3e-3, weight_decay=5e-4),
            published=STREET_PUBLISHED,
        ),
        Preset(
            "svhn-mlp",
            "One wide hidden layer on colour pictures: how far one gets without convolutions.",
            COLOUR,
            networks.svhn_mlp,
            STREET,
            published=STREET_PUBLISHED,
        ),
        Preset(
            "two-layer",
            "The smallest network that learns features of its own: one hidden layer of 100.",
            GREY,
            networks.two_layer,
            TrainConfig(epochs=10, batch_size=200, optimizer="sgd", learning_rate=0.1, schedule="exponential", epoch_decay=0.95),
            any_input=True,
        ),
        Preset(
            "fully-connected",
            "Hidden layers with batch norm and dropout, any number of them; the best weights are kept.",
            GREY,
            networks.fully_connected,
            TrainConfig(epochs=5, batch_size=100, learning_rate=1e-3),
            any_input=True,
        ),
        Preset(
            "kaggle-cnn",
            "One small convolution and three linear layers, trained with large batches and large steps.",
            GREY,
            networks.kaggle_cnn,
            TrainConfig(epochs=10, batch_size=500, optimizer="sgd", learning_rate=0.3),
        ),
        Preset(
            "alexnet-mini",
            "AlexNet scaled down to digits: five convolutions, overlapping pools, two wide layers with dropout.",
            GREY,
            networks.alexnet_mini,
            TrainConfig(epochs=3, batch_size=64, learning_rate=5e-4, betas=(0.9, 0.99)),
        ),
        Preset(
            "digitlab-mnist",
            "Our own best for grey digits: six convolutions with batch norm. It ships trained, on MNIST and digits drawn by code.",
            GREY,
            networks.digitlab_mnist,
            TrainConfig(
                epochs=8,
                batch_size=128,
                learning_rate=6e-3,
                schedule="one-cycle",
                augmentation=AUGMENTATIONS["light"],
                label_smoothing=0.05,
            ),
        ),
        Preset(
            "digitlab-svhn",
            "Our own best for house numbers: seven convolutions, batch norm. It ships trained, on SVHN and digits drawn by code.",
            COLOUR,
            networks.digitlab_svhn,
            TrainConfig(
                epochs=30,
                batch_size=128,
                learning_rate=6e-3,
                schedule="one-cycle",
                weight_decay=5e-4,
                augmentation=Augmentation(shift=2, rotate=6, scale=0.15, shear=6, elastic=0.5, noise=6),
                label_smoothing=0.05,
            ),
        ),
    ]
}

DEFAULT = "mnist-cnn"


def described(name: str, description: Mapping[str, Any]) -> Preset:
    """A network of the user's own: its layers and the shape of its input as `Network.config` gives them, trained as DEFAULT is.

    Nothing is allocated. Raises ConfigError where the layers are unknown, do not fit together, or make too large a network.
    """
    layers, input_shape = layers_from_config(description)
    if not layers:
        raise ConfigError(f"The network {name} has no layers; give it at least one.")
    total_cost(layers, input_shape)
    configs = [layer.config() for layer in layers]
    return Preset(
        name,
        "A network of your own.",
        input_shape,
        lambda: [layer_from_config(config) for config in configs],
        PRESETS[DEFAULT].training,
        any_input=len(input_shape) == 3,
        is_own=True,
    )


def preset(name: str) -> Preset:
    """The preset called `name`. Raises ConfigError, listing what there is, where there is none."""
    if name not in PRESETS:
        raise ConfigError(f"There is no network preset called {name!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[name]
