"""SmoothGrad: the gradient averaged over noisy copies of the image, so that what flickers from value to value cancels."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from nncore.arrays import Array, to_numpy
from nncore.checks import real_number, whole_number
from nncore.explain.attribution import Attribution
from nncore.explain.gradients import target_gradients, target_gradients_in_parts
from nncore.explain.networks import as_batch, logits_of
from nncore.explain.progress import Progress, result_of
from nncore.explain.target import Target
from nncore.prediction import Predictor

SAMPLES, NOISE = 32, 0.15


def smooth_grad(
    predictor: Predictor, image: Array, target: Target, samples: int = SAMPLES, noise: float = NOISE, seed: int = 0
) -> Attribution:
    """1/n Σ dT/dx(x + ε), ε normal with standard deviation `noise`, for the image x, uint8 (height, width, channels), in 0..1.

    Smilkov et al. 2017, arXiv 1706.03825; as there, the noisy copies may leave 0..1. The score is that of the image itself.
    The same seed gives the same noise. Raises ConfigError where image, target and network do not fit.
    """
    return result_of(smooth_grad_in_parts(predictor, image, target, samples, noise, seed))


def smooth_grad_in_parts(
    predictor: Predictor, image: Array, target: Target, samples: int = SAMPLES, noise: float = NOISE, seed: int = 0
) -> Generator[Progress[Attribution]]:
    """`smooth_grad`, telling how many samples have gone through the network."""
    whole_number(samples, "The number of samples", 1, 10_000)
    real_number(noise, "The noise", "from 0 to 1", lambda number: 0 <= number <= 1)
    network = logits_of(predictor.network)
    target.check(network.classes)
    x = to_numpy(as_batch(network, image[None]))
    shifts = np.random.default_rng(seed).standard_normal((samples, *network.input_shape), np.float32) * np.float32(noise)
    scores, _ = target_gradients(network, x, target)
    for told in target_gradients_in_parts(network, x + shifts, target):
        if told.result is None:
            yield Progress(told.done, samples)
        else:
            mean = told.result[1].mean(axis=0).reshape(image.shape)
            yield Progress(samples, samples, Attribution(target, float(scores[0]), mean))
