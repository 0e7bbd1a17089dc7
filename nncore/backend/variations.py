"""What the compiled variation of images is told: the letters of the formula in nncore/data/augment.py, for each image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array

KNOTS = 8
"""Random vectors of the elastic warp along each side of a picture: a row of them fills whole vector registers."""
NOISE = 2**16
"""Numbers in the table that noise is taken from: a power of two."""


@dataclass(frozen=True, eq=False)
class Variations:
    """What happens to each of N images: the letters of the formula."""

    linear: Array
    """M: float32 (N, 2, 2), applied to (x, y)"""
    shift: Array
    """d: float32 (N, 2), x and y in pixels"""
    control: Array
    """C: float32 (N, KNOTS, KNOTS, 2), by row and column, x and y in pixels"""
    thickness: Array
    """Pixels by which strokes grow (positive) or shrink, at most one: float32 (N)"""
    noise: Array
    """σ: float32 (N), of 255"""
    noise_from: Array
    """Where in the table of noise each image's begins: int32 (N)"""

    def of(self, part: slice) -> Variations:
        """Those of some of the images, in memory of the layout that the kernel reads."""
        kinds = {"noise_from": np.int32}
        arrays = {name: np.ascontiguousarray(value[part], kinds.get(name, np.float32)) for name, value in vars(self).items()}
        return Variations(**arrays)
