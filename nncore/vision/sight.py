"""What the network sees of a picture, and every step on the way there, to show the user what happened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nncore.arrays import Array, Shape
from nncore.vision.centre import centre_digit, ink_box
from nncore.vision.dirt import clean
from nncore.vision.ink import GREY_WEIGHTS, LONGEST_SIDE, brightness, evened, ink_of
from nncore.vision.resample import resized, shrunk

Box: TypeAlias = tuple[int, int, int, int]
"""(x, y, width, height) of a part of a picture, in its pixels."""


@dataclass(frozen=True, eq=False)
class Sight:
    """A picture of one digit as the network sees it."""

    image: Array
    """uint8 (28, 28, 1), bright on black, as in MNIST; all zero where the picture is blank"""
    stages: list[tuple[str, Array]]
    """(title, uint8 picture (height, width, 1 or 3)) of each step, from the picture to the image"""
    box: Box | None
    """Where in the picture the digit lies; None where no ink was found."""

    @property
    def blank(self) -> bool:
        """Whether no ink was found."""
        return self.box is None


def see_digit(picture: Array) -> Sight:
    """Find the one digit in a uint8 picture (height, width, 1 or 3), dark on bright or bright on dark, and make it MNIST's."""
    grey = brightness(picture)
    depth = evened(grey)
    ink = ink_of(depth)
    cleaned = clean(ink)
    image = centre_digit(cleaned)[..., None]
    box = ink_box(cleaned)
    stages = [
        ("Picture", picture),
        ("Even light", _shown(depth / max(float(depth.max()), 1.0))),
        ("Ink", _shown(ink)),
        ("Cleaned", _shown(cleaned)),
    ]
    if box is not None:
        stages += [("Cropped", _shown(cleaned[box])), ("Centred", image)]
    return Sight(image, stages, None if box is None else _box_in(picture, cleaned.shape, box))


def see_drawing(picture: Array) -> Sight:
    """Make MNIST's digit of a drawing on our own sheet: uint8 (height, width, 1), ink 255 on 0.

    What `see_digit` must find out of a photograph, where the ink is and how dark, is known here; so it takes a tenth of
    the time, and a pen can be followed.
    """
    ink = picture[..., 0] * np.float32(1 / 255)
    box = ink_box(ink)
    image = centre_digit(ink)[..., None]
    stages = [("Picture", picture)]
    if box is not None:
        stages += [("Cropped", picture[box]), ("Centred", image)]
    return Sight(image, stages, None if box is None else _box_in(picture, ink.shape, box))


def fit_colour(picture: Array, shape: Shape) -> Array:
    """A uint8 picture (height, width, 1 or 3) made `shape` = (height, width, 1 or 3): padded by its edges, resized, coloured."""
    rows, columns, channels = shape
    # A picture of one long line would be filled up to a square of any size.
    picture = shrunk(picture, max(rows, columns, LONGEST_SIDE))
    tall, wide = picture.shape[:2]
    # The shorter way is filled up with what lies at the border.
    more_rows = max(0, round(wide * rows / columns) - tall)
    more_columns = max(0, round(tall * columns / rows) - wide)
    around = ((more_rows // 2, more_rows - more_rows // 2), (more_columns // 2, more_columns - more_columns // 2), (0, 0))
    fitted = resized(np.pad(picture, around, mode="edge"), (rows, columns))
    if channels == 1 and fitted.shape[2] == 3:
        fitted = np.round(fitted @ GREY_WEIGHTS)[..., None].astype(np.uint8)
    return np.array(np.broadcast_to(fitted, shape))


def _box_in(picture: Array, seen: Shape, place: tuple[slice, slice]) -> Box:
    """The rows and columns `place` of what was seen, which has the shape `seen`, as a box of the picture in its full size."""
    rows, columns = place
    down, across = picture.shape[0] / seen[0], picture.shape[1] / seen[1]
    top, left = math.floor(rows.start * down), math.floor(columns.start * across)
    bottom, right = math.ceil(rows.stop * down), math.ceil(columns.stop * across)
    return left, top, min(right, picture.shape[1]) - left, min(bottom, picture.shape[0]) - top


def _shown(values: Array) -> Array:
    return np.round(values * 255).astype(np.uint8)[..., None]
