"""The gradient of a target by the image: where a little more light would change the answer most, and gradient × input."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from nncore.arrays import Array, beside, to_numpy
from nncore.explain.attribution import Attribution
from nncore.explain.networks import as_batch, gradient_batch, logits_of
from nncore.explain.progress import Progress, result_of
from nncore.explain.target import Target
from nncore.network import Network
from nncore.prediction import Predictor


def gradient(predictor: Predictor, image: Array, target: Target) -> Attribution:
    """dT/dx for the image x, uint8 (height, width, channels), in logits for each unit of an input in 0..1.

    Simonyan, Vedaldi and Zisserman 2014, arXiv 1312.6034. Raises ConfigError where image, target and network do not fit.
    """
    network = logits_of(predictor.network)
    target.check(network.classes)
    scores, gradients = target_gradients(network, as_batch(network, image[None]), target)
    return Attribution(target, float(scores[0]), gradients.reshape(image.shape))


def gradient_times_input(predictor: Predictor, image: Array, target: Target) -> Attribution:
    """x · dT/dx for the image x in 0..1, in logits: what each value adds, were the network linear.

    Shrikumar et al. 2017, arXiv 1605.01713. Raises what `gradient` raises.
    """
    found = gradient(predictor, image, target)
    return Attribution(target, found.score, found.values * (image * np.float32(1 / 255)))


def target_gradients(network: Network, x: Array, target: Target) -> tuple[Array, Array]:
    """The target (N) and its gradient dT/dx (N, *input_shape) for each input x (N, *input_shape); both on the host.

    The network gives logits, and is one's own: it keeps what the way back leaves. A few go through it at a time.
    """
    return result_of(target_gradients_in_parts(network, x, target))


def target_gradients_in_parts(network: Network, x: Array, target: Target) -> Generator[Progress[tuple[Array, Array]]]:
    """`target_gradients` of at least one input, telling how many have gone through the network."""
    x = np.ascontiguousarray(to_numpy(x))
    scores, gradients = np.empty(len(x), x.dtype), np.empty_like(x)
    weights = next(iter(network.parameters().values()), None)
    batch = gradient_batch(network)
    for start in range(0, len(x), batch):
        part = slice(start, start + batch)
        logits = network.forward(x[part] if weights is None else beside(x[part], weights.data))
        scores[part] = to_numpy(target.of(logits))
        gradients[part] = to_numpy(network.backward(target.slope(logits)))
        done = min(start + batch, len(x))
        yield Progress(done, len(x), (scores, gradients) if done == len(x) else None)
