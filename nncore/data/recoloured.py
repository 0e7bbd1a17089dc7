"""Colour pictures with other colours, fainter and less sharp: what a digit is does not depend on that, and a few thousand
photographs show little of it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from nncore.data.dataset import Dataset

STRENGTH = 0.2, 1.3
"""Least and most contrast of a picture, of what it had."""
FAINTEST = 10.0
"""Contrast (standard deviation, of 255) below which no picture is made fainter: its digit must stay above the noise."""
LIGHTER = 30.0
"""How much lighter or darker a picture becomes (standard deviation, of 255)."""
TINT = 12.0
"""How much of it each colour follows by itself (standard deviation, of 255)."""
BLUR = 1.2
"""Most blur, in pixels (standard deviation of the Gaussian). Half of the images have none."""


def recoloured(data: Dataset, seed: int = 0) -> Dataset:
    """Each image, uint8 (N, height, width, 3), with its colours exchanged, its contrast and brightness changed and, for half of
    them each, turned into its negative and blurred. Fixed by the seed.
    """
    rng = np.random.default_rng(seed)
    count = len(data)
    order = rng.permuted(np.tile(np.arange(3), (count, 1)), axis=1)
    contrast = np.array([image.std() for image in data.images])
    least = np.clip(FAINTEST / np.maximum(contrast, 1), STRENGTH[0], 1)
    factor = np.exp(rng.uniform(np.log(least), np.log(STRENGTH[1]))) * rng.choice([-1.0, 1.0], count)
    shift = rng.normal(0, LIGHTER, (count, 1)) + rng.normal(0, TINT, (count, 3))
    blur = np.maximum(rng.uniform(-BLUR, BLUR, count), 0)
    images = np.empty_like(data.images)
    for index, image in enumerate(data.images):
        values = image[..., order[index]].astype(np.float32)
        if blur[index]:
            values = ndimage.gaussian_filter(values, (blur[index], blur[index], 0), mode="nearest")
        mean = values.mean(axis=(0, 1))
        # A negative keeps its distance from white: the mean is turned over, too.
        middle = mean if factor[index] > 0 else 255 - mean
        varied = (values - mean) * factor[index] + middle + shift[index]
        images[index] = np.clip(np.rint(varied), 0, 255)
    return Dataset(images, data.labels, f"{data.name}, recoloured", f"{data.source}, recoloured with seed {seed}", data.class_names)
