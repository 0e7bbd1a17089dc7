"""A picture in halves of its size, so that any part of it is drawn quickly at any scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from nncore.arrays import Array

LEAST = 512
"""Pixels of the longer side that need not be halved any more."""
AT_ONCE = 2**16
"""Pixels that are made at a time: each takes several bytes meanwhile."""
QUICK = 1_500_000
"""Pixels of a picture that is halved in a few milliseconds."""


@dataclass(frozen=True, eq=False)
class Level:
    """A picture whose pixels are `factor` times as wide and high as those of the original."""

    factor: int
    pixels: Array
    """uint8 (height, width) or (height, width, 3), which `image` shows without a copy."""
    image: QImage

    @classmethod
    def of(cls, pixels: Array, factor: int) -> Level:
        """uint8 pixels (height, width, 1 or 3)."""
        flat = np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        kind = QImage.Format.Format_Grayscale8 if flat.ndim == 2 else QImage.Format.Format_RGB888
        return cls(factor, flat, QImage(flat.data, flat.shape[1], flat.shape[0], flat.strides[0], kind))


def levels_of(pixels: Array) -> list[Level]:
    """The picture, uint8 (height, width, 1 or 3), and its halves, the finest first."""
    levels = [Level.of(pixels, 1)]
    while max(pixels.shape[:2]) > LEAST and min(pixels.shape[:2]) >= 4:
        pixels = halved(pixels)
        levels.append(Level.of(pixels, 2 * levels[-1].factor))
    return levels


def rough_levels(pixels: Array) -> list[Level]:
    """The same without a wait: every so-many-th pixel in place of means, and of large pictures one coarse level."""
    step = 1
    while pixels.shape[0] * pixels.shape[1] > QUICK * step * step:
        step *= 2
    return [Level.of(pixels, 1), *([Level.of(pixels[::step, ::step], step)] if step > 1 else [])]


def halved(pixels: Array) -> Array:
    """The means of two by two pixels, uint8 (height // 2, width // 2, 1 or 3)."""
    height, width = (side // 2 for side in pixels.shape[:2])
    found = np.empty((height, width, *pixels.shape[2:]), np.uint8)
    step = max(1, AT_ONCE // max(width, 1))
    for top in range(0, height, step):
        part = pixels[2 * top : 2 * min(top + step, height), : 2 * width]
        rows = part[::2].astype(np.uint16)
        rows += part[1::2]
        means = rows[:, ::2] + rows[:, 1::2]
        means += 2
        means >>= 2
        found[top : top + step] = means
    return found


def level_for(levels: Sequence[Level], scale: float) -> Level:
    """The coarsest level that has at least the pixels that are shown at `scale` (of the screen to the picture)."""
    return max((level for level in levels if level.factor * scale <= 1), key=lambda level: level.factor, default=levels[0])


def thumbnail(pixels: Array, side: int) -> QImage:
    """A picture, uint8 (height, width, 1 or 3), made smaller until it fits a square of `side` pixels; small ones stay as they are.

    Only some of the pixels of a large picture are looked at.
    """
    step = max(1, max(pixels.shape[:2]) // (4 * side))
    level = Level.of(pixels[::step, ::step], step)  # which must live until its image is copied
    width, height = level.image.width(), level.image.height()
    scale = side / max(width, height)
    if scale >= 1:
        return level.image.copy()
    mode = Qt.TransformationMode.SmoothTransformation
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return level.image.scaled(*size, Qt.AspectRatioMode.IgnoreAspectRatio, mode).copy()
