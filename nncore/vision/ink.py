"""From how far each pixel stands out from the paper to ink: 1 where the pen was, 0 on the paper."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.vision.light import brightness, evened, otsu
from nncore.vision.resample import shrunk

LONGEST_SIDE = 640
"""Larger pictures of one digit are shrunk first: a digit needs no more pixels."""
LEAST_CONTRAST = 14.0
"""Ink that differs less from the paper, in steps of 255, is none."""
LEAST_INK = 4
"""Pixels of ink below which a picture counts as blank."""


def ink_map(picture: Array) -> Array:
    """The ink of a uint8 picture (height, width, 1 or 3): float32 (rows, columns), 0 to 1, at most 640 pixels a side.

    Dark on bright and bright on dark both give 1 for ink; uneven light is taken out; all zero where the picture is blank.
    """
    return ink_of(evened(brightness(shrunk(picture, LONGEST_SIDE))).depth)


def ink_of(depth: Array) -> Array:
    """Ink, 0 to 1, from how far each pixel (height, width) stands out from the paper: half-tones stay at the edges only."""
    # Neighbours differ by noise alone nearly everywhere, however much of the picture is ink.
    noise = 1.05 * float(np.median(np.abs(np.diff(depth[:: max(1, len(depth) // 100)], axis=1)))) if depth.shape[1] > 1 else 0.0
    threshold = max(otsu(depth), 4 * noise, LEAST_CONTRAST / 2)
    strong = depth[depth > threshold]
    if len(strong) < LEAST_INK or (full := float(np.median(strong))) < max(LEAST_CONTRAST, 5 * noise):
        return np.zeros_like(depth)
    low = max(0.2 * full, min(3 * noise, 0.5 * full))
    return np.clip((depth - low) / (0.85 * full - low), 0, 1).astype(np.float32)
