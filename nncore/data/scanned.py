"""Digits as a coarse scan gives them back: 16×16 pixels, in proportion or stretched into the square, grey or black and white."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.data.dataset import Dataset
from nncore.vision.centring import centre_digit, ink_box
from nncore.vision.resample import resized

GRID = 16
"""Pixels along the longer side of a scan."""


def scanned(data: Dataset, seed: int = 0) -> Dataset:
    """Grey digits, uint8 (N, 28, 28, 1), scanned coarsely and prepared again as any picture is; fixed by the seed.

    Half of them are stretched until they fill a square, and half are black and white. An image without ink stays as it is.
    """
    rng = np.random.default_rng(seed)
    chances = rng.random((len(data), 2)) < 0.5
    images = np.empty_like(data.images)
    for index, (stretched, black_and_white) in enumerate(chances):
        images[index, ..., 0] = _scanned(data.images[index, ..., 0], bool(stretched), bool(black_and_white))
    return Dataset(images, data.labels, f"{data.name}, scanned", f"{data.source}, scanned with seed {seed}", data.class_names)


def _scanned(image: Array, stretched: bool, black_and_white: bool) -> Array:
    """uint8 (28, 28) from the same."""
    ink = image.astype(np.float32) / 255
    box = ink_box(ink)
    if box is None:
        return image
    digit = ink[box]
    size = (GRID, GRID) if stretched else tuple(max(2, round(length * GRID / max(digit.shape))) for length in digit.shape)
    coarse = resized(digit, size)
    if black_and_white:
        # What a scanner takes for ink lies a little below the middle between paper and ink.
        coarse = (coarse > 0.4).astype(np.float32)
    return centre_digit(np.pad(coarse, 1))
