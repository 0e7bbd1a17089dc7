"""From a picture to its ink: 1 where the pen was, 0 on the paper, whatever the colours, the light and the dirt."""

from __future__ import annotations

import numpy as np

from nncore.backend import Array
from nncore.vision.resample import resized, shrunk

LONGEST_SIDE = 640
"""Larger pictures are shrunk first: a digit needs no more pixels."""
LEAST_CONTRAST = 14.0
"""Ink that differs less from the paper, in steps of 255, is none."""
GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
"""Share of red, green and blue in the brightness that the eye sees."""
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
    """Whether the paper is darker than the ink, judged by the border of the picture (height, width), where there is little ink."""
    grey = shrunk(grey, 128)
    width = max(1, round(min(grey.shape) / 16))
    border = np.concatenate(
        [grey[:width].ravel(), grey[-width:].ravel(), grey[width:-width, :width].ravel(), grey[width:-width, -width:].ravel()]
    )
    low, high = float(grey.min()), float(grey.max())
    threshold = otsu(grey)
    dark_border = float((border <= threshold).mean())
    dark_all = float((grey <= threshold).mean())
    if 0.35 < dark_border < 0.65:
        return dark_all > 0.5
    return dark_border > 0.5 and high > low


def paper_level(grey: Array) -> Array:
    """The brightness that the bright paper has, or would have under the ink: float32 of the shape of `grey` (height, width)."""
    small = shrunk(grey, 48)
    reach = max(2, round(max(small.shape) / 6))
    # A closing: dark things narrower than twice the reach vanish, slow changes of the light stay.
    closed = -_spread(-_spread(small, reach), reach)
    soft = _smooth(closed, 2)
    return np.minimum(resized(soft, grey.shape), 255)


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
    some = depth.ravel()[:: max(1, depth.size // 10_000)]
    noise = 1.4826 * float(np.median(np.abs(some - np.median(some))))
    threshold = max(otsu(depth), 4 * noise, LEAST_CONTRAST / 2)
    strong = depth[depth > threshold]
    if len(strong) < LEAST_INK or (full := float(np.median(strong))) < max(LEAST_CONTRAST, 5 * noise):
        return np.zeros_like(depth)
    low = max(0.2 * full, min(3 * noise, 0.5 * full))
    return np.clip((depth - low) / (0.85 * full - low), 0, 1).astype(np.float32)


def clean(ink: Array) -> Array:
    """The ink (height, width) without specks, and without the lines of a frame or of ruled paper; the largest piece stays."""
    from scipy.ndimage import find_objects, label

    pieces, count = label(ink > 0.4, np.ones((3, 3), bool))
    if count <= 1:
        return ink if count else np.zeros_like(ink)
    area = np.bincount(pieces.ravel(), weights=ink.ravel(), minlength=count + 1)
    area[0] = 0
    line = np.zeros(count + 1, bool)
    for number, box in enumerate(find_objects(pieces), start=1):
        line[number] = _is_line(pieces[box] == number, box, ink.shape)
    if line[1:].all():
        line[:] = False
    largest = area[~line].max()
    gone = line | (area < 0.04 * largest)
    gone[0] = False
    # Half-tones at the edge of a piece that goes belong to it; those around the others stay.
    keep = ~gone[pieces]
    if gone.any():
        keep &= (pieces > 0) | (_spread((pieces > 0) & keep, 2) > 0)
    return ink * keep


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


def _is_line(piece: Array, box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    """Whether a piece (its mask within its box) is a frame or a ruled line: along a side of the picture, thin, and long."""
    height, width = shape
    tall, wide = piece.shape
    top, left = box[0].start, box[1].start
    margin_rows, margin_columns = max(2, round(0.06 * height)), max(2, round(0.06 * width))
    if wide >= 0.9 * width and tall <= 0.08 * height:
        return True
    if tall >= 0.9 * height and wide <= 0.08 * width and (left <= margin_columns or left + wide >= width - margin_columns):
        return True
    if tall >= 0.8 * height and wide >= 0.8 * width:
        rows = np.arange(top, top + tall)[:, None]
        columns = np.arange(left, left + wide)[None, :]
        inside = (rows >= 2 * margin_rows) & (rows < height - 2 * margin_rows)
        inside = inside & (columns >= 2 * margin_columns) & (columns < width - 2 * margin_columns)
        return float((piece & inside).sum()) < 0.1 * float(piece.sum())
    return False


def _spread(values: Array, reach: int) -> Array:
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
