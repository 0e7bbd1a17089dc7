"""Changing the size of a picture without jagged edges."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array


def resized(picture: Array, size: tuple[int, ...]) -> Array:
    """float32 (rows, columns) or uint8 (rows, columns, 1 or 3) made `size` = (rows, columns), of the same type.

    Growing is smooth, shrinking averages (a triangle filter as wide as the coarser of the two grids).
    """
    from PIL import Image

    flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    # Shrinking to less than a third first averages whole blocks, which is fast and cannot be told from the careful way.
    image = Image.fromarray(np.ascontiguousarray(flat)).resize((size[1], size[0]), Image.Resampling.BILINEAR, reducing_gap=3.0)
    result = np.array(image)
    return result[..., None] if picture.ndim == 3 and result.ndim == 2 else result


def shrunk(picture: Array, longest: int) -> Array:
    """The picture (as in `resized`) made smaller, in proportion, until its longer side is at most `longest`."""
    side = max(picture.shape[:2])
    if side <= longest:
        return picture
    return resized(picture, tuple(max(1, round(length * longest / side)) for length in picture.shape[:2]))
