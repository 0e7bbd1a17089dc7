"""From a picture to how far each pixel stands out from the paper, whatever the colours and the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.vision.resample import shrunk

GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
"""Share of red, green and blue in the brightness that the eye sees."""
FRAME = 0.03
"""Width of a frame around a picture, as a share of its side."""
ONE_SIDED = 0.25
"""Share of the border that may be of the other brightness where the border alone tells paper from ink."""
SEARCHED = 512
"""Pixels of the longer side in which paper is told from ink."""
WINDOWS = (0.012, 0.02, 0.03, 0.043, 0.06, 0.085, 0.12, 0.17, 0.24, 0.35)
"""Sides of windows, as shares of the picture's longer side, in which there is paper somewhere."""
MOST_INK, ROOM = 0.3, 2.5
"""Share of what stands out that is thinner than a window (wide shadows may too), and how many times larger one no stroke fills."""
LEAST_DEPTH = 6.0
"""What differs less from its surroundings, in steps of 255, is noise."""
DARKEST_LIGHT = 0.2
"""Light weaker than this share of the brightest is not made up for in full: there would be nothing but noise."""


def brightness(picture: Array) -> Array:
    """The brightness, float32 (height, width) from 0 to 255, of a uint8 picture (height, width, 1 or 3).

    Of a colour picture it is the mixture of red, green and blue in which its colours differ most, so that red on green of
    the same brightness can be told apart.
    """
    if picture.shape[2] == 1:
        return picture[..., 0].astype(np.float32)
    colour = picture.astype(np.float32)
    grey = colour @ GREY_WEIGHTS
    sample = shrunk(picture, 256).reshape(-1, 3).astype(np.float32)
    middle = sample.mean(axis=0)
    axes = np.linalg.eigh((sample - middle).T @ (sample - middle) / len(sample))[1]
    # Shares that add up to 1, so that black and white differ by no more than they do in grey.
    share = axes[:, 2] / np.abs(axes[:, 2]).sum()
    if (sample @ share).std() < 1.5 * (sample @ GREY_WEIGHTS).std() + 1:
        return grey
    mixture = (share * (1 if share.sum() > 0 else -1)).astype(np.float32)
    return np.clip(128 + (colour - middle) @ mixture, 0, 255)


@dataclass(frozen=True)
class Paper:
    """What a picture's paper is like."""

    dark: bool
    """Whether it is darker than the ink."""
    window: float
    """Side of a window, as a share of the picture's longer side, that no stroke of the pen fills."""


def find_paper(grey: Array) -> Paper:
    """Tell paper from ink in a picture (height, width) of brightness.

    The border of the picture is paper. Where a part of it is bright and a part is dark, because of a shadow or of ink that
    reaches it, the ink is what is thin: of two things that lie between each other, the strokes are thinner than the gaps.
    """
    grey = shrunk(grey, SEARCHED)
    # A frame around the picture is neither.
    frame = [round(FRAME * length) for length in grey.shape]
    grey = grey[frame[0] : len(grey) - frame[0], frame[1] : grey.shape[1] - frame[1]]
    width = max(1, round(min(grey.shape) / 16))
    border = np.concatenate(
        [grey[:width].ravel(), grey[-width:].ravel(), grey[width:-width, :width].ravel(), grey[width:-width, -width:].ravel()]
    )
    dark = float((border <= otsu(grey)).mean())
    if min(dark, 1 - dark) <= ONE_SIDED:
        is_dark = dark > 0.5 and float(grey.min()) < float(grey.max())
        return Paper(is_dark, _thin(255 - grey if is_dark else grey)[1])
    (as_bright, bright_window), (as_dark, dark_window) = _thin(grey), _thin(255 - grey)
    return Paper(True, dark_window) if as_dark > as_bright else Paper(False, bright_window)


def _thin(grey: Array) -> tuple[float, float]:
    """How much thin and dark there is in a small picture (height, width), and the window that most of it fits in twice.

    A granulometry: what first vanishes in a window of a certain size counts by the square of its contrast, and less the larger the
    window is; most of all for how thin it is, since strokes that enclose paper are thinner than the paper.
    """
    sizes = sorted({(2 * _reach(grey, window) + 1) / max(grey.shape) for window in WINDOWS})
    found, thin, before = [], 0.0, 0.0
    for size in sizes:
        depth = paper_level(grey, size) - grey
        there = np.maximum(depth - float(np.median(depth)) - LEAST_DEPTH, 0)
        mass = float((there**2).sum())
        found.append(max(mass - before, 0.0) / size)
        thin += found[-1] / size**2
        before = max(mass, before)
    total = np.cumsum(found)
    most = sizes[int(np.searchsorted(total, MOST_INK * total[-1]))]
    return thin, min(ROOM * most, WINDOWS[-1])


def paper_level(grey: Array, window: float) -> Array:
    """The brightness that the bright paper has, or would have under the ink: float32 of the shape of `grey` (height, width).

    A closing: dark things narrower than the window vanish; slopes of the light and the edges of shadows stay as they are.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    reach = _reach(grey, window)
    side = 2 * reach + 1
    # Padded, so that the light goes on beyond the border: the dark end of a slope would be brightened otherwise.
    padded = np.pad(grey, reach, mode="edge")
    closed = minimum_filter(maximum_filter(padded, side, mode="nearest"), side, mode="nearest")
    inner = slice(reach, -reach)
    return closed[inner, inner]


@dataclass(frozen=True, eq=False)
class Light:
    """A picture in even light."""

    depth: Array
    """float32 (height, width), 0 to 255: how much darker than the paper each pixel is, or brighter if the paper is dark"""
    dark_paper: bool
    weakest: float
    """The light where there is least of it, as a share of the brightest, 0 to 1."""


def _reach(grey: Array, window: float) -> int:
    """Pixels from the middle of a window to its sides."""
    return max(2, round(window * max(grey.shape) / 2))


def evened(grey: Array) -> Light:
    """A picture (height, width) of brightness in even light. What lies in a shadow stands out as much as what lies in the light."""
    paper = find_paper(grey)
    bright = 255 - grey if paper.dark else grey
    level = paper_level(bright, paper.window)
    weakest, brightest = (float(each) for each in np.quantile(shrunk(level, 256), (0.02, 0.95)))
    depth = level - bright
    if not paper.dark:
        # Light multiplies what paper and ink throw back. What a dark paper is lit by is not to be seen on it.
        depth *= brightest / np.maximum(level, max(DARKEST_LIGHT * brightest, 1.0))
    return Light(_above_noise(depth), paper.dark, weakest / max(brightest, 1.0))


def _above_noise(depth: Array) -> Array:
    """The depth without that of plain paper, which noise keeps below the brightest of its surroundings."""
    plain = float(np.median(depth))
    # Where most of the picture is ink, the median is no paper.
    return np.maximum(depth - plain, 0) if plain < 0.3 * float(depth.max()) else depth


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
