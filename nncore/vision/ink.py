"""From a picture to its ink: 1 where the pen was, 0 on the paper, whatever the colours, the light and the dirt."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.vision.resample import resized, shrunk

LONGEST_SIDE = 640
"""Larger pictures are shrunk first: a digit needs no more pixels."""
LEAST_CONTRAST = 14.0
"""Ink that differs less from the paper, in steps of 255, is none."""
GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
"""Share of red, green and blue in the brightness that the eye sees."""
MIXED_BORDER = (0.35, 0.65)
"""Share of dark pixels in the border between which it does not tell the paper from the ink."""
MEDIAN = 13
"""Side of the window, of a picture of 64 pixels, in which most is taken for paper."""
LEAST_INK = 4
"""Pixels of ink below which a picture counts as blank."""


def brightness(picture: Array) -> Array:
    """The brightness, float32 (height, width) from 0 to 255, of a uint8 picture (height, width, 1 or 3), shrunk to 640 pixels.

    Of a colour picture it is the mixture of red, green and blue in which its colours differ most, so that red on green of
    the same brightness can be told apart.
    """
    small = shrunk(picture, LONGEST_SIDE).astype(np.float32)
    if small.shape[2] == 1:
        return small[..., 0]
    grey = small @ GREY_WEIGHTS
    colours = small.reshape(-1, 3) - small.reshape(-1, 3).mean(axis=0)
    spread, axes = np.linalg.eigh(colours.T @ colours / len(colours))
    if np.sqrt(max(spread[2], 0)) < 1.5 * grey.std() + 1:
        return grey
    mixture = axes[:, 2] * (1 if axes[:, 2].sum() > 0 else -1)
    return np.clip(128 + (colours @ mixture.astype(np.float32)).reshape(grey.shape), 0, 255)


def dark_paper(grey: Array) -> bool:
    """Whether the paper is darker than the ink in a picture (height, width).

    The border of the picture is paper. Where the light is so uneven that half of the border is bright and half is dark, it
    is the other way round: ink is what differs from its surroundings.
    """
    grey = shrunk(grey, 128)
    width = max(1, round(min(grey.shape) / 16))
    border = np.concatenate(
        [grey[:width].ravel(), grey[-width:].ravel(), grey[width:-width, :width].ravel(), grey[width:-width, -width:].ravel()]
    )
    dark = float((border <= otsu(grey)).mean())
    if MIXED_BORDER[0] < dark < MIXED_BORDER[1]:
        return _ink_is_bright(grey)
    return dark > 0.5 and float(grey.min()) < float(grey.max())


def _ink_is_bright(grey: Array) -> bool:
    """Whether more stands out brightly from the median of its surroundings than darkly."""
    from PIL import Image, ImageFilter

    small = np.clip(shrunk(grey, 64), 0, 255).astype(np.uint8)
    around = np.pad(small, MEDIAN // 2, mode="symmetric")
    inner = slice(MEDIAN // 2, -(MEDIAN // 2))
    paper = np.asarray(Image.fromarray(around).filter(ImageFilter.MedianFilter(MEDIAN)))[inner, inner]
    difference = small.astype(np.float32) - paper
    difference[np.abs(difference) < 6] = 0
    return float((np.maximum(difference, 0) ** 2).sum()) > float((np.minimum(difference, 0) ** 2).sum())


def paper_level(grey: Array) -> Array:
    """The brightness that the bright paper has, or would have under the ink: float32 of the shape of `grey` (height, width)."""
    small = shrunk(grey, 48)
    slope = _slope(small)
    reach = max(2, round(max(small.shape) / 6))
    # A closing: dark things narrower than twice the reach vanish, slow changes of the light stay. It would brighten the dark
    # end of an even slope, so that is taken out first.
    closed = -spread(-spread(small - slope, reach), reach) + slope
    return np.minimum(resized(_smooth(closed, 2), grey.shape), 255)


def _slope(grey: Array) -> Array:
    """The plane that lies on the paper of a picture (rows, columns), dark things left out."""
    rows, columns = np.indices(grey.shape, np.float32)
    terms = np.stack([np.ones_like(rows), rows, columns], axis=-1).reshape(-1, 3)
    values, paper = grey.ravel(), np.ones(grey.size, bool)
    plane = np.zeros_like(values)
    for _ in range(4):
        weights = np.linalg.lstsq(terms[paper], values[paper], rcond=None)[0]
        plane = (terms @ weights).astype(np.float32)
        paper = values > plane - 12
        if np.count_nonzero(paper) < 0.3 * len(values):
            return np.zeros_like(grey)
    return plane.reshape(grey.shape)


def ink_map(picture: Array) -> Array:
    """The ink of a uint8 picture (height, width, 1 or 3): float32 (rows, columns), 0 to 1, at most 640 pixels a side.

    Dark on bright and bright on dark both give 1 for ink; uneven light is taken out; all zero where the picture is blank.
    """
    return ink_of(evened(brightness(picture)))


def evened(grey: Array) -> Array:
    """How much darker than the paper each pixel is, or brighter if the paper is dark: float32 (height, width), 0 to 255."""
    bright = 255 - grey if dark_paper(grey) else grey
    return np.maximum(paper_level(bright) - bright, 0)


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


def otsu(values: Array) -> float:
    """The threshold that parts the values (any shape, 0 to 255) into two groups of the least variance within (Otsu 1979)."""
    counts = np.bincount(np.clip(values, 0, 255).astype(np.uint8).ravel(), minlength=256).astype(np.float64)
    below = np.cumsum(counts)
    above = below[-1] - below
    total = np.cumsum(counts * np.arange(256))
    inner = (below > 0) & (above > 0)
    if not inner.any():
        return float(np.argmax(counts))
    gap = total[inner] / below[inner] - (total[-1] - total[inner]) / above[inner]
    between = below[inner] * above[inner] * gap**2
    levels = np.flatnonzero(inner)
    # Where nothing lies between the two groups every level there is as good: the middle one is taken.
    best = levels[between >= between.max() * (1 - 1e-9)]
    return float(best[0] + best[-1]) / 2


def spread(values: Array, reach: int) -> Array:
    """The largest value within `reach` pixels along both axes."""
    for _ in range(2):
        values = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
        width = 1
        # A window of twice the width is two windows side by side.
        while width < 2 * reach + 1:
            step = min(width, 2 * reach + 1 - width)
            values = np.maximum(values[:-step], values[step:])
            width += step
        values = values.T
    return values


def _smooth(values: Array, times: int) -> Array:
    """Blurred `times` times by a binomial filter of three pixels along both axes."""
    for _ in range(2 * times):
        padded = np.pad(values, ((1, 1), (0, 0)), mode="edge")
        values = ((padded[:-2] + padded[2:]) / 4 + padded[1:-1] / 2).T
    return values
