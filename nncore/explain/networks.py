"""Networks to explain with: copies, so that what is explained is never changed, whole or cut off behind a layer."""

from __future__ import annotations

import math

from nncore.arrays import Array, Shape, beside, shape_text
from nncore.backend.evaluation import usual_batch
from nncore.checks import shown
from nncore.errors import ConfigError
from nncore.layers import Layer, Softmax
from nncore.network import Network, total_cost
from nncore.parameter import Buffer, Parameter
from nncore.prediction import Predictor, as_input

MOST_AT_ONCE = 16
"""Images that go back through a network together: more of them no longer fit into a core's cache, and take longer each."""


def own_copy(network: Network) -> Network:
    """A network in use (dropout off, running statistics) with the same numbers, whose arrays and gradients are its own."""
    twin = network.in_use()
    for layer in twin.layers:
        for name, parameter in list(layer.parameters()):
            setattr(layer, name, Parameter(parameter.data.copy(), parameter.weight_decay))
        for name, buffer in list(layer.buffers()):
            setattr(layer, name, Buffer(buffer.data.copy(), buffer.least))
    return twin


def up_to(network: Network, name: str) -> Network:
    """An own copy that ends behind the layer called `name`. ConfigError where there is none."""
    twin = own_copy(network)
    twin.layers = twin.layers[: place_of(network, name) + 1]
    twin.output_shape = twin.layers[-1].output_shape
    return twin


def logits_of(network: Network) -> Network:
    """An own copy whose output are the logits: without a softmax at its end. ConfigError where it does not tell classes apart."""
    assert network.classes  # raises where the output is an image
    before = network.layers[:-1]
    return up_to(network, before[-1].name) if before and isinstance(network.layers[-1], Softmax) else own_copy(network)


def logit_predictor(predictor: Predictor) -> Predictor:
    """A predictor whose outputs are the logits: `predictor` itself, unless its network ends on softmax."""
    assert predictor.network.classes
    if len(predictor.network.layers) > 1 and isinstance(predictor.network.layers[-1], Softmax):
        return Predictor(logits_of(predictor.network), predictor.device)
    return predictor


def place_of(network: Network, name: str) -> int:
    """Where in the row the layer called `name` stands, from 0. ConfigError, listing the layers, where there is none."""
    names = [layer.name for layer in network.layers]
    if name not in names:
        raise ConfigError(f"The network has no layer {shown(name)}; it has {', '.join(names)}.")
    return names.index(name)


def layer_of(network: Network, name: str) -> Layer:
    """The layer called `name`. ConfigError where there is none."""
    return network.layers[place_of(network, name)]


def as_batch(network: Network, images: Array) -> Array:
    """uint8 images (N, height, width, channels) as the network takes them, in 0..1, where its arrays are.

    Raises ConfigError where they do not fit.
    """
    parameter = next(iter(network.parameters().values()), None)
    x = as_input(images, network.input_shape)
    return x if parameter is None else beside(x, parameter.data)


def gradient_batch(network: Network) -> int:
    """How many images to take forward and back through the network at a time."""
    return min(MOST_AT_ONCE, usual_batch(4 * total_cost(network.layers, network.input_shape).values))


def image_shape_of(network: Network) -> Shape:
    """The (height, width, channels) of the network's images. A network that takes vectors is taken to see square ones, grey, or
    in colour where only that comes out even. ConfigError where neither does."""
    shape = network.input_shape
    if len(shape) == 3:
        return shape
    size = math.prod(shape)
    for channels in (1, 3):
        side = math.isqrt(size // channels)
        if side * side * channels == size:
            return side, side, channels
    raise ConfigError(f"The network takes {shape_text(shape)}, which is no square image.")
