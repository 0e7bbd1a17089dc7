"""Changing the size of a picture without jagged edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nncore.arrays import Array

if TYPE_CHECKING:
    from PIL.Image import Image


AT_ONCE = 2**20
"""Pixels that are handed to Pillow at a time: it keeps four bytes of each, whatever the picture has."""
GAP = 3.0
"""Shrinking to less than a third first averages whole blocks, which is fast and cannot be told from the careful way."""


def resized(picture: Array, size: tuple[int, ...]) -> Array:
    """float32 (rows, columns) or uint8 (rows, columns, 1 or 3) made `size` = (rows, columns), of the same type.

    Growing is smooth, shrinking averages (a triangle filter as wide as the coarser of the two grids). Of a large picture no copy
    is made on the way.
    """
    from PIL import Image

    flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    rows, columns = flat.shape[:2]
    down, across = (max(1, int(old / new / GAP)) for old, new in zip(flat.shape, size, strict=False))
    box = (0.0, 0.0, columns / across, rows / down)
    if rows * columns > AT_ONCE and size[1] < columns:
        # Pillow makes pictures narrower before it makes them lower, too, so strips give the same but for a last rounding.
        narrow = [
            np.asarray(part.resize((size[1], part.height), Image.Resampling.BILINEAR, (0.0, 0.0, box[2], part.height)))
            for part in _blocks(flat, across, down)
        ]
        image, box = Image.fromarray(np.concatenate(narrow)), (0.0, 0.0, size[1], box[3])
    else:
        (image,) = _blocks(flat, across, down, len(flat))
    result = np.array(image.resize((size[1], size[0]), Image.Resampling.BILINEAR, box))
    return result[..., None] if picture.ndim == 3 and result.ndim == 2 else result


def averaged(picture: Array, across: int, down: int) -> Array:
    """uint8 (rows, columns) or (rows, columns, 3) with blocks so many pixels wide and high averaged, of the same type."""
    return np.concatenate([np.asarray(part) for part in _blocks(picture, across, down)])


def _blocks(flat: Array, across: int, down: int, high: int = 0) -> Iterator[Image]:
    """A picture in strips, `high` or as many rows as make AT_ONCE pixels, with blocks averaged."""
    from PIL import Image

    high = high or down * max(1, AT_ONCE // (flat.shape[1] * down))
    for top in range(0, len(flat), high):
        part = Image.fromarray(np.ascontiguousarray(flat[top : top + high]))
        yield part if across == down == 1 else part.reduce((across, down))


def shrunk(picture: Array, longest: int) -> Array:
    """The picture (as in `resized`) made smaller, in proportion, until its longer side is at most `longest`."""
    side = max(picture.shape[:2])
    if side <= longest:
        return picture
    return resized(picture, tuple(max(1, round(length * longest / side)) for length in picture.shape[:2]))
