"""Digits drawn by code in the manner of SVHN: colour, a house's wall behind them, and parts of their neighbours at the sides."""

from __future__ import annotations

import numpy as np

from nncore.backend import Array
from nncore.data.dataset import Dataset
from nncore.data.synthetic import Style, draw_digits, in_blocks, pixel_grid

SIDE = 32
STREET = Style(
    font_share=0.7, pen=(1.2, 3.0), wobble=0.02, aspect=(0.65, 1.15), slant=(0, 0.08), turn=0.06, warp=0.015, uneven=0.04
)
LEAST_CONTRAST = 45
"""Least difference of brightness, out of 255, between a digit and the wall."""


def synthetic_street(split: str = "train", count: int | None = None, seed: int = 0) -> Dataset:
    """`count` coloured digits (10,000 for "train", 2,000 for "test" unless told), uint8 (count, 32, 32, 3), as many of each.

    Seeds and splits behave as in `synthetic`. Raises ConfigError where the split or the count makes no sense.
    """
    return in_blocks("synthetic-street", _draw, split, count, seed)


def _draw(labels: Array, rng: np.random.Generator) -> Array:
    count = len(labels)
    size = rng.uniform(20, 30, count)
    ink = _moved(draw_digits(labels, STREET, rng, SIDE, size), rng.integers(-2, 3, count), rng.integers(-2, 3, count))
    for side in (-1, 1):
        others = draw_digits(rng.integers(0, 10, count), STREET, rng, SIDE, size)
        there = rng.random((count, 1, 1)) < 0.6
        ink = np.maximum(ink, there * _moved(others, rng.integers(-2, 3, count), side * rng.integers(17, 25, count)))
    wall, paint = _colours(count, rng)
    light = _light(count, rng)[..., None]
    picture = _blurred(wall + (paint - wall) * ink[..., None] + light, rng)
    picture += rng.normal(0, 1, picture.shape) * rng.uniform(0, 8, (count, 1, 1, 1))
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def _moved(ink: Array, down: Array, right: Array) -> Array:
    """Each of the pictures (N, side, side) moved by whole pixels; what comes in from beyond is empty."""
    side = ink.shape[1]
    rows, columns = np.arange(side) - down[:, None], np.arange(side) - right[:, None]
    inside = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[:, None, :]
    moved = ink[np.arange(len(ink))[:, None, None], rows.clip(0, side - 1)[:, :, None], columns.clip(0, side - 1)[:, None, :]]
    return moved * inside


def _colours(count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """A colour of the wall and one of the digits for each picture, float (N, 1, 1, 3), told apart by their brightness."""
    # Walls and numbers are mostly grey with a tint.
    wall, paint = (rng.uniform(20, 235, (count, 1)) + rng.normal(0, 22, (count, 3)) for _ in range(2))
    gap = paint.mean(axis=1) - wall.mean(axis=1)
    away = np.where(wall.mean(axis=1) < 128, 1, -1)
    short = np.abs(gap) < LEAST_CONTRAST
    paint = paint + (short * (away * rng.uniform(LEAST_CONTRAST, 120, count) - gap))[:, None]
    return wall[:, None, None], paint[:, None, None]


def _light(count: int, rng: np.random.Generator) -> Array:
    """Uneven light, float (N, side, side): a slope and a slow wave, in steps of brightness."""
    place = pixel_grid(SIDE).reshape(SIDE, SIDE, 2) / SIDE - 0.5
    slope = place @ rng.normal(0, 20, (count, 2, 1, 1)).transpose(0, 2, 1, 3)
    wave = np.sin(place @ rng.normal(0, 8, (count, 2, 1, 1)).transpose(0, 2, 1, 3) + rng.uniform(0, 6.28, (count, 1, 1, 1)))
    return (slope + wave * rng.uniform(0, 14, (count, 1, 1, 1)))[..., 0]


def _blurred(pictures: Array, rng: np.random.Generator) -> Array:
    """Each picture (N, side, side, 3) blurred by a binomial filter, some more than others."""
    share = rng.uniform(0, 1, (len(pictures), 1, 1, 1))
    soft = pictures
    for axis in (1, 2, 1, 2):
        before, after = np.roll(soft, 1, axis), np.roll(soft, -1, axis)
        soft = (before + 2 * soft + after) / 4
    # The filter wraps around; the outermost pixels keep what they were.
    soft[:, (0, 1, -2, -1)] = pictures[:, (0, 1, -2, -1)]
    soft[:, :, (0, 1, -2, -1)] = pictures[:, :, (0, 1, -2, -1)]
    return pictures * (1 - share) + soft * share
