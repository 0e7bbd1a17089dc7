"""Parts of photographs (those that scikit-image brings; the extra `ship`), and what is found in them: no digits."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from PIL import Image

from nncore.arrays import Array

Rng = np.random.Generator

LEARNED = (
    "coffee.png",
    "chelsea.png",
    "brick.png",
    "grass.png",
    "gravel.png",
    "motorcycle_left.png",
    "camera.png",
    "ihc.png",
    "moon.png",
)
HELD_OUT = ("astronaut.png", "coins.png", "rocket.jpg", "retina.jpg", "hubble_deep_field.jpg", "cell.png")
LEAST, LARGEST = 60, 420
"""Of the sides of a part, in pixels."""


@cache
def _photo(name: str) -> Array:
    with Image.open(str(resources.files("skimage") / "data" / name)) as picture:
        picture.thumbnail((900, 900))
        return np.asarray(picture.convert("RGB"))


def part_of_a_photo(names: tuple[str, ...], rng: Rng) -> Array:
    """uint8 (rows, columns, 3): some part of one of the photographs, turned, enlarged or made smaller."""
    photo = _photo(str(rng.choice(names)))
    rows, columns = (int(rng.integers(LEAST, min(LARGEST, side) + 1)) for side in photo.shape[:2])
    top, left = int(rng.integers(0, len(photo) - rows + 1)), int(rng.integers(0, photo.shape[1] - columns + 1))
    part = np.rot90(photo[top : top + rows, left : left + columns], int(rng.integers(0, 4)))
    scale = float(np.exp(rng.uniform(np.log(0.5), np.log(2.0))))
    size = max(24, round(part.shape[1] * scale)), max(24, round(part.shape[0] * scale))
    return np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BILINEAR))
