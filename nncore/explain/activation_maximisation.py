"""What a unit looks for, drawn by the network itself: an image that grows by gradient ascent."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from nncore.arrays import Array, Shape, beside, to_numpy
from nncore.checks import positive_number, real_number, whole_number
from nncore.explain.networks import image_shape_of, own_copy, up_to
from nncore.explain.progress import Progress
from nncore.explain.receptive_field import receptive_field
from nncore.layers import Conv2d, Linear
from nncore.layers.activations import Activation
from nncore.network import Network
from nncore.prediction import Predictor

STEPS = 120
GREY, SPECKLE = 0.1, 0.05
"""The image that is begun with: a dark grey, and the standard deviation of the noise on it."""
BLUR_EVERY = 4
"""Steps between two blurs."""
SHAKEN = 8
"""The jitter is at most one part in so many of the receptive field: a small patch would only be smeared."""
FLAT = 0.05
"""Differences of neighbours that are much smaller hardly count in the total variation, so that flat parts do not flicker."""


@dataclass(frozen=True)
class Regularisation:
    """What keeps the image from becoming noise that excites the unit just as much. Each may be 0."""

    jitter: int = 2
    """Pixels by which the image is shifted at random before each step, each way: what depends on single pixels does not grow."""
    blur: float = 0.5
    """Standard deviation in pixels of the blur after every fourth step."""
    decay: float = 0.01
    """The share of the image that each step takes away: what does not help the unit becomes black."""
    variation: float = 0.02
    """How far each step follows the slope of the total variation down: neighbours become equal."""


@dataclass(frozen=True, eq=False)
class MadeImage:
    """An image that excites a unit, so far."""

    image: Array
    """float32 (height, width, channels) in 0..1"""
    activation: float
    """The unit's output for this image; of a feature map at `place`."""
    place: tuple[int, int]
    """The (row, column) of the feature map; (0, 0) for a vector. What lies outside its receptive field becomes black."""


def activation_maximisation(
    predictor: Predictor,
    layer: str,
    unit: int,
    place: tuple[int, int] | None = None,
    steps: int = STEPS,
    rate: float = 0.05,
    regularisation: Regularisation = Regularisation(),
    seed: int = 0,
    image_shape: Shape | None = None,
) -> Generator[Progress[MadeImage]]:
    """Change noise, step by step, until `unit` of `layer` answers to it strongly; each Progress has the image so far.

    x ← x + rate · g / rms(g) less the regularisation, within 0..1, where g is the gradient of the unit's output; of a feature map
    that at `place` (row, column), the middle unless given. An activation behind the last weights is left out of g, since its slope
    may be zero; a larger input of an activation makes a larger output. Erhan et al. 2009; jitter, blur and decay after Yosinski et
    al. 2015, arXiv 1506.06579, and Mahendran and Vedaldi 2016, arXiv 1512.02017. The same seed gives the same image.

    Raises ConfigError where there is no such layer, unit or place. `image_shape` as for `receptive_field`.
    """
    whole = up_to(predictor.network, layer)
    shape = image_shape_of(whole) if image_shape is None else image_shape
    whole_number(unit, f"The unit of {layer}", 0, whole.output_shape[-1] - 1)
    whole_number(steps, "The number of steps", 1, 100_000)
    positive_number(rate, "The rate")
    whole_number(regularisation.jitter, "The jitter", 0, min(shape[:2]))
    for name in ("blur", "decay", "variation"):
        real_number(getattr(regularisation, name), f"The {name}", "of at least 0", lambda number: number >= 0)
    rows, columns = whole.output_shape[:2] if len(whole.output_shape) == 3 else (1, 1)
    place = (rows // 2, columns // 2) if place is None else place
    whole_number(place[0], "The row", 0, rows - 1)
    whole_number(place[1], "The column", 0, columns - 1)
    field = receptive_field(whole, layer, *place, shape)
    regularisation = replace(regularisation, jitter=min(regularisation.jitter, min(field.height, field.width) // SHAKEN))
    return _growing(_Unit(whole, unit, place), _Unit(_always_sloped(whole), unit, place), shape, steps, rate, regularisation, seed)


def _always_sloped(network: Network) -> Network:
    """The network without the activation that stands behind its last weights, where one does."""
    twin = own_copy(network)
    for at in reversed(range(1, len(twin.layers))):
        if isinstance(twin.layers[at], (Conv2d, Linear)):
            break
        if isinstance(twin.layers[at], Activation):
            del twin.layers[at]
            break
    return twin


class _Unit:
    """One unit of the last layer of a network of one's own."""

    def __init__(self, network: Network, unit: int, place: tuple[int, int]) -> None:
        self.network, self.place = network, place
        self.weights = np.zeros((1, *network.output_shape), np.float32)  # the unit's output is their product with the layer's
        self.weights[(0, *place, unit) if len(network.output_shape) == 3 else (0, unit)] = 1

    def output(self, x: Array) -> float:
        return float((to_numpy(self._forward(x)) * self.weights).sum())

    def gradient(self, x: Array) -> Array:
        """The gradient of the output by the image x (height, width, channels)."""
        output = self._forward(x)
        return to_numpy(self.network.backward(beside(self.weights, output))).reshape(x.shape)

    def _forward(self, x: Array) -> Array:
        parameter = next(iter(self.network.parameters().values()), None)
        batch = x.reshape(1, *self.network.input_shape)
        return self.network.forward(batch if parameter is None else beside(batch, parameter.data))


def _growing(
    unit: _Unit, followed: _Unit, shape: Shape, steps: int, rate: float, regularisation: Regularisation, seed: int
) -> Generator[Progress[MadeImage]]:
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    x: Array = np.clip(GREY + SPECKLE * rng.standard_normal(shape), 0, 1).astype(np.float32)
    yield Progress(0, steps, MadeImage(x, unit.output(x), unit.place))
    for step in range(1, steps + 1):
        shift = tuple(rng.integers(-regularisation.jitter, regularisation.jitter + 1, 2).tolist())
        slope = np.roll(followed.gradient(np.roll(x, shift, (0, 1))), (-shift[0], -shift[1]), (0, 1))
        size = float(np.sqrt(np.square(slope).mean()))
        if size and np.isfinite(size):
            x = x + np.float32(rate / size) * slope
        x = (1 - np.float32(regularisation.decay)) * x - np.float32(regularisation.variation) * variation_slope(x)
        if regularisation.blur and step % BLUR_EVERY == 0:
            x = gaussian_filter(x, (regularisation.blur, regularisation.blur, 0))
        x = np.clip(x, 0, 1)
        yield Progress(step, steps, MadeImage(x, unit.output(x), unit.place))


def variation_slope(x: Array) -> Array:
    """The gradient of Σ √(d² + FLAT²) over the differences d of neighbours in x (height, width, channels): −4 to 4."""
    slope = np.zeros_like(x)
    for axis in (0, 1):
        differences = np.diff(x, axis=axis)
        pulls = differences / np.sqrt(differences**2 + np.float32(FLAT**2))
        ahead, behind = [slice(None)] * 3, [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        slope[tuple(ahead)] += pulls
        slope[tuple(behind)] -= pulls
    return slope
