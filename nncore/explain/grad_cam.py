"""Grad-CAM: which places of a feature map speak for a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, to_numpy
from nncore.errors import ConfigError
from nncore.explain.enlarge import enlarged
from nncore.explain.networks import as_batch, logits_of, place_of
from nncore.explain.target import Target
from nncore.layers import Conv2d, Linear
from nncore.layers.activations import Activation
from nncore.network import Network
from nncore.prediction import Predictor


@dataclass(frozen=True, eq=False)
class GradCam:
    """The places of a feature map that speak for a target."""

    target: Target
    score: float
    """The target of the image: a logit, or the difference of two."""
    layer: str
    """The layer whose output it is about."""
    weights: Array
    """float32 (channels): the mean of dT/dA over the places of each channel A."""
    coarse: Array
    """float32 (rows, columns) of the feature map, at least 0."""
    map: Array
    """float32 (height, width) of the image: `coarse`, enlarged bilinearly."""


def grad_cam(predictor: Predictor, image: Array, target: Target, layer: str | None = None) -> GradCam:
    """ReLU(Σ_c w_c A_c) with w_c the mean of dT/dA_c over its places, A the output of `layer` for the image.

    The image is uint8 (height, width, channels); the layer one of `grad_cam_layers`, `default_layer` unless given. Selvaraju et
    al. 2017, arXiv 1610.02391. Raises ConfigError where the layer gives no feature map, or image, target and network do not fit.
    """
    network = logits_of(predictor.network)
    target.check(network.classes)
    layer = default_layer(network) if layer is None else layer
    at = place_of(network, layer)
    if layer not in grad_cam_layers(network):
        raise ConfigError(f"Grad-CAM needs a layer with a feature map; {layer} has none. Choose another layer.")
    outputs = dict(network.activations(as_batch(network, image[None])))
    logits = outputs[network.layers[-1].name]
    grad = target.slope(logits)
    for behind in reversed(network.layers[at + 1 :]):
        grad = behind.backward(grad)
    weights, maps = to_numpy(grad[0].mean(axis=(0, 1))), to_numpy(outputs[layer][0])
    coarse = np.maximum(maps @ weights, 0)
    return GradCam(target, float(target.of(logits)[0]), layer, weights, coarse, enlarged(coarse, image.shape[:2]))


def grad_cam_layers(network: Network) -> list[str]:
    """The layers with a feature map, in order; none in a network without convolutions."""
    first = next((at for at, layer in enumerate(network.layers) if isinstance(layer, Conv2d)), len(network.layers))
    return [layer.name for layer in network.layers[first:] if len(layer.output_shape) == 3]


def default_layer(network: Network) -> str:
    """The activation that follows the last convolution, or that convolution where none does before the next weights.

    Raises ConfigError where there is no convolution.
    """
    convolutions = [at for at, layer in enumerate(network.layers) if isinstance(layer, Conv2d)]
    if not convolutions:
        raise ConfigError("Grad-CAM needs a convolution, and this network has none; take another method.")
    for layer in network.layers[convolutions[-1] + 1 :]:
        if isinstance(layer, Linear) or len(layer.output_shape) != 3:
            break
        if isinstance(layer, Activation):
            return layer.name
    return network.layers[convolutions[-1]].name
