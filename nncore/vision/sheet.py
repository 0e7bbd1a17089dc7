"""A sheet of paper that lies on something: finding its corners, and looking at it from straight above."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.vision.light import GREY_WEIGHTS, otsu
from nncore.vision.resample import averaged, shrunk

SEARCHED = 200
"""Pixels of the longer side in which the sheet is looked for."""
SMALLEST = 0.2
"""A sheet covers at least this share of the picture,"""
FULLEST = 0.97
"""and less than this; otherwise there is nothing beside it."""
STRAIGHT = 0.93
"""Share of its own outline's area that a sheet's four corners span at least, and the other way round."""
WHITE = 0.7
"""Share of a sheet that is paper and not ink."""
BRIGHT_BESIDE = 0.25
"""Share of what lies beside it that may be as bright; where it is more, dark lines part the paper itself."""
SHARPEST = 0.7
"""Cosine of the sharpest corner."""
NARROWEST = 0.4
"""Length of a side over that of the side across."""
INSET = 0.012
"""What is left out along the edges, as a share of the sheet's sides: their shadow, and what lies below."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """What was looked at of a picture: all of it, or a sheet of paper in it."""

    picture: Array
    """uint8 (rows, columns, 1 or 3), seen from straight above"""
    back: Array
    """float64 (3, 3): from a place (x, y, 1) on it to the picture's own pixels, times the third number that comes out"""
    found: bool
    """Whether it is a sheet that lies on something else."""

    def box(self, box: tuple[int, int, int, int], shape: tuple[int, ...]) -> tuple[float, float, float, float]:
        """Where a box (first row and column, one past the last) lies in the picture, given as that is, but as real numbers.

        The box is in pixels of something of the given shape that shows the whole sheet.
        """
        down, across = self.picture.shape[0] / shape[0], self.picture.shape[1] / shape[1]
        top, left, bottom, right = box
        corners = np.array([[x * across, y * down, 1.0] for x in (left, right) for y in (top, bottom)])
        places = corners @ self.back.T
        x, y = places[:, 0] / places[:, 2], places[:, 1] / places[:, 2]
        return float(y.min()), float(x.min()), float(y.max()), float(x.max())


def find_sheet(picture: Array, longest: int) -> Sheet:
    """The sheet of paper in a uint8 picture (height, width, 1 or 3), at most `longest` pixels a side, or all of the picture."""
    corners = _corners(picture)
    if corners is None:
        small = shrunk(picture, longest)
        return Sheet(small, np.diag([picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0], 1.0]), False)
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = float(max(sides[0], sides[2])), float(max(sides[1], sides[3]))
    scale = min(1.0, longest / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    back = _projection(np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], float), corners)
    return Sheet(_warped(picture, back, size), back, True)


def _corners(picture: Array) -> Array | None:
    """The corners of a sheet, clockwise from the upper left, (4, 2), x and y in the picture's pixels; None where there is none."""
    small = shrunk(picture, SEARCHED).astype(np.float32)
    grey = small[..., 0] if small.shape[2] == 1 else small @ GREY_WEIGHTS
    if min(grey.shape) < 40:
        return None
    border = np.concatenate([grey[:2].ravel(), grey[-2:].ravel(), grey[2:-2, :2].ravel(), grey[2:-2, -2:].ravel()])
    # Brighter than all of the border, so that a shadow on the sheet belongs to it; or brighter than most of the picture.
    for threshold in (float(np.quantile(border, 0.98)) + 12, otsu(grey)):
        corners = _four_corners(grey > threshold)
        if corners is not None:
            middle = corners.mean(axis=0)
            inner = middle + (corners - middle) * (1 - 2 * INSET)
            return inner * (picture.shape[1] / grey.shape[1], picture.shape[0] / grey.shape[0])
    return None


def _four_corners(bright: Array) -> Array | None:
    """The corners (4, 2) of the largest bright region (rows, columns), where it has four straight sides and is mostly bright."""
    from scipy.ndimage import binary_fill_holes, binary_opening, label

    numbers, count = label(binary_opening(bright, np.ones((3, 3), bool)))
    if not count:
        return None
    largest = numbers == 1 + int(np.bincount(numbers.ravel())[1:].argmax())
    filled = binary_fill_holes(largest)
    area = float(filled.sum())
    if not SMALLEST * bright.size < area < FULLEST * bright.size or largest.sum() < WHITE * area:
        return None
    if bright[~filled].mean() > BRIGHT_BESIDE:
        return None
    rows, columns = np.nonzero(filled & ~_inside(filled))
    places = np.stack([columns + 0.5, rows + 0.5], axis=1)
    best, spanned = None, 0.0
    # The farthest points along two crossing diagonals, in the direction in which they span most.
    for turn in np.linspace(-np.pi / 4, np.pi / 4, 13):
        axis = np.array([np.cos(turn), np.sin(turn)])
        along, down = places @ axis, places @ np.array([-axis[1], axis[0]])
        corners = places[[np.argmin(along + down), np.argmax(along - down), np.argmax(along + down), np.argmin(along - down)]]
        if (this := _area(corners)) > spanned:
            best, spanned = corners, this
    if best is None or not STRAIGHT * area <= spanned <= area / STRAIGHT:
        return None
    return best if _is_plausible(best, bright.shape) else None


def _is_plausible(corners: Array, shape: tuple[int, ...]) -> bool:
    """Whether four corners may be those of a sheet seen from above, and not of the lit part of a page that is half in the shade.

    At most one side of a sheet lies along the border of a picture of that shape.
    """
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(sides, axis=1)
    cosines = (sides * np.roll(sides, 1, axis=0)).sum(axis=1) / np.maximum(lengths * np.roll(lengths, 1), 1e-9)
    if np.abs(cosines).max() > SHARPEST or min(lengths[0], lengths[2]) < NARROWEST * max(lengths[0], lengths[2]):
        return False
    if min(lengths[1], lengths[3]) < NARROWEST * max(lengths[1], lengths[3]):
        return False
    near = 0.015 * max(shape)
    (x, y), (height, width) = corners.T, shape
    at_border = np.stack([x < near, y < near, x > width - near, y > height - near])
    return int((at_border & np.roll(at_border, -1, axis=1)).sum()) <= 1


def _inside(region: Array) -> Array:
    """The pixels of a region all of whose neighbours belong to it."""
    from scipy.ndimage import binary_erosion

    return binary_erosion(region, np.ones((3, 3), bool))


def _area(corners: Array) -> float:
    x, y = corners.T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def _projection(here: Array, there: Array) -> Array:
    """The projection (3, 3) that takes four points (4, 2) to four others."""
    equations, values = [], []
    for (x, y), (u, v) in zip(here, there, strict=True):
        equations += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(equations), np.array(values)), 1.0).reshape(3, 3)


def _warped(picture: Array, back: Array, size: tuple[int, int]) -> Array:
    """The picture as seen through a projection from (x, y) of the result, which has `size` = (width, height), to its own pixels."""
    from PIL import Image

    # Sampling alone would leave out pixels where the result is much smaller.
    factor = max(1, int(min(np.hypot(*back[:2, 0]), np.hypot(*back[:2, 1])) + 0.25))
    flat = picture[..., 0] if picture.shape[2] == 1 else picture
    image = Image.fromarray(averaged(flat, factor, factor) if factor > 1 else np.ascontiguousarray(flat))
    numbers = (np.diag([1 / factor, 1 / factor, 1.0]) @ back).ravel()[:8]
    warped = np.array(image.transform(size, Image.Transform.PERSPECTIVE, tuple(map(float, numbers)), Image.Resampling.BILINEAR))
    return warped[..., None] if warped.ndim == 2 else warped
