"""What would make it a 3: ink added and taken away, little by little, until the network answers with another class."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, beside, to_numpy
from nncore.checks import whole_number
from nncore.explain.networks import as_batch, logits_of
from nncore.explain.progress import Progress
from nncore.explain.target import Target
from nncore.network import Network
from nncore.prediction import Predictor

STEPS = 200
RATE = 0.15
"""By how much, in 0..1, the values move in a step whose gradient is largest."""
NEAR = 0.5
"""Only values whose gradient is at least this share of the largest move in a step: few pixels change, and those by much."""
SMOOTH = 0.7
"""Standard deviation, in pixels, by which the gradient is blurred, so that strokes grow and not single dots."""
FRACTIONS = 32
"""Smaller versions of a change that are tried at a time."""


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """An image that was changed, and what the network says of it, by a forward pass of these very bytes."""

    label: int
    """The class that is wanted."""
    original: Array
    """uint8 (height, width, channels)"""
    image: Array
    """uint8 (height, width, channels): the changed image."""
    probabilities: Array
    """float32 (classes): the answer to the changed image."""

    @property
    def found(self) -> bool:
        """Whether the network takes the changed image for the class that is wanted."""
        return int(self.probabilities.argmax()) == self.label and bool(np.isfinite(self.probabilities).all())

    @property
    def change(self) -> Array:
        """int16 (height, width, channels): what was added, below 0 what was taken away."""
        return self.image.astype(np.int16) - self.original

    @property
    def pixels(self) -> int:
        """How many pixels changed."""
        return int(self.change.any(axis=2).sum())

    @property
    def l2(self) -> float:
        """The Euclidean length of the change, values in 0..1."""
        return float(np.linalg.norm(self.change / 255))

    @property
    def linf(self) -> float:
        """The largest change of a value, in 0..1."""
        return float(np.abs(self.change).max(initial=0) / 255)


def counterfactual(predictor: Predictor, image: Array, label: int, steps: int = STEPS) -> Generator[Progress[Counterfactual]]:
    """Change the image, uint8 (height, width, channels), until the network answers `label`; each Progress has the image so far.

    Steepest ascent of z_label − max z_other within 0..255: in each step those pixels move whose blurred gradient is near the
    largest. When the class is reached, the change is made as small as it can be: first the largest part of it that comes from its
    weakest pixels is given up, then the rest is scaled down. So the last image is a small change, and not provably the smallest;
    where its `found` is False, `steps` steps did not reach the class. (After Papernot et al. 2016, arXiv 1511.07528, who move the
    most salient pixels, and Wachter et al. 2018, arXiv 1711.00399.)

    Raises ConfigError where image, class and network do not fit.
    """
    network = logits_of(predictor.network)
    Target(label).check(network.classes)
    whole_number(steps, "The number of steps", 1, 100_000)
    as_batch(network, image[None])
    return _changing(predictor, network, image, label, steps)


def _changing(predictor: Predictor, network: Network, image: Array, label: int, steps: int) -> Generator[Progress[Counterfactual]]:
    from scipy.ndimage import gaussian_filter

    x = image.astype(np.float32) / 255
    found = judged(predictor, label, image, image[None])[0]
    for step in range(steps):
        yield Progress(step, steps + 2, found)
        if found.found:
            break
        slope = gaussian_filter(margin(network, x, label)[1], (SMOOTH, SMOOTH, 0))
        slope[((x <= 0) & (slope < 0)) | ((x >= 1) & (slope > 0))] = 0
        largest = float(np.abs(slope).max())
        if not largest or not np.isfinite(largest):
            break
        slope[np.abs(slope) < NEAR * largest] = 0
        x = np.clip(x + np.float32(RATE / largest) * slope, 0, 1)
        found = judged(predictor, label, image, as_bytes(x)[None])[0]
    change = x - image.astype(np.float32) / 255
    if found.found and found.pixels:
        weakest = np.abs(change).max()
        found = smallest(predictor, found, lambda part: np.where(np.abs(change) >= (1 - part) * weakest, change, 0))
        yield Progress(steps + 1, steps + 2, found)
        rest = (found.change / 255).astype(np.float32)
        found = smallest(predictor, found, lambda part: part * rest)
    yield Progress(steps + 2, steps + 2, found)


def smallest(predictor: Predictor, found: Counterfactual, change_of: Callable[[float], Array]) -> Counterfactual:
    """The first of ever larger changes with which the network answers `found.label`; `found` itself where none of them does.

    `change_of(part)`, for part from 0 (nothing) to 1 (all of the change), is what is added to the original in 0..1. The parts are
    tried on a coarse grid, and then on a fine one in front of the first that works.
    """
    x, low, high = found.original.astype(np.float32) / 255, 0.0, 1.0
    for _ in range(2):
        parts = np.linspace(low, high, FRACTIONS + 1)[1:]
        images = np.stack([as_bytes(np.clip(x + change_of(float(part)), 0, 1)) for part in parts])
        tried = judged(predictor, found.label, found.original, images)
        first = next((n for n, each in enumerate(tried) if each.found), None)
        if first is None:
            break
        found, low, high = tried[first], parts[first - 1] if first else low, parts[first]
    return found


def judged(predictor: Predictor, label: int, original: Array, images: Array) -> list[Counterfactual]:
    """What the network says of each of the changed images, uint8 (N, height, width, channels)."""
    answers = predictor.predict(images)
    return [Counterfactual(label, original, image, row) for image, row in zip(images, answers, strict=True)]


def margin(network: Network, x: Array, label: int) -> tuple[float, Array]:
    """m = z_label − z_other, other being the strongest other class, and dm/dx, for x float32 (height, width, channels) in 0..1.

    The network gives logits, and is one's own.
    """
    weights = next(iter(network.parameters().values()), None)
    batch = x.reshape(1, *network.input_shape)
    logits = network.forward(batch if weights is None else beside(batch, weights.data))
    others = to_numpy(logits[0]).copy()
    others[label] = -np.inf
    target = Target(label, int(others.argmax()))
    return float(target.of(logits)[0]), to_numpy(network.backward(target.slope(logits))).reshape(x.shape)


def as_bytes(x: Array) -> Array:
    """Values in 0..1 as uint8."""
    return np.rint(x * 255).astype(np.uint8)
