"""The layers, one idea a file."""

from __future__ import annotations

from typing import Any

from nncore.checks import listed, shown
from nncore.errors import ConfigError
from nncore.layers.activations import ACTIVATIONS, ReLU, Sigmoid, Softmax, Tanh
from nncore.layers.base import Layer
from nncore.layers.batchnorm import BatchNorm
from nncore.layers.conv import Conv2d
from nncore.layers.dropout import Dropout
from nncore.layers.input_activations import GELU, LeakyReLU, SiLU
from nncore.layers.linear import Linear
from nncore.layers.pooling import AvgPool2d, GlobalAvgPool2d, MaxPool2d
from nncore.layers.reshape import Flatten

__all__ = [
    "GELU",
    "LAYERS",
    "AvgPool2d",
    "BatchNorm",
    "Conv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "Layer",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "layer_from_config",
]

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        *(AvgPool2d, BatchNorm, Conv2d, Dropout, Flatten, GELU, GlobalAvgPool2d, LeakyReLU, Linear, MaxPool2d, SiLU),
        *ACTIVATIONS.values(),
    )
}


def layer_from_config(config: dict[str, Any]) -> Layer:
    """Build the layer that `Layer.config` described. ConfigError for a layer or a setting that does not exist."""
    if not isinstance(config, dict):
        raise ConfigError(f"A layer is described by its type and its settings, not by {shown(config)}.")
    settings = dict(config)
    kind = settings.pop("type", None)
    if not isinstance(kind, str) or kind not in LAYERS:
        raise ConfigError(f"There is no layer called {shown(kind)}; there are {', '.join(sorted(LAYERS))}.")
    if unknown := set(settings) - set(LAYERS[kind].settings):
        raise ConfigError(f"{kind} has no setting {listed(unknown)}; it has {', '.join(LAYERS[kind].settings) or 'none'}.")
    try:
        return LAYERS[kind](**settings)
    except TypeError as error:
        raise ConfigError(f"{kind} lacks a setting: {error}.") from error
