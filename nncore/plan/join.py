"""From layers to steps: which neighbours one kernel does together."""

from __future__ import annotations

from collections.abc import Sequence

from nncore.backend.contract import Weights
from nncore.backend.vector import Vector
from nncore.errors import NotCompilable
from nncore.layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
)
from nncore.layers.activations import ACTIVATIONS
from nncore.layers.pooling import Pool
from nncore.network import Network
from nncore.plan.steps import (
    ActivationStep,
    AvgPoolStep,
    ConvStep,
    DropoutStep,
    FlattenStep,
    LinearStep,
    MaxPoolStep,
    NormStep,
    PlainStep,
    PooledConvStep,
    SpreadConvStep,
    Step,
    as_image,
    spread_of,
    window_of,
)


def join(network: Network, vector: Vector) -> list[Step]:
    """The network's layers as steps, in order. Raises NotCompilable for a layer that no kernel knows."""
    layers, steps, at = network.layers, list[Step](), 0
    while at < len(layers):
        step, taken = _step(layers[at : at + 3], vector)
        step.layers = layers[at : at + taken]
        steps.append(step)
        at += taken
    for step, reader in zip(reversed(steps[:-1]), reversed(steps[1:]), strict=True):
        step.padding = reader.wants
    return steps


SIMPLE: dict[type[Layer], type[Step]] = {
    **dict.fromkeys(ACTIVATIONS.values(), ActivationStep),
    MaxPool2d: MaxPoolStep,
    AvgPool2d: AvgPoolStep,
    Dropout: DropoutStep,
    Flatten: FlattenStep,
}


def _step(layers: Sequence[Layer], vector: Vector) -> tuple[Step, int]:
    """The step that begins with the first of `layers`, and how many of them it does."""
    layer = layers[0]
    kinds = [type(following) for following in layers]
    relu = kinds[1:2] == [ReLU]
    if type(layer) is Conv2d and (spread := spread_of(layer)) is not None:
        return SpreadConvStep(layer, as_image(layer.output_shape), weights=_weights(layer, vector), spread=spread), 1
    if type(layer) is Conv2d:
        weights, window = _weights(layer, vector), window_of(layer)
        for tail in ([ReLU, MaxPool2d], [MaxPool2d, ReLU], [MaxPool2d]):
            if kinds[1 : 1 + len(tail)] == tail and _is_two_by_two(layers[1 + tail.index(MaxPool2d)]):
                shape = as_image(layers[len(tail)].output_shape)
                return PooledConvStep(layer, shape, weights=weights, relu=ReLU in tail, window=window), 1 + len(tail)
        return ConvStep(layer, as_image(layer.output_shape), weights=weights, relu=relu, window=window), 1 + relu
    shape = as_image(layer.output_shape)
    if type(layer) is Linear:
        return LinearStep(layer, shape, weights=_weights(layer, vector), relu=relu), 1 + relu
    if type(layer) is BatchNorm:
        running = vector.parts[f"{layer.name}.running_mean"].start
        return NormStep(layer, shape, weights=_weights(layer, vector), running=running, relu=relu), 1 + relu
    if layer.kernel and not (isinstance(layer, Pool) and not any(layer.padding)):
        return PlainStep(layer, shape), 1
    if type(layer) not in SIMPLE:
        raise NotCompilable(
            f"{layer.name} ({type(layer).__name__}) cannot be compiled; use the network's own forward and backward."
        )
    return SIMPLE[type(layer)](layer, shape), 1


def _weights(layer: Layer, vector: Vector) -> Weights:
    bias = vector.parts.get(f"{layer.name}.bias", vector.zeros)
    return Weights(vector.parts[f"{layer.name}.weight"].start, bias.start)


def _is_two_by_two(layer: Layer) -> bool:
    return isinstance(layer, MaxPool2d) and (layer.kernel_size, layer.stride, layer.padding) == ((2, 2), (2, 2), (0, 0))
